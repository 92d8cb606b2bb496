"""Schedule-free SGD, AdamW and RAdam."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, at_most, kept, prepared, quiet, result, slot


@quiet
def schedule_free_sgd(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1.0,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    warmup_steps: float = 0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Gradients are taken at y, between the iterates z and their average x.

    ::

        c = w/Σw with w = tʳ·(the largest η so far)^weight_lr_power
        z ← z - η·g,  x ← (1-c)·x + c·z,  y ← β·x + (1-β)·z
        x is not kept: y ← y + k·(z - y) + η·(β·(1-c) - 1)·g with the z of before, and
        k = c + (1 - β/β°)·(1-c), where β° is the β of the step before

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024.

    Args:
        p: y, the parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``z``, of the shape and type of p, a copy of p at first; and the float64 arrays of no
            axes ``weight_sum`` (Σw), ``lr_max`` (the largest η) and ``interpolation`` (β°).
        step: t, the number of this step, from 1.
        lr: η.
        momentum: β.
        weight_decay: λ, added to the gradient as λ·y, or decoupled from it.
        warmup_steps: η grows to its full size over so many steps, linearly.
        r: the power of t in the weights.
        weight_lr_power: the power of the largest η in the weights.
        decoupled_weight_decay: shrink y by 1 - η·λ instead of adding λ·y to g.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = np.array([1.0]), {}
    >>> for t in (1, 2):
    ...     p, state = schedule_free_sgd(p, p, state, step=t, lr=0.5, momentum=0.5)
    >>> p, state["z"], float(state["weight_sum"])
    (array([0.3125]), array([0.25]), 0.5)
    """
    T = p.dtype.type
    rate = _warm(lr, warmup_steps, step)
    toward_z, along_u, scalars = _scalars(state, step, rate, momentum, r, weight_lr_power)
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    g = prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=coupled,
    )
    z = slot(state, "z", p, p)
    y = p * T(kept(lr, weight_decay) if decoupled_weight_decay else 1.0)
    y = y + T(toward_z) * (z - y) + T(along_u) * g
    return result(p, y, {"z": z - T(rate) * g}, scalars)


@quiet
def schedule_free_adamw(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 0.0025,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    warmup_steps: float = 0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Schedule-free learning with a step of AdamW in the place of the gradient.

    ::

        v ← β2·v + (1-β2)·g²        u = g/(√(v/(1-β2ᵗ)) + ε) + λ·y
        then as `schedule_free_sgd`, with β1 for its momentum and u for g

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024, algorithm 1.

    Args:
        p: y, the parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``z`` and ``exp_avg_sq`` (v), of the shape and type of p, z a copy of p at first; and
            the float64 arrays of no axes ``weight_sum``, ``lr_max`` and ``interpolation``.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ.
        warmup_steps: η grows to its full size over so many steps, linearly.
        r: the power of t in the weights.
        weight_lr_power: the power of the largest η in the weights.
        decoupled_weight_decay: shrink y by 1 - η·λ, η without warm-up, instead of adding λ·y to u.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = schedule_free_adamw(np.array([1.0]), np.array([4.0]), {}, step=1, lr=0.5,
    ...                                betas=(0.5, 0.75), eps=0.0)
    >>> p, state["z"]
    (array([0.5]), array([0.5]))
    """
    rate = _warm(lr, warmup_steps, step)
    scalars = _scalars(state, step, rate, betas[0], r, weight_lr_power)
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    decay = 0.0 if decoupled_weight_decay else weight_decay
    return _adaptive(p, g, state, step, rate, betas[1], eps, decay, keep, scalars, True)


@quiet
def schedule_free_radam(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 0.0025,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    silent_sgd_phase: bool = True,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Schedule-free learning whose rate is RAdam's.

    ::

        ρ∞ = 2/(1-β2) - 1,  ρ = ρ∞ - 2t·β2ᵗ/(1-β2ᵗ)
        ρ > 4:  η·√[(ρ-4)(ρ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρ)] for η, and u as in `schedule_free_adamw`
        else:   0 for η, or η itself without `silent_sgd_phase`, and u = g + λ·y

    Source: Defazio et al., 2024; RAdam: Liu, Jiang, He, Chen, Liu, Gao & Han, 2020.

    Args:
        p: y, the parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: as in `schedule_free_adamw`.
        step: t, the number of this step, from 1.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ.
        r: the power of t in the weights.
        weight_lr_power: the power of the largest η in the weights.
        silent_sgd_phase: rest while ρ ≤ 4, and only gather v.
        decoupled_weight_decay: shrink y by 1 - η·λ, η unrectified, instead of adding λ·y to u.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = schedule_free_radam(np.array([1.0]), np.array([4.0]), {}, step=1, lr=0.5)
    >>> p, state["z"], state["exp_avg_sq"].round(3)
    (array([1.]), array([1.]), array([0.016]))
    """
    all_weights = _core.math_one_minus_power(betas[1], step)
    longest = 2 / (1 - betas[1]) - 1
    rho = longest - 2 * float(step) * (1 - all_weights) / all_weights
    if rho > 4:
        inside = (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
        rate = lr * math.sqrt(inside)
    else:
        rate = lr * (0.0 if silent_sgd_phase else 1.0)
    scalars = _scalars(state, step, rate, betas[0], r, weight_lr_power)
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    keep = kept(lr, weight_decay) if decoupled_weight_decay else 1.0
    decay = 0.0 if decoupled_weight_decay else weight_decay
    return _adaptive(p, g, state, step, rate, betas[1], eps, decay, keep, scalars, rho > 4)


def _warm(lr: float, warmup_steps: float, step: int) -> float:
    """The rate during a linear warm-up."""
    return lr * (float(step) / warmup_steps) if float(step) < warmup_steps else lr


def _scalars(
    state: State, step: int, rate: float, beta: float, r: float, power: float
) -> tuple[float, float, dict[str, float]]:
    """How far y goes towards z and along the update, and what a tensor has as a whole."""
    zero = np.float64(0.0)
    lr_max = max(rate, float(state.get("lr_max", zero)))
    weight = _core.math_pow(float(step), r) * _core.math_pow(lr_max, power)
    weight_sum = float(state.get("weight_sum", zero)) + weight
    take = weight / weight_sum if weight_sum > 0 else 0.0
    before = float(state.get("interpolation", zero)) or beta
    toward_z = take + (1 - beta / before) * (1 - take)
    along_u = rate * (beta * (1 - take) - 1)
    kept_scalars = {"weight_sum": weight_sum, "lr_max": lr_max, "interpolation": beta}
    return toward_z, along_u, kept_scalars


def _adaptive(
    p: Array,
    g: Array,
    state: State,
    step: int,
    rate: float,
    beta2: float,
    eps: float,
    decay: float,
    keep: float,
    scalars: tuple[float, float, dict[str, float]],
    divided: bool,
) -> Result:
    """The step along g, divided by the root of its average square or not."""
    T = p.dtype.type
    toward_z, along_u, kept_scalars = scalars
    correct_v = T(1 / _core.math_one_minus_power(beta2, step))
    v = T(beta2) * slot(state, "exp_avg_sq", p) + T(1 - beta2) * (g * g)
    root = np.sqrt(v * correct_v) + T(eps)
    if not divided:
        root = at_least(at_most(root, T(1)), T(1))  # 1, but where it is NaN
    y = p * T(keep)
    u = g / root + T(decay) * y
    z = slot(state, "z", p, p)
    y = y + T(toward_z) * (z - y) + T(along_u) * u
    return result(p, y, {"z": z - T(rate) * u, "exp_avg_sq": v}, kept_scalars)
