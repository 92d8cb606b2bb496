"""RMSprop."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result, slot


@quiet
def rmsprop(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    eps_in_sqrt: bool = False,
    nesterov: bool = False,
    rate_in_buffer: bool = False,
    bias_correction: bool = False,
    initial_accumulator_value: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """The gradient over a running root mean square of itself.

    ::

        s ← α·s + (1-α)·g²        r = √s + ε, or √(s + ε) with eps_in_sqrt
        centered                  a ← α·a + (1-α)·g, and max(s - a², 0) for s in r
        momentum                  b ← μ·b + g/r, u = b; without it u = g/r
        nesterov                  u = g/r + μ·b, of the new b
        then                      θ ← θ - η·u

    With `rate_in_buffer` b takes η·g/r, and θ ← θ - u. With `bias_correction` s/(1-αᵗ) and
    a/(1-αᵗ) stand in r.

    Source: Tieleman & Hinton, 2012; centered: Graves, 2013; ε outside the root as torch has it,
    inside as TensorFlow has it. s - a² can only be negative by rounding; torch then has a NaN.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``square_avg``, ``grad_avg`` if centered, ``momentum_buffer`` if momentum is not 0;
            each of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        alpha: α.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        momentum: μ.
        centered: divide by the deviation instead of the root mean square.
        eps_in_sqrt: ε inside the root.
        nesterov: take the look-ahead form; needs momentum.
        rate_in_buffer: scale what enters the buffer by η, not what leaves it.
        bias_correction: correct both averages for their start at 0.
        initial_accumulator_value: what ``square_avg`` starts at.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> rmsprop(np.array([1.0]), np.array([4.0]), {}, step=1, lr=0.5, alpha=0.75, eps=0.0)
    (array([0.]), {'square_avg': array([4.])})
    """
    T = p.dtype.type
    decay, one_minus_decay = T(alpha), T(1 - alpha)
    eps_out, eps_in = (T(0), T(eps)) if eps_in_sqrt else (T(eps), T(0))
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    correct = T(1 / _core.math_one_minus_power(alpha, step)) if bias_correction else T(1)
    s = slot(state, "square_avg", p, initial_accumulator_value)
    s = decay * s + one_minus_decay * (g * g)
    new_state = {"square_avg": s}
    square = s * correct
    if centered:
        a = decay * slot(state, "grad_avg", p) + one_minus_decay * g
        new_state["grad_avg"] = a
        mean = a * correct
        square = at_least(square - mean * mean, T(0))
    u = g / (np.sqrt(square + eps_in) + eps_out)
    rate = lr
    if momentum != 0:
        take = T(lr) if rate_in_buffer else T(1)
        b = T(momentum) * slot(state, "momentum_buffer", p) + take * u
        new_state["momentum_buffer"] = b
        ahead_u, ahead_b = (take, T(momentum)) if nesterov else (T(0), T(1))
        u = ahead_u * u + ahead_b * b
        rate = 1.0 if rate_in_buffer else lr
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=rate), new_state)
