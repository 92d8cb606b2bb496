"""LAMB."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot
from .sums import sum_squares


@quiet
def lamb(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-6,
    eps_root: float = 0.0,
    weight_decay: float = 0.0,
    bias_correction: bool = True,
    clamp: float | None = None,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam, with a step as long as the parameter is.

    ::

        m ← β1·m + (1-β1)·g        m̂ = m/(1-β1ᵗ)
        v ← β2·v + (1-β2)·g²       v̂ = v/(1-β2ᵗ)
        u = m̂/(√(v̂ + eps_root) + ε) + λ·θ
        θ ← θ - η·(‖θ‖/‖u‖)·u      η alone where either norm is 0

    Source: You et al., 2020, algorithm 2. With decoupled decay, as Keras has it, λ·θ is no part of
    u, and ‖θ‖ is that of the decayed parameter; `clamp` limits ‖θ‖.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_avg_sq`` (v), of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε, outside the root.
        eps_root: added inside the root.
        weight_decay: λ.
        bias_correction: False takes m and v as they are.
        clamp: the limit of ‖θ‖, or None.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to u.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> lamb(np.array([3.0, 4.0]), np.array([2.0, -2.0]), {}, step=1, lr=0.5, eps=0.0)[0].round(3)
    array([1.232, 5.768])
    """
    T = p.dtype.type

    def correction(beta: float) -> float:
        return 1 / _core.math_one_minus_power(beta, step) if bias_correction else 1.0

    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    m = T(betas[0]) * slot(state, "exp_avg", p) + T(1 - betas[0]) * g
    v = T(betas[1]) * slot(state, "exp_avg_sq", p) + T(1 - betas[1]) * (g * g)
    root = np.sqrt(v * T(correction(betas[1])) + T(eps_root)) + T(eps)
    inside = 0.0 if decoupled_weight_decay else weight_decay
    u = (m * T(correction(betas[0]))) / root + T(inside) * p
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    sum_p, sum_u = sum_squares(p), sum_squares(np.asarray(u), like=p)
    rate = lr
    if sum_p > 0 and sum_u > 0:
        norm = math.sqrt(sum_p) * abs(keep)
        if clamp is not None and norm > clamp:
            norm = clamp
        rate = lr * (norm / math.sqrt(sum_u))
    return result(p, moved(p, u, keep=keep, rate=rate), {"exp_avg": m, "exp_avg_sq": v})
