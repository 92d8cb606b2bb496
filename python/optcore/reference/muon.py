"""Muon."""

from __future__ import annotations

import math

import numpy as np

from .common import Array, Result, State, kept, moved, prepared, quiet, result, slot
from .matrices import in_c_order

COEFFICIENTS = (3.4445, -4.775, 2.0315)


@quiet
def orthogonalized(
    x: Array,
    *,
    coefficients: tuple[float, float, float] = COEFFICIENTS,
    steps: int = 5,
    eps: float = 1e-7,
    eps_mode: str = "clamp",
) -> Array:
    """About UVᵀ of a matrix UΣVᵀ: all its singular values brought near 1, between 0.7 and 1.2.

    ::

        X ← G/max(‖G‖, ε)          A = XXᵀ,  X ← aX + (bA + cA²)X    as often as `steps`

    The polynomial is steep at 0 and does not settle at 1, which five steps are enough for.

    Source: the Newton-Schulz iteration of Jordan et al., 2024.

    Args:
        x: G, a matrix; a tall one is worked on lying.
        coefficients: a, b, c.
        steps: how often.
        eps: ε.
        eps_mode: "clamp", or "add" for G/(‖G‖ + ε).

    >>> orthogonalized(np.diag([3.0, -2.0])).round(1)
    array([[ 1.1,  0. ],
           [ 0. , -0.7]])
    """
    T = x.dtype.type
    tall = x.shape[0] > x.shape[1]
    x = in_c_order(x.T if tall else x)
    norm = float(np.linalg.norm(x.astype(np.float64)))
    x = x / T(norm + eps if eps_mode == "add" else max(norm, eps))  # max lets a NaN norm through
    a, b, c = (T(coefficient) for coefficient in coefficients)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return in_c_order(x.T) if tall else np.asarray(x)


def shape_factor(shape: tuple[int, ...], adjust_lr_fn: str | None) -> float:
    """What an update of this shape is multiplied by.

    >>> shape_factor((8, 2), None), shape_factor((2, 8), None), shape_factor((25, 2), "none")
    (2.0, 1.0, 1.0)
    >>> shape_factor((25, 2), "match_rms_adamw")
    1.0
    """
    rows, cols = shape
    if adjust_lr_fn == "none":
        return 1.0
    if adjust_lr_fn == "transposed":
        return math.sqrt(max(1.0, shape[1] / shape[0]))
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, cols))
    return math.sqrt(max(1.0, rows / cols))


@quiet
def muon_direction(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    momentum: float,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    eps: float,
    ns_steps: int,
    adjust_lr_fn: str | None,
    momentum_form: str,
    bias_correction: bool,
    eps_mode: str,
) -> Result:
    """The direction of `muon`, and its new state; g is prepared.

    >>> g = np.eye(2)
    >>> u, state = muon_direction(g, g, {}, step=1, momentum=0.5, nesterov=False,
    ...     ns_coefficients=(2.0, -1.5, 0.5), eps=0.0, ns_steps=9, adjust_lr_fn=None,
    ...     momentum_form="ema", bias_correction=False, eps_mode="clamp")
    >>> u.round(6), state["momentum_buffer"][0]
    (array([[1., 0.],
           [0., 1.]]), array([0.5, 0. ]))
    """
    T = g.dtype.type
    fresh = 1 - momentum if momentum_form == "ema" else 1.0
    b = T(momentum) * slot(state, "momentum_buffer", g) + T(fresh) * g
    now, ahead = 1.0, 1.0
    if bias_correction:
        now, ahead = 1 - momentum**step, 1 - momentum ** (step + 1)
    m = T(momentum / ahead) * b + T(fresh / now) * g if nesterov else b / T(now)
    u = orthogonalized(m, coefficients=ns_coefficients, steps=ns_steps, eps=eps, eps_mode=eps_mode)
    return np.asarray(T(shape_factor(g.shape, adjust_lr_fn)) * u), {"momentum_buffer": b}


@quiet
def muon(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
    momentum_form: str = "ema",
    bias_correction: bool = False,
    eps_mode: str = "clamp",
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Momentum whose matrix is made orthogonal, so that every direction of it counts the same.

    ::

        b ← μb + (1-μ)g        m = (1-μ)g + μb        θ ← θ(1 - ηλ) - η·√max(1, rows/cols)·NS(m)

    NS is `orthogonalized`. The class `optcore.Muon` calls the same function.

    Source: Jordan et al., 2024; decay and the second factor by Liu et al., 2025.

    Args:
        p: parameter, float32 or float64, a matrix.
        g: gradient of the shape of p, any real float type.
        state: ``momentum_buffer``, of the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        weight_decay: λ, decoupled.
        momentum: μ.
        nesterov: m as above; else m = b.
        ns_coefficients: of the iteration.
        eps: ε, of the iteration.
        ns_steps: how often to iterate.
        adjust_lr_fn: the factor by shape: None or "original", the one above; "transposed", that of
            the transposed matrix; "match_rms_adamw",
            0.2·√max(rows, cols); "none", 1.
        momentum_form: "ema" as above, or "heavy_ball": b ← μb + g, m = g + μb.
        bias_correction: divide b by 1 - μᵗ, and with nesterov g by that and b by 1 - μᵗ⁺¹.
        eps_mode: "clamp" or "add", how ε keeps the norm from 0.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = muon(np.zeros((2, 2)), np.diag([3.0, -2.0]), {}, step=1, lr=1.0)
    >>> p.round(1)
    array([[-1.1,  0. ],
           [ 0. ,  0.7]])
    """
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    u, new = muon_direction(
        p,
        g,
        state,
        step=step,
        momentum=momentum,
        nesterov=nesterov,
        ns_coefficients=ns_coefficients,
        eps=eps,
        ns_steps=ns_steps,
        adjust_lr_fn=adjust_lr_fn,
        momentum_form=momentum_form,
        bias_correction=bias_correction,
        eps_mode=eps_mode,
    )
    return result(p, moved(p, u, keep=kept(lr, weight_decay), rate=lr), new)
