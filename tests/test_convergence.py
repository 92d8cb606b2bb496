"""Every rule reaches the known minimum: of an ill-conditioned quadratic, of Rosenbrock's function,
and of logistic regression on real data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import optcore as oc

Vector = np.ndarray
GAP = 1e-6
"""What may be left of the distance to the minimum, in f."""


@dataclass(frozen=True)
class Problem:
    start: Vector
    f: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    curvature: Callable[[Vector], Vector]
    """The Hessian's diagonal."""
    minimum: float


@functools.cache
def quadratic() -> Problem:
    """Half of xᵀAx − 2bᵀx in ten dimensions, with a condition number of 100."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    a = turn @ np.diag(np.geomspace(0.1, 10, 10)) @ turn.T
    best = rng.normal(size=10)

    def f(x: Vector) -> float:
        return float(0.5 * (x - best) @ a @ (x - best))

    return Problem(np.zeros(10), f, lambda x: a @ (x - best), lambda _: np.diag(a).copy(), 0.0)


@functools.cache
def rosenbrock() -> Problem:
    def f(x: Vector) -> float:
        return float((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)

    def gradient(x: Vector) -> Vector:
        across = 200 * (x[1] - x[0] ** 2)
        return np.array([-2 * (1 - x[0]) - 2 * x[0] * across, across])

    def curvature(x: Vector) -> Vector:
        return np.array([2 - 400 * (x[1] - 3 * x[0] ** 2), 200.0])

    return Problem(np.array([-1.2, 1.0]), f, gradient, curvature, 0.0)


@functools.cache
def logistic() -> Problem:
    """The breast cancer data, standardised, with a penalty of 0.05‖w‖²; the minimum by Newton."""
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    x = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    x = np.hstack([x, np.ones((len(x), 1))])
    sign = 2.0 * data.target - 1

    def chances(w: Vector) -> Vector:
        return (1 - np.tanh(sign * (x @ w) / 2)) / 2

    def f(w: Vector) -> float:
        return float(np.logaddexp(0, -sign * (x @ w)).mean() + 0.05 * w @ w)

    def gradient(w: Vector) -> Vector:
        return -x.T @ (sign * chances(w)) / len(x) + 0.1 * w

    def hessian(w: Vector) -> Vector:
        q = chances(w)
        return (x.T * (q * (1 - q))) @ x / len(x) + 0.1 * np.eye(x.shape[1])

    w = np.zeros(x.shape[1])
    for _ in range(20):
        w = w - np.linalg.solve(hessian(w), gradient(w))
    assert np.abs(gradient(w)).max() < 1e-12
    return Problem(np.zeros(x.shape[1]), f, gradient, lambda w: np.diag(hessian(w)).copy(), f(w))


PROBLEMS = {"quadratic": quadratic, "rosenbrock": rosenbrock, "logistic": logistic}


Row = tuple[Any, str, int, dict[str, Any]]


def rows(kind: Any, steps: int, *rates: float, fall: bool = False, **options: Any) -> list[Row]:
    """One row for each problem, with its rate; which falls to 1e-7 of it for rules whose steps do
    not shrink with the gradient."""

    def rate(first: float) -> Any:
        return oc.schedules.Exponential(first, 1e-7 ** (1 / steps)) if fall else first

    return [
        (kind, name, steps, {**options, "lr": rate(first)})
        for name, first in zip(PROBLEMS, rates, strict=True)
    ]


def default(
    kind: Any, *problems: str, steps: int = 20000, fall: bool = True, **options: Any
) -> list[Row]:
    """A row for each of these problems, or for all, with the rule's own rate or the one given;
    which falls to 0 along a cosine, for rules whose steps do not shrink with the gradient."""
    if fall:
        rate = kind(np.zeros(1), **options).groups[0]["lr"]
        options["lr"] = oc.schedules.Cosine(rate, steps)
    return [(kind, name, steps, options) for name in problems or PROBLEMS]


ROWS = [
    # 1/L, L being the greatest curvature, and less in the bent valley.
    *default(oc.SGD, "quadratic", "logistic", fall=False, lr=0.1),
    *default(oc.SGD, "rosenbrock", fall=False, momentum=0.9),
    *default(oc.Momentum, "quadratic", "logistic", fall=False, lr=0.01),
    *default(oc.Momentum, "rosenbrock", fall=False),
    *default(oc.Momentum, "quadratic", "logistic", fall=False, lr=0.1, form="average"),
    *default(oc.ASGD, "quadratic", "logistic", fall=False, lr=0.1, lambd=0.0),
    *default(oc.ASGD, "rosenbrock", fall=False, lr=1e-3, lambd=0.0),
    # Its rate falls on its own, and reaches far minima from a large one alone.
    *default(oc.Adagrad, fall=False, lr=1.0),
    *default(oc.RMSprop),
    *default(oc.Adadelta),
    *default(oc.Adam),
    *default(oc.AdamW, weight_decay=0.0),
    *default(oc.NAdam),
    *default(oc.NAdamW, weight_decay=0.0),
    *default(oc.Adamax),
    *default(oc.AdamaxW, weight_decay=0.0),
    *default(oc.RAdam),
    *default(oc.AdaBelief),
    *default(oc.Yogi, fall=False),
    *default(oc.Rprop, fall=False),
    *default(oc.Adafactor),
    *rows(oc.Lion, 4000, 0.1, 0.1, 0.1, fall=True),
    *rows(oc.Signum, 4000, 0.1, 0.1, 0.1, fall=True),
    *rows(oc.SignSGD, 20000, 0.1, 0.1, 0.1, fall=True),
    *rows(oc.Adan, 4000, 0.1, 0.1, 0.1, fall=True),
    *rows(oc.ADOPT, 10000, 0.05, 0.5, 0.05),
    *rows(oc.AdEMAMix, 4000, 0.02, 0.01, 0.02, betas=(0.9, 0.999, 0.99)),
    *rows(oc.AdEMAMix, 4000, 0.02, 0.01, 0.02, betas=(0.9, 0.999, 0.99), t_alpha_beta3=1000.0),
    *rows(oc.FTRL, 10000, 1.0, 1.0, 1.0),
    *rows(oc.Sophia, 10000, 0.5, 0.5, 0.5, rho=1.0, weight_decay=0.0),
    *rows(oc.LARS, 4000, 10.0, 10.0, 10.0, fall=True),
    *rows(oc.NovoGrad, 4000, 0.05, 0.05, 0.05, fall=True),
    *rows(oc.MARS, 4000, 0.05, 0.05, 0.05, fall=True),
    *default(oc.LAMB, lr=0.01),
    *default(oc.RowwiseAdagrad, fall=False, lr=1.0),
    *default(oc.SM3, steps=5000, fall=False, lr=1.0),
    *default(oc.SOAP, steps=5000, lr=0.05, weight_decay=0.0),
    *default(oc.Shampoo, steps=6000, lr=0.1, beta2=0.99),
    *default(oc.ScheduleFreeSGD, "quadratic", "logistic", fall=False, lr=0.1),
    *default(oc.ScheduleFreeAdamW, fall=False, lr=0.01),
    *default(oc.ScheduleFreeRAdam, fall=False, lr=0.01),
    # Their own estimate of the rate; it does not shrink with the gradient.
    *default(oc.Prodigy),
    *default(oc.DAdaptAdam),
    # Without momentum or curvature the valley is too bent, and the quadratic too steep.
    *default(oc.DAdaptSGD, "logistic", fall=False),
]


def row_id(row: Row) -> str:
    return f"{row[0].__name__}-{row[1]}"


def remaining(row: Row) -> float:
    """What a run leaves of the distance of f to its minimum."""
    kind, name, steps, options = row
    problem = PROBLEMS[name]()
    x = problem.start.copy()
    opt = kind(x, **options)
    for step in range(steps):
        if step % 10 == 0 and hasattr(opt, "update_hessian"):
            opt.update_hessian(problem.curvature(x))
        opt.step(problem.gradient(x))
    if hasattr(opt, "eval"):
        opt.eval()
    return (problem.f(x) - problem.minimum) / (problem.f(problem.start) - problem.minimum)


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_it_reaches_the_minimum(row):
    assert abs(remaining(row)) <= GAP


def test_muon_reaches_the_minimum_over_matrices():
    """Of ‖AX − B‖², which linear algebra knows."""
    rng = np.random.default_rng(0)
    a, b, x = rng.normal(size=(20, 6)), rng.normal(size=(20, 4)), np.zeros((6, 4))

    def away(y: Vector) -> float:
        return float(np.sum((a @ y - b) ** 2))

    least, first = away(np.linalg.lstsq(a, b)[0]), away(x)
    opt = oc.Muon(x, lr=oc.schedules.Cosine(0.05, 2000), weight_decay=0.0)
    for _ in range(2000):
        opt.step(2 * a.T @ (a @ x - b))
    assert away(x) - least <= GAP * (first - least)


@pytest.mark.parametrize("make", PROBLEMS.values(), ids=PROBLEMS)
def test_the_problems_are_what_they_say(make):
    """The gradient is that of the value, and the start is far from the minimum."""
    problem, rng = make(), np.random.default_rng(0)
    x, along = problem.start + 0.5, rng.normal(size=problem.start.shape)
    slope = (problem.f(x + 1e-6 * along) - problem.f(x - 1e-6 * along)) / 2e-6
    assert slope == pytest.approx(problem.gradient(x) @ along, rel=1e-6)
    assert problem.f(problem.start) > problem.minimum + 0.4


def test_the_average_of_asgd_is_nearer_than_its_last_iterate():
    """With noise in the gradients, which is what it is for."""
    problem, rng = quadratic(), np.random.default_rng(0)
    x = problem.start.copy()
    opt = oc.ASGD(x, lr=0.05, lambd=0.0, t0=2000)
    for _ in range(6000):
        opt.step(problem.gradient(x) + rng.normal(size=x.shape))
    assert problem.f(opt.averaged_params) < 0.25 * problem.f(x)
