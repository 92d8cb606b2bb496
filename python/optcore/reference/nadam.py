"""NAdam and NAdamW."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def nadam(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float | None = 4e-3,
    decoupled_weight_decay: bool = False,
    lookahead: bool = True,
    double_correction: bool = False,
    eps_root: float = 0.0,
    scheduled_average: bool = False,
    beta2_in_v_hat: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam with Nesterov's momentum.

    ::

        m ← β1·m + (1-β1)·g        v ← β2·v + (1-β2)·g²        v̂ = v/(1-β2ᵗ)
        μ = β1·(1 - ½·0.96^(t·ψ)), μ' the same at t+1; without a momentum_decay ψ, μ = μ' = β1
        P ← P·μ, the product of all μ so far
        u = [μ'·m/(1 - P·μ') + (1-μ)·g/(1-P)]/(√(v̂ + eps_root) + ε)
        θ ← θ - η·u

    Source: Dozat, 2016, with the m and v̂ that torch has; as published m is averaged with μ in the
    place of β1 (`scheduled_average`), and v̂ = β2·v/(1-β2ᵗ) (`beta2_in_v_hat`). Two variations that
    some texts print: without `lookahead` m is corrected by 1-P instead of 1-P·μ'; with
    `double_correction` m is divided by 1-β1ᵗ once more.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_avg_sq`` (v), of the shape and type of p, and
            ``mu_product`` (P), a float64 array of no axes that starts at 1.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        momentum_decay: ψ, or None for a constant momentum.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        lookahead: correct m for the momentum of the next step as well.
        double_correction: correct m twice.
        eps_root: added inside the root, as optax has it.
        scheduled_average: m ← μ·m + (1-μ)·g.
        beta2_in_v_hat: v̂ times β2.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = nadam(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75),
    ...                  eps=0.0, momentum_decay=None)
    >>> p.round(3), float(state["mu_product"])
    (array([0.333]), 0.5)
    """
    T = p.dtype.type
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    correct_v = T((betas[1] if beta2_in_v_hat else 1) / _core.math_one_minus_power(betas[1], step))
    mu = _momentum(betas[0], momentum_decay, float(step))
    average = mu if scheduled_average else betas[0]
    beta1, one_minus_beta1 = T(average), T(1 - average)
    mu_next = _momentum(betas[0], momentum_decay, float(step) + 1)
    product = float(state.get("mu_product", np.float64(1.0))) * mu
    again = _core.math_one_minus_power(betas[0], step) if double_correction else 1.0
    take_m = T(mu_next / (1 - (product * mu_next if lookahead else product)) / again)
    take_g = T((1 - mu) / (1 - product))

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
    u = (take_m * m + take_g * g) / (np.sqrt(v * correct_v + T(eps_root)) + T(eps))
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new_state = {"exp_avg": m, "exp_avg_sq": v}
    new = moved(
        p,
        u,
        keep=keep,
        rate=lr,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, new_state, {"mu_product": product})


def nadamw(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    momentum_decay: float | None = None,
    lookahead: bool = True,
    eps_root: float = 0.0,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """NAdam of constant momentum, with weight decay decoupled: θ ← (1 - η·λ)·θ - η·u.

    Source: Dozat, 2016, and Loshchilov & Hutter, 2019, as optax has them together; without
    `lookahead`, as timm has them. Everything else, state, shapes and types included, is as in
    `nadam`.

    >>> p, state = nadamw(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75),
    ...                   eps=0.0, weight_decay=0.5)
    >>> p.round(3), float(state["mu_product"])
    (array([0.083]), 0.5)
    """
    new: Result = nadam(
        p,
        g,
        state,
        step=step,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
        decoupled_weight_decay=True,
        lookahead=lookahead,
        eps_root=eps_root,
        maximize=maximize,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
        grad_factor=grad_factor,
        clip_value=clip_value,
    )
    return new


def _momentum(beta1: float, decay: float | None, t: float) -> float:
    if decay is None:
        return beta1
    return beta1 * (1 - 0.5 * _core.math_pow(0.96, t * decay))
