"""optcore, and the floor under it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arrays import Array, Model
from workload import BETAS, BFLOAT16, DECAY, EIGHT_BIT, EPS, FLOAT32, LR, Workload

import optcore as oc
from optcore import _core

_MOMENTS: dict[str, dict[str, Any]] = {
    FLOAT32: {},
    BFLOAT16: {"state_dtype": "bfloat16"},
    EIGHT_BIT: {"state_dtype": "8bit"},
}


class Optcore:
    """The step as a training loop takes it: with a tree of gradients each time."""

    latest: Optcore | None = None

    def __init__(self, workload: Workload):
        Optcore.latest = None  # its memory is free again before ours is taken
        self.workload = workload
        model = Model(workload)
        self.params, self.grads = model.params, model.grads
        options = dict(_MOMENTS[workload.format])
        if workload.ema is not None:
            options["ema"] = oc.EMA(workload.ema)
        self.optimizer = oc.AdamW(
            self.params,
            lr=LR,
            betas=BETAS,
            eps=EPS,
            weight_decay=DECAY,
            clip_norm=workload.clip,
            threads=workload.threads,
            **options,
        )
        Optcore.latest = self

    @property
    def result(self) -> list[Array]:
        averages = self.optimizer.ema_params if self.workload.ema is not None else []
        return [*self.params, *averages]

    def step(self) -> None:
        self.optimizer.step(self.grads)


class Bound(Optcore):
    """Gradients that stay in place, told once."""

    def __init__(self, workload: Workload):
        super().__init__(workload)
        self.optimizer.bind(self.grads)
        self.step = self.optimizer.step


class Float32(Optcore):
    """The same step with everything in float32: what another format gains."""

    def __init__(self, workload: Workload):
        super().__init__(replace(workload, format=FLOAT32))


class Floor:
    """Streams what the step streams, with next to no arithmetic, over optcore's very buffers.

    Where in the physical memory a large array has landed changes its speed by a third.
    """

    result = None  # what it leaves there means nothing

    def __init__(self, workload: Workload):
        ours = Optcore.latest
        if ours is None or type(ours) is not Optcore or ours.workload != workload:
            ours = Optcore(workload)
        Optcore.latest = None
        moments = [list(state.values()) for state in ours.optimizer.state.values()]
        self.buffers = list(zip(ours.params, ours.grads, moments, strict=True))
        self.threads = workload.threads

    def step(self) -> None:
        for p, g, moments in self.buffers:
            _core.stream_floor(p, g, moments, self.threads)
