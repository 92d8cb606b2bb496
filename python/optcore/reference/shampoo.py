"""Shampoo."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot
from .matrices import gram, in_c_order, inverse_root, turned
from .sm3 import along

GRAFT_EPS = 1e-10
"""ε beside the root of Adagrad, whose length `graft="adagrad"` takes."""


@quiet
def shampoo_direction(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    momentum: float,
    beta2: float | None,
    eps: float,
    precondition_frequency: int,
    max_precond_dim: int,
    graft: str | None,
) -> Result:
    """The direction of `shampoo`, and its new state; g is prepared.

    >>> g = np.diag([4.0, 9.0])
    >>> u, state = shampoo_direction(g, g, {}, step=1, momentum=0.0, beta2=None, eps=1e-300,
    ...     precondition_frequency=1, max_precond_dim=8, graft=None)
    >>> u.round(12), state["pre_cond_0"]
    (array([[1., 0.],
           [0., 1.]]), array([[16.,  0.],
           [ 0., 81.]]))
    """
    T = g.dtype.type
    keep, take = (1.0, 1.0) if beta2 is None else (beta2, 1 - beta2)
    x: Array = in_c_order(g).reshape(g.shape or (1,))
    m = x
    new: dict[str, Array] = {}
    if momentum != 0 or "momentum_buffer" in state:
        before = in_c_order(slot(state, "momentum_buffer", g)).reshape(x.shape)
        m = T(momentum) * before + T(1 - momentum) * x
        new["momentum_buffer"] = m.reshape(g.shape)
    u, order = m, 2 * x.ndim
    roots: list[Array | None] = []
    for axis, n in enumerate(x.shape):
        name, inverse = f"pre_cond_{axis}", f"inv_pre_cond_{axis}"
        if n > max_precond_dim:
            squares = np.moveaxis(x * x, axis, 0).reshape(n, -1).sum(axis=1)
            new[name] = T(keep) * slot(state, name, squares) + T(take) * squares
            u = u * along((new[name] + T(eps)) ** T(-1 / order), axis, x.ndim)
            roots.append(None)
            continue
        outer = gram(x, axis)
        new[name] = T(keep) * slot(state, name, outer) + T(take) * outer
        if (step - 1) % precondition_frequency == 0 or inverse not in state:
            new[inverse] = inverse_root(in_c_order(new[name]), order, eps)
        else:
            new[inverse] = state[inverse]
        roots.append(in_c_order(new[inverse]))
    u = turned(u, roots)
    if graft is not None:
        like = m
        if graft == "adagrad":
            new["graft_sum"] = slot(state, "graft_sum", g) + g * g
            like = m / (np.sqrt(in_c_order(new["graft_sum"]).reshape(x.shape)) + T(GRAFT_EPS))
        length = np.linalg.norm(u)
        u = u * (np.linalg.norm(like) / length if length != 0 else T(1))
    return u.reshape(g.shape), new


@quiet
def shampoo(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 0.1,
    momentum: float = 0.0,
    beta2: float | None = None,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    precondition_frequency: int = 1,
    max_precond_dim: int = 8192,
    graft: str | None = None,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    decoupled_weight_decay: bool = False,
) -> Result:
    """A matrix for every axis that turns and scales the gradient, as full-matrix Adagrad would.

    ::

        Lᵢ ← Lᵢ + GᵢGᵢᵀ        θ ← θ - η · G ×₁ (L₁ + εI)^(-1/2k) … ×ₖ (Lₖ + εI)^(-1/2k)

    Gᵢ is the unfolding of G along axis i, k the number of axes: for a matrix L^(-¼) G R^(-¼). The
    class `optcore.Shampoo` calls the same function.

    Source: Gupta, Koren & Singer, 2018, algorithms 1 and 2.

    Args:
        p: parameter, float32 or float64, any shape; a number counts as a vector of one.
        g: gradient of the shape of p, any real float type.
        state: for every axis of n, ``pre_cond_0``, … Lᵢ, n × n, and ``inv_pre_cond_0``, … its root;
            of axes beyond the limit the diagonal of Lᵢ alone, a vector. ``momentum_buffer`` and
            ``graft_sum``, of the shape of p, where they are in use. All of the type of p.
        step: t, the number of this step, from 1.
        lr: η.
        momentum: μ; not 0, then b ← μb + (1-μ)G takes the place of G in the last formula.
        beta2: β₂; then Lᵢ ← β₂Lᵢ + (1-β₂)GᵢGᵢᵀ.
        eps: ε.
        weight_decay: λ; added to the gradient, or decoupled from it.
        precondition_frequency: k; roots are worked out at steps 1, 1 + k, 1 + 2k, …
        max_precond_dim: axes longer than this have a diagonal preconditioner.
        graft: the length of the step: None, as it is; "sgd", the gradient's; "adagrad", of
            Adagrad's step.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = shampoo(np.zeros(2), np.array([3.0, 4.0]), {}, step=1, lr=1.0, eps=1e-12)
    >>> p.round(6), state["pre_cond_0"][0]
    (array([-0.6, -0.8]), array([ 9., 12.]))
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
    u, new = shampoo_direction(
        p,
        g,
        state,
        step=step,
        momentum=momentum,
        beta2=beta2,
        eps=eps,
        precondition_frequency=precondition_frequency,
        max_precond_dim=max_precond_dim,
        graft=graft,
    )
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    return result(p, moved(p, u, keep=keep, rate=lr), new)
