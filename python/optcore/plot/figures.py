"""Figures: made, with or without a display, and written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .style import DPI, PAPER, SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def need(who: str) -> None:
    """A ModuleNotFoundError that says how to install matplotlib, if it is not there."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ModuleNotFoundError(
            f"{who} needs matplotlib: pip install 'optcore[plot]'", name=error.name
        ) from None


def axes(ax: Axes | None, who: str, size: tuple[float, float] = SIZE) -> Axes:
    """The given axes, or those of a new figure.

    Args:
        ax: the user's; None for new ones.
        who: the function that draws, for errors.
        size: of a new figure, in inches.

    Raises:
        TypeError: `ax` is something else.
        ModuleNotFoundError: matplotlib is not installed.
    """
    need(who)
    from matplotlib.axes import Axes

    if ax is None:
        new: Axes = shown(1, 1, size)[0, 0]
        return new
    if not isinstance(ax, Axes):
        raise TypeError(
            f"ax: expected matplotlib Axes or None, got a {type(ax).__name__}; "
            "pass e.g. the second that plt.subplots() returns"
        )
    return ax


def shown(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Any:
    """The axes of a new figure that pyplot knows, so that `plt.show()` shows it.

    Where the chosen backend asks for a display and there is none, the figure can still be saved.
    """
    from matplotlib import pyplot

    try:
        figure = pyplot.figure(figsize=size, layout="constrained", facecolor=PAPER)
    except ImportError:
        figure = hidden(size)
    return figure.subplots(rows, columns, squeeze=False, **options)


def hidden(size: tuple[float, float], dpi: float = DPI) -> Figure:
    """A new figure that needs no display and that pyplot does not hold on to."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def write(figure: Figure, path: Path) -> Path:
    """Writes a figure as PNG, on white; missing directories are made.

    Returns:
        The path of the file, absolute.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", facecolor=PAPER)
    return path.resolve()


def save(picture: Any, path: str | Path, dpi: float = DPI) -> Path:
    """Writes the figure of some axes to a file; missing directories are made.

    Args:
        picture: axes, an array of them, or a figure.
        path: a name that ends in .png, .svg, .pdf or another format of matplotlib.
        dpi: dots per inch.

    Returns:
        The path of the file, absolute.

    Raises:
        TypeError: `picture` or `path` is something else.
        ValueError: no such format.
        OSError: it cannot be written. The figure is as it was, to be saved elsewhere.

    Example:
        >>> import tempfile, optcore as oc
        >>> from matplotlib.figure import Figure
        >>> ax = oc.plot.curves({"SGD": [3.0, 2.0, 1.0]}, Figure().subplots())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     oc.plot.save(ax, folder + "/loss.png").name
        'loss.png'
    """
    need("optcore.plot.save")
    figure = _figure(picture)
    target = as_path(path, tuple(figure.canvas.get_supported_filetypes()))
    make_room(target)
    try:
        figure.savefig(target, dpi=dpi, facecolor=PAPER, bbox_inches="tight", pad_inches=0.1)
    except OSError as error:
        raise unwritable(error, target, "the figure is as it was, save it elsewhere") from None
    return target.resolve()


def as_path(path: Any, formats: tuple[str, ...]) -> Path:
    """A path whose ending is one of these formats.

    >>> as_path("a/b.png", ("png", "svg")).name
    'b.png'
    """
    if not isinstance(path, (str, Path)):
        raise TypeError(
            f"path: expected a str or a Path, got {path!r:.80}; pass e.g. 'out.{formats[0]}'"
        )
    target = Path(path)
    if target.suffix.lower().removeprefix(".") not in formats:
        known = ", ".join(f".{name}" for name in formats)
        raise ValueError(
            f"path: expected a name that ends in {known}, got {str(path)!r}; "
            f"pass e.g. 'out.{formats[0]}'"
        )
    return target


def make_room(path: Path) -> None:
    """Makes the directory that a file is to lie in, or says why there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error, path, "pass another path") from None


def unwritable(error: OSError, path: Path, what_now: str) -> OSError:
    """The same error in words that say what now."""
    reason = error.strerror or str(error)
    words = f"path: expected a place that can be written, got {str(path)!r}: {reason}; {what_now}"
    return type(error)(error.errno, words)


def _figure(picture: Any) -> Figure:
    """The figure that axes, an array of axes or a figure belong to."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    first = picture.flat[0] if hasattr(picture, "flat") and picture.size else picture
    if isinstance(first, Axes):
        first = first.figure.canvas.figure  # of a subfigure too
    if not isinstance(first, Figure):
        raise TypeError(
            f"picture: expected matplotlib Axes or a Figure, got a {type(picture).__name__}; "
            "pass what a function of optcore.plot returned"
        )
    return first
