"""The losses of a range test as they come in: which rate is next, and when it is enough."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..schedules import LRRangeTest
from ..schedules.metric import as_metric
from ..wrappers.checks import whole
from .result import RangeTest

FALLS_AT_FIRST = 3  # so few losses make no curve

RUNS_AWAY = (FloatingPointError, OverflowError, np.linalg.LinAlgError)
"""What may be raised where numbers have grown out of all bounds; NonFiniteError is one of them."""


class Watch:
    """One range test.

    Args:
        low: the first rate.
        high: the last.
        steps: how many, rising in equal ratios.
        smoothing: the weight of what was before, in the average of losses.
        diverged_at: how many times the best loss is too much.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of range.
    """

    def __init__(self, low: Any, high: Any, steps: Any, smoothing: Any, diverged_at: Any):
        low, high = _number(low, "low", 1e-7), _number(high, "high", 10.0)
        if not 0 < low < high < math.inf:
            raise ValueError(
                f"low, high: expected 0 < low < high, got {low:g} and {high:g}; pass e.g. "
                "low=1e-7, high=10"
            )
        self._steps = whole(steps, "steps", FALLS_AT_FIRST)
        self._smoothing = _number(smoothing, "smoothing", 0.8)
        if not 0 <= self._smoothing < 1:
            raise ValueError(
                f"smoothing: expected 0 to 1, and below 1, got {self._smoothing:g}; pass e.g. 0.8"
            )
        self._diverged_at = _number(diverged_at, "diverged_at", 4.0)
        if not self._diverged_at > 1:
            raise ValueError(
                f"diverged_at: expected a number above 1, got {self._diverged_at:g}; it is how "
                "many times the best loss is too much, pass e.g. 4"
            )
        self._schedule = LRRangeTest(low, high, self._steps - 1)
        self._losses: list[float] = []
        self._average, self._best = 0.0, math.inf
        self.diverged = False

    def train(self, step: Callable[[float, list[Any]], None]) -> None:
        """Takes a step at each rate in order, until the loss has run away.

        Args:
            step: given the rate, and a list to put the losses in that it sees; the first one is
                that at the parameters, as SAM sees two.
        """
        for rate in map(float, self._schedule.values(self._steps)):
            seen: list[Any] = []
            try:
                step(rate, seen)
                ran_away = False
            except RUNS_AWAY:
                if not self._losses:
                    raise
                ran_away = True
            if (seen and not self.take(seen[0])) or ran_away:
                self.diverged = True
                return

    def take(self, loss: Any) -> bool:
        """Takes a loss in, and says whether to go on.

        Raises:
            TypeError: it is no number.
            ValueError: it is not finite, and it is the first.
        """
        try:
            value = as_metric(loss)
        except TypeError as error:
            raise TypeError(str(error).replace("metric:", "closure: as the loss", 1)) from None
        if not math.isfinite(value):
            if not self._losses:
                raise ValueError(
                    f"closure: expected a finite loss at the start, got {value}; check the "
                    "parameters and the data"
                )
            self.diverged = True
            return False
        self._losses.append(value)
        self._average = self._smoothing * self._average + (1 - self._smoothing) * value
        smooth = self._average / (1 - self._smoothing ** len(self._losses))
        self._best = min(self._best, smooth)
        self.diverged = smooth > self._limit()
        return not self.diverged

    def _limit(self) -> float:
        """The loss that is too much.

        It is so many times the best; where that is near zero or below, the fall so far is counted
        in its place, as a fall to nothing and back by a little is no divergence.
        """
        scale = max(abs(self._best), self._losses[0] - self._best)
        return self._best + (self._diverged_at - 1) * scale

    def result(self) -> RangeTest:
        """What has been found."""
        losses = np.array(self._losses)
        # The last one may be huge, and would tower over its neighbours.
        held = np.minimum(losses, max(self._limit(), losses[0]))
        forth = _averaged(held, self._smoothing)
        smoothed = _averaged(forth[::-1], self._smoothing)[::-1].copy()
        rates = self._schedule.values(len(losses))
        return RangeTest(rates, losses, smoothed, self.diverged)


def _averaged(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The running average, corrected for its start at zero.

    >>> _averaged(np.array([2.0, 2.0, 5.0]), 0.5).round(3)
    array([2.   , 2.   , 3.714])
    """
    average, found = 0.0, np.empty_like(values)
    for i, value in enumerate(values):
        average = weight * average + (1 - weight) * value
        found[i] = average / (1 - weight ** (i + 1))
    return found


def _number(value: Any, name: str, example: float) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}; pass e.g. {example:g}")
    return float(value)
