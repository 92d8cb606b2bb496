"""The strong Wolfe line search (Nocedal & Wright, 2006, algorithms 3.5 and 3.6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..typing import Array

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9


@dataclass(frozen=True)
class Trial:
    """A point on the line: how far along it, and loss, slope and gradient there.

    A point outside the domain of the loss has an infinite loss, and no slope or gradient.
    """

    step: float
    loss: float
    slope: float
    grad: Array | None


@dataclass(frozen=True)
class Found:
    """What a search ended with."""

    trial: Trial
    trials: int
    wolfe: bool
    """Whether the strong Wolfe conditions hold; if not, it is the best point that was seen."""


def sufficient(start: Trial, trial: Trial) -> bool:
    """The first condition: φ(α) ≤ φ(0) + c₁·α·φ'(0)."""
    return trial.loss <= start.loss + SUFFICIENT_DECREASE * trial.step * start.slope


def flat_enough(start: Trial, trial: Trial) -> bool:
    """The second condition: |φ'(α)| ≤ c₂·|φ'(0)|."""
    return abs(trial.slope) <= -CURVATURE * start.slope


def strong_wolfe(
    evaluate: Callable[[float], Trial],
    start: Trial,
    first_step: float,
    *,
    most_trials: int,
    narrowest: float,
) -> Found:
    """Looks for a step that meets the strong Wolfe conditions, with c₁ = 10⁻⁴ and c₂ = 0.9.

    Steps grow until a bracket holds a minimum of the line; then the bracket shrinks.

    Args:
        evaluate: gives the trial of a step.
        start: the point at step 0; its slope is negative.
        first_step: the first step to try.
        most_trials: how many evaluations there may be; at least 1.
        narrowest: the search ends where its bracket is narrower than this.

    Returns:
        The step, how many trials it took, and whether the conditions hold.

    >>> def parabola(step):  # φ(α) = (α − 3)²
    ...     return Trial(step, (step - 3) ** 2, 2 * (step - 3), None)
    >>> found = strong_wolfe(parabola, parabola(0.0), 0.01, most_trials=9, narrowest=1e-9)
    >>> found.trial.step, found.trials, found.wolfe
    (1.0, 3, True)
    """
    before, trial, trials = start, evaluate(first_step), 1
    while True:
        # The book compares the losses from the second trial on, torch from the third, and so here:
        # a second trial that meets both conditions may lie above the first.
        if not sufficient(start, trial):
            return _zoom(evaluate, start, before, trial, trials, most_trials, narrowest)
        if trials > 2 and trial.loss >= before.loss:
            break
        if flat_enough(start, trial):
            return Found(trial, trials, True)
        if trial.slope >= 0:
            break
        if trials >= most_trials:
            return Found(min(before, trial, key=lambda t: t.loss), trials, False)
        longer = cubic_minimum(
            before,
            trial,
            lowest=trial.step + 0.01 * (trial.step - before.step),
            highest=10 * trial.step,
        )
        before, trial = trial, evaluate(longer)
        trials += 1
    low, high = (before, trial) if before.loss <= trial.loss else (trial, before)
    return _zoom(evaluate, start, low, high, trials, most_trials, narrowest)


def _zoom(
    evaluate: Callable[[float], Trial],
    start: Trial,
    low: Trial,
    high: Trial,
    trials: int,
    most_trials: int,
    narrowest: float,
) -> Found:
    """Shrinks a bracket around a point that meets the conditions (algorithm 3.6).

    Its low end is the lowest point so far that meets the first condition. (torch's is the lowest
    of all, and may lose sight of what it looks for.)
    """
    was_close = False
    while trials < most_trials and abs(high.step - low.step) >= narrowest:
        left, right = sorted((low.step, high.step))
        step = cubic_minimum(low, high, lowest=left, highest=right)
        # Close to an end twice in a row, or at an end, the bracket would hardly shrink: the step
        # is moved inside by a tenth.
        margin = 0.1 * (right - left)
        close = min(right - step, step - left) < margin
        if close and (was_close or not left < step < right):
            step = right - margin if right - step < step - left else left + margin
            close = False
        was_close = close

        trial = evaluate(step)
        trials += 1
        if not sufficient(start, trial) or trial.loss >= low.loss:
            high = trial
            continue
        if flat_enough(start, trial):
            return Found(trial, trials, True)
        if trial.slope * (high.step - low.step) >= 0:
            high = low
        low = trial
    return Found(low, trials, False)


def cubic_minimum(one: Trial, other: Trial, *, lowest: float, highest: float) -> float:
    """Where the cubic through two trials and their slopes is least (equation 3.59).

    It is kept between two bounds. Where the cubic has no minimum, or an end is outside the domain
    of the loss, it is halfway between them.

    >>> one, other = Trial(0.0, 9.0, -6.0, None), Trial(4.0, 1.0, 2.0, None)
    >>> cubic_minimum(one, other, lowest=0.0, highest=4.0)
    3.0
    """
    a, b = (one, other) if one.step <= other.step else (other, one)
    halfway = (lowest + highest) / 2
    if a.step == b.step or not math.isfinite(a.loss) or not math.isfinite(b.loss):
        return halfway
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return halfway
    d2 = math.sqrt(square)
    above, below = b.slope + d2 - d1, b.slope - a.slope + 2 * d2
    if below == 0:  # a straight line: its minimum is infinitely far away
        if above == 0:
            return halfway
        return lowest if above > 0 else highest
    step = b.step - (b.step - a.step) * (above / below)
    return min(max(step, lowest), highest)
