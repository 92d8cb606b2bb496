"""Paths as they come about: an animated GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import contours, figures, slopes, steps, style

_SIZE = {1: (6.4, 4.2), 2: (5.6, 4.8)}
_DPI = 100
_HOLD = 1500  # milliseconds, of the last frame


def animate(
    function: Any,
    paths: Any,
    path: str | Path,
    *,
    dimensions: int = 2,
    frames: int = 60,
    fps: float = 15.0,
    dpi: float = _DPI,
    **options: Any,
) -> Path:
    """Writes a GIF in which paths grow step by step, all at the same pace.

    Args:
        function: as `path_2d` has it, or `path_1d`.
        paths: likewise, at least one.
        path: where to, a name that ends in .gif; missing directories are made.
        dimensions: 2 for contours, 1 for a curve.
        frames: at most so many; of longer paths not every step is a frame.
        fps: frames per second. The last one is held for a while.
        dpi: dots per inch.
        options: more options of `path_2d` or `path_1d`: limits, title and so on; not `ax`.

    Returns:
        The path of the file, absolute.

    Raises:
        TypeError, ValueError: an argument is of another kind, or out of range.
        OSError: it cannot be written.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import tempfile, numpy as np, optcore as oc
        >>> walk = np.array([[-1.0, 1.0], [0.0, 0.2], [1.0, 1.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     oc.plot.animate("rosenbrock", {"by hand": walk}, folder + "/walk.gif", dpi=40).name
        'walk.gif'
    """
    target = figures.as_path(path, ("gif",))
    found = steps.read(paths, _one_of(dimensions))
    if not found:
        raise ValueError(f"paths: expected at least one path, got {paths!r}; there is no motion")
    for name, value in {"frames": frames, "fps": fps, "dpi": dpi}.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name}: expected a finite number above 0, got {value!r}")
    figures.need("optcore.plot.animate")
    figure = figures.hidden(_SIZE[dimensions], dpi)
    ax = figure.subplots()
    drawn = contours.drawn if dimensions == 2 else slopes.drawn
    _, trails = drawn(function, paths, ax, **{**options, "legend": False})
    if options.get("legend", True):
        handles, labels = ax.get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=min(len(labels), 4), **style.ENTRIES
        )
    figures.make_room(target)  # before the work, so that a wrong path costs nothing
    longest = max(len(trail.x) for trail in trails)
    shown = np.unique(np.linspace(0, longest - 1, min(frames, longest)).round().astype(int))
    images = []
    for step in shown.tolist():
        for trail in trails:
            trail.go_to(step)
        ax.set_title(f"step {step}", loc="right", fontsize=10, color=style.MUTED)
        images.append(_image(figure))
    _write(images, target, fps)
    return target.resolve()


def _image(figure: Any) -> NDArray[np.uint8]:
    """What the figure looks like now, (height, width, 3)."""
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())[..., :3]


def _write(images: list[Any], target: Path, fps: float) -> None:
    palette = _palette()
    few = [_reduced(image, palette) for image in images]
    times = [max(round(1000 / fps), 20)] * len(few)
    times[-1] = max(times[-1], _HOLD)
    try:
        few[0].save(
            target, save_all=True, append_images=few[1:], duration=times, loop=0, optimize=True
        )
    except OSError as error:
        raise figures.unwritable(error, target, "pass another path") from None


def _reduced(image: NDArray[np.uint8], palette: NDArray[np.int64]) -> Any:
    """The picture in the nearest colours of a palette. (Pillow's own search is not exact.)"""
    from PIL import Image

    packed = image.astype(np.int64) @ (1 << 16, 1 << 8, 1)
    seen, where = np.unique(packed, return_inverse=True)
    colours = np.stack([seen >> 16, (seen >> 8) & 255, seen & 255], axis=-1)
    nearest = ((colours[:, None] - palette) ** 2).sum(-1).argmin(1).astype(np.uint8)
    reduced = Image.fromarray(nearest[where].reshape(packed.shape))
    reduced.putpalette(palette.astype(np.uint8).tobytes())
    return reduced


def _palette() -> NDArray[np.int64]:
    """256 colours at most: ours, and what lies between them where edges are smooth.

    Found by counting they would be greys of the ground above all, and the lines would share one.
    """
    from matplotlib.colors import to_rgb

    low, middle, high = (np.array(to_rgb(colour)) for colour in style.HILLS)
    found = [*_blends(low, middle, 16), *_blends(middle, high, 16), *_blends(0 * low, low, 20)]
    for colour in (*style.COLOURS, style.CONTOUR):
        found += _blends(np.array(to_rgb(colour)), low, 6) + _blends(
            np.array(to_rgb(colour)), high, 6
        )
    return np.asarray(np.rint(255 * np.array(found)), np.int64)


def _blends(one: NDArray[np.float64], other: NDArray[np.float64], count: int) -> list[Any]:
    return [one + t * (other - one) for t in np.linspace(0, 1, count)]


def _one_of(dimensions: Any) -> int:
    if dimensions not in (1, 2):
        raise ValueError(f"dimensions: expected 1 or 2, got {dimensions!r}; pass one of them")
    return int(dimensions)
