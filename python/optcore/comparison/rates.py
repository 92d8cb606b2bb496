"""Shapes of the rate over a whole training, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..schedules import WSD, Constant, Cosine, Linear, OneCycle, Schedule, WarmupCosine
from ..spelling import closest

SHAPES: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda peak, total: Constant(peak),
    "cosine": lambda peak, total: Cosine(peak, total=total),
    "linear": lambda peak, total: Linear(peak, total),
    "one-cycle": lambda peak, total: OneCycle(peak, total=total),
    "warmup-cosine": lambda peak, total: WarmupCosine(peak, warmup=total // 10, total=total),
    "wsd": lambda peak, total: WSD(peak, warmup=total // 10, total=total, decay=max(1, total // 5)),
}
"""From the highest rate and the number of steps to a schedule that ends with the training."""


def schedule_of(shape: Any, peak: Any, total: int) -> Schedule:
    """The schedule of a shape: a name, or a function of the highest rate and the number of steps.

    Raises:
        TypeError: the shape, or the rate, is something else.
        ValueError: the name is unknown.

    >>> schedule_of("cosine", 0.1, 100)
    Cosine(initial=0.1, total=100, floor=0.0)
    """
    if isinstance(peak, Schedule) or callable(peak):
        raise TypeError(
            f"schedule: expected lr to be a number beside schedule={shape!r}, got {peak!r:.80}; "
            "pass the schedule as lr, alone"
        )
    if isinstance(shape, str):
        return SHAPES[closest(shape, SHAPES, "schedule")](float(peak), total)
    if callable(shape) and not isinstance(shape, Schedule):
        made = shape(float(peak), total)
        if isinstance(made, Schedule):
            return made
        raise TypeError(f"schedule: expected a function that returns a schedule, got {made!r:.80}")
    raise TypeError(
        f"schedule: expected one of {', '.join(SHAPES)}, or a function of the highest rate and "
        f"the number of steps, got {shape!r:.80}; a schedule itself is passed as lr"
    )
