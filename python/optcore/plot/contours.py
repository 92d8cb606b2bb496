"""Paths over the contours of a function of two variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import figures, steps, style
from .landscapes import Landscape, heights, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..problems import Problem

_SIZE = (6.4, 5.2)
_FINE = 241  # points along each axis
_LEVELS = 18
_FLOOR = 1e-3  # of the median height: what is lower has one colour


def path_2d(
    function: str | Problem | Landscape | Callable[[NDArray[np.float64]], Any],
    paths: Any = None,
    ax: Axes | None = None,
    *,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    minima: Sequence[Sequence[float]] | None = None,
    log: bool = True,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draws where optimizers go over a function of two variables, shown by its contours.

    Args:
        function: "rosenbrock", "beale", "himmelblau", "quadratic" or another problem of the plane,
            by name or as an object; or a function of a point (2,) that returns a number.
        paths: a mapping from names to the points visited, (steps, 2); or one path; or what
            `optcore.compare` returns, of which the first seed is drawn. A path ends before its
            first point that is not finite.
        ax: the axes to draw on; None makes a new figure.
        xlim: from left to right; None is what is usual for a named function, else what holds all
            paths and minima.
        ylim: from bottom to top, likewise.
        minima: points that get a star; None takes those of a named function.
        log: contours that are closer together near the lowest value, so that valleys are seen.
        title: above the axes; None is a named function's name.
        legend: whether there is one.

    Returns:
        The axes.

    Raises:
        TypeError, ValueError: an argument is of another kind, or there is nothing to go by.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import numpy as np, optcore as oc
        >>> from matplotlib.figure import Figure
        >>> w, path = np.array([-4.0, 0.0]), []
        >>> opt = oc.Adam(w, lr=0.3)
        >>> for _ in range(40):
        ...     path.append(w.copy())
        ...     a, b = w[0] ** 2 + w[1] - 11, w[0] + w[1] ** 2 - 7
        ...     opt.step(np.array([4 * w[0] * a + 2 * b, 2 * a + 4 * w[1] * b]))
        >>> ax = oc.plot.path_2d("himmelblau", {"Adam": path}, Figure().subplots())
        >>> ax.get_legend_handles_labels()[1]
        ['minimum', 'Adam', 'start']
    """
    return drawn(function, paths, ax, xlim, ylim, minima, log, title, legend)[0]


def drawn(
    function: Any,
    paths: Any = None,
    ax: Axes | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    minima: Sequence[Sequence[float]] | None = None,
    log: bool = True,
    title: str | None = None,
    legend: bool = True,
) -> tuple[Axes, list[steps.Trail]]:
    """The same, with the trails: `animate` lets them grow."""
    found = steps.read(paths, 2)
    scene = _scene(function, found, xlim, ylim, minima)
    x, y = np.linspace(*scene.xlim, _FINE), np.linspace(*scene.ylim, _FINE)
    z = _heights(scene, x, y, log)
    ax = figures.axes(ax, "optcore.plot.path_2d", _SIZE)
    _ground(ax, x, y, z)
    _mark_minima(ax, scene)
    trails = []
    for i, (name, points) in enumerate(found.items()):
        walked = steps.finite(points)
        trails.append(steps.draw(ax, name, walked[:, 0], walked[:, 1], i))
    steps.mark_starts(ax, trails)
    style.words(ax, "x", "y", scene.name if title is None else title)
    if legend:
        style.legend(ax, **BOXED)
    return ax, trails


BOXED: dict[str, Any] = {
    "frameon": True,
    "framealpha": 0.85,
    "edgecolor": "none",
    "handlelength": 2,
}
"""What makes a legend readable on top of contours."""


def _scene(function: Any, paths: dict[str, Any], xlim: Any, ylim: Any, minima: Any) -> Landscape:
    """What is to be looked at, and how much of it."""
    known = named(function)
    if known is not None:
        xlim = known.xlim if xlim is None else xlim
        ylim = known.ylim if ylim is None else ylim
        minima = known.minima if minima is None else minima
        function, name = known.function, known.name
    else:
        name = ""
    stars = [steps.read([point], 2)[steps.ALONE] for point in (() if minima is None else minima)]
    around = [*paths.values(), *stars]
    return Landscape(
        name,
        function,
        steps.limits(around, 0, xlim, "xlim"),
        steps.limits(around, 1, ylim, "ylim"),
        tuple((float(p[0, 0]), float(p[0, 1])) for p in stars),
    )


def _heights(scene: Landscape, x: NDArray[Any], y: NDArray[Any], log: bool) -> NDArray[Any]:
    """What the contours show over a grid, without what is not finite."""
    z = heights(scene.function, np.stack(np.meshgrid(x, y)))
    z = np.where(np.isfinite(z), z, np.nan)
    if not np.isfinite(z).any():
        raise ValueError(
            f"function: expected finite values over {scene.xlim} and {scene.ylim}, got none; pass "
            "other limits"
        )
    if log:
        above = z - np.nanmin(z)
        z = np.log10(np.maximum(above, _FLOOR * np.nanmedian(above) or 1.0))
    return np.ma.masked_invalid(z)


def _ground(ax: Axes, x: NDArray[Any], y: NDArray[Any], z: NDArray[Any]) -> None:
    """Contours, pale enough for paths on top."""
    from matplotlib.colors import LinearSegmentedColormap

    low, high = z.min(), z.max()
    levels = np.linspace(low, high if high > low else low + 1, _LEVELS)
    hills = LinearSegmentedColormap.from_list("hills", style.HILLS)
    ax.contourf(x, y, z, levels=levels, cmap=hills, extend="both", zorder=1)
    if high > low:
        look: dict[str, Any] = {"colors": style.CONTOUR, "linewidths": 0.6, "linestyles": "solid"}
        ax.contour(x, y, z, levels=levels[1:], zorder=2, **look)
    style.dress(ax, grid=None)


def _mark_minima(ax: Axes, scene: Landscape) -> None:
    """Stars where the function is lowest, and the limits of what is seen."""
    for k, (a, b) in enumerate(scene.minima):
        ax.plot(
            a,
            b,
            "*",
            color=style.INK,
            mec="white",
            mew=0.8,
            markersize=13,
            linestyle="",
            label=None if k else "minimum",
            zorder=5,
        )
    ax.set_xlim(*scene.xlim)
    ax.set_ylim(*scene.ylim)
