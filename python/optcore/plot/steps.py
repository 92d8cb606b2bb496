"""Paths of parameters, as they are given and as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .series import is_comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

ALONE = ""  # the name of a path that was given without one
_DOTS = 60  # so many steps can be told apart along a path


def read(paths: Any, dimensions: int) -> dict[str, Floats]:
    """Paths by name, each of points (steps, dimensions).

    Args:
        paths: a mapping from names to paths, or one path; None is none. Points may stand alone
            instead of in rows where there is one dimension. Of a comparison, the first seed's.
        dimensions: of a point.

    Raises:
        TypeError, ValueError: something else.
    """
    if paths is None:
        return {}
    if is_comparison(paths):
        paths = {label: paths.of(label)[0].path for label in paths.labels if paths.of(label)}
    if not isinstance(paths, Mapping):
        return {ALONE: _points(paths, dimensions, "paths")}
    return {str(k): _points(v, dimensions, f"paths[{k!r}]") for k, v in paths.items()}


def _points(path: Any, dimensions: int, where: str) -> Floats:
    example = "np.array([w.copy() for each step])"
    try:
        points = np.array(path, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{where}: expected numbers, (steps, {dimensions}), got {path!r:.80}; pass e.g. "
            f"{example}"
        ) from None
    if dimensions == 1 and points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or points.shape[1] != dimensions or not len(points):
        raise ValueError(
            f"{where}: expected an array (steps, {dimensions}) of at least one step, got the shape "
            f"{points.shape}; pass e.g. {example}"
        )
    if not np.isfinite(points[0]).all():
        raise ValueError(f"{where}: expected a finite start, got {points[0]}; check the path")
    return points


def finite(points: Floats) -> Floats:
    """A path up to its first point that is infinite or NaN.

    >>> finite(np.array([[1.0], [2.0], [np.inf], [3.0]])).tolist()
    [[1.0], [2.0]]
    """
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    return points[: bad[0]] if len(bad) else points


def limits(points: list[Floats], axis: int, given: Any, name: str) -> tuple[float, float]:
    """From where to where an axis goes: as given, or around all points.

    Raises:
        TypeError, ValueError: `given` is no pair in rising order, or there is nothing to go by.
    """
    if given is not None:
        try:
            low, high = map(float, given)
        except (TypeError, ValueError):
            raise TypeError(
                f"{name}: expected two numbers or None, got {given!r:.80}; pass e.g. (-2, 2)"
            ) from None
        if not -np.inf < low < high < np.inf:
            raise ValueError(
                f"{name}: expected low < high, both finite, got {given!r}; pass e.g. (-2, 2)"
            )
        return low, high
    if not points:
        raise ValueError(
            f"{name}: expected two numbers, as there is neither a path nor a minimum to go by, got "
            "None; pass e.g. (-2, 2)"
        )
    values = np.concatenate([finite(p)[:, axis] for p in points])
    low, high = float(values.min()), float(values.max())
    room = 0.15 * (high - low) or 1.0
    return low - room, high + room


@dataclass(frozen=True)
class Trail:
    """A path that is drawn.

    Attributes:
        x, y: its points.
        artists: what shows it; their data are the way so far.
    """

    x: Floats
    y: Floats
    artists: list[Any]

    def go_to(self, step: int) -> None:
        """Shows it up to a step, or whole if it has ended by then."""
        for artist in self.artists:
            artist.set_data(self.x[: step + 1], self.y[: step + 1])


def draw(ax: Axes, name: str, x: Floats, y: Floats, i: int, raised: float = 0.0) -> Trail:
    """A path: a line on a white edge with a dot at each step, and its head where it has got to.

    Args:
        ax: the axes.
        name: for the legend.
        x: the points along x.
        y: the points along y.
        i: which path it is, for colour and head.
        raised: by how many points of the page to draw it higher, so that others are seen.
    """
    from matplotlib.patheffects import Normal, Stroke
    from matplotlib.transforms import ScaledTranslation

    colour = style.COLOURS[i % len(style.COLOURS)]
    place = ax.transData + ScaledTranslation(0, raised / 72, ax.figure.dpi_scale_trans)
    few = len(x) <= _DOTS
    [line] = ax.plot(
        x,
        y,
        color=colour,
        linewidth=1.5 if few else 2,
        zorder=4,
        transform=place,
        path_effects=[Stroke(linewidth=3.2, foreground="white", alpha=0.8), Normal()],
    )
    [dots] = ax.plot(
        x, y, "o" if few else "", color=colour, markersize=3.5, transform=place, zorder=4
    )
    [head] = ax.plot(
        x,
        y,
        color=colour,
        marker=style.HEADS[i % len(style.HEADS)],
        markevery=[-1],
        linewidth=1.5,
        markersize=8,
        mec="white",
        mew=1.2,
        transform=place,
        label=name or "path",
        zorder=6,
    )
    ax.update_datalim(np.column_stack([x, y]))
    return Trail(x, y, [line, dots, head])


def mark_starts(ax: Axes, trails: Iterable[Trail]) -> None:
    """Rings where the paths begin."""
    for k, (x, y) in enumerate(sorted({(t.x[0], t.y[0]) for t in trails})):
        ax.plot(
            x,
            y,
            "o",
            color="white",
            mec=style.INK,
            mew=1.5,
            markersize=8,
            linestyle="",
            label=None if k else "start",
            zorder=5,
        )
