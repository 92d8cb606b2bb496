"""Two decays with a shape of their own, and the search for where to begin."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Schedule


@dataclass(frozen=True, repr=False)
class REX(Schedule):
    """Reflected exponential (Chen, Wolfe & Kyrillidis, 2021): slow at first, steep at the end.

    s(k) = floor + (initial - floor)·(1 - x)/(½ + ½·(1 - x)) with x = k/total, and floor from step
    total on.

    Args:
        initial: the value at step 0.
        total: steps until the floor, at least 1.
        floor: the value at the end, in the units of initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> REX(1.0, total=4).values(6).round(3)
    array([1.   , 0.857, 0.667, 0.4  , 0.   , 0.   ])
    """

    _name = "rex"
    initial: float
    total: int
    floor: float = 0.0


@dataclass(frozen=True, repr=False)
class Tanh(Schedule):
    """Hyperbolic-tangent decay (Hsueh, Li & Wu, 2019).

    s(k) = floor + (initial - floor)·(1 - tanh z)/2 with z = lower + (upper - lower)·k/total, and
    z = upper from step total on. It begins a little below initial and ends a little above floor:
    with the defaults, at 0.999994 and 0.0025 of the way.

    Args:
        initial: the value far to the left.
        total: steps from lower to upper, at least 1.
        lower: where on the tangent it begins.
        upper: where it ends, above lower.
        floor: the value far to the right, in the units of initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Tanh(1.0, total=3).values(5).round(4)
    array([1.    , 0.9975, 0.5   , 0.0025, 0.0025])
    """

    _name = "tanh"
    initial: float
    total: int
    lower: float = -6.0
    upper: float = 3.0
    floor: float = 0.0


@dataclass(frozen=True, repr=False)
class LRRangeTest(Schedule):
    """From a rate that is too small to one that is too large (Smith, 2017), to look for the best.

    s(k) = low·(high/low)^(k/total), or low + (high - low)·k/total; high from step total on. In
    stairs of n steps, as DeepSpeed has it as well: ``LRRangeTest(low, high, total // n).every(n)``.

    Args:
        low: the value at step 0.
        high: the value at step total.
        total: steps from low to high, at least 1.
        shape: "exponential", where both have to be above 0, or "linear".

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> LRRangeTest(0.001, 1.0, total=3).values(5).round(3)
    array([0.001, 0.01 , 0.1  , 1.   , 1.   ])
    """

    _name = "lr_range_test"
    low: float
    high: float
    total: int
    shape: str = "exponential"
