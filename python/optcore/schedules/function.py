"""A function of yours as a schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .base import Schedule
from .saving import FUNCTION


@dataclass(frozen=True, repr=False)
class Lambda(Schedule):
    """A function of yours as a schedule: s(k) = f(k), with k an int.

    It is called once per step, in Python. `to_dict` cannot hold the function, so `from_dict`
    refuses what it gives. Two are equal if they hold the same function.

    Raises:
        TypeError: f cannot be called or, at a step, returns no number.

    >>> Lambda(lambda k: 1 / (k + 1)).values(3)
    array([1.        , 0.5       , 0.33333333])

    So a formula that is found somewhere can be held beside another. These restarts, from a
    tutorial, are for t_mul = 2 only, and their cosine takes half of each cycle: it is down in the
    middle and up again at the end. SGDR's, which are `CosineRestarts`, are down at the end.

    >>> import math
    >>> from optcore.schedules import CosineRestarts
    >>> def tutorial(k, period=4):
    ...     cycle = math.floor(math.log2(k / period + 1))
    ...     inside = k - period * (2**cycle - 1)
    ...     return 0.5 * (1 + math.cos(math.pi * inside / (period * 2 ** (cycle - 1))))
    >>> Lambda(tutorial).values(5).round(2)
    array([1. , 0.5, 0. , 0.5, 1. ])
    >>> CosineRestarts(1.0, period=4, t_mul=2.0).values(5).round(2)
    array([1.  , 0.85, 0.5 , 0.15, 1.  ])
    """

    _name = FUNCTION
    f: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.f):
            raise TypeError(
                f"Lambda.f: expected a function, got {type(self.f).__name__} {self.f!r}; "
                "pass a function of the step, or Constant(value) for a fixed value"
            )
        object.__setattr__(self, "_native", None)

    def _evaluate(self, step: int) -> float:
        value = self.f(step)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"Lambda.f: expected a number in return, got {type(value).__name__} {value!r} "
                f"at step {step}; return a float"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Only the name: a function is not data."""
        return {"schedule": self._name}
