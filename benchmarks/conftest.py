"""What all benchmarks share: shapes, buffers, and what is noted beside each time."""

from __future__ import annotations

import numpy as np
import pytest

import optcore as oc

SHAPES = {
    "16M": [(1 << 24,)],
    "256k": [(1 << 18,)],
    "24k": [(24_000,)],
    "10": [(10,)],
    "200x1000": [(1000,)] * 200,
    "1000x16": [(16,)] * 1000,
    "mlp": [(784, 256), (256,), (256, 128), (128,), (128, 10), (10,)],
}


class Model:
    """Parameters and gradients of a list of shapes, float32, the same numbers for everyone."""

    def __init__(self, shapes: list[tuple[int, ...]]):
        rng = np.random.default_rng(0)
        self.params = [rng.standard_normal(s, np.float32) for s in shapes]
        self.grads = [rng.standard_normal(s, np.float32) for s in shapes]
        self.elements = sum(p.size for p in self.params)


@pytest.fixture
def note(benchmark):
    """Notes elements, bytes per step, threads and ISA beside the time."""

    def write(elements: int, streams: int, threads: int) -> None:
        benchmark.extra_info.update(
            elements=elements,
            bytes=4 * streams * elements,
            threads=threads,
            isa=oc.isa(),
        )

    return write
