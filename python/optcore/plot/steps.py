"""Paths of parameters, as they are given and as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

ALONE = ""  # the name of a path that was given without one
_DOTS = 60  # so many steps can be told apart along a path


def read(paths: Any, dimensions: int) -> dict[str, Floats]:
    """Paths by name, each of points (steps, dimensions).

    Args:
        paths: a mapping from names to paths, or one path; None is none. Points may stand alone
            instead of in rows where there is one dimension.
        dimensions: of a point.

    Raises:
        TypeError, ValueError: something else.
    """
    if paths is None:
        return {}
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
        line: the artist of the way so far.
        head: the artist of where it has got to.
    """

    x: Floats
    y: Floats
    line: Any
    head: Any

    def go_to(self, step: int) -> None:
        """Shows it up to a step, or whole if it has ended by then."""
        end = min(step, len(self.x) - 1) + 1
        self.line.set_data(self.x[:end], self.y[:end])
        self.head.set_data(self.x[end - 1 : end], self.y[end - 1 : end])


def draw(ax: Axes, name: str, x: Floats, y: Floats, i: int) -> Trail:
    """A path: a line on a white edge, a dot at each step, and a larger one where it has got to."""
    from matplotlib.patheffects import Normal, Stroke

    colour, dashes = style.style(i)
    many = len(x) > _DOTS
    [line] = ax.plot(
        x,
        y,
        color=colour,
        linestyle=dashes if many else "-",
        linewidth=2 if many else 1.5,
        marker="" if many else "o",
        markersize=3.5,
        label=name or "path",
        zorder=4,
        path_effects=[Stroke(linewidth=3.2, foreground="white", alpha=0.8), Normal()],
    )
    [head] = ax.plot(
        x[-1:], y[-1:], "o", color=colour, markersize=8, mec="white", mew=1.2, zorder=6
    )
    return Trail(x, y, line, head)


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
