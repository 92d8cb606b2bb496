"""SM3."""

from __future__ import annotations

import functools
import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot


def along(x: Array, axis: int, rank: int) -> Array:
    """A vector laid along one axis of a tensor of that rank.

    >>> along(np.ones(3), 1, 4).shape
    (1, 3, 1, 1)
    """
    return x.reshape([-1 if k == axis else 1 for k in range(rank)])


@quiet
def sm3_direction(
    p: Array, g: Array, state: State, *, step: int, momentum: float, beta: float, eps: float
) -> Result:
    """The direction of `sm3`, and its new state; g is prepared.

    >>> g = np.array([[3.0, 4.0], [0.0, 1.0]])
    >>> u, state = sm3_direction(g, g, {}, step=1, momentum=0.0, beta=0.0, eps=0.0)
    >>> u
    array([[1., 1.],
           [0., 1.]])
    >>> state
    {'accumulator_0': array([16.,  1.]), 'accumulator_1': array([ 9., 16.])}
    """
    T = g.dtype.type
    rank = g.ndim
    names = [f"accumulator_{axis}" for axis in range(max(rank, 1))]
    covers = [
        slot(state, name, np.zeros(g.shape[k : k + 1], g.dtype)) for k, name in enumerate(names)
    ]
    least = functools.reduce(np.minimum, [along(x, k, rank) for k, x in enumerate(covers)])
    keep, take = (beta, 1 - beta) if beta != 0 else (1.0, 1.0)
    nu = T(keep) * least + T(take) * (g * g)
    new = {}
    for axis, name in enumerate(names):
        others = tuple(k for k in range(rank) if k != axis)
        new[name] = np.asarray(nu.max(axis=others) if others else nu)
    u = np.where(nu == 0, T(0), g / np.sqrt(nu + T(eps)))
    if momentum != 0 or "momentum_buffer" in state:
        u = T(momentum) * slot(state, "momentum_buffer", g) + T(1 - momentum) * u
        new["momentum_buffer"] = u
    return u, new


@quiet
def sm3(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 0.1,
    momentum: float = 0.9,
    beta: float = 0.0,
    eps: float = 1e-30,
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """Adagrad with one accumulator for every row and column instead of one for every element.

    ::

        ν = min over axes of the accumulators + g²        accumulator of i ← max of ν over slice i
        b ← μb + (1-μ)·g/√(ν + ε)                         θ ← θ - ηb

    Where ν is 0, so is g/√(ν + ε). The class `optcore.SM3` calls the same function.

    Source: Anil, Gupta, Koren & Singer, 2019, algorithm SM3-II.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``accumulator_0``, ``accumulator_1``, … a vector for each axis, and
            ``momentum_buffer`` of the shape of p unless μ = 0; all of the type of p.
        step: t, the number of this step, from 1; nothing depends on it.
        lr: η.
        momentum: μ.
        beta: β; where it is not 0, ν = β·min + (1-β)·g² forgets.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> sm3(np.array([1.0]), np.array([3.0]), {}, step=1, lr=0.5, momentum=0.0, eps=0.0)
    (array([0.5]), {'accumulator_0': array([9.])})
    """
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    u, new = sm3_direction(p, g, state, step=step, momentum=momentum, beta=beta, eps=eps)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=lr), new)
