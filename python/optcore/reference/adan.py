"""Adan."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def adan(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    complement_beta2: bool = False,
    eps_root: float = 0.0,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adan: Adam on gradients that look ahead along their own change.

    ::

        d = g - g'  (0 at the first step),  g' ← g
        m ← β1·m + (1-β1)·g
        v ← β2·v + (1-β2)·d
        n ← β3·n + (1-β3)·(g + β2·d)²
        u = (m/(1-β1ᵗ) + β2·v/(1-β2ᵗ)) / (√(n/(1-β3ᵗ) + eps_root) + eps)
    u = u + T(inside) * p
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
        θ ← (θ - η·u) / (1 + η·λ)        decoupled: θ ← θ·(1 - η·λ) - η·u

    Source: Xie et al., 2022, algorithm 1, with β for the paper's 1-β.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (n), ``exp_avg_diff`` (v), ``previous_grad`` (g'), of
            the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1, β2 and β3.
        eps: ε, beside the root.
        weight_decay: λ.
        decoupled_weight_decay: decay as AdamW does.
        eps_root: ε inside the root.
        complement_beta2: 1 - β2 in the place of the β2 beside d and v̂, as optax has it.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = adan(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, eps=0.0)
    >>> p, state["previous_grad"]
    (array([0.5]), array([2.]))
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    beta3, one_minus_beta3 = T(betas[2]), T(1 - betas[2])
    take_m = T(1 / _core.math_one_minus_power(betas[0], step))
    look = 1 - betas[1] if complement_beta2 else betas[1]
    take_v = T(look / _core.math_one_minus_power(betas[1], step))
    correct_n = T(1 / _core.math_one_minus_power(betas[2], step))
    inside = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        masked=cautious or cautious_weight_decay,
    )
    diff = T(0 if step == 1 else 1) * (g - slot(state, "previous_grad", p))
    ahead = g + T(look) * diff
    m = beta1 * slot(state, "exp_avg", p) + one_minus_beta1 * g
    n = beta3 * slot(state, "exp_avg_sq", p) + one_minus_beta3 * (ahead * ahead)
    v = beta2 * slot(state, "exp_avg_diff", p) + one_minus_beta2 * diff
    u = (take_m * m + take_v * v) / (np.sqrt(n * correct_n + T(eps_root)) + T(eps))
    u = u + T(inside) * p
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new_state = {"exp_avg": m, "exp_avg_sq": n, "exp_avg_diff": v, "previous_grad": g}
    new = moved(
        p,
        u,
        keep=keep,
        rate=lr / (1 + lr * inside),
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, new_state)
