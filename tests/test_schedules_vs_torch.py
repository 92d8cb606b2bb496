"""Schedules against torch's own classes over 1000 steps: what a group's rate is at step k is s(k).

torch's classes are stateful, and some make each rate from the last one: over 1000 steps all are
exact to 1e-12 of the peak, over many more they drift, as far as `DRIFT` says.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from schedule_list import in_words

from optcore.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    Lambda,
    Linear,
    MultiStep,
    OneCycle,
    PiecewiseConstant,
    PiecewiseLinear,
    Polynomial,
    Product,
    Schedule,
    Sequential,
    Step,
    Warmup,
)

torch = pytest.importorskip("torch")
lrs = torch.optim.lr_scheduler

LR, STEPS, EXACT = 0.1, 1000, 1e-12

# How far torch is off after many steps, relative to the peak, and why.
LONG = 20_000
DRIFT = {
    "CosineAnnealingLR": (
        1e-11,
        "each rate is the last times a quotient of two cosines, so rounding adds up",
    ),
    "LinearLR": (1e-12, "each rate is the last times a quotient"),
}

# Those with a metric instead of a formula; and the base.
NO_FORMULA = {"ReduceLROnPlateau", "LRScheduler"}

Case = tuple[str, Callable[[Any], Any], Schedule]


def cosine_again(total: int, floor: float) -> Schedule:
    """torch's goes on behind T_max, up again and down again."""
    points = range(0, LONG + total, total)
    return PiecewiseLinear(points, [(LR, floor)[i % 2] for i in range(len(points))], "cosine")


def cases() -> list[Case]:
    rows: list[Case] = [
        ("LambdaLR", lambda o: lrs.LambdaLR(o, lambda k: 0.95**k), LR * Exponential(1.0, 0.95)),
        ("LambdaLR", lambda o: lrs.LambdaLR(o, lambda k: 1 / (k + 1)), LR * Lambda(harmonic)),
        (
            "MultiplicativeLR",
            lambda o: lrs.MultiplicativeLR(o, lambda k: 0.99),
            Exponential(LR, 0.99),
        ),
    ]
    for size, gamma in itertools.product((1, 7, 30, 2000), (0.1, 0.5, 1.0)):
        rows.append(
            ("StepLR", lambda o, a=size, b=gamma: lrs.StepLR(o, a, b), Step(LR, size, gamma))
        )
    for milestones, gamma in itertools.product(([30, 80], [5, 5, 600], [1000], []), (0.1, 0.7)):
        rows.append(
            (
                "MultiStepLR",
                lambda o, a=milestones, b=gamma: lrs.MultiStepLR(o, a, b),
                MultiStep(LR, milestones, gamma),
            )
        )
    for factor, n in itertools.product((1 / 3, 0.5, 1.0), (1, 5, 400)):
        rows.append(
            (
                "ConstantLR",
                lambda o, a=factor, b=n: lrs.ConstantLR(o, a, b),
                PiecewiseConstant([LR * factor, LR], [n]),
            )
        )
    # Over no steps at all torch's never leaves its factor.
    rows.append(("ConstantLR", lambda o: lrs.ConstantLR(o, 0.5, 0), Constant(LR * 0.5)))
    for start, end, n in itertools.product((1 / 3, 0.5, 1.0), (0.0, 0.7, 1.0), (5, 400)):
        rows.append(
            (
                "LinearLR",
                lambda o, a=start, b=end, c=n: lrs.LinearLR(o, a, b, c),
                Linear(LR * start, n, LR * end),
            )
        )
    for gamma in (0.9, 0.999, 1.0, 1.001):
        rows.append(
            ("ExponentialLR", lambda o, a=gamma: lrs.ExponentialLR(o, a), Exponential(LR, gamma))
        )
    for total, power in itertools.product((1, 300, 1000), (0.5, 1.0, 2.0, 3.7)):
        rows.append(
            (
                "PolynomialLR",
                lambda o, a=total, b=power: lrs.PolynomialLR(o, a, b),
                Polynomial(LR, total, power),
            )
        )
    for total, floor in itertools.product((1, 10, 300, 999), (0.0, 0.01)):
        rows.append(
            (
                "CosineAnnealingLR",
                lambda o, a=total, b=floor: lrs.CosineAnnealingLR(o, a, b),
                cosine_again(total, floor),
            )
        )
    rows.append(("CosineAnnealingLR", lambda o: lrs.CosineAnnealingLR(o, 1000), Cosine(LR, 1000)))
    for period, t_mul, floor in itertools.product((1, 7, 50, 5000), (1, 2, 3), (0.0, 0.01)):
        rows.append(
            (
                "CosineAnnealingWarmRestarts",
                lambda o, a=period, b=t_mul, c=floor: lrs.CosineAnnealingWarmRestarts(o, a, b, c),
                CosineRestarts(LR, period, t_mul, floor=floor),
            )
        )
    for up, down, mode, gamma in itertools.product(
        (1, 20, 300), (None, 7, 300), ("triangular", "triangular2", "exp_range"), (1.0, 0.995)
    ):
        rows.append(
            (
                "CyclicLR",
                lambda o, u=up, d=down, m=mode, g=gamma: lrs.CyclicLR(o, 0.01, 0.3, u, d, m, g),
                Cyclic(0.01, 0.3, up, down, mode, gamma),
            )
        )
    for rise, shape, phases, div, final_div in itertools.product(
        (0.0, 0.25, 0.3, 0.3777, 0.5), ("cosine", "linear"), (2, 3), (25.0, 1.0), (1e4, 10.0)
    ):
        rows.append(
            (
                "OneCycleLR",
                lambda o, r=rise, s=shape, p=phases, d=div, f=final_div: lrs.OneCycleLR(
                    o,
                    max_lr=0.3,
                    total_steps=STEPS,
                    pct_start=r,
                    anneal_strategy={"cosine": "cos", "linear": "linear"}[s],
                    three_phase=p == 3,
                    div_factor=d,
                    final_div_factor=f,
                ),
                OneCycle(0.3, STEPS, rise, div, final_div, phases, shape),
            )
        )
    rows += [
        (
            "ChainedScheduler",
            lambda o: lrs.ChainedScheduler(
                [lrs.ConstantLR(o, 0.1, 20), lrs.ExponentialLR(o, 0.99), lrs.StepLR(o, 70, 0.5)]
            ),
            Product(
                [PiecewiseConstant([0.1, 1.0], [20]), Exponential(LR, 0.99), Step(1.0, 70, 0.5)]
            ),
        ),
        (
            "ChainedScheduler",
            lambda o: lrs.ChainedScheduler(
                [lrs.LinearLR(o, 0.2, 1.0, 50), lrs.PolynomialLR(o, 900, 2.0)]
            ),
            Warmup(50, start=0.2) * Polynomial(LR, 900, 2.0),
        ),
        (
            "SequentialLR",
            lambda o: lrs.SequentialLR(
                o,
                [lrs.LinearLR(o, 0.01, 1.0, 100), lrs.CosineAnnealingLR(o, 900, 0.001)],
                milestones=[100],
            ),
            Warmup(100, Cosine(LR, 900, 0.001), start=LR * 0.01),
        ),
        (
            "SequentialLR",
            lambda o: lrs.SequentialLR(
                o,
                [lrs.ConstantLR(o, 0.1, 1000), lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 50, 0.5)],
                milestones=[20, 300],
            ),
            Sequential([Constant(LR * 0.1), Exponential(LR, 0.9), Step(LR, 50, 0.5)], [20, 300]),
        ),
    ]
    return rows


def harmonic(k: int) -> float:
    return 1 / (k + 1)


CASES = cases()


def run(make: Callable[[Any], Any], steps: int = STEPS) -> tuple[list[float], list[float]]:
    """Rates and momentums of the first steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR, momentum=0.9)
    rates, momentums = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR passes its parts an argument it deprecates
        scheduler = make(optimizer)
        for k in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            momentums.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if k < steps - 1:  # OneCycleLR ends with its last step
                scheduler.step()
    return rates, momentums


@pytest.mark.parametrize(
    ("name", "make", "ours"),
    CASES,
    ids=in_words,
)
def test_rates(name, make, ours):
    rates, _ = run(make)
    assert np.max(np.abs(ours.values(STEPS) - rates)) <= EXACT * max(rates)


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_momentum_of_one_cycle(phases, shape):
    ours = OneCycle(0.3, STEPS, 0.3, phases=phases, shape=shape)
    _, momentums = run(
        lambda o: lrs.OneCycleLR(
            o,
            0.3,
            STEPS,
            anneal_strategy=shape[:3] if shape == "cosine" else shape,
            three_phase=phases == 3,
        )
    )
    assert np.max(np.abs(ours.momentum().values(STEPS) - momentums)) <= EXACT


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_momentum_of_cycles(mode):
    ours = Cyclic(0.01, 0.3, 20, 31, mode, 0.99)
    _, momentums = run(lambda o: lrs.CyclicLR(o, 0.01, 0.3, 20, 31, mode, 0.99))
    assert np.max(np.abs(ours.momentum().values(STEPS) - momentums)) <= EXACT


def test_every_class_of_torch_is_held_to():
    """All that torch has, and may have one day."""
    theirs = {
        name
        for name, kind in vars(lrs).items()
        if isinstance(kind, type) and issubclass(kind, lrs.LRScheduler) and not name.startswith("_")
    }
    assert theirs - NO_FORMULA == {name for name, _, _ in CASES}


@pytest.mark.parametrize(
    ("make", "ours"),
    [
        (lambda o: lrs.CosineAnnealingLR(o, 300), cosine_again(300, 0.0)),
        (lambda o: lrs.LinearLR(o, 0.01, 1.0, LONG), Linear(LR * 0.01, LONG, LR)),
    ],
)
def test_drift_is_torchs(make, ours):
    """Its own closed form agrees with ours to the last digits, its steps do not."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=LR)
    scheduler = make(optimizer)
    for k in range(0, LONG, 37):
        scheduler.last_epoch = k
        assert abs(scheduler._get_closed_form_lr()[0] - ours(k)) <= 1e-13 * LR
    rates, _ = run(make, LONG)
    off = np.max(np.abs(ours.values(LONG) - rates))
    assert off <= DRIFT[type(scheduler).__name__][0] * LR
