"""RAdam."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_most, kept, moved, prepared, quiet, result, slot


@quiet
def radam(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    eps_root: float = 0.0,
    threshold: float = 5.0,
    threshold_inclusive: bool = False,
    eps_hat: bool = True,
    nesterov: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam that does without its denominator until that is a good estimate.

    ::

        m ← β1·m + (1-β1)·g        m̂ = m/(1-β1ᵗ)
        v ← β2·v + (1-β2)·g²       v̂ = v/(1-β2ᵗ)
        ρ∞ = 2/(1-β2) - 1          ρ = ρ∞ - 2t·β2ᵗ/(1-β2ᵗ)
        r = √[(ρ-4)(ρ-2)ρ∞/((ρ∞-4)(ρ∞-2)ρ)]
        ρ > threshold              θ ← θ - η·r·m̂/(√(v̂ + eps_root) + ε/√(1-β2ᵗ))
        else                       θ ← θ - η·m̂

    Source: Liu et al., 2020, algorithm 2 (whose threshold is 4), with the threshold and the ε of
    torch, √(1-β2ᵗ)/(√v + ε). optax has ρ ≥ threshold, ε beside √v̂ itself, and `nesterov`:
    β1·m/(1-β1ᵗ⁺¹) + (1-β1)·g/(1-β1ᵗ) in the place of m̂.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_avg_sq`` (v), each of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        eps_root: added inside the root.
        threshold: what ρ has to exceed, 4 or more.
        threshold_inclusive: it suffices that ρ reaches the threshold.
        eps_hat: ε beside √v, before the bias correction, instead of beside √v̂.
        nesterov: look ahead along m.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `common.moved`.
        cautious_weight_decay: leave out decay that works against the step.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = radam(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.25, betas=(0.5, 0.75))
    >>> p, state
    (array([0.5]), {'exp_avg': array([1.]), 'exp_avg_sq': array([1.])})
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    left_m = _core.math_one_minus_power(betas[0], step)
    left_v = _core.math_one_minus_power(betas[1], step)
    rho_inf = 2 / (1 - betas[1]) - 1
    rho = rho_inf - 2 * float(step) * (1 - left_v) / left_v
    adaptive = rho >= threshold if threshold_inclusive else rho > threshold
    r = 1.0
    if adaptive:
        r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    left_m_next = (1 - betas[0]) + betas[0] * left_m
    take_m = T(r * (betas[0] / left_m_next if nesterov else 1 / left_m))
    take_g = T(r * ((1 - betas[0]) / left_m) if nesterov else 0)
    correct_v = T(1 / left_v)
    # A denominator of 1 where the rule has none.
    beside = eps / math.sqrt(left_v) if eps_hat else eps
    beside, most = (T(beside), T(math.inf)) if adaptive else (T(1), T(1))
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
    root = at_most(np.sqrt(v * correct_v + T(eps_root)) + beside, most)
    u = (take_m * m + take_g * g) / root
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
    return result(p, new, {"exp_avg": m, "exp_avg_sq": v})
