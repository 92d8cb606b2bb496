"""Half a cosine, once or again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """Half a cosine, from initial down to floor, where it stays from step total on.

        s(k) = floor + (initial - floor)·((1 + cos(π·k/total))/2)^exponent

    Loshchilov & Hutter (2017), equation 5; the exponent is optax's. torch's CosineAnnealingLR
    agrees up to T_max = total and rises again after it; this one stays down.

    Args:
        initial: the value at step 0.
        total: steps until the floor, at least 1.
        floor: the value at the end, in the units of initial (torch's eta_min).
        exponent: above 0; more than 1 falls earlier.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> import numpy as np
    >>> Cosine(1.0, total=4, floor=0.5)(np.array([0, 2, 4, 6]))
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    _name = "cosine"
    initial: float
    total: int
    floor: float = 0.0
    exponent: float = field(default=1.0, kw_only=True)


@dataclass(frozen=True, repr=False)
class CosineRestarts(Schedule):
    """Cosine decay with warm restarts: SGDR (Loshchilov & Hutter, 2017).

    Cycle i = 0, 1, … lasts period·t_mulⁱ steps and, with x from 0 to 1 the part of it that has
    passed, has the values

        s(k) = floor + (initial - floor)·m_mulⁱ·(1 + cos(π·x))/2.

    torch's CosineAnnealingWarmRestarts has whole t_mul and no m_mul; m_mul is Keras's. With a
    fractional t_mul a cycle may begin between two steps; the first step after that is then
    already a little below the peak. With a whole one every beginning is exact, up to the last step.

    Args:
        initial: the value at step 0.
        period: steps of the first cycle, at least 1.
        t_mul: how much longer each cycle is than the one before, at least 1.
        m_mul: how much higher (above the floor) it begins, at least 0.
        floor: the value towards the end of each cycle, in the units of initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> CosineRestarts(1.0, period=2, t_mul=2.0, m_mul=0.5).values(7).round(3)
    array([1.   , 0.5  , 0.5  , 0.427, 0.25 , 0.073, 0.25 ])
    """

    _name = "cosine_restarts"
    initial: float
    period: int
    t_mul: float = 1.0
    m_mul: float = 1.0
    floor: float = 0.0
