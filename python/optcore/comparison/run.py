"""What one training of one optimizer came to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..typing import Array

DONE, DIVERGED, INTERRUPTED, FAILED = "done", "diverged", "interrupted", "failed"


@dataclass
class Run:
    """One optimizer, trained from one seed.

    Attributes:
        label: the optimizer's.
        seed: of the start and of the batches.
        rate: its learning rate, as a text.
        status: "done"; "diverged", where the loss grew out of all bounds, was no number or ended
            above its start by ten times that; "interrupted"; "failed", where there was an error.
        message: what went wrong, if something did.
        steps: the step numbers of the evaluations, the first being 0.
        seconds: how long training had taken by then, evaluations left out.
        losses: the loss that counts, at each of them.
        metrics: the metric at each of them; NaN where it was not asked for.
        batch_losses: the loss of every mini-batch, before its step; empty where every step sees
            everything.
        step_seconds: how long each step took, without loss and gradients.
        state_bytes: the largest memory of the optimizer's state that was seen.
        path: the parameters at each evaluation, one row each, if there are three or fewer.
        params: the parameters at the end, those to evaluate.
        total_seconds: how long training took, evaluations left out.
    """

    label: str
    seed: int
    rate: str = ""
    status: str = DONE
    message: str = ""
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    metrics: list[float] = field(default_factory=list)
    batch_losses: list[float] = field(default_factory=list)
    step_seconds: list[float] = field(default_factory=list)
    state_bytes: int | None = None
    path: Array | None = None
    params: Any = None
    total_seconds: float = 0.0

    @property
    def final_loss(self) -> float:
        """The last loss; NaN before the first."""
        return self.losses[-1] if self.losses else math.nan

    @property
    def final_metric(self) -> float:
        """The last metric; NaN where there is none."""
        return next((m for m in reversed(self.metrics) if m == m), math.nan)

    def reached(self, target: float, of: str = "loss") -> tuple[int, float] | None:
        """Steps and seconds at the first evaluation that met the target; None if none did.

        Args:
            target: a loss, to be at or below; or a metric, to be at or above.
            of: "loss" or "metric".
        """
        for k, (loss, metric) in enumerate(zip(self.losses, self.metrics, strict=True)):
            if (loss <= target) if of == "loss" else (metric >= target):
                return self.steps[k], self.seconds[k]
        return None
