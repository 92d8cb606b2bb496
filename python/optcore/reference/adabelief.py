"""AdaBelief."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result, slot


@quiet
def adabelief(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-16,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    eps_root: float = 1e-16,
    nesterov: bool = False,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam that divides by how far gradients lie from their average, not by their size.

    ::

        m ← β1·m + (1-β1)·g                       m̂ = m/(1-β1ᵗ)
        v ← β2·v + (1-β2)·(g-m)² + eps_root       v̂ = v/(1-β2ᵗ)
        θ ← θ - η·m̂/(√v̂ + ε)

    With amsgrad the largest v so far stands in the place of v in v̂.

    Source: Zhuang et al., 2020, algorithm 2; the two ε apart, and `nesterov`, which puts
    β1·m/(1-β1ᵗ⁺¹) + (1-β1)·g/(1-β1ᵗ) in the place of m̂, as optax has them.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_var`` (v) and, with amsgrad, ``max_exp_avg_var``; each of
            the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε, beside the root.
        weight_decay: λ; added to the gradient, or decoupled from it.
        amsgrad: never forget the largest v.
        eps_root: added to v in every step, so that it stays in the average.
        nesterov: look ahead along m.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `common.moved`.
        cautious_weight_decay: leave out decay that works against the step.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> adabelief(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.25, betas=(0.5, 0.75), eps=0.0,
    ...           eps_root=0.0)
    (array([0.5]), {'exp_avg': array([1.]), 'exp_avg_var': array([0.25])})
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    correct_v = T(1 / _core.math_one_minus_power(betas[1], step))
    left = _core.math_one_minus_power(betas[0], step)
    left_next = (1 - betas[0]) + betas[0] * left
    take_m = T(betas[0] / left_next if nesterov else 1 / left)
    take_g = T((1 - betas[0]) / left if nesterov else 0)
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
    surprise = g - m
    v = beta2 * slot(state, "exp_avg_var", p) + one_minus_beta2 * (surprise * surprise)
    v = v + T(eps_root)
    new_state = {"exp_avg": m, "exp_avg_var": v}
    if amsgrad:
        v = at_least(v, slot(state, "max_exp_avg_var", p))
        new_state["max_exp_avg_var"] = v
    u = (take_m * m + take_g * g) / (np.sqrt(v * correct_v) + T(eps))
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
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
