"""LARS."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, moved, prepared, quiet, result, slot
from .sums import sum_squares


@quiet
def lars(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    momentum: float = 0.9,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    trust_coefficient: float = 1e-3,
    eps: float = 1e-8,
    joint_norm: bool = False,
    rate_in_buffer: bool = False,
    trust_clip: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """LARS: SGD with momentum, on gradients as long as the parameter is.

    ::

        r = trust·‖θ‖/(‖g‖ + λ·‖θ‖ + eps)      1 where either norm is 0
        u = r·(g + λ·θ)
        b ← μ·b + (1-τ)·u                      b ← u at the first step
        θ ← θ - η·b                            nesterov: θ ← θ - η·(u + μ·b)

    Source: You, Gitman & Ginsburg, 2017, algorithm 1.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``momentum_buffer`` (b), of the shape and type of p; nothing without momentum.
        step: t, the number of this step, from 1.
        lr: η.
        momentum: μ.
        dampening: τ, from the second step on.
        weight_decay: λ.
        nesterov: look ahead along b.
        trust_coefficient: the factor of r.
        eps: what is added below the line.
        joint_norm: ‖g + λ·θ‖ in the place of ‖g‖ + λ·‖θ‖.
        rate_in_buffer: multiply u by η, not the step.
        trust_clip: min(r/η, 1) in the place of r.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> lars(np.array([3.0, 4.0]), np.array([0.0, -2.0]), {}, step=1, lr=1.0,
    ...      trust_coefficient=0.5, eps=0.0)[0]
    array([3. , 6.5])
    """
    T = p.dtype.type
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    decay = T(weight_decay)
    below = np.asarray(g + (decay if joint_norm else T(0)) * p)
    sum_p, sum_g = sum_squares(p), sum_squares(below, like=p)
    ratio = 1.0
    if sum_p > 0 and sum_g > 0:
        norm = math.sqrt(sum_p)
        inside = 0.0 if joint_norm else weight_decay * norm
        ratio = trust_coefficient * norm / (math.sqrt(sum_g) + inside + eps)
        if trust_clip:
            ratio = ratio / lr if ratio < lr else 1.0
    u = T(ratio * (lr if rate_in_buffer else 1.0)) * (g + decay * p)
    rate = 1.0 if rate_in_buffer else lr
    if momentum == 0:
        return result(p, moved(p, u, keep=1.0, rate=rate), {})
    mu = T(momentum)
    keep_old, take_new = (T(0), T(1)) if step == 1 else (mu, T(1 - dampening))
    b = keep_old * slot(state, "momentum_buffer", p) + take_new * u
    new = moved(p, u + mu * b if nesterov else b, keep=1.0, rate=rate)
    return result(p, new, {"momentum_buffer": b})
