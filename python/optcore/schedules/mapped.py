"""Another schedule with its values changed one by one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Scaled(Schedule):
    """s(k) = factor · of(k); ``0.1 * s`` makes it.

    Raises:
        TypeError, ValueError: `of` is no schedule, or factor no finite number.

    >>> from optcore.schedules import Linear
    >>> (0.5 * Linear(1.0, total=2)).values(3)
    array([0.5 , 0.25, 0.  ])
    """

    _name = "scaled"
    of: Schedule
    factor: float

    def _evaluate(self, step: int) -> float:
        return self.factor * self.of(step)


@dataclass(frozen=True, repr=False)
class Clipped(Schedule):
    """s(k) = min(max(of(k), low), high), where None is no limit. See `Schedule.clip`.

    Raises:
        TypeError, ValueError: `of` is no schedule, a limit is no number, or low is above high.

    >>> from optcore.schedules import Linear
    >>> Clipped(Linear(1.0, total=4), low=0.5).values(5)
    array([1.  , 0.75, 0.5 , 0.5 , 0.5 ])
    """

    _name = "clipped"
    of: Schedule
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.low == -inf:
            object.__setattr__(self, "low", None)
        if self.high == inf:
            object.__setattr__(self, "high", None)
        super().__post_init__()

    def _native_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"low": -inf, "high": inf, **arguments}

    def _evaluate(self, step: int) -> float:
        value = self.of(step)
        if self.low is not None and value < self.low:
            return self.low
        return self.high if self.high is not None and value > self.high else value
