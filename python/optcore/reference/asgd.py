"""Averaged SGD."""

from __future__ import annotations

import math

from .. import _core
from .common import Array, Result, State, kept, prepared, quiet, result, slot


@quiet
def asgd(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """Gradient descent with a falling rate, and the average of its iterates beside it.

    ::

        θ ← (1 - λ'·η)·θ - η·g     a ← a + μ·(θ - a)
        then, for the next step    η = lr/(1 + λ'·lr·t)^α,  μ = 1/max(1, t - t0)

    The first step takes η = lr and μ = 1: until t0 the average is θ itself. λ' is ``lambd``.

    Source: Polyak & Juditsky, 1992, with the rate and decay that torch has. torch as well works out
    η and μ at the end of a step, so that a new lr reaches the step after the next.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``ax`` (a), of the shape and type of p; ``eta`` and ``mu``, float64 arrays of no
            axes, which the first step does not read.
        step: t, the number of this step, from 1.
        lr: the rate of the first step.
        lambd: λ'.
        alpha: the power of the rate's decay.
        t0: the step at which averaging begins.
        weight_decay: λ; added to the gradient, or decoupled from it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - lr·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> import numpy as np
    >>> p, state = asgd(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, lambd=1.0, t0=-1.0)
    >>> p, state["ax"], float(state["mu"])
    (array([-0.5]), array([-0.5]), 0.5)
    """
    T = p.dtype.type
    eta = lr if step == 1 else float(state["eta"])
    mu = 1.0 if step == 1 else float(state["mu"])
    after = float(step) - t0
    scalars = {
        "eta": lr / _core.math_pow(1 + lambd * lr * float(step), alpha),
        "mu": 1 / after if after > 1 else 1.0,
    }
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new = (p * T(keep)) * T(1 - lambd * eta) - T(eta) * g
    ax = T(1 - mu) * slot(state, "ax", p) + T(mu) * new
    return result(p, new, {"ax": ax}, scalars)
