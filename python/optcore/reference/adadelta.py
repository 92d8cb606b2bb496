"""Adadelta."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def adadelta(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """Steps in the units of the parameter, from running averages of g² and of the steps squared.

    ::

        s ← ρ·s + (1-ρ)·g²      u = √(d + ε)/√(s + ε) · g      d ← ρ·d + (1-ρ)·u²
        θ ← θ - η·u

    Source: Zeiler, 2012, algorithm 1; the rate η, 1 in the paper, as torch has it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``square_avg`` (s) and ``acc_delta`` (d), of the shape and type of p.
        step: the number of this step, from 1; the formula does not need it.
        lr: η.
        rho: ρ.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> state = {"square_avg": np.array([0.0]), "acc_delta": np.array([16.0])}
    >>> adadelta(np.array([1.0]), np.array([2.0]), state, step=2, rho=0.75, eps=0.0)
    (array([-7.]), {'square_avg': array([1.]), 'acc_delta': array([28.])})
    """
    T = p.dtype.type
    decay, one_minus_decay, eps_T = T(rho), T(1 - rho), T(eps)
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    d = slot(state, "acc_delta", p)
    s = decay * slot(state, "square_avg", p) + one_minus_decay * (g * g)
    u = np.sqrt(d + eps_T) / np.sqrt(s + eps_T) * g
    d = decay * d + one_minus_decay * (u * u)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=lr), {"square_avg": s, "acc_delta": d})
