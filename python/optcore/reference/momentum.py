"""The published forms of momentum that `sgd` does not cover."""

from __future__ import annotations

import math
from typing import Literal

from .common import Array, Result, State, kept, prepared, quiet, result, slot


@quiet
def momentum(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    momentum: float = 0.9,
    form: Literal["velocity", "average"] = "velocity",
    nesterov: bool = False,
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """Momentum with the rate inside the buffer, or with a buffer that averages gradients.

    ::

        velocity             v ← μ·v - η·g         θ ← θ + v
        velocity, nesterov   the same v            θ ← θ + (μ·v - η·g)
        average              v ← μ·v + (1-μ)·g     θ ← θ - η·v
        average, nesterov    the same v            θ ← θ - η·((1-μ)·g + μ·v)

    Source: Polyak, 1964, and Bengio et al., 2013, for `velocity`; `average` is the form of Adam's
    first moment, without its bias correction. With the rate in the buffer and the other sign
    (v ← μ·v + η·g, θ ← θ - v) the bits of θ are those of `velocity`.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``velocity``, of the shape and type of p.
        step: the number of this step, from 1; the formula does not need it.
        lr: η.
        momentum: μ.
        form: "velocity" or "average".
        nesterov: take the look-ahead form.
        weight_decay: λ; added to the gradient, or decoupled from it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> import numpy as np
    >>> p, state = momentum(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.25, momentum=0.5)
    >>> momentum(p, np.array([2.0]), state, step=2, lr=0.25, momentum=0.5)
    (array([-0.25]), {'velocity': array([-0.75])})
    """
    T = p.dtype.type
    eta, mu, one_minus_mu = T(lr), T(momentum), T(1 - momentum)
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    shrunk = p * T(kept(lr, weight_decay) if decoupled_weight_decay else 1.0)
    v = slot(state, "velocity", p)
    if form == "average":
        v = mu * v + one_minus_mu * g
        new = shrunk - eta * (one_minus_mu * g + mu * v if nesterov else v)
    else:
        v = mu * v - eta * g
        new = shrunk + (mu * v - eta * g if nesterov else v)
    return result(p, new, {"velocity": v})
