"""A multilayer perceptron in plain NumPy: ReLU inside, softmax cross-entropy at the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..typing import Array

Params = dict[str, list[dict[str, Array]]]
"""`{"layers": [{"W": (inputs, outputs), "b": (outputs,)}, ...]}`; gradients look the same."""

Labels = npt.NDArray[np.integer[Any]]


def initial(sizes: Sequence[int], seed: int, dtype: npt.DTypeLike = np.float32) -> Params:
    """He initialisation (He et al., 2015): W from N(0, 2/inputs), b = 0.

    >>> [layer["W"].shape for layer in initial([64, 32, 10], seed=0)["layers"]]
    [(64, 32), (32, 10)]
    """
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs in pairwise(sizes):
        W = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs)).astype(dtype)
        layers.append({"W": W, "b": np.zeros(outputs, dtype)})
    return {"layers": layers}


def copied(params: Params) -> Params:
    """The same numbers in new arrays."""
    return {"layers": [{name: a.copy() for name, a in layer.items()} for layer in params["layers"]]}


def arrays(params: Params) -> list[Array]:
    """All arrays in a row: W, b, W, b, …"""
    return [array for layer in params["layers"] for array in layer.values()]


def logits(params: Params, X: Array) -> Array:
    """The scores of every class, one row for each row of X."""
    *hidden, last = params["layers"]
    for layer in hidden:
        X = np.maximum(X @ layer["W"] + layer["b"], 0)
    return np.asarray(X @ last["W"] + last["b"])


def loss_and_grads(params: Params, X: Array, y: Labels) -> tuple[float, Params]:
    """The mean cross-entropy of a mini-batch, and its gradient by every parameter."""
    *hidden, last = params["layers"]
    inputs = [X]
    for layer in hidden:
        inputs.append(np.maximum(inputs[-1] @ layer["W"] + layer["b"], 0))
    log_p = _log_softmax(inputs[-1] @ last["W"] + last["b"])
    rows = np.arange(len(y))
    loss = -float(log_p[rows, y].mean())

    delta = np.exp(log_p)
    delta[rows, y] -= 1
    delta /= len(y)
    grads = []
    for layer, a in zip(reversed(params["layers"]), reversed(inputs), strict=True):
        grads.append({"W": a.T @ delta, "b": delta.sum(axis=0)})
        if a is not X:
            delta = (delta @ layer["W"].T) * (a > 0)
    return loss, {"layers": grads[::-1]}


def loss(params: Params, X: Array, y: Labels) -> float:
    """The mean cross-entropy over all rows."""
    return -float(_log_softmax(logits(params, X))[np.arange(len(y)), y].mean())


def accuracy(params: Params, X: Array, y: Labels) -> float:
    """The part of the rows, 0 to 1, whose highest score is that of the right class."""
    return float((logits(params, X).argmax(axis=1) == y).mean())


def _log_softmax(z: Array) -> Array:
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))
