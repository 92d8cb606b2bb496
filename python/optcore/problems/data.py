"""Data to learn from: scikit-learn's own sets, which need no network, and the tutorials' line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..typing import Array


class Data(NamedTuple):
    """Examples to learn from and others to test on: one row of X and one of y for each.

    y holds labels, whole numbers from 0 up, or a column of numbers.
    """

    X: Array
    y: Array
    X_test: Array
    y_test: Array

    @property
    def is_labelled(self) -> bool:
        """Whether y holds labels."""
        return bool(np.issubdtype(self.y.dtype, np.integer))

    @property
    def outputs(self) -> int:
        """How many classes, or columns of numbers, there are."""
        return int(self.y.max()) + 1 if self.is_labelled else int(self.y.shape[1])


def digits() -> Data:
    """The 1797 digits of 8 by 8 pixels that scikit-learn carries (UCI, Alpaydin & Kaynak, 1998).

    A fifth is for testing, always the same, with every digit in proportion. Pixels are scaled to
    mean 0 and variance 1 over the training part, as float32.
    """
    X, X_test, y, y_test = _split("load_digits")
    mean, deviation = X.mean(), X.std()
    scaled = [((part - mean) / deviation).astype(np.float32) for part in (X, X_test)]
    return Data(scaled[0], y, scaled[1], y_test)


def breast_cancer() -> Data:
    """Wisconsin's 569 tumours, benign or malignant, by 30 measures (Street et al., 1993).

    A fifth is for testing, with both kinds in proportion. Each measure is scaled to mean 0 and
    variance 1 over the training part, as float32.
    """
    X, X_test, y, y_test = _split("load_breast_cancer")
    return Data(*_scaled_columns(X, y, X_test, y_test))


def diabetes() -> Data:
    """The progress of diabetes in 442 patients, by 10 measures (Efron et al., 2004).

    A fifth is for testing. Measures and progress are scaled to mean 0 and variance 1 over the
    training part, as float32.
    """
    X, X_test, y, y_test = _split("load_diabetes", proportional=False)
    y, y_test = y[:, None], y_test[:, None]
    mean, deviation = y.mean(), y.std()
    y, y_test = (((part - mean) / deviation).astype(np.float32) for part in (y, y_test))
    return Data(*_scaled_columns(X, y, X_test, y_test))


def line(rows: int = 100, seed: int = 42) -> Data:
    """The line of many tutorials: x even in [0, 2), y = 4 + 3x and noise of variance 1, as float64.

    The same number of further points is for testing.

    >>> data = line()
    >>> data.X.shape, data.y.shape, data.outputs
    ((100, 1), (100, 1), 1)
    """
    rng = np.random.default_rng(seed)
    X = 2 * rng.random((2 * rows, 1))
    y = 4 + 3 * X + rng.standard_normal((2 * rows, 1))
    return Data(X[:rows], y[:rows], X[rows:], y[rows:])


LOADERS: dict[str, Callable[[], Data]] = {
    "digits": digits,
    "breast-cancer": breast_cancer,
    "diabetes": diabetes,
}


def batches(
    X: Array, y: Array, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """All examples once, in random order, in mini-batches; the last one may be short.

    >>> X, y = np.zeros((5, 2)), np.zeros(5, int)
    >>> [len(rows) for rows, _ in batches(X, y, 2, np.random.default_rng(0))]
    [2, 2, 1]
    """
    order = rng.permutation(len(y))
    X, y = X[order], y[order]
    for start in range(0, len(y), batch_size):
        yield X[start : start + batch_size], y[start : start + batch_size]


def _split(loader: str, proportional: bool = True) -> list[Any]:
    """X, X_test, y, y_test of one of scikit-learn's sets."""
    from ..commands.extras import require

    require("the data set", "demo", {"sklearn": "scikit-learn"})
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    X, y = getattr(datasets, loader)(return_X_y=True)
    parts: list[Any] = train_test_split(
        X, y, test_size=0.2, stratify=y if proportional else None, random_state=0
    )
    return parts


def _scaled_columns(X: Array, y: Array, X_test: Array, y_test: Array) -> tuple[Array, ...]:
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    X, X_test = (((part - mean) / deviation).astype(np.float32) for part in (X, X_test))
    return X, y, X_test, y_test
