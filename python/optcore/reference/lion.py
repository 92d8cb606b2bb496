"""Lion."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, sign, slot


@quiet
def lion(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = True,
    step_at_zero: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Lion: a step of one size along the sign of an interpolated momentum.

    ::

        c = β1·m + (1-β1)·g
        m ← β2·m + (1-β2)·g
        θ ← θ - η·sign(c)

    Source: Chen et al., 2023, program 1.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), of the shape and type of p.
        step: the number of this step, from 1; the formula does not need it.
        lr: η.
        betas: β1 and β2.
        weight_decay: λ; added to the gradient, or decoupled from it.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        step_at_zero: where c is 0, step as if it were positive.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = lion(np.array([1.0, 2.0]), np.array([3.0, -0.5]), {}, step=1, lr=0.25)
    >>> p, state["exp_avg"].round(3)
    (array([0.75, 2.25]), array([ 0.03 , -0.005]))
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
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
    m = slot(state, "exp_avg", p)
    mixed = beta1 * m + one_minus_beta1 * g
    m = beta2 * m + one_minus_beta2 * g
    u = np.where(mixed == 0, mixed + T(step_at_zero), sign(mixed))
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
    return result(p, new, {"exp_avg": m})
