"""NovoGrad."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot
from .sums import sum_squares


@quiet
def novograd(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.95, 0.98),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    grad_averaging: bool = False,
    eps_root: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """NovoGrad: momentum of gradients over a second moment that the whole tensor shares.

    ::

        v ← β2·v + (1-β2)·‖g‖²                          v ← ‖g‖² at the first step
        m ← β1·m + a·(g/(√(v + eps_root) + eps) + λ·θ)  a = 1
        θ ← θ - η·m

    Source: Ginsburg et al., 2019, algorithm 1.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), of the shape and type of p, and ``exp_norm_sq`` (v), a float64 array
            of no axes.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε, beside the root.
        weight_decay: λ; part of what m collects, or decoupled from it.
        grad_averaging: a = 1 - β1 from the second step on.
        eps_root: ε inside the root.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to m.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, g = np.array([1.0, -2.0]), np.array([3.0, -4.0])
    >>> p, state = novograd(p, g, {}, step=1, lr=0.5, eps=0.0)
    >>> p, float(state["exp_norm_sq"])
    (array([ 0.7, -1.6]), 25.0)
    """
    T = p.dtype.type
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    sum_g = sum_squares(np.asarray(g), like=p)
    v = float(state.get("exp_norm_sq", np.float64(0.0)))
    v = sum_g if step == 1 else betas[1] * v + (1 - betas[1]) * sum_g
    root = math.sqrt(v + eps_root) + eps
    inverse = T(0.0 if root == 0 else 1 / root)
    take = T(1 - betas[0] if grad_averaging and step != 1 else 1.0)
    inside = T(0.0 if decoupled_weight_decay else weight_decay)
    m = T(betas[0]) * slot(state, "exp_avg", p) + take * (g * inverse + inside * p)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, m, keep=keep, rate=lr), {"exp_avg": m}, {"exp_norm_sq": v})
