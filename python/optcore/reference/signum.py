"""signSGD and Signum."""

from __future__ import annotations

import math
from typing import Any

from .common import Array, Result, State, kept, moved, prepared, quiet, result, sign, slot


@quiet
def signum(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = True,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Signum: the sign of an average of gradients; without momentum, signSGD.

    ::

        momentum = 0    θ ← θ - η·sign(g)
        otherwise       m ← μ·m + (1-μ)·g        θ ← θ - η·sign(m)

    Source: Bernstein et al., 2018, algorithms 1 and 2.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``momentum_buffer`` (m), of the shape and type of p; nothing without momentum.
        step: the number of this step, from 1; the formula does not need it.
        lr: η.
        momentum: μ.
        weight_decay: λ; added to the gradient, or decoupled from it.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> import numpy as np
    >>> p, state = signum(np.array([1.0, 2.0]), np.array([3.0, -0.5]), {}, step=1, lr=0.25)
    >>> p, state["momentum_buffer"].round(3)
    (array([0.75, 2.25]), array([ 0.3 , -0.05]))
    """
    T = p.dtype.type
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
    m, new_state = g, {}
    if momentum != 0:
        m = T(momentum) * slot(state, "momentum_buffer", p) + T(1 - momentum) * g
        new_state["momentum_buffer"] = m
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new = moved(
        p,
        sign(m),
        keep=keep,
        rate=lr,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, new_state)


def signsgd(
    p: Array, g: Array, state: State, *, step: int, lr: float = 1e-3, **more: Any
) -> Result:
    """signSGD: `signum` without momentum.

    Args:
        p: parameter.
        g: gradient.
        state: nothing.
        step: the number of this step, from 1; the formula does not need it.
        lr: η.
        more: what else `signum` takes.

    Returns:
        The new parameter and an empty state.

    >>> import numpy as np
    >>> signsgd(np.array([1.0]), np.array([-3.0]), {}, step=1, lr=0.25)
    (array([1.25]), {})
    """
    return signum(p, g, state, step=step, lr=lr, momentum=0.0, **more)
