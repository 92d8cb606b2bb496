"""Paths on the curve of a function of one variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import figures, steps, style
from .landscapes import evaluated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FINE = 401
_APART = 8  # points of the page, between paths over each other


def path_1d(
    function: Callable[[Any], Any],
    paths: Any = None,
    ax: Axes | None = None,
    *,
    xlim: tuple[float, float] | None = None,
    xlabel: str = "x",
    ylabel: str = "f(x)",
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draws where optimizers go on the curve of a function of one variable.

    The first path lies on the curve, each further one a little higher, so that all are seen.

    Args:
        function: takes a number and returns one.
        paths: a mapping from names to the points visited, (steps,) or (steps, 1); or one path. A
            path ends before its first point that is not finite.
        ax: the axes to draw on; None makes a new figure.
        xlim: from left to right; None is what holds all paths.
        xlabel: what is along x.
        ylabel: what is along y.
        title: above the axes.
        legend: whether there is one.

    Returns:
        The axes.

    Raises:
        TypeError, ValueError: an argument is of another kind, or there is nothing to go by.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import numpy as np, optcore as oc
        >>> from matplotlib.figure import Figure
        >>> x, path = np.array([4.0]), []
        >>> opt = oc.SGD(x, lr=0.1)
        >>> for _ in range(20):
        ...     path.append(float(x[0]))
        ...     opt.step(2 * x)
        >>> ax = oc.plot.path_1d(lambda x: x**2, {"SGD": path}, Figure().subplots())
        >>> ax.get_legend_handles_labels()[1]
        ['f(x)', 'SGD', 'start']
    """
    return drawn(function, paths, ax, xlim, xlabel, ylabel, title, legend)[0]


def drawn(
    function: Callable[[Any], Any],
    paths: Any = None,
    ax: Axes | None = None,
    xlim: tuple[float, float] | None = None,
    xlabel: str = "x",
    ylabel: str = "f(x)",
    title: str | None = None,
    legend: bool = True,
) -> tuple[Axes, list[steps.Trail]]:
    """The same, with the trails: `animate` lets them grow."""
    if not callable(function):
        raise TypeError(
            f"function: expected a function of a number, got {function!r:.80}; pass e.g. "
            "lambda x: x ** 2"
        )
    found = steps.read(paths, 1)
    low, high = steps.limits(list(found.values()), 0, xlim, "xlim")
    x = np.linspace(low, high, _FINE)
    y = _on_curve(function, x)
    walks = {name: steps.finite(points)[:, 0] for name, points in found.items()}
    heights = {name: _on_curve(function, walk) for name, walk in walks.items()}
    ax = figures.axes(ax, "optcore.plot.path_1d")
    ax.plot(x, y, color=style.NEUTRAL, linewidth=2, label=ylabel, zorder=2)
    trails = [
        steps.draw(ax, name, walk, heights[name], i, _APART * i)
        for i, (name, walk) in enumerate(walks.items())
    ]
    steps.mark_starts(ax, trails)
    ax.set_xlim(low, high)
    style.dress(ax)
    style.words(ax, xlabel, ylabel, title)
    if legend:
        style.legend(ax)
    return ax, trails


def _on_curve(function: Callable[[Any], Any], x: steps.Floats) -> steps.Floats:
    """The function's values at numbers; NaN where they are not finite."""
    y = evaluated(function, x, x.tolist())
    return np.where(np.isfinite(y), y, np.nan)
