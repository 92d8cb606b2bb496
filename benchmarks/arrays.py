"""Parameters and gradients: the same numbers for every contender."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from workload import BFLOAT16, Workload

Array = np.ndarray[Any, Any]

_POOL = np.random.default_rng(0).standard_normal(1 << 16, np.float32)
_SCALE = 0.02  # of the parameters, as networks start: a step of 1e-3 then shows in bfloat16 too


class Model:
    """Arrays of a workload's shapes and format, each in memory of its own as NumPy hands it out."""

    def __init__(self, workload: Workload):
        dtype = np.dtype(np.float32)
        if workload.format == BFLOAT16:
            import ml_dtypes

            dtype = np.dtype(ml_dtypes.bfloat16)
        numbers = (_SCALE * _POOL).astype(dtype), _POOL[::-1].astype(dtype)
        starts = np.cumsum([0, *map(math.prod, workload.shapes)])
        self.params, self.grads = (
            [
                _filled(shape, pool, int(start) % pool.size)
                for shape, start in zip(workload.shapes, starts, strict=False)
            ]
            for pool in numbers
        )


def _filled(shape: tuple[int, ...], pool: Array, start: int) -> Array:
    """An array that repeats the pool. Drawing 124M random numbers would take longer than timing."""
    array = np.empty(shape, pool.dtype)
    flat = array.reshape(-1)
    first = min(flat.size, pool.size - start)
    flat[:first] = pool[start : start + first]
    for at in range(first, flat.size, pool.size):
        flat[at : at + pool.size] = pool[: flat.size - at]
    return array
