"""Every rule reaches the minimum of problems whose minimum is known.

A row takes the rule's own defaults wherever they get there. A rule whose steps do not shrink with
the gradient has its rate fall to 0 along a cosine. Plain gradient descent and its relatives take
the textbook's 1/L, L being the greatest curvature of the problem. To enrol a rule add its rows to
`ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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

    Features have mean 0 and variance 1; an L2 term of weight 0.01 makes the minimum one point,
    which Newton's method finds.
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


STEPS = 20_000
GAP = 1e-9


@dataclass(frozen=True)
class Row:
    """A rule on a problem, and how near to the minimum it has to come."""

    rule: str
    problem: str
    options: dict[str, Any] = field(default_factory=dict)
    falling: bool = True
    """Whether the rate falls to 0 along a cosine."""
    gap: float = GAP
    """What may be left of the start's distance to the least value."""


def everywhere(rule: str, options: dict[str, Any] | None = None, **more: Any) -> list[Row]:
    """A row for each problem."""
    return [Row(rule, problem, options or {}, **more) for problem in PROBLEMS]


# Decay would move the minimum.
NO_DECAY = {"weight_decay": 0.0}

ROWS = [
    Row("SGD", "quadratic", {"lr": 0.1}, falling=False),
    Row("SGD", "rosenbrock", {"momentum": 0.9}, falling=False),
    Row("SGD", "logistic", {"lr": 0.1}, falling=False),
    Row("Momentum", "quadratic", {"lr": 0.01}, falling=False),
    Row("Momentum", "rosenbrock", falling=False),
    Row("Momentum", "logistic", {"lr": 0.1, "form": "average"}, falling=False),
    # Its rate falls on its own, and reaches any minimum from a large one alone.
    *everywhere("Adagrad", {"lr": 1.0}, falling=False),
    *everywhere("RMSprop"),
    *everywhere("Adadelta"),
    *everywhere("Adam"),
    *everywhere("AdamW", NO_DECAY),
    *everywhere("NAdam"),
    *everywhere("NAdamW", NO_DECAY),
    *everywhere("Adamax"),
    *everywhere("AdamaxW", NO_DECAY),
    *everywhere("RAdam"),
    *everywhere("AdaBelief"),
    *everywhere("Yogi", falling=False),
    *everywhere("Adafactor"),
    Row("ASGD", "quadratic", {"lr": 0.1, "lambd": 0.0}, falling=False),
    Row("ASGD", "rosenbrock", {"lr": 1e-3, "lambd": 0.0}, falling=False),
    Row("ASGD", "logistic", {"lr": 0.1, "lambd": 0.0}, falling=False),
    # In the bent valley signs turn all the time, and the steps become the smallest ones.
    *everywhere("Rprop", falling=False, gap=1e-7),
]


def row_id(row: Row) -> str:
    return "-".join([row.rule, row.problem, *(f"{k}={v}" for k, v in row.options.items())])


def optimizer(row: Row, w: Array) -> oc.Optimizer:
    kind = getattr(oc, row.rule)
    if not row.falling:
        return kind(w, **row.options)
    peak = kind(w, **row.options).groups[0]["lr"]
    return kind(w, **{**row.options, "lr": oc.schedules.Cosine(peak, STEPS)})


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_reaches_the_minimum(row):
    problem = PROBLEMS[row.problem]()
    w = problem.start.copy()
    opt = optimizer(row, w)
    for _ in range(STEPS):
        opt.step(problem.gradient(w))
    before = problem.value(problem.start) - problem.least
    left = (problem.value(w) - problem.least) / before
    assert -1e-12 < left <= row.gap


@pytest.mark.parametrize("problem", [quadratic, rosenbrock, logistic])
def test_the_problems_are_what_they_say(problem):
    """The gradient is that of the value, and the start is far from the least value."""
    value, gradient = problem().value, problem().gradient
    rng = np.random.default_rng(0)
    w = problem().start + rng.normal(size=problem().start.shape)
    along = rng.normal(size=w.shape)
    slope = (value(w + 1e-6 * along) - value(w - 1e-6 * along)) / 2e-6
    assert slope == pytest.approx(gradient(w) @ along, rel=1e-6)
    assert value(w) > problem().least
    assert value(problem().start) > problem().least + 0.5


def test_the_average_of_asgd_is_nearer_than_its_last_iterate():
    """With noise in the gradients, which is what it is for."""
    problem, rng = quadratic(), np.random.default_rng(0)
    w = problem.start.copy()
    opt = oc.ASGD(w, lr=0.05, lambd=0.0, t0=2000)
    for _ in range(6000):
        opt.step(problem.gradient(w) + rng.normal(size=w.shape))
    last = problem.value(w) - problem.least
    averaged = problem.value(opt.averaged_params) - problem.least
    assert averaged < 0.25 * last
