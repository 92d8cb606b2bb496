"""Where a network ends: from its outputs to a loss, and the gradient by the outputs."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..typing import Array


class Head(Protocol):
    """A loss of outputs z, one row for each example, and what else is said of them."""

    loss_name: str
    score_name: str

    def loss(self, z: Array, y: Array) -> float:
        """The mean over all rows. z may be written to."""
        ...

    def loss_and_delta(self, z: Array, y: Array) -> float:
        """The mean over all rows; its gradient by z takes the place of z."""
        ...

    def score(self, z: Array, y: Array) -> float:
        """How well the outputs fit, 1 being perfect."""
        ...


class CrossEntropy:
    """Softmax and cross-entropy: outputs are scores of the classes, y are labels.

    >>> z = np.array([[0.0, 0.0], [2.0, 2.0]])
    >>> round(CrossEntropy().loss_and_delta(z, np.array([0, 1])), 6), z.tolist()
    (0.693147, [[-0.25, 0.25], [0.25, -0.25]])
    """

    loss_name = "cross-entropy"
    score_name = "accuracy"

    def loss(self, z: Array, y: Array) -> float:
        """-log p of the right class."""
        z -= z.max(axis=1, keepdims=True)  # so that nothing overflows
        right = z[np.arange(len(y)), y]
        return _mean(np.log(np.exp(z, out=z).sum(axis=1)) - right)

    def loss_and_delta(self, z: Array, y: Array) -> float:
        """The same; z becomes (p - 1 at the right class)/rows."""
        z -= z.max(axis=1, keepdims=True)
        flat = z.reshape(-1)  # quicker to index
        at = np.arange(0, z.size, z.shape[1]) + y
        right = flat[at]
        np.exp(z, out=z)
        sums = z.sum(axis=1)
        loss = _mean(np.log(sums) - right)
        sums *= len(y)
        z /= sums[:, None]
        flat[at] -= 1 / len(y)
        return loss

    def score(self, z: Array, y: Array) -> float:
        """The share of rows whose highest score is that of the right class."""
        return float((z.argmax(axis=1) == y).mean())


class Squares:
    """Mean squared error: outputs are estimates of y, which has a column for each.

    >>> z = np.array([[1.0], [4.0]])
    >>> Squares().loss_and_delta(z, np.array([[0.0], [2.0]])), z.tolist()
    (2.5, [[1.0], [2.0]])
    """

    loss_name = "mean squared error"
    score_name = "R²"

    def loss(self, z: Array, y: Array) -> float:
        """The mean of (z - y)²."""
        z -= y
        return float(np.vdot(z, z)) / z.size

    def loss_and_delta(self, z: Array, y: Array) -> float:
        """The same; z becomes 2(z - y)/size."""
        loss = self.loss(z, y)
        z *= 2 / z.size
        return loss

    def score(self, z: Array, y: Array) -> float:
        """R²: 1 less the squared error over that of the mean."""
        return 1 - float(np.square(z - y).mean() / y.var())


def _mean(x: Array) -> float:
    return float(x.sum(dtype=np.float64)) / len(x)


HEADS: dict[str, Head] = {"cross-entropy": CrossEntropy(), "squares": Squares()}
