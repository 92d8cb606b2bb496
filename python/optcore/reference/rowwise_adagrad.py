"""Adagrad with one accumulator per row."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, moved, prepared, quiet, result, slot
from .sums import BLOCK, in_turn, lane_sum, squares


@quiet
def rowwise_adagrad(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """A rate of its own for every row, from the sum of the means of its squared gradients.

    ::

        s ← s + mean of g² over the row        θ ← θ - η·g/(√s + ε)

    A row is what lies under one index of the first axis. Its sum of squares is float64, over
    blocks as in `optcore.reference.sums` counted from the row's first element; the mean is rounded
    once.

    Source: Duchi, Hazan & Singer, 2011; by rows as FBGEMM and torchrec have it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``sum``, of the type of p and its shape with all axes but the first of length 1.
        step: t, the number of this step, from 1; nothing depends on it.
        lr: η.
        weight_decay: λ, added to the gradient.
        initial_accumulator_value: what ``sum`` starts at.
        eps: ε.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = rowwise_adagrad(np.zeros((2, 2)), np.array([[1.0, 7.0], [0.0, 0.0]]), {},
    ...                            step=1, lr=5.0)
    >>> p[0], state["sum"][:, 0]
    (array([-1., -7.]), array([25.,  0.]))
    """
    T = p.dtype.type
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=weight_decay,
    )
    shape = (*p.shape[:1], *(1 for _ in p.shape[1:]))
    width = math.prod(p.shape[1:])
    s = slot(state, "sum", np.zeros(shape, p.dtype), initial_accumulator_value)
    if p.size > 0:
        rows = squares(g).reshape(-1, width)
        blocks = [lane_sum(rows[:, i : i + BLOCK]) for i in range(0, width, BLOCK)]
        mean = in_turn(np.stack(blocks, axis=-1)) / float(width)
        s = s + mean.astype(p.dtype).reshape(shape)
    u = g / (np.sqrt(s) + T(eps))
    return result(p, moved(p, u, keep=1.0, rate=lr), {"sum": s})
