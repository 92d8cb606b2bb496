"""Adagrad."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def adagrad(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    eps_in_sqrt: bool = False,
    zero_at_zero: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """A rate of its own for every element, from the sum of its squared gradients.

    ::

        s ← s + g²        r = √s + ε, or √(s + ε) with eps_in_sqrt
        θ ← θ - η/(1 + (t-1)·lr_decay) · g/r

    Source: Duchi, Hazan & Singer, 2011; lr_decay as torch has it, ε inside the root as Keras and
    optax have it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``sum``, of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        lr_decay: how fast the rate falls.
        weight_decay: λ; added to the gradient, or decoupled from it.
        initial_accumulator_value: what ``sum`` starts at.
        eps: ε.
        eps_in_sqrt: ε inside the root.
        zero_at_zero: no step where s is 0, as optax has it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> adagrad(np.array([1.0]), np.array([3.0]), {}, step=1, lr=0.5, eps=0.0,
    ...         initial_accumulator_value=16.0)
    (array([0.7]), {'sum': array([25.])})
    """
    T = p.dtype.type
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    s = slot(state, "sum", p, initial_accumulator_value) + g * g
    eps_out, eps_in = (T(0), T(eps)) if eps_in_sqrt else (T(eps), T(0))
    u = g / (np.sqrt(s + eps_in) + eps_out)
    if zero_at_zero:
        u = np.where(s <= 0, T(0), u)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    rate = lr / (1 + float(step - 1) * lr_decay)
    return result(p, moved(p, u, keep=keep, rate=rate), {"sum": s})
