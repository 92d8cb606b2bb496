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
        runs: a row for each seed, (seeds, points). A run that has diverged goes on as infinity, one
            that has ended as NaN.
    """

    name: str
    x: Floats
    runs: Floats

    def median(self) -> Floats:
        """The median at each point, of the runs that have not ended; infinity is the worst.

        >>> of = Series("a", np.arange(3.0), np.array([[1, 1, 1], [3, np.inf, 3], [2, 5, np.nan]]))
        >>> of.median()
        array([2., 5., 2.])
        """
        return _quantile(self.runs, 0.5)

    def band(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Two quantiles of the runs that are finite at each point; NaN where none is.

        >>> of = Series("a", np.arange(2.0), np.array([[1.0, 1.0], [3.0, np.inf], [2.0, 5.0]]))
        >>> of.band(0, 1)
        (array([1., 1.]), array([3., 5.]))
        """
        finite = np.where(np.isfinite(self.runs), self.runs, np.nan)
        return _quantile(finite, low), _quantile(finite, high)

    @property
    def diverged(self) -> int:
        """How many runs end infinite."""
        return int(np.isinf(self.ends()).sum())

    def ends(self) -> Floats:
        """The last value of each run."""
        last = [run[~np.isnan(run)][-1:] for run in self.runs]
        return np.array([end[0] if end.size else np.nan for end in last])


def _quantile(runs: Floats, q: float) -> Floats:
    """A quantile at each point, leaving NaN out."""
    ranked = np.sort(runs, axis=0)  # NaN comes last
    place = q * np.maximum(np.sum(~np.isnan(runs), axis=0) - 1, 0)
    below = np.floor(place)
    low, high = (
        np.take_along_axis(ranked, at.astype(np.intp)[None], axis=0)[0]
        for at in (below, np.ceil(place))
    )
    with np.errstate(invalid="ignore"):
        between = low + (place - below) * (high - low)
    return np.asarray(np.where((low == high) | np.isinf(high), high, between))


def read(results: Any, x: Any = None, what: str = "results") -> list[Series]:
    """The series of a mapping name -> losses, or of what `optcore.compare` returns.

    Args:
        results: a mapping from names to arrays (points,) or (seeds, points), or to sequences of
            runs that may differ in length; or a comparison.
        x: where the points are: (points,) for all, or a mapping from names; None counts from 0, or
            is the steps of a comparison.
        what: the argument's name, for errors.

    Raises:
        TypeError, ValueError: something else.
    """
    if is_comparison(results):
        results, x = _compared(results, x)
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
        own = x.get(name, ()) if isinstance(x, Mapping) else x
        found.append(Series(str(name), _places(own, runs.shape[1], where), runs))
    return found


def is_comparison(results: Any) -> bool:
    """Whether this is what `optcore.compare` returns: runs by label."""
    return hasattr(results, "labels") and callable(getattr(results, "of", None))


def _compared(results: Any, x: Any) -> tuple[dict[str, list[Any]], Any]:
    """The losses of a comparison by label, and where they were evaluated."""
    losses: dict[str, list[Any]] = {}
    places: dict[str, Any] = {}
    for label in results.labels:
        runs = [run for run in results.of(label) if run.losses]
        if not runs:
            continue
        places[label] = max((run.steps for run in runs), key=len)
        losses[label] = [
            _lost(run.losses, len(places[label])) if run.status == "diverged" else run.losses
            for run in runs
        ]
    return losses, places if x is None else x


def _lost(losses: list[float], points: int) -> list[float]:
    """A run that has diverged: it ends infinite, where one that was interrupted just ends."""
    rest = max(points - len(losses), 1)
    return [*losses[: points - rest], *[np.inf] * rest]


def _runs(given: Any, where: str) -> Floats:
    """Rows of one length: a shorter run goes on as NaN, and a loss that is NaN is infinite."""
    try:
        if isinstance(given, (list, tuple)) and given and all(np.ndim(run) == 1 for run in given):
            rows = [np.asarray(run, np.float64) for run in given]
            longest = max(map(len, rows))
            runs = np.full((len(rows), longest), np.nan)
            for mine, row in zip(runs, rows, strict=True):
                mine[: len(row)] = np.where(np.isnan(row), np.inf, row)
        else:
            runs = np.atleast_2d(np.array(given, np.float64))
            runs[np.isnan(runs)] = np.inf
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
