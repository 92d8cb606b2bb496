"""A small GPT in NumPy, forward and backward by hand, in the type of its parameters.

.. code-block:: text

    x = token vectors + position vectors
    x = x + attention(norm(x))          in every block
    x = x + MLP(norm(x))                likewise
    logits = norm(x) · token vectors    the same vectors as at the start

Every layer is a function that returns its output and another function, which takes the gradient of
the output, adds those of the parameters to `grads`, and returns that of the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
Back = Callable[[Array], Array]


def initial(
    rng: np.random.Generator, tokens: int, context: int = 64, width: int = 64, blocks: int = 2,
    dtype: Any = np.float32,
) -> Params:  # fmt: skip
    """Parameters at the start: small random matrices, zero biases, scales of 1."""

    def matrix(rows: int, columns: int, size: float) -> Array:
        return rng.normal(0.0, size, (rows, columns)).astype(dtype)

    into, out = 1 / math.sqrt(width), 1 / math.sqrt(2 * blocks)
    p = {"tokens": matrix(tokens, width, into), "positions": matrix(context, width, into)}
    norms = ["last"]
    for k in range(blocks):
        norms += [f"{k}.norm1", f"{k}.norm2"]
        for name, rows, columns, size in (
            (f"{k}.qkv", width, 3 * width, into),
            (f"{k}.mix", width, width, into * out),  # what adds to x is smaller in deeper models
            (f"{k}.up", width, 4 * width, into),
            (f"{k}.down", 4 * width, width, into * out / 2),
        ):
            p[f"{name}.W"] = matrix(rows, columns, size)
            p[f"{name}.b"] = np.zeros(columns, dtype)
    for name in norms:
        p[f"{name}.scale"], p[f"{name}.shift"] = np.ones(width, dtype), np.zeros(width, dtype)
    return p


def linear(p: Params, grads: Params, name: str, x: Array) -> tuple[Array, Back]:
    """x·W + b over the last axis."""
    w, b = p[f"{name}.W"], p[f"{name}.b"]

    def back(dy: Array) -> Array:
        rows = dy.reshape(-1, dy.shape[-1])
        grads[f"{name}.W"] += x.reshape(len(rows), -1).T @ rows
        grads[f"{name}.b"] += rows.sum(axis=0)
        dx: Array = dy @ w.T
        return dx

    return x @ w + b, back


def norm(p: Params, grads: Params, name: str, x: Array, eps: float = 1e-5) -> tuple[Array, Back]:
    """Mean 0 and variance 1 over the last axis, then a scale and a shift (layer normalisation)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + eps)
    unit = centred * inverse
    scale = p[f"{name}.scale"]

    def back(dy: Array) -> Array:
        grads[f"{name}.scale"] += np.sum(dy * unit, axis=(0, 1))
        grads[f"{name}.shift"] += np.sum(dy, axis=(0, 1))
        d = dy * scale
        along = np.mean(d * unit, axis=-1, keepdims=True)
        dx: Array = inverse * (d - d.mean(axis=-1, keepdims=True) - unit * along)
        return dx

    return unit * scale + p[f"{name}.shift"], back


def gelu(x: Array) -> tuple[Array, Back]:
    """x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))."""
    slope = math.sqrt(2 / math.pi)
    square = x * x
    t = np.tanh(slope * x * (1 + 0.044715 * square))

    def back(dy: Array) -> Array:
        inner = slope * (1 + 3 * 0.044715 * square)
        dx: Array = dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)
        return dx

    return 0.5 * x * (1 + t), back


def attention(qkv: Array, heads: int) -> tuple[Array, Back]:
    """Each position takes the mean of the values up to it, weighted by softmax(q·k/√d)."""
    batch, length, _ = qkv.shape
    q, k, v = qkv.reshape(batch, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)
    root = math.sqrt(q.shape[-1])
    scores = q @ k.swapaxes(-1, -2) / root
    scores[..., np.triu(np.ones((length, length), bool), 1)] = -np.inf  # nothing from the future
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)

    def back(dy: Array) -> Array:
        d = dy.reshape(batch, length, heads, -1).swapaxes(1, 2)
        by_weight = d @ v.swapaxes(-1, -2)
        ds = weights * (by_weight - np.sum(by_weight * weights, axis=-1, keepdims=True)) / root
        parts = np.stack([ds @ k, ds.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ d])
        dx: Array = parts.transpose(1, 3, 0, 2, 4).reshape(qkv.shape)
        return dx

    return (weights @ v).swapaxes(1, 2).reshape(batch, length, -1), back


def block(p: Params, grads: Params, k: int, x: Array, heads: int) -> tuple[Array, Back]:
    """x + attention, then x + MLP."""
    a, back_norm1 = norm(p, grads, f"{k}.norm1", x)
    a, back_qkv = linear(p, grads, f"{k}.qkv", a)
    a, back_attention = attention(a, heads)
    a, back_mix = linear(p, grads, f"{k}.mix", a)
    x = x + a
    b, back_norm2 = norm(p, grads, f"{k}.norm2", x)
    b, back_up = linear(p, grads, f"{k}.up", b)
    b, back_gelu = gelu(b)
    b, back_down = linear(p, grads, f"{k}.down", b)

    def back(dy: Array) -> Array:
        dx = dy + back_norm2(back_up(back_gelu(back_down(dy))))
        return dx + back_norm1(back_qkv(back_attention(back_mix(dx))))

    return x + b, back


def forward(p: Params, grads: Params, ids: Array, heads: int) -> tuple[Array, Back]:
    """The logits of the token after each of `ids`, (batch, length, tokens)."""
    tokens, length = p["tokens"], ids.shape[1]
    x = tokens[ids] + p["positions"][:length]
    backs = []
    for k in range(sum(name.endswith(".qkv.W") for name in p)):
        x, back_block = block(p, grads, k, x, heads)
        backs.append(back_block)
    last, back_norm = norm(p, grads, "last", x)

    def back(dy: Array) -> Array:
        rows = dy.reshape(-1, dy.shape[-1])
        grads["tokens"] += rows.T @ last.reshape(len(rows), -1)
        dx = back_norm(dy @ tokens)
        for back_block in reversed(backs):
            dx = back_block(dx)
        np.add.at(grads["tokens"], ids, dx)
        grads["positions"][:length] += dx.sum(axis=0)
        return dx

    return last @ tokens.T, back


def cross_entropy(logits: Array, targets: Array) -> tuple[float, Array]:
    """The mean loss in nats, and its gradient by the logits."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    wanted = targets[..., None]
    loss = -float(np.mean(np.take_along_axis(logs, wanted, axis=-1), dtype=np.float64))
    d = np.exp(logs)
    np.put_along_axis(d, wanted, np.take_along_axis(d, wanted, axis=-1) - 1, axis=-1)
    return loss, d / targets.size


def loss_and_grads(p: Params, ids: Array, heads: int = 4) -> tuple[float, Params]:
    """The loss of predicting each of `ids`, (batch, length + 1), from those before it."""
    grads = {name: np.zeros_like(x) for name, x in p.items()}
    logits, back = forward(p, grads, ids[:, :-1], heads)
    loss, d = cross_entropy(logits, ids[:, 1:])
    back(d)
    return loss, grads


def loss_of(p: Params, ids: Array, heads: int = 4) -> float:
    """The loss alone."""
    return cross_entropy(forward(p, {}, ids[:, :-1], heads)[0], ids[:, 1:])[0]


def sample(
    p: Params, ids: list[int], count: int, rng: np.random.Generator, heads: int = 4,
    temperature: float = 0.8,
) -> list[int]:  # fmt: skip
    """So many tokens after `ids`, each drawn from what the model says."""
    found = list(ids)
    for _ in range(count):
        seen = np.array([found[-len(p["positions"]) :]])
        logits = forward(p, {}, seen, heads)[0][0, -1] / temperature
        found.append(int(np.argmax(logits + rng.gumbel(size=len(logits)))))
    return found[len(ids) :]
