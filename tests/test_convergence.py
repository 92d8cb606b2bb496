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


ROWS = [
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
    return (problem.f(x) - problem.minimum) / (problem.f(problem.start) - problem.minimum)


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_it_reaches_the_minimum(row):
    assert abs(remaining(row)) <= GAP
