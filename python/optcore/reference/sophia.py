"""Sophia."""

from __future__ import annotations

import math

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
def sophia(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.965, 0.99),
    rho: float = 0.04,
    eps: float = 1e-12,
    weight_decay: float = 0.1,
    decoupled_weight_decay: bool = True,
    bias_correction: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Sophia: momentum over an estimate of curvature, each element limited to one rate.

    ::

        m ← β1·m + (1-β1)·g
        u = m / max(ρ·h, eps), limited to ±1
        θ ← θ - η·u

    Source: Liu et al., 2023, algorithm 3. `sophia_hessian` keeps h.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m) and ``hessian`` (h), of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1, and the β2 of `sophia_hessian`.
        rho: ρ.
        eps: the least that is divided by.
        weight_decay: λ; added to the gradient, or decoupled from it.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        bias_correction: divide m by 1 - β1ᵗ in u.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> import numpy as np
    >>> p, state = sophia(np.array([1.0]), np.array([2.0]), {"hessian": np.array([4.0])}, step=1,
    ...                   lr=0.5, betas=(0.5, 0.5), rho=0.5, weight_decay=0.0)
    >>> p, state["exp_avg"]
    (array([0.75]), array([1.]))
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    correct_m = T(1 / _core.math_one_minus_power(betas[0], step) if bias_correction else 1.0)
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
    h = slot(state, "hessian", p)
    u = (m * correct_m) / at_least(T(rho) * h, T(eps))
    u = at_most(at_least(u, T(-1)), T(1))
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
    return result(p, new, {"exp_avg": m, "hessian": h})


@quiet
def sophia_hessian(hessian: Array, estimate: Array, *, beta2: float = 0.99) -> Array:
    """Sophia's average of estimates of the Hessian's diagonal, h ← β2·h + (1-β2)·ĥ.

    Args:
        hessian: h, the slot of that name, float32 or float64.
        estimate: ĥ, of the shape of h, any real float type.
        beta2: β2.

    Returns:
        The new h.

    >>> import numpy as np
    >>> sophia_hessian(np.array([4.0]), np.array([8.0]), beta2=0.75)
    array([5.])
    """
    T = hessian.dtype.type
    new: Array = T(beta2) * hessian + T(1 - beta2) * estimate.astype(hessian.dtype)
    return new
