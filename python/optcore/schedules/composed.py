"""Schedules of several schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Sequential(Schedule):
    """One schedule after another, each from its own step 0.

    s(k) = schedules[i](k - boundaries[i - 1]), where i is the number of boundaries ≤ k: step
    boundaries[i - 1] is the first of schedules[i]. torch's SequentialLR, optax's join_schedules.

    Args:
        schedules: one more than boundaries.
        boundaries: the steps at which the next one begins, in rising order.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> from optcore.schedules import Constant, Linear
    >>> Sequential([Constant(1.0), Linear(0.5, total=2)], boundaries=[2]).values(5)
    array([1.  , 1.  , 0.5 , 0.25, 0.  ])
    """

    _name = "sequential"
    schedules: Sequence[Schedule]
    boundaries: Sequence[int]

    def _evaluate(self, step: int) -> float:
        i = bisect_right(self.boundaries, step)
        return self.schedules[i](step - self.boundaries[i - 1] if i else step)


@dataclass(frozen=True, repr=False)
class Product(Schedule):
    """s(k) = of[0](k) · of[1](k) · …, from left to right; ``s1 * s2`` makes it.

    What torch's ChainedScheduler does with factors.

    Args:
        of: at least one schedule.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> from optcore.schedules import Linear, Step
    >>> (Step(1.0, step_size=2, gamma=0.5) * Linear(1.0, total=4)).values(4)
    array([1.   , 0.75 , 0.25 , 0.125])
    """

    _name = "product"
    of: Sequence[Schedule]

    def _evaluate(self, step: int) -> float:
        value = self.of[0](step)
        for schedule in self.of[1:]:
            value *= schedule(step)
        return value


@dataclass(frozen=True, repr=False)
class Sum(Schedule):
    """s(k) = of[0](k) + of[1](k) + …, from left to right; ``s1 + s2`` makes it.

    Args:
        of: at least one schedule.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> from optcore.schedules import Linear
    >>> (Linear(1.0, total=2) + 0.5).values(3)
    array([1.5, 1. , 0.5])
    """

    _name = "sum"
    of: Sequence[Schedule]

    def _evaluate(self, step: int) -> float:
        value = self.of[0](step)
        for schedule in self.of[1:]:
            value += schedule(step)
        return value
