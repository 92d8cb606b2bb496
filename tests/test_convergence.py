"""Every rule reaches the minimum of problems whose minimum is known.

The rate of a row is the rule's default or one that its documentation or paper names, times a
cosine to 0 where its step does not shrink on its own; `gap` is what is left of the start's distance
to the minimum, in the function's value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import optcore as oc

Array = Any


class Problem(NamedTuple):
    start: Array
    value: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    least: float


def quadratic() -> Problem:
    """½xᵀAx − bᵀx in 10 dimensions, of condition 1000, its axes turned against the coordinates."""
    rng = np.random.default_rng(7)
    turn, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    A = turn @ np.diag(np.geomspace(1e-2, 10.0, 10)) @ turn.T
    x = rng.normal(size=10)
    b = A @ x
    least = -0.5 * float(b @ x)
    return Problem(
        np.zeros(10), lambda w: float(0.5 * w @ A @ w - b @ w), lambda w: A @ w - b, least
    )


def rosenbrock() -> Problem:
    """(1−x)² + 100(y−x²)² from the usual start; 0 at (1, 1)."""

    def value(w: Array) -> float:
        return float((1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2)

    def gradient(w: Array) -> Array:
        across = w[1] - w[0] ** 2
        return np.array([-2 * (1 - w[0]) - 400 * w[0] * across, 200 * across])

    return Problem(np.array([-1.2, 1.0]), value, gradient, 0.0)


def logistic() -> Problem:
    """Logistic regression on the 569 cases of breast cancer that scikit-learn carries.

    Features have mean 0 and variance 1; an L2 term of weight 0.01 makes the minimum one point, which
    Newton's method finds.
    """
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    X = np.column_stack([(X - X.mean(0)) / X.std(0), np.ones(len(X))])
    sign = 2.0 * y - 1

    def value(w: Array) -> float:
        return float(np.mean(np.logaddexp(0, -sign * (X @ w))) + 0.005 * w @ w)

    def probability_of_the_other(w: Array) -> Array:
        return 1 / (1 + np.exp(sign * (X @ w)))

    def gradient(w: Array) -> Array:
        return -X.T @ (sign * probability_of_the_other(w)) / len(X) + 0.01 * w

    w = np.zeros(X.shape[1])
    for _ in range(30):
        q = probability_of_the_other(w)
        curvature = (X.T * (q * (1 - q))) @ X / len(X) + 0.01 * np.eye(len(w))
        w = w - np.linalg.solve(curvature, gradient(w))
    assert np.linalg.norm(gradient(w)) < 1e-14
    return Problem(np.zeros(len(w)), value, gradient, value(w))


PROBLEMS = {"quadratic": quadratic, "rosenbrock": rosenbrock, "logistic": logistic}


@dataclass(frozen=True)
class Row:
    """A rule on a problem: its options, the number of steps, and the gap that is left at most."""

    rule: str
    problem: str
    options: dict[str, Any]
    steps: int
    gap: float
    falling: bool = True
    """Whether the rate falls to 0 along a cosine."""


def gap(row: Row) -> float:
    """What a run leaves of the distance to the least value."""
    problem = PROBLEMS[row.problem]()
    w = problem.start.copy()
    kind = getattr(oc, row.rule)
    options = dict(row.options)
    if row.falling:
        peak = options.pop("lr", None) or kind(w).groups[0]["lr"]
        options["lr"] = oc.schedules.Cosine(peak, row.steps)
    opt = kind(w, **options)
    for _ in range(row.steps):
        opt.step(problem.gradient(w))
    before = problem.value(problem.start) - problem.least
    return (problem.value(w) - problem.least) / before
