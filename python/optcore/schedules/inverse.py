"""Decays by a power of the step."""

from __future__ import annotations

from dataclasses import dataclass, field

from .base import Schedule


@dataclass(frozen=True, repr=False)
class InverseTime(Schedule):
    """s(k) = initial / (1 + decay·k/steps), the harmonic decay of Robbins & Monro (1951).

    Keras's InverseTimeDecay, where steps are called decay_steps.

    Args:
        initial: the value at step 0.
        decay: the rate, at least 0; after steps/decay steps the value has halved.
        steps: how many steps it takes for that rate, at least 1.
        staircase: count whole periods only, ⌊k/steps⌋.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> InverseTime(1.0, decay=0.5).values(3)
    array([1.        , 0.66666667, 0.5       ])
    """

    _name = "inverse_time"
    initial: float
    decay: float
    steps: int = field(default=1, kw_only=True)
    staircase: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, repr=False)
class InverseSqrt(Schedule):
    """s(k) = initial / √(1 + k/timescale).

    After a warmup as long as the timescale, ``Warmup(n).then(InverseSqrt(peak, n))``, it is
    fairseq's and T5's peak·√(n/k).

    Args:
        initial: the value at step 0.
        timescale: how long the decay waits: after three times as many steps the value has halved.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> InverseSqrt(1.0, timescale=10)(30)
    0.5
    """

    _name = "inverse_sqrt"
    initial: float
    timescale: int = 1


@dataclass(frozen=True, repr=False)
class Noam(Schedule):
    """The schedule of the Transformer (Vaswani et al., 2017, equation 3).

    s(k) = scale · dim^-½ · min(n^-½, n·warmup^-3/2) with n = k + 1, as the paper counts from 1: up
    to the peak at step warmup - 1, then down like InverseSqrt.

    Args:
        dim: the width of the model, at least 1.
        warmup: steps until the peak, at least 1.
        scale: a factor of your choice.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> round(Noam(512, warmup=4000)(3999), 6)
    0.000699
    """

    _name = "noam"
    dim: int
    warmup: int
    scale: float = 1.0
