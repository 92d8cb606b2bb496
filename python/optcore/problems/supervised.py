"""A network that learns from data, as a problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..typing import Array
from .base import Problem
from .data import Data, batches
from .network import Masks, Network, Params
from .rates import suitable

Batch = tuple[Array, Array, Masks]


class Supervised(Problem):
    """A multilayer perceptron, or without hidden layers a linear or logistic regression, on data.

    The loss is that over all training data, the metric accuracy or R² on the test data.
    Mini-batches are drawn anew in every epoch; the last one may be short. Masks of dropout belong
    to the batch, so all optimizers see the same ones. As its `Network`, it is for one thread.

    Args:
        data: what to learn from and to test on.
        hidden: the widths of the hidden layers; none for a regression.
        activation: "relu" or "tanh".
        dropout: the share of hidden activations that training leaves out.
        batch_size: examples in a mini-batch; None for all of them.
        name, epochs, target, rates: see `Problem`.

    Raises:
        TypeError, ValueError: an argument or the data are of another kind, size or range.

    Example:
        >>> import numpy as np, optcore as oc
        >>> rng = np.random.default_rng(0)
        >>> y = np.arange(120) % 3
        >>> X = (rng.normal(size=(120, 4)) + 4 * np.eye(3, 4)[y]).astype(np.float32)
        >>> data = oc.problems.Data(X[:90], y[:90], X[90:], y[90:])
        >>> clouds = oc.problems.Supervised(data, hidden=(16,), epochs=40)
        >>> oc.compare(clouds, ["adam"]).runs[0].final_metric
        1.0
    """

    rates: Mapping[str, float] = suitable(sgd=0.1, momentum=0.02, adam=2e-3)

    def __init__(
        self,
        data: Data,
        hidden: Sequence[int] = (),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_size: int | None = 32,
        *,
        name: str = "network",
        epochs: int = 40,
        target: float | None = None,
        rates: Mapping[str, float] | None = None,
    ):
        if batch_size is not None and not _is_whole(batch_size):
            raise ValueError(f"batch_size: expected 1 or more, or None, got {batch_size!r}")
        if not isinstance(hidden, Sequence) or not all(map(_is_whole, hidden)):
            raise ValueError(
                f"hidden: expected the widths of layers, got {hidden!r}; pass e.g. (64, 32)"
            )
        if dropout and not hidden:
            raise ValueError(f"dropout: expected 0 without hidden layers, got {dropout!r}")
        if rates is not None and not isinstance(rates, Mapping):
            raise ValueError(f"rates: expected a mapping from names to rates, got {rates!r}")
        _check(data)
        self.data, self.batch_size = data, batch_size
        self.network = Network(
            (data.X.shape[1], *hidden, data.outputs),
            activation,
            "cross-entropy" if data.is_labelled else "squares",
            dropout,
            data.X.dtype,
        )
        self.name, self.epochs, self.target = name, epochs, target
        self.rates = self.rates if rates is None else rates
        self.loss_name = self.network.head.loss_name
        self.metric_name = f"test {self.network.head.score_name}"

    def initial(self, seed: int) -> Params:
        """He's initialisation, or LeCun's with tanh."""
        return self.network.initial(seed)

    def batches(self, rng: np.random.Generator) -> Iterable[Batch]:
        """An epoch's mini-batches: X, y and the masks of dropout."""
        data, size = self.data, self.batch_size
        if self.full_batch:
            return ((data.X, data.y, ()),)
        masks = self.network.masks
        if not self.network.dropout:
            return ((X, y, ()) for X, y in batches(data.X, data.y, size or len(data.y), rng))
        return (
            (X, y, masks(len(y), rng)) for X, y in batches(data.X, data.y, size or len(data.y), rng)
        )

    def loss_and_grads(self, params: Params, batch: Batch) -> tuple[float, Params]:
        """The mean loss of a mini-batch, and arrays of its gradient that the next call reuses."""
        X, y, masks = batch
        return self.network.loss_and_grads(params, X, y, masks)

    def loss(self, params: Params) -> float:
        """The mean loss over all training data, without dropout."""
        return self.network.loss(params, self.data.X, self.data.y)

    def metric(self, params: Params) -> float:
        """Accuracy or R² on the test data."""
        return self.network.score(params, self.data.X_test, self.data.y_test)

    @property
    def full_batch(self) -> bool:
        """Whether every step sees all training data, without dropout."""
        return self.batch_size is None and not self.network.dropout

    @property
    def steps_per_epoch(self) -> int:
        """The number of mini-batches."""
        return -(-len(self.data.y) // (self.batch_size or len(self.data.y)))

    def described(self) -> str:
        """The problem in a line."""
        net, data = self.network, self.data
        kind = f"network {'-'.join(map(str, net.sizes))}" if len(net.sizes) > 2 else "regression"
        inside = f" {net.activation}" if len(net.sizes) > 2 else ""
        inside += f", dropout {net.dropout:g}" if net.dropout else ""
        return (
            f"{self.name}: {kind}{inside}, {net.parameter_count} {net.dtype} parameters, "
            f"{len(data.y)} examples and {len(data.y_test)} to test"
        )


def _check(data: Data) -> None:
    """Raises an error unless these are rows to learn from."""
    for name, array in zip(Data._fields, data, strict=True):
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"data/{name}: expected a NumPy array, got a {type(array).__name__}; wrap it"
            )
    for X, y, name in ((data.X, data.y, ""), (data.X_test, data.y_test, "_test")):
        if not X.size:
            raise ValueError(f"data/X{name}: expected one example or more, got the shape {X.shape}")
        if X.ndim != 2 or X.dtype not in (np.float32, np.float64) or X.dtype != data.X.dtype:
            raise ValueError(
                f"data/X{name}: expected float32 or float64, a row for each example, got the "
                f"shape {X.shape} of {X.dtype}; pass X.astype(np.float32)"
            )
        if y.ndim != (1 if data.is_labelled else 2) or len(y) != len(X):
            raise ValueError(
                f"data/y{name}: expected {len(X)} whole numbers, or a column of numbers, got "
                f"the shape {y.shape} of {y.dtype}; pass y or y[:, None]"
            )
        if data.is_labelled and y.min() < 0:
            raise ValueError(
                f"data/y{name}: expected labels from 0 up, got {y.min()}; number the classes from 0"
            )


def _is_whole(value: Any) -> bool:
    """Whether this is a whole number, 1 or more."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 1)
