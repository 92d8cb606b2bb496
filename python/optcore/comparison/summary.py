"""One optimizer's runs over several seeds as one row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from .run import DIVERGED, DONE, FAILED, INTERRUPTED, Run


@dataclass(frozen=True)
class Row:
    """What is said of an optimizer. Losses and metrics are of the runs that came to their end.

    Attributes:
        label: the optimizer's.
        rate: its learning rate.
        seeds: how many runs there are.
        done, diverged: how many of them came to their end, and how many diverged.
        loss, loss_low, loss_high: the median of the final losses, the least and the largest.
        metric, metric_spread: the mean of the final metrics, and their standard deviation.
        reached: how many runs met the target.
        steps_to_target, seconds_to_target: medians over the seeds, infinite where most runs did
            not meet it; NaN where there is no target.
        step_seconds: the median time of a step.
        step_share: the steps' share of the training time, 0 to 1.
        seconds: the median time of a training.
        state_bytes: the largest state, None where the optimizer does not tell.
        note: what went wrong, if something did.
    """

    label: str
    rate: str
    seeds: int
    done: int
    diverged: int
    loss: float
    loss_low: float
    loss_high: float
    metric: float
    metric_spread: float
    reached: int
    steps_to_target: float
    seconds_to_target: float
    step_seconds: float
    step_share: float
    seconds: float
    state_bytes: int | None
    note: str


def summarised(label: str, runs: Sequence[Run], target: float | None, target_of: str) -> Row:
    """The row of an optimizer."""
    done = [run for run in runs if run.status == DONE]
    losses = [run.final_loss for run in done]
    metrics = [run.final_metric for run in done if not math.isnan(run.final_metric)]
    times = [time for run in runs for time in run.step_seconds]
    trained = sum(run.total_seconds for run in runs)
    sizes = [run.state_bytes for run in runs if run.state_bytes is not None]
    met = [] if target is None else [run.reached(target, target_of) for run in runs]
    return Row(
        label=label,
        rate=runs[0].rate,
        seeds=len(runs),
        done=len(done),
        diverged=sum(run.status == DIVERGED for run in runs),
        loss=_median(losses),
        loss_low=min(losses, default=math.nan),
        loss_high=max(losses, default=math.nan),
        metric=fmean(metrics) if metrics else math.nan,
        metric_spread=stdev(metrics) if len(metrics) > 1 else 0.0,
        reached=sum(each is not None for each in met),
        steps_to_target=_median([each[0] if each else math.inf for each in met]),
        seconds_to_target=_median([each[1] if each else math.inf for each in met]),
        step_seconds=_median(times),
        step_share=min(1.0, sum(times) / trained) if trained else math.nan,
        seconds=_median([run.total_seconds for run in runs]),
        state_bytes=max(sizes, default=None),
        note=_note(runs),
    )


def _median(values: Sequence[float]) -> float:
    """The median; of an even number with infinite ones among the middle two, infinite."""
    return float(median(values)) if values else math.nan


def _note(runs: Sequence[Run]) -> str:
    """What went wrong, in a few words."""
    if len(runs) == 1:
        run = runs[0]
        return f"failed: {run.message}" if run.status == FAILED else run.message
    counts = {
        status: sum(run.status == status for run in runs)
        for status in (DIVERGED, INTERRUPTED, FAILED)
    }
    notes = [f"{status}: {count} of {len(runs)}" for status, count in counts.items() if count]
    failures = [run.message for run in runs if run.status == FAILED]
    return ", ".join(notes) + (f" ({failures[0]})" if failures else "")
