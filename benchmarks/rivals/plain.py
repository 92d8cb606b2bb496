"""Plain NumPy, in place, as one writes the step in a training loop."""

from __future__ import annotations

import math

import numpy as np
from arrays import Array, Model
from workload import BETAS, DECAY, EPS, LR, Workload


class PlainNumpy:
    """AdamW; the arrays may be bfloat16, which are widened to float32 for the arithmetic."""

    def __init__(self, workload: Workload):
        model = Model(workload)
        self.params, self.grads = model.params, model.grads
        self.clip, self.ema = workload.clip, workload.ema
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]
        self.averages = [p.copy() for p in self.params] if workload.ema else []
        self.t = 0
        self.update = adamw_ if self.params[0].dtype == np.float32 else widened_adamw_

    def step(self) -> None:
        grads = self.grads
        if self.clip is not None:
            norm = math.sqrt(sum(np.vdot(g, g) for g in grads))
            grads = [g * min(1.0, self.clip / (norm + 1e-6)) for g in grads]
        self.t += 1
        for arrays in zip(self.params, grads, self.m, self.v, strict=True):
            self.update(*arrays, self.t)
        for average, p in zip(self.averages, self.params, strict=False):
            average += (1 - self.ema if self.t > 1 else 1) * (p - average)

    @property
    def result(self) -> list[Array]:
        return [*self.params, *self.averages]


def adamw_(p: Array, g: Array, m: Array, v: Array, t: int) -> None:
    """One tensor's step, number t."""
    beta1, beta2 = BETAS
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * (g * g)
    p *= 1 - LR * DECAY
    p -= LR / (1 - beta1**t) * m / (np.sqrt(v / (1 - beta2**t)) + EPS)


def widened_adamw_(p: Array, g: Array, m: Array, v: Array, t: int) -> None:
    """The same for arrays whose dtype NumPy computes with slowly and coarsely."""
    wide = [a.astype(np.float32) for a in (p, g, m, v)]
    adamw_(*wide, t)
    p[...], _, m[...], v[...] = wide
