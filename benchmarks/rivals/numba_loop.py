"""A compiled loop, one call per step, with Numba."""

from __future__ import annotations

import math
from functools import cache

import numba
import numpy as np
from arrays import Model
from workload import BETAS, DECAY, EPS, LR, Workload

_PARALLEL_FROM = 1 << 16  # elements of a tensor; for fewer, waking the threads costs more


def sum_of_squares(g):
    total = 0.0
    for i in numba.prange(g.size):
        total += g[i] * g[i]
    return total


def adamw(p, g, m, v, scale, take1, keep1, take2, keep2, keep, rate, unbias2, eps):
    for i in numba.prange(p.size):
        gi = scale * g[i]
        mi = keep1 * m[i] + take1 * gi
        vi = keep2 * v[i] + take2 * gi * gi
        m[i] = mi
        v[i] = vi
        p[i] = keep * p[i] - rate * mi / (np.sqrt(unbias2 * vi) + eps)


class NumbaLoop:
    """float32; all scalars are worked out before the loop and rounded once."""

    def __init__(self, workload: Workload):
        numba.set_num_threads(workload.threads)
        largest = max(map(math.prod, workload.shapes))
        parallel = workload.threads > 1 and largest >= _PARALLEL_FROM
        model = Model(workload)
        self.result, self.clip, self.t = model.params, workload.clip, 0
        moments = [[np.zeros_like(p) for p in model.params] for _ in range(2)]
        self.arrays = [
            [a.reshape(-1) for a in arrays] for arrays in (model.params, model.grads, *moments)
        ]
        if workload.tensors == 1:
            self.arrays = [arrays[0] for arrays in self.arrays]
            self.norm2, self.update = kernels(parallel)
        else:
            self.arrays = [numba.typed.List(arrays) for arrays in self.arrays]
            self.norm2, self.update = kernels_over_lists(parallel)

    def step(self) -> None:
        self.t += 1
        (beta1, beta2), scale = BETAS, 1.0
        if self.clip is not None:
            scale = min(1.0, self.clip / (math.sqrt(self.norm2(self.arrays[1])) + 1e-6))
        scalars = (
            scale,
            1 - beta1,
            beta1,
            1 - beta2,
            beta2,
            1 - LR * DECAY,
            LR / (1 - beta1**self.t),
            1 / (1 - beta2**self.t),
            EPS,
        )
        self.update(*self.arrays, *map(np.float32, scalars))


@cache
def kernels(parallel: bool):
    """The two loops, compiled."""
    # Without NumPy's error model each division is checked, and nothing is vectorized.
    compiled = numba.njit(parallel=parallel, fastmath=True, error_model="numpy")
    return compiled(sum_of_squares), compiled(adamw)


@cache
def kernels_over_lists(parallel: bool):
    """The same over lists of arrays, the loop over the tensors compiled as well."""
    norm2, update = kernels(parallel)

    @numba.njit
    def norm2_of_all(grads):
        total = 0.0
        for g in grads:
            total += norm2(g)
        return total

    @numba.njit
    def update_all(params, grads, m, v, *scalars):
        for k in range(len(params)):
            update(params[k], grads[k], m[k], v[k], *scalars)

    return norm2_of_all, update_all
