"""Adam and AdamW."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result, slot


@quiet
def adam(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    eps_root: float = 0.0,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    eps_hat: bool = False,
    bias_correction: bool | tuple[bool, bool] = True,
    correct_before_max: bool = False,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Running averages of the gradient and of its square, both corrected for their start at 0.

    ::

        m ← β1·m + (1-β1)·g        m̂ = m/(1-β1ᵗ)
        v ← β2·v + (1-β2)·g²       v̂ = v/(1-β2ᵗ)
        θ ← θ - η·m̂/(√(v̂ + eps_root) + eps)

    With amsgrad the largest v so far stands in the place of v in v̂; with `correct_before_max`
    the largest v̂ so far in the place of v̂.

    Source: Kingma & Ba, 2015, algorithm 1; amsgrad: Reddi, Kale & Kumar, 2018, with the bias
    correction that torch adds; eps_root and `correct_before_max` as optax has them; `eps_hat` as
    Keras and section 2 of the paper have it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (v) and, with amsgrad, ``max_exp_avg_sq``; each of
            the shape and type of p.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: added outside the root.
        eps_root: added inside the root.
        weight_decay: λ; added to the gradient, or decoupled from it.
        amsgrad: never forget the largest v.
        eps_hat: eps/√(1-β2ᵗ) in the place of eps.
        bias_correction: False takes m for m̂ and v for v̂; two values take one of them each.
        correct_before_max: take the maximum of v̂ instead of v.
        decoupled_weight_decay: shrink θ by 1 - η·λ instead of adding λ·θ to g.
        maximize: climb instead of descend.
        cautious: leave out what the gradient disagrees with, see `moved` in common.py.
        cautious_weight_decay: leave out decay against the step, see there.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> adam(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75), eps=0.0)
    (array([0.5]), {'exp_avg': array([1.]), 'exp_avg_sq': array([1.])})
    """
    T = p.dtype.type
    beta1, one_minus_beta1 = T(betas[0]), T(1 - betas[0])
    beta2, one_minus_beta2 = T(betas[1]), T(1 - betas[1])
    of_m, of_v = _corrections(betas, step, bias_correction)
    before = amsgrad and correct_before_max
    before_max, correct_m, correct_v = T(of_v if before else 1), T(of_m), T(1 if before else of_v)
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
    m = beta1 * slot(state, "exp_avg", p) + one_minus_beta1 * g
    v = beta2 * slot(state, "exp_avg_sq", p) + one_minus_beta2 * (g * g)
    new_state = {"exp_avg": m, "exp_avg_sq": v}
    if amsgrad:
        v = at_least(v * before_max, slot(state, "max_exp_avg_sq", p))
        new_state["max_exp_avg_sq"] = v
    eps_T = T(eps * math.sqrt(of_v) if eps_hat else eps)
    u = (m * correct_m) / (np.sqrt(v * correct_v + T(eps_root)) + eps_T)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    new = moved(
        p,
        u,
        keep=keep,
        rate=lr,
        g=g,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
    )
    return result(p, new, new_state)


def _corrections(
    betas: tuple[float, float], step: int, wanted: bool | tuple[bool, bool]
) -> tuple[float, float]:
    """What m and v are multiplied by, 1/(1-βᵗ) or 1."""
    pair = (wanted, wanted) if isinstance(wanted, bool) else wanted
    of_m, of_v = (
        1 / _core.math_one_minus_power(beta, step) if correct else 1.0
        for beta, correct in zip(betas, pair, strict=True)
    )
    return of_m, of_v


def adamw(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    eps_root: float = 0.0,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    eps_hat: bool = False,
    bias_correction: bool | tuple[bool, bool] = True,
    correct_before_max: bool = False,
    maximize: bool = False,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam whose weight decay is decoupled from the gradient: θ ← (1 - η·λ)·θ - η·u.

    Source: Loshchilov & Hutter, 2019, algorithm 2, with the decay times the rate as torch has it.
    Everything else, state, shapes and types included, is as in `adam`.

    >>> adamw(np.array([1.0]), np.array([2.0]), {}, step=1, lr=0.5, betas=(0.5, 0.75), eps=0.0,
    ...       weight_decay=0.5)
    (array([0.25]), {'exp_avg': array([1.]), 'exp_avg_sq': array([1.])})
    """
    new: Result = adam(
        p,
        g,
        state,
        step=step,
        lr=lr,
        betas=betas,
        eps=eps,
        eps_root=eps_root,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        eps_hat=eps_hat,
        bias_correction=bias_correction,
        correct_before_max=correct_before_max,
        decoupled_weight_decay=True,
        maximize=maximize,
        cautious=cautious,
        cautious_weight_decay=cautious_weight_decay,
        grad_factor=grad_factor,
        clip_value=clip_value,
    )
    return new
