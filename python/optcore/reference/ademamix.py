"""AdEMAMix."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def ademamix(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float, float] = (0.9, 0.999, 0.9999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    alpha: float = 5.0,
    t_alpha_beta3: float | None = None,
    eps_root: float = 0.0,
    decoupled_weight_decay: bool = True,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """AdEMAMix: Adam with a second, slow average of gradients.

    ::

        m ← β1·m + (1-β1)·g
        v ← β2·v + (1-β2)·g²
        s ← β3ₜ·s + (1-β3ₜ)·g
        θ ← θ - η·(m/(1-β1ᵗ) + αₜ·s) / (√(v/(1-β2ᵗ) + eps_root) + eps)
        r = min(t/T, 1),  αₜ = r·α,  log β3ₜ = log β3 / ((1-r)·log β3/log β1 + r)

    Source: Pagliardini et al., 2024, algorithm 1.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (v) and ``exp_avg_slow`` (s), of the shape and type
            of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1, β2 and β3.
        eps: ε, beside the root.
        weight_decay: λ; added to the gradient, or decoupled from it.
        alpha: α, the weight of s.
        t_alpha_beta3: T, or None for no warm-up.
        eps_root: ε inside the root.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = ademamix(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, eps=0.0,
    ...                     betas=(0.5, 0.75, 0.875), alpha=4.0)
    >>> p, state["exp_avg_slow"]
    (array([0.25]), array([0.25]))
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    part = step / t_alpha_beta3 if t_alpha_beta3 and step < t_alpha_beta3 else 1.0
    slow = _slow_decay(betas[0], betas[2], part)
    beta3, one_minus_beta3 = T(slow), T(1 - slow)
    correct_m = T(1 / _core.math_one_minus_power(betas[0], step))
    correct_v = T(1 / _core.math_one_minus_power(betas[1], step))
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
        masked=cautious or cautious_weight_decay,
    )
    m = beta1 * slot(state, "exp_avg", p) + one_minus_beta1 * g
    v = beta2 * slot(state, "exp_avg_sq", p) + one_minus_beta2 * (g * g)
    s = beta3 * slot(state, "exp_avg_slow", p) + one_minus_beta3 * g
    u = (m * correct_m + T(alpha * part) * s) / (np.sqrt(v * correct_v + T(eps_root)) + T(eps))
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new_state = {"exp_avg": m, "exp_avg_sq": v, "exp_avg_slow": s}
    new = moved(
        p,
        u,
        keep=keep,
        rate=lr,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, new_state)


def _slow_decay(beta1: float, beta3: float, part: float) -> float:
    if part == 1 or not beta1 < beta3:
        return beta3
    end = _core.math_log(beta3)
    return _core.math_exp(end / ((1 - part) * (end / _core.math_log(beta1)) + part))
