"""AdamW, float32: optcore beside the byte floor, plain NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import SHAPES, Model
from rivals import DECAY, LR, Floor, PlainNumpy, Torch

import optcore as oc

CASES = [
    ("16M", 1),
    ("16M", 2),
    ("256k", 1),
    ("256k", 2),
    ("24k", 1),
    ("10", 1),
    ("200x1000", 2),
    ("1000x16", 2),
    ("mlp", 2),
]
WHO = ["optcore", "optcore-bound", "floor", "numpy", "torch-fused", "torch-foreach", "torch-loop"]


def contender(who, model, threads):
    """The step function of one contender over a model, and where its parameters are."""
    if who.startswith("optcore") or who == "floor":
        opt = oc.AdamW(model.params, lr=LR, weight_decay=DECAY, threads=threads)
        if who == "floor":
            return Floor(model, opt, threads).step, model.params
        if who == "optcore-bound":
            opt.bind(model.grads)
            return opt.step, model.params
        return (lambda: opt.step(model.grads)), model.params
    if who == "numpy":
        return PlainNumpy(model).step, model.params
    pytest.importorskip("torch")
    rival = Torch(model, who.split("-")[1], threads)
    return rival.step, rival.params


def agree(step, params, model, threads):
    """A rival's parameters after three steps are optcore's, to float32 rounding."""
    ours = Model([p.shape for p in model.params])
    opt = oc.AdamW(ours.params, lr=LR, weight_decay=DECAY, threads=threads)
    for _ in range(3):
        opt.step(ours.grads)
        step()
    for mine, theirs in zip(ours.params, params, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=2e-6)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("shapes", "threads"), CASES, ids=lambda x: str(x))
def test_adamw(benchmark, note, shapes, threads, who):
    """One step of the whole model."""
    if who == "floor" and len(SHAPES[shapes]) > 1:
        pytest.skip("the floor streams one tensor")
    if who in ("torch-loop", "torch-foreach") and shapes == "16M":
        pytest.skip("slower than fused by far")
    benchmark.group = f"AdamW f32 {shapes}, {threads} thread(s)"
    model = Model(SHAPES[shapes])
    step, params = contender(who, model, threads)
    if who != "floor":
        agree(step, params, model, threads)
    note(model.elements, 7, threads)
    large = model.elements > 1 << 22
    benchmark.pedantic(
        step, rounds=15 if large else 60, iterations=1 if large else 10, warmup_rounds=3
    )
