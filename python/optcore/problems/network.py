"""A multilayer perceptron in NumPy that computes in place, at the speed of the BLAS beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..typing import Array
from .heads import HEADS, Head

Params = dict[str, list[dict[str, Array]]]
"""`{"layers": [{"W": (inputs, outputs), "b": (outputs,)}, ...]}`; gradients look the same."""

Masks = Sequence[Array]
"""What dropout multiplies the hidden layers by: 0, or 1 over the share that is kept."""

ACTIVATIONS = ("relu", "tanh")

_ROWS = 256  # evaluated at a time


class Network:
    """A multilayer perceptron: linear layers, an activation between them, a loss at the end.

    Without hidden layers it is linear or logistic regression. Activations, and the gradients that
    `loss_and_grads` returns, live in arrays that the next call writes to again, so that training
    takes no memory per step; one network is therefore for one thread.

    Args:
        sizes: the widths of the layers, from the inputs to the outputs.
        activation: "relu" or "tanh".
        loss: "cross-entropy" of a softmax, for labels; or "squares", for numbers.
        dropout: the share of hidden activations that training leaves out (Srivastava et al., 2014);
            the others are divided by 1 − dropout, so that evaluation needs no factor.
        dtype: float32 or float64.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> net = Network((2, 8, 3))
        >>> params = net.initial(seed=0)
        >>> X, y = np.ones((5, 2), np.float32), np.array([0, 1, 2, 0, 1])
        >>> loss, grads = net.loss_and_grads(params, X, y)
        >>> [g.shape for g in arrays(grads)]
        [(2, 8), (8,), (8, 3), (3,)]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "relu",
        loss: str = "cross-entropy",
        dropout: float = 0.0,
        dtype: npt.DTypeLike = np.float32,
    ):
        if len(sizes) < 2 or any(width < 1 for width in sizes):
            raise ValueError(f"sizes: expected two or more widths, got {tuple(sizes)!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation: expected 'relu' or 'tanh', got {activation!r}")
        if loss not in HEADS:
            raise ValueError(f"loss: expected one of {', '.join(HEADS)}, got {loss!r}")
        if not (isinstance(dropout, (int, float)) and 0 <= dropout < 1):
            raise ValueError(f"dropout: expected 0 or more and less than 1, got {dropout!r}")
        self.sizes, self.activation, self.dropout = tuple(sizes), activation, float(dropout)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype: expected float32 or float64, got {self.dtype}")
        self.head: Head = HEADS[loss]
        self.grads: Params = _filled(self.sizes, self.dtype)
        self._memory: dict[int, _Memory] = {}

    @property
    def parameter_count(self) -> int:
        """How many numbers are learned."""
        return sum(array.size for array in arrays(self.grads))

    def initial(self, seed: int) -> Params:
        """New parameters: b = 0, W from N(0, 2/inputs) in a network of ReLUs, else N(0, 1/inputs).

        (He et al., 2015; LeCun et al., 1998.)
        """
        rng = np.random.default_rng(seed)
        gain = 2.0 if self.activation == "relu" and len(self.sizes) > 2 else 1.0
        params = _filled(self.sizes, self.dtype)
        for layer in params["layers"]:
            W = layer["W"]
            W[...] = rng.normal(0.0, np.sqrt(gain / len(W)), W.shape)
        return params

    def masks(self, rows: int, rng: np.random.Generator) -> Masks:
        """Random masks of dropout for a batch of so many rows; none without dropout."""
        if not self.dropout:
            return ()
        keep = 1 - self.dropout
        return [
            np.multiply(rng.random((rows, width)) < keep, 1 / keep, dtype=self.dtype)
            for width in self.sizes[1:-1]
        ]

    def outputs(self, params: Params, X: Array) -> Array:
        """What the last layer gives, one row for each row of X, in an array that is used again."""
        return self._forward(params, X, ()).layers[-1]

    def all_outputs(self, params: Params, X: Array) -> Array:
        """The same for any number of rows, in a new array."""
        return np.concatenate([self.outputs(params, X[part]).copy() for part in _parts(len(X))])

    def loss(self, params: Params, X: Array, y: Array) -> float:
        """The mean loss over all rows, without dropout."""
        total = sum(
            self.head.loss(self.outputs(params, X[part]), y[part]) * len(y[part])
            for part in _parts(len(y))
        )
        return total / len(y)

    def score(self, params: Params, X: Array, y: Array) -> float:
        """Accuracy, 0 to 1, for labels; R² for numbers."""
        return self.head.score(self.all_outputs(params, X), y)

    def loss_and_grads(
        self, params: Params, X: Array, y: Array, masks: Masks = ()
    ) -> tuple[float, Params]:
        """The mean loss of a mini-batch, and its gradient by every parameter.

        Returns:
            The loss, and arrays that the next call overwrites.
        """
        memory = self._forward(params, X, masks)
        delta = memory.layers[-1]
        loss = self.head.loss_and_delta(delta, y)
        for k in range(len(self.sizes) - 2, -1, -1):
            W, grad = params["layers"][k]["W"], self.grads["layers"][k]
            below = X if k == 0 else memory.dropped[k - 1] if masks else memory.layers[k - 1]
            np.dot(below.T, delta, out=grad["W"])
            np.dot(memory.ones, delta, out=grad["b"])  # a sum, quicker than `sum`
            if k:
                back = memory.deltas[k - 1]
                np.dot(delta, W.T, out=back)
                if masks:
                    back *= masks[k - 1]
                self._through_activation(back, memory, k - 1)
                delta = back
        return loss, self.grads

    def _forward(self, params: Params, X: Array, masks: Masks) -> _Memory:
        """All layers' activations; the last layer's are its outputs as they are."""
        memory = self._memory.get(len(X))
        if memory is None:
            memory = self._memory[len(X)] = _Memory(len(X), self.sizes, self.dtype)
        last = len(self.sizes) - 2
        for k, (layer, a) in enumerate(zip(params["layers"], memory.layers, strict=True)):
            np.dot(X, layer["W"], out=a)
            a += layer["b"]
            X = a
            if k == last:
                break
            if self.activation == "relu":
                np.maximum(a, memory.zeros[k], out=a)
            else:
                np.tanh(a, out=a)
            if masks:
                X = np.multiply(a, masks[k], out=memory.dropped[k])
        return memory

    def _through_activation(self, back: Array, memory: _Memory, k: int) -> None:
        """Multiplies by the activation's slope, told from the activation."""
        a = memory.layers[k]
        if self.activation == "relu":
            back *= np.greater(a, memory.zeros[k], out=memory.positive[k])
        else:
            spare = memory.spare[k]
            np.multiply(a, a, out=spare)
            np.subtract(1, spare, out=spare)
            back *= spare


class _Memory:
    """The arrays that a batch of so many rows passes through."""

    def __init__(self, rows: int, sizes: Sequence[int], dtype: np.dtype[Any]):
        def hidden() -> list[Array]:
            return [np.empty((rows, width), dtype) for width in sizes[1:-1]]

        self.layers = [*hidden(), np.empty((rows, sizes[-1]), dtype)]
        self.dropped, self.deltas, self.spare = hidden(), hidden(), hidden()
        self.positive = [np.empty(a.shape, np.bool_) for a in self.spare]
        # NumPy compares two arrays in half the time that an array and a number take.
        self.zeros = [np.zeros_like(a) for a in self.spare]
        self.ones = np.ones(rows, dtype)


def _parts(rows: int) -> list[slice]:
    """Rows in parts of which all activations fit a core's cache."""
    return [slice(start, start + _ROWS) for start in range(0, rows, _ROWS)]


def _filled(sizes: Sequence[int], dtype: np.dtype[Any]) -> Params:
    """Parameters of zeros."""
    return {
        "layers": [
            {"W": np.zeros((inputs, outputs), dtype), "b": np.zeros(outputs, dtype)}
            for inputs, outputs in pairwise(sizes)
        ]
    }


def arrays(params: Params) -> list[Array]:
    """All arrays in a row: W, b, W, b, …"""
    return list(_each(params))


def _each(params: Params) -> Iterator[Array]:
    for layer in params["layers"]:
        yield from layer.values()
