"""Stochastic gradient descent."""

from __future__ import annotations

import math

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


@quiet
def sgd(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    dampen_first: bool = False,
    rate_in_buffer: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """Gradient descent with heavy-ball momentum, as torch.optim.SGD.

    ::

        plain       u = g
        momentum    b ← μ·b + (1-τ)·g     u = b           (b ← g at the first step)
        nesterov    the same b            u = g + μ·b
        then        θ ← θ - η·u

    With `dampen_first` the first step is dampened too. With `rate_in_buffer` the buffer takes
    (1-τ)·η·g, u = b or η·g + μ·b, and θ ← θ - u: another rule as soon as η changes.

    Source: Polyak, 1964; Nesterov's form as Sutskever et al., 2013, write it; torch 2.x for the
    dampening τ and the first step.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``momentum_buffer`` if momentum is not 0, of the shape and type of p.
        step: the number of this step, from 1.
        lr: η.
        momentum: μ.
        dampening: τ.
        weight_decay: λ; added to the gradient, or decoupled from it.
        nesterov: take the look-ahead form.
        dampen_first: b ← (1-τ)·g at the first step.
        rate_in_buffer: scale what enters the buffer by η, not what leaves it.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> import numpy as np
    >>> p, state = sgd(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.25, momentum=0.5)
    >>> sgd(p, np.array([2.0]), state, step=2, lr=0.25, momentum=0.5)
    (array([-0.25]), {'momentum_buffer': array([3.])})
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
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    if momentum == 0:
        return result(p, moved(p, g, keep=keep, rate=lr), {})

    mu = T(momentum)
    keep_old = T(0) if step == 1 else mu
    scale = lr if rate_in_buffer else 1.0
    whole = step == 1 and not dampen_first
    take_new = T((1 if whole else 1 - dampening) * scale)
    b = keep_old * slot(state, "momentum_buffer", p) + take_new * g
    u = T(scale) * g + mu * b if nesterov else b
    rate = 1.0 if rate_in_buffer else lr
    new = moved(
        p,
        u,
        keep=keep,
        rate=rate,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, {"momentum_buffer": b})
