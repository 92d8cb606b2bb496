"""What narrow formats are for: training goes on in them nearly as in float32, and small updates are
not lost where something is kept of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from stored import BF16

import optcore as oc

CLASSES, FEATURES, HIDDEN, SAMPLES = 10, 64, 24, 300


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Ten blurred pictures of 8 × 8 with noise of their own size, and their numbers."""
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(CLASSES, FEATURES))
    y = rng.integers(CLASSES, size=SAMPLES)
    x = pictures[y] + 1.5 * rng.normal(size=(SAMPLES, FEATURES))
    return x.astype(np.float32), y


def network() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "W1": (rng.normal(size=(FEATURES, HIDDEN)) / FEATURES**0.5).astype(np.float32),
        "b1": np.zeros(HIDDEN, np.float32),
        "W2": (rng.normal(size=(HIDDEN, CLASSES)) / HIDDEN**0.5).astype(np.float32),
        "b2": np.zeros(CLASSES, np.float32),
    }


def loss_and_grads(params: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """Cross entropy and its gradients, in float32 whatever the parameters are stored in."""
    x, y = digits()
    p = {k: v.astype(np.float32) for k, v in params.items()}
    hidden = np.tanh(x @ p["W1"] + p["b1"])
    scores = hidden @ p["W2"] + p["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    odds = np.exp(scores)
    odds /= odds.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(odds[np.arange(SAMPLES), y]))
    odds[np.arange(SAMPLES), y] -= 1
    odds /= SAMPLES
    back = (odds @ p["W2"].T) * (1 - hidden * hidden)
    return float(loss), {
        "W1": x.T @ back,
        "b1": back.sum(axis=0),
        "W2": hidden.T @ odds,
        "b2": odds.sum(axis=0),
    }


@cache
def trained(
    rule: str = "AdamW", dtype: Any = np.float32, steps: int = 120, **options: Any
) -> float:
    """The loss after training."""
    params = {k: p.astype(dtype) for k, p in network().items()}
    own = {"lr": 0.1, "momentum": 0.9} if rule == "SGD" else {"lr": 3e-3}
    opt = getattr(oc, rule)(params, **own, **options)
    for _ in range(steps):
        opt.step(loss_and_grads(params)[1])
    return loss_and_grads(params)[0]


def test_the_problem_is_one():
    """float32 learns it, but not at once: there is something to compare with."""
    assert trained(steps=0) > 2
    assert 0.01 < trained() < 0.2
    assert trained(steps=60) > 2 * trained()


@pytest.mark.parametrize(("state", "most"), [("bfloat16", 1.1), ("8bit", 1.4)])
@pytest.mark.parametrize("rule", ["AdamW", "SGD", "RMSprop", "Adagrad", "NAdam"])
def test_narrow_state(rule, state, most):
    """The loss is that of float32 state, or not much above it."""
    assert trained(rule, state_dtype=state) < most * trained(rule)


@pytest.mark.parametrize("state", [None, "bfloat16", "8bit"])
@pytest.mark.parametrize("rounding", ["master", "split", "stochastic"])
def test_bfloat16_parameters(rounding, state):
    """As near to float32 as the last rounding lets them come."""
    loss = trained("AdamW", BF16, low_precision=rounding, state_dtype=state)
    assert 0.8 < loss / trained() < 1.25


def test_float16_parameters_with_a_master_and_a_loss_scale():
    """Gradients in float16 that would vanish but for the scale."""
    params = {k: p.astype(np.float16) for k, p in network().items()}
    opt = oc.AdamW(params, lr=3e-3, low_precision="master", nonfinite="skip")
    scale = np.float32(2.0**14)
    for _ in range(120):
        grads = {k: (g * scale).astype(np.float16) for k, g in loss_and_grads(params)[1].items()}
        opt.step(grads, grad_scale=float(scale))
    assert opt.skipped_steps == 0
    assert 0.8 < loss_and_grads(params)[0] / trained() < 1.25


@pytest.mark.parametrize("steps", [1000])
def test_small_updates(steps):
    """1 - 10⁻⁴ is 1 in bfloat16, however often it is taken; what is kept adds up to 0.9."""
    n = 2000
    results = {}
    for rounding in (None, "master", "split", "stochastic"):
        p = np.ones(n, BF16)
        opt = oc.SGD(p, lr=1e-4, low_precision=rounding)
        for _ in range(steps):
            opt.step(np.ones(n, np.float32))
        results[rounding] = p.astype(np.float64)
    assert np.all(results[None] == 1), "nearest is stuck: this is why there are the others"
    nearest = np.float64(np.float32(0.9).astype(BF16))
    assert np.all(results["master"] == nearest)
    assert np.all(np.abs(results["split"] - nearest) <= 2.0**-8)
    # Each step goes up or down by one unit of 2⁻⁸ at most: the variance is below that of as many
    # coins with the chance of an update in units.
    chance = 1e-4 * 2.0**8
    sigma = 2.0**-8 * (steps * chance) ** 0.5
    drawn = results["stochastic"]
    assert abs(drawn.mean() - 0.9) < 5 * sigma / n**0.5
    assert drawn.std() < 2 * sigma
    assert np.unique(drawn).size > 5


def test_training_with_a_tiny_rate():
    """A rate at which bfloat16, rounded to the nearest, hardly learns anything."""
    start = loss_and_grads({k: p.astype(BF16) for k, p in network().items()})[0]

    def gain(dtype: Any, rounding: str | None) -> float:
        params = {k: p.astype(dtype) for k, p in network().items()}
        opt = oc.SGD(params, lr=1e-3, low_precision=rounding)
        for _ in range(300):
            opt.step(loss_and_grads(params)[1])
        return start - loss_and_grads(params)[0]

    full = gain(np.float32, None)
    assert full > 0.3
    assert gain(BF16, None) < 0.25 * full
    for rounding in ("master", "split", "stochastic"):
        assert 0.9 * full < gain(BF16, rounding) < 1.1 * full, rounding


def test_averages_are_better_than_the_last_step():
    """With a rate too high to settle, the average of the parameters has the lower loss."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 20))
    truth = rng.normal(size=20)
    y = x @ truth + rng.normal(size=300)

    def loss(w: np.ndarray) -> float:
        return float(np.mean(np.square(x @ w - y)))

    w = np.zeros(20)
    opt = oc.SGD({"w": w}, lr=0.03, ema=oc.EMA(lambda k: min((1 + k) / (10 + k), 0.99)))
    for _ in range(1500):
        some = rng.integers(300, size=4)
        opt.step({"w": 2 * x[some].T @ (x[some] @ w - y[some]) / 4})
    best = loss(np.linalg.lstsq(x, y, rcond=None)[0])
    last = loss(w) - best
    with opt.averaged():
        assert loss(w) - best < 0.3 * last
    assert loss(w) - best == last
