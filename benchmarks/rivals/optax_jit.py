"""optax under one `jit`, with parameters and state donated, so that XLA may write in place."""

from __future__ import annotations

import jax
import numpy as np
import optax
from arrays import Array, Model
from workload import BETAS, DECAY, EPS, LR, Workload


class Optax:
    """The threads are those of XLA's own pool; nothing but the whole process can limit them."""

    def __init__(self, workload: Workload):
        model = Model(workload)
        self.tree = [jax.numpy.array(p) for p in model.params]
        self.grads = [jax.numpy.array(g) for g in model.grads]
        parts = [optax.adamw(LR, b1=BETAS[0], b2=BETAS[1], eps=EPS, weight_decay=DECAY)]
        if workload.clip is not None:
            parts.insert(0, optax.clip_by_global_norm(workload.clip))
        rule = optax.chain(*parts)
        self.state = rule.init(self.tree)
        self.average, self.ema = None, workload.ema
        if workload.ema is not None:
            self.average = [p.copy() for p in self.tree]
        self.t = 0

        def step(tree, state, average, grads, rate):
            updates, state = rule.update(grads, state, tree)
            tree = optax.apply_updates(tree, updates)
            if average is not None:
                average = optax.incremental_update(tree, average, rate)
            return tree, state, average

        self.jitted = jax.jit(step, donate_argnums=(0, 1, 2))

    def step(self) -> None:
        self.t += 1
        rate = 1 - self.ema if self.ema is not None and self.t > 1 else 1.0
        self.tree, self.state, self.average = jax.block_until_ready(
            self.jitted(self.tree, self.state, self.average, self.grads, rate)
        )

    @property
    def result(self) -> list[Array]:
        """In float32."""
        return [np.array(p, np.float32) for p in (*self.tree, *(self.average or []))]
