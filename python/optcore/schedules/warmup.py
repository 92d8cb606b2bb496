"""Gradual warmup, and the usual shapes that begin with one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .. import _core
from .base import Schedule
from .constant import Constant

_ONE = Constant(1.0)


@dataclass(frozen=True, repr=False)
class Warmup(Schedule):
    """Up to another schedule's first value, then that schedule from its step 0.

    While k < warmup, with peak = into(0),

        s(k) = start + (peak - start)·k/warmup              shape "linear"
        s(k) = start·(peak/start)^(k/warmup)                "exponential"
        s(k) = start + (peak - start)·ln(k + 1)/ln(warmup)  "log", DeepSpeed's, there a step early

    then s(k) = into(k - warmup). Gradual warmup (Goyal et al., 2017). Without `into` it leads to 1,
    a factor for another schedule that runs at the same time: ``Warmup(100) * s``.

    Args:
        warmup: steps on the way up; 0 for none.
        into: what follows, `Lambda` included. ``Warmup(n).then(s)`` reads the same.
        start: the value at step 0; of the sign of what follows for the exponential shape.
        shape: "linear", "exponential" or "log".

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> from optcore.schedules import Exponential
    >>> Warmup(4, into=Exponential(1.0, gamma=0.5)).values(7)
    array([0.  , 0.25, 0.5 , 0.75, 1.  , 0.5 , 0.25])
    >>> Warmup(4, start=0.01, shape="exponential").values(5).round(3)
    array([0.01 , 0.032, 0.1  , 0.316, 1.   ])
    """

    _name = "warmup"
    warmup: int
    into: Schedule = _ONE
    start: float = 0.0
    shape: str = field(default="linear", kw_only=True)

    def then(self, into: Schedule) -> Warmup:
        """This warmup into another schedule.

        >>> Warmup(2).then(Constant(0.5)).values(4)
        array([0.  , 0.25, 0.5 , 0.5 ])

        Raises:
            TypeError: `into` is no schedule.
            ValueError: this warmup leads into another one already.
        """
        if self.into != _ONE:
            raise ValueError(
                f"Warmup.then: expected a warmup that leads nowhere yet, got one into {self.into}; "
                "make a new Warmup, or put schedules in a row with Sequential"
            )
        return replace(self, into=into)

    def _stand_in(self) -> _core.Schedule:
        negative = isinstance(self.start, float) and self.start < 0
        return _core.schedule("constant", {"value": -1.0 if negative else 1.0})

    def _evaluate(self, step: int) -> float:
        if step >= self.warmup:
            return self.into(step - self.warmup)
        return replace(self, into=Constant(self.into(0)))(step)


@dataclass(frozen=True, repr=False)
class WarmupCosine(Schedule):
    """A linear warmup into a cosine, total steps in all: the usual shape for transformers.

    The same as ``Warmup(warmup, Cosine(peak, total - warmup, floor), start)``.

    Args:
        peak: the value at step warmup.
        warmup: steps of the line, 0 for none, less than total.
        total: steps until the floor, the warmup included.
        floor: the value from step total on, in the units of peak.
        start: the value at step 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> import numpy as np
    >>> WarmupCosine(3e-3, warmup=100, total=1000)(np.array([0, 50, 100, 550, 1000]))
    array([0.    , 0.0015, 0.003 , 0.0015, 0.    ])
    """

    _name = "warmup_cosine"
    peak: float
    warmup: int
    total: int
    floor: float = 0.0
    start: float = 0.0


@dataclass(frozen=True, repr=False)
class WSD(Schedule):
    """Warmup, stable, decay (Hu et al., 2024): a trapezium, total steps in all.

    A straight line from start to peak, the peak, and over the last `decay` steps, with x from 0 to
    1 the part of them that has passed, s(k) = floor + (peak - floor)·w(x):

        "linear"  w = 1 - x
        "cosine"  w = (1 + cos(π·x))/2
        "sqrt"    w = 1 - √x (Hägele et al., 2024)
        "square"  w = 1 - x²

    Args:
        peak: the value between the two slopes.
        warmup: steps of the first line, 0 for none.
        total: steps until the floor; more than warmup.
        decay: steps of the tail, at least 1 and at most total - warmup.
        tail: one of those words.
        floor: the value from step total on.
        start: the value at step 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> WSD(1.0, warmup=2, total=8, decay=4).values(9)
    array([0.  , 0.5 , 1.  , 1.  , 1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    _name = "wsd"
    peak: float
    warmup: int
    total: int
    decay: int
    tail: str = "linear"
    floor: float = 0.0
    start: float = 0.0
