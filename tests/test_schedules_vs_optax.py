"""Schedules against optax's functions over 1000 steps, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from optcore.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    OneCycle,
    PiecewiseConstant,
    PiecewiseLinear,
    Polynomial,
    Schedule,
    Sequential,
    Step,
    Warmup,
    WarmupCosine,
)

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

PEAK, STEPS, TOLERANCE = 0.1, 1000, 1e-12

Case = tuple[str, dict[str, Any], Schedule]


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def delayed(begin: int, schedule: Schedule) -> Schedule:
    """optax's transition_begin: the first value until then."""
    return Sequential([Constant(schedule(0)), schedule], [begin])


def cases() -> list[Case]:
    rows: list[Case] = [("constant_schedule", {"value": PEAK}, Constant(PEAK))]
    for end, power, steps, begin in itertools.product((0.0, 0.3), (1, 2.5), (1, 300), (0, 70)):
        given = {"transition_steps": steps, "transition_begin": begin}
        given = {"init_value": PEAK, "end_value": end, **given}
        ours = delayed(begin, Polynomial(PEAK, steps, power, end))
        rows.append(("polynomial_schedule", {**given, "power": power}, ours))
        if power == 1:
            rows.append(("linear_schedule", given, delayed(begin, Linear(PEAK, steps, end))))
    rows.append(
        (
            "piecewise_constant_schedule",
            {"init_value": PEAK, "boundaries_and_scales": {300: 0.5, 100: 0.1}},
            PiecewiseConstant([PEAK, PEAK * 0.1, PEAK * 0.05], [100, 300]),
        )
    )
    for shape in ("linear", "cosine"):
        rows.append(
            (
                "piecewise_interpolate_schedule",
                {
                    "interpolate_type": shape,
                    "init_value": PEAK,
                    "boundaries_and_scales": {300: 0.5, 100: 2.0, 900: 0.1},
                },
                PiecewiseLinear([0, 100, 300, 900], [0.1, 0.2, 0.1, 0.01], shape),
            )
        )
    for rate, steps, begin, floor in itertools.product((0.5, 0.99), (1, 30), (0, 70), (None, 0.01)):
        given = {"transition_steps": steps, "decay_rate": rate, "transition_begin": begin}
        given = {"init_value": PEAK, "end_value": floor, **given}
        smooth = delayed(begin, Exponential(PEAK, rate, steps=steps)).clip(floor)
        stairs = delayed(begin, Step(PEAK, steps, rate)).clip(floor)
        rows.append(("exponential_decay", given, smooth))
        rows.append(("exponential_decay", {**given, "staircase": True}, stairs))
    for steps, alpha, exponent in itertools.product((1, 300, 5000), (0.0, 0.1), (1.0, 1.7)):
        rows.append(
            (
                "cosine_decay_schedule",
                {"init_value": PEAK, "decay_steps": steps, "alpha": alpha, "exponent": exponent},
                Cosine(PEAK, steps, PEAK * alpha, exponent=exponent),
            )
        )
    for rise in (0.25, 0.3):
        turn = int(rise * 900)
        rows += [
            (
                "linear_onecycle_schedule",
                {"transition_steps": 900, "peak_value": PEAK, "pct_start": rise},
                PiecewiseLinear([0, turn, 765, 900], [PEAK / 25, PEAK, PEAK / 25, PEAK / 25 / 1e4]),
            ),
            (
                "cosine_onecycle_schedule",
                {"transition_steps": 900, "peak_value": PEAK, "pct_start": rise},
                PiecewiseLinear([0, turn, 900], [PEAK / 25, PEAK, PEAK / 25 / 1e4], "cosine"),
            ),
        ]
    # torch's one cycle turns a step before optax's, at rise·total - 1: with a step more it agrees.
    rows.append(
        (
            "cosine_onecycle_schedule",
            {"transition_steps": 899, "peak_value": PEAK, "pct_start": 299 / 899},
            OneCycle(PEAK, 900, 300 / 900),
        )
    )
    for start, warmup, exponent in itertools.product((0.0, 0.01), (10, 100), (1.0, 2.0)):
        given = {"init_value": start, "peak_value": PEAK, "warmup_steps": warmup}
        rows += [
            ("warmup_constant_schedule", given, Warmup(warmup, Constant(PEAK), start)),
            (
                "warmup_cosine_decay_schedule",
                {**given, "decay_steps": 700, "end_value": 0.001, "exponent": exponent},
                Warmup(warmup, Cosine(PEAK, 700 - warmup, 0.001, exponent=exponent), start),
            ),
            (
                "warmup_exponential_decay_schedule",
                {**given, "transition_steps": 50, "decay_rate": 0.7},
                Warmup(warmup, Exponential(PEAK, 0.7, steps=50), start),
            ),
        ]
    cycles = [(0.1, 100), (0.08, 200), (0.05, 400)]
    rows.append(
        (
            "sgdr_schedule",
            {
                "cosine_kwargs": [
                    {"init_value": 0.0, "peak_value": p, "warmup_steps": 10, "decay_steps": n}
                    for p, n in cycles
                ]
            },
            Sequential([WarmupCosine(p, 10, n) for p, n in cycles], [100, 300]),
        )
    )
    return rows


CASES = cases()


def agree(theirs: Callable[[Any], Any], ours: Schedule) -> None:
    """Over the first steps, in one call. Under jit optax ends in NaN, as (1 − 300/300)^2.5."""
    steps = jax.numpy.arange(STEPS)
    expected = np.asarray(jax.vmap(theirs)(steps), np.float64)
    np.testing.assert_allclose(ours.values(STEPS), expected, rtol=0, atol=TOLERANCE * PEAK)


@pytest.mark.parametrize(("name", "given", "ours"), CASES)
def test_values(name, given, ours):
    agree(getattr(optax.schedules, name)(**given), ours)


def test_joined():
    parts = [
        optax.schedules.linear_schedule(0.0, PEAK, 50),
        optax.schedules.cosine_decay_schedule(PEAK, 400),
    ]
    theirs = optax.schedules.join_schedules(parts, [70])
    agree(theirs, Sequential([Linear(0.0, 50, PEAK), Cosine(PEAK, 400)], [70]))


def test_every_function_of_optax_is_held_to():
    """All that optax has, and may have one day."""
    theirs = {
        name
        for name in dir(optax.schedules)
        if name.endswith(("_schedule", "_decay", "_schedules")) and not name.startswith("_")
    }
    assert theirs == {"join_schedules", *(name for name, _, _ in CASES)}
