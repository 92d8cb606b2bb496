"""Rprop."""

from __future__ import annotations

import math

import numpy as np

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
    sign,
    slot,
)


@quiet
def rprop(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """A step of its own for every element, from the signs of successive gradients alone.

    ::

        g·g' > 0   s ← η⁺·s
        g·g' < 0   s ← η⁻·s, and g ← 0
        then       s ← s within step_sizes,  θ ← θ - sign(g)·s,  g' ← g

    Source: Riedmiller & Braun, 1993, in the form that torch has: where the sign turned, the element
    rests for one step and nothing is taken back. A product that is 0 or NaN leaves s as it is; a
    gradient of 0 leaves θ, and NaN makes it NaN, where torch does nothing.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``prev`` (g') and ``step_size`` (s), each of the shape and type of p; s starts at lr.
        step: the number of this step, from 1; the formula does not need it.
        lr: the first step size.
        etas: η⁻ and η⁺.
        step_sizes: the least and the greatest step size.
        weight_decay: λ; added to the gradient, or decoupled from it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - lr·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> rprop(np.array([1.0]), np.array([2.0]), {"prev": np.array([-1.0]),
    ...       "step_size": np.array([0.5])}, step=2)
    (array([1.]), {'prev': array([0.]), 'step_size': array([0.25])})
    """
    T = p.dtype.type
    zero, one = T(0), T(1)
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    agree = g * slot(state, "prev", p)
    factor = np.where(agree > 0, T(etas[1]), np.where(agree < 0, T(etas[0]), one))
    size = slot(state, "step_size", p, lr) * factor
    size = at_most(at_least(size, T(step_sizes[0])), T(step_sizes[1]))
    g = np.where(agree < 0, zero, g)
    u = sign(g) * size
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=1.0), {"prev": g, "step_size": size})
