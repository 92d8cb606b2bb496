"""Yogi."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def yogi(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-3,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 1e-6,
    eps_root: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam whose second moment never moves by more than (1-β2)·g² in a step.

    ::

        m ← β1·m + (1-β1)·g                  m̂ = m/(1-β1ᵗ)
        v ← v - (1-β2)·sign(v - g²)·g²       v̂ = v/(1-β2ᵗ)
        θ ← θ - η·m̂/(√(v̂ + eps_root) + ε)

    Source: Zaheer et al., 2018, algorithm 2, with the bias corrections, and the start of both
    averages, of the authors' code and of optax.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_avg_sq`` (v), each of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε, beside the root.
        weight_decay: λ; added to the gradient, or decoupled from it.
        initial_accumulator_value: what m and v start at.
        eps_root: added inside the root.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `common.moved`.
        cautious_weight_decay: leave out decay that works against the step.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> yogi(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.25, betas=(0.5, 0.75), eps=0.0,
    ...      initial_accumulator_value=0.0)
    (array([0.75]), {'exp_avg': array([1.]), 'exp_avg_sq': array([1.])})
    """
    T = p.dtype.type
    beta1, one_minus_beta1, one_minus_beta2 = T(betas[0]), T(1 - betas[0]), T(1 - betas[1])
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
    start = initial_accumulator_value
    m = beta1 * slot(state, "exp_avg", p, start) + one_minus_beta1 * g
    v = slot(state, "exp_avg_sq", p, start)
    square = g * g
    change = one_minus_beta2 * square
    v = np.where(v > square, v - change, np.where(v < square, v + change, v))
    u = (m * correct_m) / (np.sqrt(v * correct_v + T(eps_root)) + T(eps))
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
