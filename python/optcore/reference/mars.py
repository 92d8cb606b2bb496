"""MARS."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result, slot
from .sums import sum_squares


@quiet
def mars(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 3e-3,
    betas: tuple[float, float] = (0.95, 0.99),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    gamma: float = 0.025,
    amsgrad: bool = False,
    eps_root: float = 0.0,
    decoupled_weight_decay: bool = True,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """MARS: Adam on gradients whose change is carried on, and whose norm is limited.

    ::

        c = g + γ·β1/(1-β1)·(g - g'),  g' ← g
        c ← c/max(‖c‖, 1)
        m ← β1·m + (1-β1)·c
        v ← β2·v + (1-β2)·c²
        θ ← θ - η·m̂/(√(v̂ + eps_root) + eps)        m̂ = m/(1-β1ᵗ),  v̂ = v/(1-β2ᵗ)

    Source: Yuan et al., 2024, algorithm 2, in its approximate form.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (v), ``last_grad`` (g') and, with amsgrad,
            ``max_exp_avg_sq``, of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε, beside the root.
        weight_decay: λ; added to the gradient, or decoupled from it.
        gamma: γ.
        amsgrad: never forget the largest v.
        eps_root: ε inside the root.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = mars(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, eps=0.0)
    >>> p.round(12), state["last_grad"]
    (array([0.5]), array([2.]))
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    correct_m = T(1 / _core.math_one_minus_power(betas[0], step))
    correct_v = T(1 / _core.math_one_minus_power(betas[1], step))
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=0.0 if decoupled_weight_decay else weight_decay,
    )
    c = g + T(gamma * (betas[0] / (1 - betas[0]))) * (g - slot(state, "last_grad", p))
    sum_c = sum_squares(np.asarray(c), like=p)
    c = c * T(1 / math.sqrt(sum_c) if sum_c > 1 else 1.0)
    m = beta1 * slot(state, "exp_avg", p) + one_minus_beta1 * c
    v = beta2 * slot(state, "exp_avg_sq", p) + one_minus_beta2 * (c * c)
    new_state = {"exp_avg": m, "exp_avg_sq": v, "last_grad": g}
    if amsgrad:
        v = at_least(v, slot(state, "max_exp_avg_sq", p))
        new_state["max_exp_avg_sq"] = v
    u = (m * correct_m) / (np.sqrt(v * correct_v + T(eps_root)) + T(eps))
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=lr), new_state)
