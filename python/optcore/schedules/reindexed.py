"""Another schedule, read at other steps."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Shifted(Schedule):
    """Another schedule begun offset steps in: s(k) = of(k + offset). See `Schedule.shift`.

    Raises:
        TypeError, ValueError: `of` is no schedule, or offset no int of at least 0.

    >>> from optcore.schedules import Step
    >>> Shifted(Step(1.0, step_size=2, gamma=0.5), offset=1).values(3)
    array([1. , 0.5, 0.5])
    """

    _name = "shifted"
    of: Schedule
    offset: int

    def _evaluate(self, step: int) -> float:
        return self.of(min(step + self.offset, 2**64 - 1))


@dataclass(frozen=True, repr=False)
class Every(Schedule):
    """Another schedule read once in a while: s(k) = of(⌊k / steps⌋). See `Schedule.every`.

    Raises:
        TypeError, ValueError: `of` is no schedule, or steps no int of at least 1.

    >>> from optcore.schedules import Exponential
    >>> Every(Exponential(1.0, gamma=0.5), steps=2).values(5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    _name = "every"
    of: Schedule
    steps: int

    def _evaluate(self, step: int) -> float:
        return self.of(step // self.steps)
