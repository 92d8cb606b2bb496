"""Functions of two variables: problems of the plane, and how to look at a user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import problems

Floats = NDArray[np.float64]
Limits = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    """A function of a point, and the part of the plane to look at.

    Attributes:
        name: what a title calls it.
        function: takes a point (2,), or an array (2, ...) of them, and returns the values.
        xlim: from left to right.
        ylim: from bottom to top.
        minima: where it is lowest.
    """

    name: str
    function: Callable[[Any], Any]
    xlim: Limits
    ylim: Limits
    minima: tuple[tuple[float, float], ...]


def named(function: Any) -> Landscape | None:
    """The landscape of a problem or of its name, or None where `function` is a function.

    Raises:
        ValueError: there is no problem of that name, or none of the plane.
        TypeError: it is neither.
    """
    problem = problems.named(function) if isinstance(function, str) else function
    minima = np.asarray(getattr(problem, "minima", ()), np.float64)
    plane = minima.size == 0 or minima.shape[-1] == 2
    if plane and hasattr(problem, "value") and hasattr(problem, "bounds"):
        return Landscape(
            str(getattr(problem, "name", "")).capitalize(),
            lambda points: problem.value(np.moveaxis(np.asarray(points), 0, -1)),
            problem.bounds[0],
            problem.bounds[1],
            tuple((float(x), float(y)) for x, y in minima),
        )
    if isinstance(function, str):
        raise ValueError(
            "function: expected a function of the plane, such as rosenbrock, beale or himmelblau, "
            f"got {function!r}, which is none; pass one, or a function of a point"
        )
    if not callable(function):
        raise TypeError(
            f"function: expected a function of the point, or the name of one, got "
            f"{function!r:.80}; pass e.g. lambda w: (w ** 2).sum()"
        )
    return None


def heights(function: Callable[[Any], Any], points: Floats) -> Floats:
    """The function's values at points (dimensions, ...), whether or not it takes them all at once.

    >>> heights(lambda w: float(w @ w), np.array([[3.0, 0.0], [4.0, 1.0]]))
    array([25.,  1.])
    """
    each = points.reshape(len(points), -1).T
    return evaluated(function, points, list(each)).reshape(points.shape[1:])


def evaluated(function: Callable[[Any], Any], together: Floats, each: list[Any]) -> Floats:
    """The function's values at `each`, asked for all `together` if that gives the same.

    A function of arrays is asked once, and held against single points, as one that sums over
    everything would be wrong; any other is asked point by point.
    """
    with np.errstate(all="ignore"):
        try:
            at_once = np.asarray(function(together), np.float64).reshape(-1)
        except Exception:
            at_once = np.empty(0)
        if len(at_once) == len(each):
            some = np.linspace(0, len(each) - 1, 5).astype(int).tolist()
            single = [_height(function, each[k]) for k in some]
            if np.allclose(at_once[some], single, equal_nan=True):
                return at_once
        return np.array([_height(function, point) for point in each])


def _height(function: Callable[[Any], Any], point: Any) -> float:
    value = function(np.copy(point) if isinstance(point, np.ndarray) else point)
    try:
        return float(np.asarray(value, np.float64).reshape(()))
    except (TypeError, ValueError):
        raise TypeError(
            f"function: expected one number for a point, got {value!r:.80}; return the loss alone"
        ) from None
