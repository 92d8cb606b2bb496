"""SOAP."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, moved, prepared, quiet, result, slot
from .matrices import eigen, gram, in_c_order, turned


def preconditioned_axes(
    shape: tuple[int, ...], max_precond_dim: int, precondition_1d: bool
) -> list[int]:
    """The axes of a tensor that SOAP turns.

    >>> preconditioned_axes((3, 500, 4), 100, False), preconditioned_axes((3,), 100, False)
    ([0, 2], [])
    """
    if len(shape) == 1 and not precondition_1d:
        return []
    return [axis for axis, n in enumerate(shape) if n <= max_precond_dim]


def refreshed(gg: Array, q: Array) -> tuple[Array, Array]:
    """One round of power iteration towards the eigenvectors of gg, and in which order they were.

    >>> q, order = refreshed(np.diag([1.0, 4.0]), np.eye(2))
    >>> abs(q), order
    (array([[0., 1.],
           [1., 0.]]), array([1, 0]))
    """
    product = in_c_order(gg) @ in_c_order(q)
    order = np.argsort(-(q * product).sum(axis=0), kind="stable")
    if not np.isfinite(product).all():
        return np.full_like(product, np.nan), order
    return np.linalg.qr(product[:, order])[0], order


@quiet
def soap_direction(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float,
    betas: tuple[float, float],
    shampoo_beta: float | None,
    eps: float,
    weight_decay: float,
    precondition_frequency: int,
    max_precond_dim: int,
    precondition_1d: bool,
    correct_bias: bool,
    normalize_gradient: bool,
) -> Result:
    """The direction of `soap` with its decay, and its new state; g is prepared.

    >>> g = np.eye(2)
    >>> u, state = soap_direction(g, g, {}, step=1, lr=0.1, betas=(0.9, 0.9), shampoo_beta=None,
    ...     eps=1e-8, weight_decay=0.0, precondition_frequency=10, max_precond_dim=8,
    ...     precondition_1d=False, correct_bias=True, normalize_gradient=False)
    >>> u, sorted(state)
    (array([[0., 0.],
           [0., 0.]]), ['exp_avg', 'exp_avg_sq', 'gg_0', 'gg_1', 'q_0', 'q_1'])
    """
    T = g.dtype.type
    beta1, beta2 = betas
    beta = beta2 if shampoo_beta is None else shampoo_beta
    x = in_c_order(g)
    m, v = (in_c_order(slot(state, name, x)) for name in ("exp_avg", "exp_avg_sq"))
    bases: list[Array | None] = [None] * g.ndim
    new = {}
    for axis in preconditioned_axes(g.shape, max_precond_dim, precondition_1d):
        outer = gram(x, axis)
        gg = T(beta) * slot(state, f"gg_{axis}", outer) + T(1 - beta) * outer
        new[f"gg_{axis}"] = gg
        first = step == 1 or f"q_{axis}" not in state
        bases[axis] = in_c_order(eigen(gg)[1][:, ::-1] if first else state[f"q_{axis}"])
        new[f"q_{axis}"] = bases[axis]
    if step == 1:  # the first gradient is spent on the preconditioner
        return np.zeros_like(g), {"exp_avg": m, "exp_avg_sq": v, **new}

    done = step - 1
    m = T(beta1) * m + T(1 - beta1) * x
    v = T(beta2) * v + T(1 - beta2) * np.square(turned(x, bases))
    u = turned(turned(m, bases) / (np.sqrt(v) + T(eps)), bases, back=True)
    if normalize_gradient:
        u = u / (np.sqrt(np.mean(u * u)) + T(eps))
    size = math.sqrt(1 - beta2**done) / (1 - beta1**done) if correct_bias else 1.0
    u = T(size * (1 - lr * weight_decay)) * u + T(weight_decay) * p
    if done % precondition_frequency == 0:
        for axis, q in enumerate(bases):
            if q is not None:
                new[f"q_{axis}"], order = refreshed(new[f"gg_{axis}"], q)
                v = v.take(order, axis)
    return u, {"exp_avg": m, "exp_avg_sq": v, **new}


@quiet
def soap(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 3e-3,
    betas: tuple[float, float] = (0.95, 0.95),
    shampoo_beta: float | None = None,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    precondition_frequency: int = 10,
    max_precond_dim: int = 10000,
    precondition_1d: bool = False,
    correct_bias: bool = True,
    normalize_gradient: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam in the eigenbasis of Shampoo's preconditioners, which are renewed now and then.

    ::

        step 1        Lᵢ = (1-β)GᵢGᵢᵀ,  Qᵢ = its eigenvectors;  θ stays
        later         m ← β₁m + (1-β₁)G,  v ← β₂v + (1-β₂)(QᵀG)²
                      θ ← (θ - η·√(1-β₂ˢ)/(1-β₁ˢ) · Q(Qᵀm/(√v + ε)))·(1 - ηλ),  s = t-1
                      Lᵢ ← βLᵢ + (1-β)GᵢGᵢᵀ
        s = f, 2f, …  Qᵢ ← the orthogonal factor of LᵢQᵢ

    QᵀG turns G along all its axes. The class `optcore.SOAP` calls the same function.

    Source: Vyas et al., 2024, and the authors' code.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` and ``exp_avg_sq`` of the shape of p; for every axis of n that is turned,
            ``gg_0``, … Lᵢ and ``q_0``, … Qᵢ, n × n. All of the type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β₁, β₂.
        shampoo_beta: β, of the preconditioners; None for β₂.
        eps: ε.
        weight_decay: λ, decoupled, after the step.
        precondition_frequency: f.
        max_precond_dim: axes longer than this are not turned.
        precondition_1d: turn vectors as well.
        correct_bias: the factors 1-βˢ; else 1.
        normalize_gradient: divide the direction by its root mean square.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = np.zeros((2, 2)), {}
    >>> for t in (1, 2):
    ...     p, state = soap(p, np.diag([4.0, 2.0]), state, step=t, lr=0.5, weight_decay=0.0)
    >>> p.round(6)
    array([[-0.5,  0. ],
           [ 0. , -0.5]])
    """
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    u, new = soap_direction(
        p,
        g,
        state,
        step=step,
        lr=lr,
        betas=betas,
        shampoo_beta=shampoo_beta,
        eps=eps,
        weight_decay=weight_decay,
        precondition_frequency=precondition_frequency,
        max_precond_dim=max_precond_dim,
        precondition_1d=precondition_1d,
        correct_bias=correct_bias,
        normalize_gradient=normalize_gradient,
    )
    return result(p, moved(p, u, keep=1.0, rate=lr), new)
