"""The whole NumPy training loop, forward and backward pass included: MLP 784-256-128-10, batch 64.

`numpy` steps as one writes it in a training loop; `numpy-tuned` keeps scratch arrays and folds the
scalars, the fastest form in plain NumPy that we found.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from rivals import PlainNumpy

import optcore as oc
from optcore.demo import network, plain

SIZES, BATCH, BATCHES = (784, 256, 128, 10), 64, 20
RNG = np.random.default_rng(0)
EXAMPLES = [
    (RNG.standard_normal((BATCH, SIZES[0]), np.float32), RNG.integers(0, SIZES[-1], BATCH))
    for _ in range(BATCHES)
]


def stepper(who, params):
    """A function of the gradients that steps the network."""
    arrays = network.arrays(params)
    if who == "optcore":
        return oc.AdamW(params, lr=1e-3).step
    if who == "optcore-1-thread":
        return oc.AdamW(params, lr=1e-3, threads=1).step
    if who == "numpy":
        model = SimpleNamespace(params=arrays, grads=None)
        model.grads = [np.zeros_like(a) for a in arrays]
        rival = PlainNumpy(model)

        def step(grads):
            rival.grads = network.arrays(grads)
            rival.step()

        return step
    tuned = plain.AdamW(arrays)
    return lambda grads: tuned.step(network.arrays(grads), 1e-3)


def loop(params, step):
    """One pass over the batches."""
    for X, y in EXAMPLES:
        _, grads = network.loss_and_grads(params, X, y)
        step(grads)


@pytest.mark.parametrize("who", ["optcore", "optcore-1-thread", "numpy", "numpy-tuned", "no-step"])
def test_whole_loop(benchmark, who):
    """Twenty mini-batches. `no-step` is what is left when the step costs nothing."""
    benchmark.group = "whole loop, MLP 784-256-128-10, batch 64"
    params = network.initial(SIZES, 0)
    step = (lambda grads: None) if who == "no-step" else stepper(who, params)
    loop(params, step)
    if who != "no-step":
        check = network.initial(SIZES, 0)
        loop(check, oc.AdamW(check, lr=1e-3).step)
        for mine, theirs in zip(network.arrays(params), network.arrays(check), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-4)
    benchmark.pedantic(loop, args=(params, step), rounds=30, warmup_rounds=2)
