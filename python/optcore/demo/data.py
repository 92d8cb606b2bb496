"""Real handwritten digits, and mini-batches of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..typing import Array
from .network import Labels


class Data(NamedTuple):
    """Examples to learn from and others to test on: one row of X and one label of y each."""

    X: Array
    y: Labels
    X_test: Array
    y_test: Labels


def digits() -> Data:
    """The 1797 digits of 8 by 8 pixels that scikit-learn carries (UCI, Alpaydin & Kaynak, 1998).

    A fifth is for testing, always the same, with every digit in proportion. Pixels are scaled to
    mean 0 and variance 1 over the training part, as float32.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    mean, deviation = X.mean(), X.std()
    return Data(
        ((X - mean) / deviation).astype(np.float32),
        y,
        ((X_test - mean) / deviation).astype(np.float32),
        y_test,
    )


def batches(
    X: Array, y: Labels, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Labels]]:
    """All examples once, in random order, in mini-batches; the last one may be short.

    >>> X, y = np.zeros((5, 2)), np.zeros(5, int)
    >>> [len(rows) for rows, _ in batches(X, y, 2, np.random.default_rng(0))]
    [2, 2, 1]
    """
    order = rng.permutation(len(y))
    for start in range(0, len(y), batch_size):
        chosen = order[start : start + batch_size]
        yield X[chosen], y[chosen]
