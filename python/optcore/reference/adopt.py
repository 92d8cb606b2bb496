"""ADOPT."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import (
    Array,
    Result,
    State,
    at_least,
    at_most,
    kept,
    moved,
    prepared,
    quiet,
    result,
    slot,
)


@quiet
def adopt(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.9999),
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    clip_exponent: float | None = 0.25,
    nesterov: bool = False,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """ADOPT: the gradient over the root of the second moment of the step before.

    ::

        first step   v ← g²
        later        x = g/max(√v, eps), limited to ±(t-1)^clip_exponent
                     m ← β1·m + (1-β1)·x        v ← β2·v + (1-β2)·g²
                     θ ← θ - η·m                nesterov: θ ← θ - η·(β1·m + (1-β1)·x)

    Source: Taniguchi et al., 2024, algorithm 2.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``exp_avg_sq`` (v), of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: the least that is divided by.
        weight_decay: λ; added to the gradient, or decoupled from it.
        clip_exponent: how fast the limit of x grows, or None for no limit.
        nesterov: look ahead along m.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = adopt(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5)
    >>> p, state["exp_avg_sq"]
    (array([1.]), array([4.]))
    >>> adopt(p, np.array([2.0]), state, step=2, lr=0.5)[0]
    array([0.95])
    """
    T = p.dtype.type
    first = step == 1
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    keep_v, take_square = T(0.0 if first else betas[1]), T(1.0 if first else 1 - betas[1])
    take_m, take_x = T(betas[0] if nesterov else 1.0), T(1 - betas[0] if nesterov else 0.0)
    limit = T(0.0 if first else _limit(clip_exponent, step - 1))
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
    v = slot(state, "exp_avg_sq", p)
    x = g / at_least(np.sqrt(v), T(1.0 if first else eps))
    x = at_most(at_least(x, -limit), limit)
    m = beta1 * slot(state, "exp_avg", p) + one_minus_beta1 * x
    v = keep_v * v + take_square * (g * g)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new = moved(
        p,
        take_m * m + take_x * x,
        keep=keep,
        rate=lr,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, {"exp_avg": m, "exp_avg_sq": v})


def _limit(exponent: float | None, steps: int) -> float:
    return math.inf if exponent is None else _core.math_pow(float(steps), exponent)
