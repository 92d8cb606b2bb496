"""Adamax and AdamaxW."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result, slot


@quiet
def adamax(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    eps_in_max: bool = True,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam with the largest gradient of late, slowly forgotten, in the place of the root.

    ::

        m ← β1·m + (1-β1)·g        m̂ = m/(1-β1ᵗ)
        n ← max(β2·n, |g| + ε)     θ ← θ - η·m̂/n
        without eps_in_max         n ← max(β2·n, |g|),  θ ← θ - η·m̂/(n + ε)

    Source: Kingma & Ba, 2015, algorithm 2; ε inside the maximum as torch and optax have it,
    beside it as Keras has it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_inf`` (n), each of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        eps_in_max: ε inside the maximum.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `common.moved`.
        cautious_weight_decay: leave out decay that works against the step.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> adamax(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75), eps=0.0)
    (array([0.5]), {'exp_avg': array([1.]), 'exp_inf': array([2.])})
    """
    T = p.dtype.type
    beta1, one_minus_beta1, beta2 = T(betas[0]), T(1 - betas[0]), T(betas[1])
    correct_m = T(1 / _core.math_one_minus_power(betas[0], step))
    eps_in, eps_out = (T(eps), T(0)) if eps_in_max else (T(0), T(eps))
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
    n = at_least(np.abs(g) + eps_in, beta2 * slot(state, "exp_inf", p))
    u = (m * correct_m) / (n + eps_out)
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
    return result(p, new, {"exp_avg": m, "exp_inf": n})


def adamaxw(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    eps_in_max: bool = True,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adamax whose weight decay is decoupled from the gradient: θ ← (1 - η·λ)·θ - η·u.

    Source: Loshchilov & Hutter, 2019, on the rule of Kingma & Ba, as optax has it. Everything else,
    state, shapes and types included, is as in `adamax`.

    >>> adamaxw(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75), eps=0.0,
    ...         weight_decay=0.5)
    (array([0.25]), {'exp_avg': array([1.]), 'exp_inf': array([2.])})
    """
    new: Result = adamax(
        p,
        g,
        state,
        step=step,
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        eps_in_max=eps_in_max,
        decoupled_weight_decay=True,
        maximize=maximize,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
        grad_factor=grad_factor,
        clip_value=clip_value,
    )
    return new
