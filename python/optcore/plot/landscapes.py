"""Functions of two variables that optimizers are tried on, and how to look at a user's own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def rosenbrock(w: Any) -> Any:
    """Rosenbrock's valley (1960): (1 - x)² + 100·(y - x²)², lowest at (1, 1).

    >>> rosenbrock([-1.0, 1.0])
    4.0
    """
    x, y = w
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(w: Any) -> Any:
    """Beale's function (1958), flat with steep walls, lowest at (3, 0.5).

    .. code-block:: text

        (1.5 - x + x·y)² + (2.25 - x + x·y²)² + (2.625 - x + x·y³)²

    >>> beale([3.0, 0.5])
    0.0
    """
    x, y = w
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(w: Any) -> Any:
    """Himmelblau's function (1972): (x² + y - 11)² + (x + y² - 7)², with four minima of 0.

    >>> himmelblau([3.0, 2.0])
    0.0
    """
    x, y = w
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


LANDSCAPES: Mapping[str, Landscape] = {
    "rosenbrock": Landscape("Rosenbrock", rosenbrock, (-2.0, 2.0), (-1.0, 3.0), ((1.0, 1.0),)),
    "beale": Landscape("Beale", beale, (-4.5, 4.5), (-4.5, 4.5), ((3.0, 0.5),)),
    "himmelblau": Landscape(
        "Himmelblau",
        himmelblau,
        (-6.0, 6.0),
        (-6.0, 6.0),
        ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
    ),
}


def named(function: Any) -> Landscape | None:
    """The landscape of that name, or None where `function` is a function.

    Raises:
        ValueError: there is none of that name.
        TypeError: it is neither.
    """
    if isinstance(function, Landscape):
        return function
    if hasattr(function, "value") and hasattr(function, "bounds"):
        return Landscape(
            str(getattr(function, "name", "")).capitalize(),
            lambda points: function.value(np.moveaxis(np.asarray(points), 0, -1)),
            function.bounds[0],
            function.bounds[1],
            tuple((float(x), float(y)) for x, y in getattr(function, "minima", ())),
        )
    if isinstance(function, str):
        key = function.strip().lower()
        if key not in LANDSCAPES:
            near = difflib.get_close_matches(key, LANDSCAPES, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else "pass one, or a function"
            raise ValueError(
                f"function: expected one of {', '.join(LANDSCAPES)}, got {function!r}; {hint}"
            )
        return LANDSCAPES[key]
    if not callable(function):
        raise TypeError(
            f"function: expected a function of the point, or one of {', '.join(LANDSCAPES)}, got "
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
