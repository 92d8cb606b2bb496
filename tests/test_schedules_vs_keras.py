"""Schedules against Keras's classes over 1000 steps, in float64, with torch as its backend."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from optcore.schedules import (
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    PiecewiseConstant,
    Polynomial,
    Schedule,
    Step,
    WarmupCosine,
)

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
theirs = keras.optimizers.schedules

# Of its own variables: NumPy 2 asks for another signature of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PEAK, STEPS, TOLERANCE = 0.1, 1000, 1e-12

Case = tuple[str, dict[str, Any], Schedule]


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def cases() -> list[Case]:
    rows: list[Case] = [
        (
            "PiecewiseConstantDecay",  # holds a value up to its boundary and at it
            {"boundaries": [100, 300], "values": [0.1, 0.05, 0.02]},
            PiecewiseConstant([0.1, 0.05, 0.02], [101, 301]),
        )
    ]
    for steps, rate in itertools.product((1, 30), (0.5, 0.99)):
        given = {"initial_learning_rate": PEAK, "decay_steps": steps, "decay_rate": rate}
        stairs = {**given, "staircase": True}
        rows += [
            ("ExponentialDecay", given, Exponential(PEAK, rate, steps=steps)),
            ("ExponentialDecay", stairs, Step(PEAK, steps, rate)),
            ("InverseTimeDecay", given, InverseTime(PEAK, rate, steps=steps)),
            ("InverseTimeDecay", stairs, InverseTime(PEAK, rate, steps=steps, staircase=True)),
        ]
    for steps, end, power, cycle in itertools.product(
        (1, 70, 300), (0.0, 0.01), (1.0, 2.5), (False, True)
    ):
        given = {"decay_steps": steps, "end_learning_rate": end, "power": power, "cycle": cycle}
        rows.append(
            (
                "PolynomialDecay",
                {"initial_learning_rate": PEAK, **given},
                Polynomial(PEAK, steps, power, end, cycle=cycle),
            )
        )
    for steps, alpha in itertools.product((1, 300, 5000), (0.0, 0.1)):
        given = {"decay_steps": steps, "alpha": alpha}
        rows += [
            (
                "CosineDecay",
                {"initial_learning_rate": PEAK, **given},
                Cosine(PEAK, steps, PEAK * alpha),
            ),
            (
                "CosineDecay",
                {
                    "initial_learning_rate": 0.01,
                    "warmup_target": PEAK,
                    "warmup_steps": 50,
                    **given,
                },
                WarmupCosine(PEAK, 50, 50 + steps, PEAK * alpha, 0.01),
            ),
        ]
    for period, t_mul, m_mul, alpha in itertools.product(
        (7, 50), (1.0, 2.0, 3.0, 1.5), (1.0, 0.8), (0.0, 0.1)
    ):
        given = {"first_decay_steps": period, "t_mul": t_mul, "m_mul": m_mul, "alpha": alpha}
        rows.append(
            (
                "CosineDecayRestarts",
                {"initial_learning_rate": PEAK, **given},
                CosineRestarts(PEAK, period, t_mul, m_mul, PEAK * alpha),
            )
        )
    return rows


CASES = cases()


def of_keras(name: str, given: dict[str, Any]) -> np.ndarray:
    schedule = getattr(theirs, name)(**given)
    return np.array([float(schedule(k)) for k in range(STEPS)])


@pytest.mark.parametrize(("name", "given", "ours"), CASES)
def test_values(name, given, ours):
    off = np.abs(ours.values(STEPS) - of_keras(name, given))
    assert off.max() <= TOLERANCE * PEAK


def test_every_class_of_keras_is_held_to():
    """All that Keras has, and may have one day."""
    kinds = {
        name
        for name, kind in inspect.getmembers(theirs, inspect.isclass)
        if issubclass(kind, theirs.LearningRateSchedule) and name != "LearningRateSchedule"
    }
    assert kinds == {name for name, _, _ in CASES}
