"""ReduceOnPlateau against torch's and optax's own over random metrics: the same rates, exactly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import optcore as oc
from optcore.schedules import ReduceOnPlateau


def metrics(seed: int) -> list[float]:
    """A falling loss with plateaus, jumps, repeats, NaN and infinity; some sequences below zero."""
    random = np.random.default_rng(seed)
    trend = np.minimum.accumulate(random.normal(size=120)) + random.normal(scale=0.2, size=120)
    values = (trend + 3.0 * (seed % 3)).round(2).tolist()
    for at in random.integers(0, 120, size=4):
        values[at] = [math.nan, math.inf, -math.inf, values[at - 1]][int(random.integers(4))]
    return values


TORCH = list(
    itertools.product(
        ("min", "max"), (0.1, 0.7), (0, 1, 4), ("rel", "abs"), (0, 3), (0.0, [0.05, 1e-4])
    )
)


@pytest.mark.parametrize("seed", range(6))
def test_torch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(seed)
    fired = 0
    for mode, factor, patience, threshold_mode, cooldown, min_lr in TORCH:
        options: dict[str, Any] = {
            "mode": mode,
            "factor": factor,
            "patience": patience,
            "threshold": float(random.choice([0.0, 1e-4, 0.1])),
            "threshold_mode": threshold_mode,
            "cooldown": cooldown,
            "min_lr": min_lr,
            "eps": float(random.choice([0.0, 1e-8, 1e-3])),
        }
        theirs = torch.optim.SGD(
            [{"params": [torch.ones(1)], "lr": lr} for lr in (0.1, 0.03)], lr=1.0
        )
        ours = oc.SGD(
            [{"params": {n: np.ones(1)}, "lr": lr} for n, lr in (("a", 0.1), ("b", 0.03))]
        )
        wanted = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
        plateau = ReduceOnPlateau(ours, **options)
        for metric in metrics(seed):
            wanted.step(metric)
            before = [group["lr"] for group in ours.groups]
            reduced = plateau.step(metric)
            after = [group["lr"] for group in ours.groups]
            assert after == [group["lr"] for group in theirs.param_groups], options
            assert (plateau.best, plateau.num_bad) == (wanted.best, wanted.num_bad_epochs), options
            assert reduced == (after != before)
            fired += reduced
    assert fired > len(TORCH)


def test_the_defaults_are_torchs() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([torch.ones(1)], lr=1.0))
    options = ReduceOnPlateau(oc.SGD(np.ones(1), lr=1.0)).state_dict()["options"]
    for name in ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "eps"):
        assert options[name] == getattr(theirs, name), name
    assert options["min_lr"] == theirs.min_lrs


OPTAX = list(itertools.product((0.1, 0.7), (1, 4), (0, 3), (1, 3), (0.0, 0.05)))


@pytest.mark.parametrize("seed", range(3))
def test_optax(seed: int) -> None:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    random = np.random.default_rng(seed)
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    fired = 0
    try:
        params = jax.numpy.ones(1)
        for factor, patience, cooldown, size, least in OPTAX:
            options: dict[str, Any] = {
                "factor": factor,
                "patience": patience,
                "cooldown": cooldown,
                "accumulation_size": size,
                "rtol": float(random.choice([1e-4, 0.1])),
                "atol": float(random.choice([0.0, 0.05])),
            }
            theirs = optax.contrib.reduce_on_plateau(**options, min_scale=least)
            update, state = jax.jit(theirs.update), theirs.init(params)
            opt = oc.SGD(np.ones(1), lr=1.0)
            plateau = ReduceOnPlateau(opt, min_lr=least, convention="optax", **options)
            for metric in metrics(seed):
                _, state = update(params, state, value=metric)
                fired += plateau.step(metric)
                assert opt.lr == float(state.scale), options
                assert plateau.num_bad == int(state.plateau_count), options
    finally:
        jax.config.update("jax_enable_x64", before)
    assert fired > len(OPTAX)
