"""Values at steps of your choice, and what is between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Step(Schedule):
    """A staircase: s(k) = initial · gamma^⌊k / step_size⌋.

    torch's StepLR. Tutorials that drop at ⌊(1 + k)/n⌋ mean ``Step(...).shift(1)``.

    Args:
        initial: the value at step 0.
        step_size: steps between two drops, at least 1.
        gamma: the factor at each drop, at least 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Step(0.1, step_size=30, gamma=0.5).values(61)[[0, 29, 30, 60]]
    array([0.1  , 0.1  , 0.05 , 0.025])
    """

    _name = "step"
    initial: float
    step_size: int
    gamma: float = 0.1


@dataclass(frozen=True, repr=False)
class MultiStep(Schedule):
    """Drops at steps of your choice: s(k) = initial · gamma^(number of milestones ≤ k).

    torch's MultiStepLR; as there, a milestone that is listed twice counts twice.

    Args:
        initial: the value before the first milestone.
        milestones: steps in rising order.
        gamma: the factor at each milestone, at least 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> MultiStep(1.0, milestones=[2, 3], gamma=0.5).values(5)
    array([1.  , 1.  , 0.5 , 0.25, 0.25])
    """

    _name = "multi_step"
    initial: float
    milestones: Sequence[int]
    gamma: float = 0.1


@dataclass(frozen=True, repr=False)
class PiecewiseConstant(Schedule):
    """Levels of your choice: s(k) = levels[number of boundaries ≤ k].

    optax's piecewise_constant_schedule, with the levels themselves. Keras's PiecewiseConstantDecay
    takes the next one a step later: its boundary 100 is our 101.

    Args:
        levels: one more than boundaries.
        boundaries: the steps from which the next level holds, in rising order.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> PiecewiseConstant([1.0, 0.5, 0.1], boundaries=[2, 3]).values(5)
    array([1. , 1. , 0.5, 0.1, 0.1])
    """

    _name = "piecewise_constant"
    levels: Sequence[float]
    boundaries: Sequence[int]


@dataclass(frozen=True, repr=False)
class PiecewiseLinear(Schedule):
    """From point to point: s(steps[i]) = levels[i], with straight lines between them.

    The first level holds before the first point, the last one after the last. Of two points at the
    same step the second holds from that step on. optax's piecewise_interpolate_schedule, with the
    levels themselves.

    Args:
        steps: in rising order, at least one.
        levels: one for each of them.
        shape: "linear", or "cosine" for half a cosine from level to level.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> PiecewiseLinear([0, 2, 4], levels=[0.0, 1.0, 0.5]).values(6)
    array([0.  , 0.5 , 1.  , 0.75, 0.5 , 0.5 ])
    """

    _name = "piecewise_linear"
    steps: Sequence[int]
    levels: Sequence[float]
    shape: str = "linear"
