"""Losses without noise, with their gradients."""

from __future__ import annotations

import numpy as np


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Σ (1 − xᵢ)² + 100(xᵢ₊₁ − xᵢ²)²; 0 at (1, 1, ...)."""
    a, b = x[:-1], x[1:]
    grad = np.zeros_like(x)
    grad[:-1] += 2 * (a - 1) - 400 * a * (b - a * a)
    grad[1:] += 200 * (b - a * a)
    return float(((1 - a) ** 2 + 100 * (b - a * a) ** 2).sum()), grad


def rosenbrock_start(n: int) -> np.ndarray:
    return np.where(np.arange(n) % 2 == 0, -1.2, 1.0)


class Quadratic:
    """½(x − c)ᵀA(x − c) with eigenvalues of A from 1 to `condition`."""

    def __init__(self, n: int, condition: float, seed: int = 0):
        rng = np.random.default_rng(seed)
        Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
        self.A = (Q * np.geomspace(1, condition, n)) @ Q.T
        self.minimum = rng.normal(size=n)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        e = x - self.minimum
        grad = self.A @ e
        return float(e @ grad) / 2, grad


class Logistic:
    """Regularized logistic regression: mean log(1 + exp(−y·(Xw + b))) + ½λ‖w‖²; x = (w, b)."""

    def __init__(self, X: np.ndarray, y: np.ndarray, decay: float):
        self.X, self.y, self.decay = X, y, decay

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = x[:-1], x[-1]
        margin = self.y * (self.X @ w + b)
        wrong = -self.y * (1 - np.tanh(margin / 2)) / 2 / len(self.y)  # 1/(1 + exp(margin))
        loss = np.logaddexp(0, -margin).mean() + self.decay / 2 * (w @ w)
        return float(loss), np.append(self.X.T @ wrong + self.decay * w, wrong.sum())


def breast_cancer(decay: float = 1e-3) -> Logistic:
    """On real data, scaled to mean 0 and deviation 1; needs scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return Logistic((X - X.mean(0)) / X.std(0), 2.0 * y - 1, decay)
