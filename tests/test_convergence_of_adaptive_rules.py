"""Prodigy, D-Adaptation and the schedule-free rules reach minima that are known."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import optcore as oc

CURVES = np.geomspace(1.0, 100.0, 10)
GOAL = np.linspace(-1.0, 1.0, 10)


def quadratic(w: np.ndarray) -> tuple[float, np.ndarray]:
    """½·Σ cᵢ·(wᵢ − goalᵢ)², of condition number 100; the minimum is 0."""
    away = w - GOAL
    return float(0.5 * np.sum(CURVES * away * away)), CURVES * away


def logistic() -> Any:
    """Logistic regression on the breast cancer data, standardized, with L2."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    sign = 2.0 * y - 1

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (x @ w)
        value = np.mean(np.logaddexp(0, -margin)) + 0.05 * w @ w
        slope = -(sign / (1 + np.exp(margin))) @ x / len(x) + 0.1 * w
        return float(value), slope

    return loss, x.shape[1]


ROWS = (
    (oc.ScheduleFreeSGD, {"lr": 0.02}, {"lr": 1.0}, 3000, 1e-6),
    (oc.ScheduleFreeAdamW, {"lr": 0.05}, {"lr": 0.05}, 3000, 1e-4),
    (oc.ScheduleFreeRAdam, {"lr": 0.05}, {"lr": 0.05}, 3000, 1e-4),
    (oc.Prodigy, {}, {}, 3000, 1e-4),
    (oc.DAdaptAdam, {"lr": oc.schedules.Cosine(1.0, 3000)}, {}, 3000, 1e-4),
    (oc.DAdaptSGD, {}, {}, 3000, 1e-3),
)


def trained(opt: Any, w: np.ndarray, loss: Any, steps: int) -> float:
    for _ in range(steps):
        opt.step(loss(w)[1])
    with opt.eval() if hasattr(opt, "eval") else nullcontext():
        return loss(w)[0]


@pytest.mark.parametrize(("kind", "options", "_", "steps", "within"), ROWS, ids=str)
def test_quadratic(kind, options, _, steps, within):
    w = np.zeros(10)
    first = quadratic(w)[0]
    assert trained(kind(w, **options), w, quadratic, steps) <= within * first


@pytest.mark.parametrize(("kind", "_", "options", "steps", "within"), ROWS, ids=str)
def test_logistic_regression(kind, _, options, steps, within):
    """The minimum is what Newton's method finds from differences of the gradient."""
    loss, size = logistic()
    best = np.zeros(size)
    for _step in range(30):
        slope = loss(best)[1]
        hessian = np.array([(loss(best + e)[1] - slope) / 1e-6 for e in 1e-6 * np.eye(size)])
        best = best - np.linalg.solve((hessian + hessian.T) / 2, slope)
    least = loss(best)[0]
    assert np.abs(loss(best)[1]).max() < 1e-9
    w = np.zeros(size)
    first = loss(w)[0]
    assert trained(kind(w, **options), w, loss, steps) - least <= within * (first - least)
