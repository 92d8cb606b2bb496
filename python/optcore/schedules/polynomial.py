"""Straight lines and powers of what is left."""

from __future__ import annotations

from dataclasses import dataclass, field

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Linear(Schedule):
    """A straight line: s(k) = initial + (end - initial)·k/total, and end from step total on.

    torch's LinearLR, and optax's linear_schedule.

    Args:
        initial: the value at step 0.
        total: steps until the end value, at least 1.
        end: the value from step total on; it may lie above initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Linear(1.0, total=4, end=0.5).values(6)
    array([1.   , 0.875, 0.75 , 0.625, 0.5  , 0.5  ])
    """

    _name = "linear"
    initial: float
    total: int
    end: float = 0.0


@dataclass(frozen=True, repr=False)
class Polynomial(Schedule):
    """s(k) = end + (initial - end)·(1 - k/total)^power, and end from step total on.

    torch's PolynomialLR, with an end value of your choice; the "poly" policy of ParseNet (Liu et
    al., 2015). With power 1 it is linear. With `cycle` it jumps up behind each multiple of total
    and comes down to end at the next: total stands for the smallest multiple that is not below k
    (Keras's PolynomialDecay).

    Args:
        initial: the value at step 0.
        total: steps until the end value, at least 1.
        power: above 0.
        end: the value from step total on; it may lie above initial.
        cycle: do not stay at end.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Polynomial(1.0, total=4, end=0.5).values(6)
    array([1.   , 0.875, 0.75 , 0.625, 0.5  , 0.5  ])
    """

    _name = "polynomial"
    initial: float
    total: int
    power: float = 1.0
    end: float = 0.0
    cycle: bool = field(default=False, kw_only=True)
