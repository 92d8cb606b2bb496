"""Losses by optimizer and seed, read from whatever holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """The runs of one optimizer.

    Attributes:
        name: what the legend calls it.
        x: where the points are, (points,).
        runs: a row for each seed, (seeds, points). A run that diverged, or stopped early, goes on
            as infinity or NaN.
    """

    name: str
    x: Floats
    runs: Floats

    def median(self) -> Floats:
        """The median at each point; a run that is not finite there counts as the worst.

        >>> of = Series("a", np.arange(2.0), np.array([[1.0, 1.0], [3.0, np.nan], [2.0, 5.0]]))
        >>> of.median()
        array([2., 5.])
        """
        return _quantile(np.where(np.isfinite(self.runs), self.runs, np.inf), 0.5)

    def band(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Two quantiles of the runs that are finite at each point; NaN where none is.

        >>> of = Series("a", np.arange(2.0), np.array([[1.0, 1.0], [3.0, np.nan], [2.0, 5.0]]))
        >>> of.band(0, 1)
        (array([1., 1.]), array([3., 5.]))
        """
        ends = np.full((2, self.runs.shape[1]), np.nan)
        for point, values in enumerate(self.runs.T):
            finite = values[np.isfinite(values)]
            if len(finite):
                ends[:, point] = [_quantile(finite, q) for q in (low, high)]
        return ends[0], ends[1]

    @property
    def diverged(self) -> int:
        """How many runs do not end with a finite value."""
        return int(np.sum(~np.isfinite(self.runs[:, -1])))


def _quantile(values: Floats, q: float) -> Any:
    """A quantile along the first axis, of numbers of which some may be infinite."""
    ranked = np.sort(values, axis=0)
    place = q * (len(ranked) - 1)
    low, high = ranked[int(np.floor(place))], ranked[int(np.ceil(place))]
    with np.errstate(invalid="ignore"):
        between = low + (place - np.floor(place)) * (high - low)
    return np.where(low == high, low, np.where(high < np.inf, between, high))


def read(results: Any, x: Any = None, what: str = "results") -> list[Series]:
    """The series of a mapping name -> losses, or of an object that has one.

    Args:
        results: a mapping from names to arrays (points,) or (seeds, points), or to sequences of
            runs that may differ in length; or an object whose method `curves()` returns such a
            mapping, as the result of `optcore.compare` does.
        x: where the points are: (points,) for all, or a mapping from names; None counts from 0.
        what: the argument's name, for errors.

    Raises:
        TypeError, ValueError: something else.
    """
    if not isinstance(results, Mapping) and callable(getattr(results, "curves", None)):
        results = results.curves()
    if not isinstance(results, Mapping):
        raise TypeError(
            f"{what}: expected a mapping from names to losses, or what optcore.compare returns, "
            f"got a {type(results).__name__}; pass e.g. {{'Adam': losses}}"
        )
    if not results:
        raise ValueError(f"{what}: expected at least one name, got none; pass {{'Adam': losses}}")
    found = []
    for name, given in results.items():
        where = f"{what}[{name!r}]"
        runs = _runs(given, where)
        own = x.get(name) if isinstance(x, Mapping) else x
        found.append(Series(str(name), _places(own, runs.shape[1], where), runs))
    return found


def _runs(given: Any, where: str) -> Floats:
    """Rows of one length; a shorter run goes on as NaN."""
    try:
        if isinstance(given, (list, tuple)) and given and all(np.ndim(run) == 1 for run in given):
            rows = [np.asarray(run, np.float64) for run in given]
            longest = max(map(len, rows))
            runs = np.full((len(rows), longest), np.nan)
            for mine, row in zip(runs, rows, strict=True):
                mine[: len(row)] = row
        else:
            runs = np.atleast_2d(np.asarray(given, np.float64))
    except (TypeError, ValueError):
        raise TypeError(
            f"{where}: expected numbers, (points,) or (seeds, points), got {given!r:.80}; pass "
            "the losses of one run, or a list of runs"
        ) from None
    if runs.ndim != 2 or runs.size == 0:
        raise ValueError(
            f"{where}: expected an array (points,) or (seeds, points), got the shape "
            f"{np.shape(given)}; pass a row for each seed"
        )
    return runs


def _places(x: Any, points: int, where: str) -> Floats:
    if x is None:
        return np.arange(points, dtype=np.float64)
    places = np.asarray(x, np.float64)
    if places.shape != (points,):
        raise ValueError(
            f"x: expected {points} numbers, as many as {where} has points, got the shape "
            f"{places.shape}; pass one for each point, or a mapping from names"
        )
    return places
