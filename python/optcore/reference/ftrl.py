"""FTRL-Proximal."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, at_least, at_most, kept, prepared, quiet, result, slot

_LEAST_RATE = 1e-12


@quiet
def ftrl(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    l1: float = 0.0,
    l2: float = 0.0,
    l2_shrinkage: float = 0.0,
    beta: float = 0.0,
    initial_accumulator_value: float = 0.1,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """FTRL-Proximal: the parameter as the solution of a regularised problem over all steps.

    ::

        n' = n + g²        σ = (√n' - √n)/η        z ← z + (g + s·θ) - σ·θ        n ← n'
        θ ← (min(max(z, -l1), l1) - z) / ((beta + √n)/η + l2)

    Source: McMahan et al., 2013, algorithm 1; s is `l2_shrinkage`.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``z`` and ``n``, of the shape and type of p; n starts at `initial_accumulator_value`.
        step: the number of this step, from 1; the formula does not need it.
        lr: η; below 1e-12 it counts as that.
        l1: the limit within which z makes θ exactly 0.
        l2: λ of the quadratic term.
        l2_shrinkage: what of θ is added to the gradient in z, but not in n.
        beta: what is added to √n.
        initial_accumulator_value: what n starts at.
        weight_decay: λ; added to the gradient, or decoupled from it.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = ftrl(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5,
    ...                 initial_accumulator_value=0.0)
    >>> p, state["z"], state["n"]
    (array([0.5]), array([-2.]), array([4.]))
    """
    T = p.dtype.type
    rate = max(lr, _LEAST_RATE)
    per_rate, constant = T(1 / rate), T(beta / rate + l2)
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    old = p * T(kept(lr, weight_decay) if decoupled_weight_decay else 1.0)
    n = slot(state, "n", p, initial_accumulator_value)
    before = np.sqrt(n)
    n = n + g * g
    root = np.sqrt(n)
    z = slot(state, "z", p)
    z = z + ((g + T(l2_shrinkage) * old) - ((root - before) * per_rate) * old)
    inside = at_most(at_least(z, T(-l1)), T(l1))
    new = (inside - z) / at_least(root * per_rate + constant, np.finfo(p.dtype).tiny)
    return result(p, new, {"z": z, "n": n})
