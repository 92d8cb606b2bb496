"""Prodigy and D-Adaptation: one estimate of the distance to the solution for all tensors.

Each rule takes two sums over all elements of all tensors, with everything as it was before the
step. The function of the same name with `_sums` behind it gives them for one tensor; added up over
the tensors in turn they go to the step as `sums`. Left out, a tensor is taken for the only one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .common import Array, Result, State, prepared, quiet, result, slot
from .sums import BLOCK, in_memory_order, in_turn, lane_sum

Sums = tuple[float, float]


@quiet
def prodigy(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1.0,
    betas: tuple[float, float] = (0.9, 0.999),
    beta3: float | None = None,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decouple: bool = True,
    use_bias_correction: bool = False,
    safeguard_warmup: bool = False,
    d0: float = 1e-6,
    d_coef: float = 1.0,
    growth_rate: float = math.inf,
    sums: Sums | None = None,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam whose rate is an estimate d of the distance from the start to the solution.

    ::

        δ = d·η, times √(1-β2ᵏ)/(1-β1ᵏ) with use_bias_correction
        r ← β3·r + Σ (d/d0)·δ·g·(θ0 - θ)        s ← β3·s + (d/d0)·δ·g
        m ← β1·m + (1-β1)·d·g                   v ← β2·v + (1-β2)·d²·g²
        θ ← (1 - δ·λ)·θ - δ·m/(√v + d'·ε)       d' = max(d_max, d_coef·r/Σ|s|), at most growth·d

    Source: Mishchenko & Defazio, 2023, algorithm 4, with what the authors' package adds to it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (v), ``s`` and ``p0`` (θ0, a copy of p at first), of
            the shape and type of p; and the float64 arrays of no axes ``d``, ``d_max``,
            ``d_numerator`` (r) and ``k``, all from 0, which stands for d0 in the first two.
        step: not used; steps are counted for all tensors together, by k.
        lr: η.
        betas: β1 and β2.
        beta3: β3, or None for √β2.
        eps: ε.
        weight_decay: λ.
        decouple: shrink θ by 1 - δ·λ; False adds λ·θ to the gradient.
        use_bias_correction: as in Adam.
        safeguard_warmup: d in the place of δ in s.
        d0: the first d.
        d_coef: scales the estimate.
        growth_rate: the most that d grows by in a step.
        sums: what `prodigy_sums` gives, over all tensors.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = np.array([1.0]), {}
    >>> for t in (1, 2, 3):
    ...     p, state = prodigy(p, 2 * p, state, step=t, d0=0.25)
    >>> p.round(3), float(state["d"])
    (array([-0.878]), 0.25)
    """
    hypers = _Prodigy(
        lr,
        betas,
        beta3,
        eps,
        weight_decay,
        decouple,
        use_bias_correction,
        safeguard_warmup,
        d0,
        d_coef,
        growth_rate,
    )
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    return hypers.stepped(p, g, state, sums)


@quiet
def prodigy_sums(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int = 1,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    **hypers: Any,
) -> Sums:
    """Σ (d/d0)·δ·g·(θ0 - θ) and Σ|s| of one tensor, with θ and d of before and s of after the step.

    The arguments, shapes and types are those of `prodigy`, Mishchenko & Defazio, 2023; the sums are
    float64, as Python floats.

    >>> prodigy_sums(np.array([1.0]), np.array([2.0]), {}, d0=0.25)
    (0.0, 0.5)
    """
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    return _Prodigy(**hypers).sums(p, g, state)


@dataclass
class _Prodigy:
    lr: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    beta3: float | None = None
    eps: float = 1e-8
    weight_decay: float = 0.0
    decouple: bool = True
    use_bias_correction: bool = False
    safeguard_warmup: bool = False
    d0: float = 1e-6
    d_coef: float = 1.0
    growth_rate: float = math.inf

    def __post_init__(self) -> None:
        self.beta = math.sqrt(self.betas[1]) if self.beta3 is None else self.beta3

    def rates(self, state: State) -> tuple[float, float, float, float]:
        """d, δ, and what the gradient is multiplied by in r and in s."""
        d = _above_zero(_scalar(state, "d"), self.d0)
        delta = d * self.lr * _correction(self.use_bias_correction, self.betas, state)
        by_d = d / self.d0
        return d, delta, by_d * delta, by_d * (d if self.safeguard_warmup else delta)

    def coupled(self, p: Array, g: Array) -> Array:
        return np.asarray(g + p.dtype.type(0.0 if self.decouple else self.weight_decay) * p)

    def sums(self, p: Array, g: Array, state: State) -> Sums:
        T = p.dtype.type
        _, _, weight, take_s = self.rates(state)
        keep_s = self.beta
        if not self.lr > 0:
            weight = keep_s = take_s = 0.0
        g = self.coupled(p, g)
        moved = (slot(state, "p0", p, p) - p).astype(np.float64)
        s = T(keep_s) * slot(state, "s", p) + T(take_s) * g
        terms = weight * (g.astype(np.float64) * moved)
        return _sum(terms, p), _sum(np.abs(s.astype(np.float64)), p)

    def stepped(self, p: Array, g: Array, state: State, sums: Sums | None) -> Result:
        T = p.dtype.type
        numerator, size = self.sums(p, g, state) if sums is None else sums
        d, delta, _, take_s = self.rates(state)
        scalars = {name: _scalar(state, name) for name in ("d", "d_max", "d_numerator", "k")}
        new = d
        if size != 0:
            numerator = self.beta * scalars["d_numerator"] + numerator
            found = _divided(self.d_coef * numerator, size)
            start = found if d == self.d0 and found > d else d
            most = _above_zero(scalars["d_max"], self.d0)
            most = found if found > most else most
            new = start * self.growth_rate if start * self.growth_rate < most else most
            scalars = {"d": new, "d_max": most, "d_numerator": numerator, "k": scalars["k"] + 1}
        eps = T(new * self.eps)
        keep_p = 1 - self.weight_decay * delta if self.decouple else 1.0
        keeps = (self.betas[0], self.betas[1], self.beta, keep_p)
        takes = (d * (1 - self.betas[0]), d * d * (1 - self.betas[1]), take_s, delta)
        if not (self.lr > 0 and size != 0):  # nothing moves
            keeps, takes = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0)
        g = self.coupled(p, g)
        m = T(keeps[0]) * slot(state, "exp_avg", p) + T(takes[0]) * g
        v = T(keeps[1]) * slot(state, "exp_avg_sq", p) + T(takes[1]) * (g * g)
        s = T(keeps[2]) * slot(state, "s", p) + T(takes[2]) * g
        moved = p * T(keeps[3]) - T(takes[3]) * (m / (np.sqrt(v) + eps))
        new_state = {"exp_avg": m, "exp_avg_sq": v, "s": s, "p0": slot(state, "p0", p, p)}
        return result(p, moved, new_state, scalars)


@quiet
def dadapt_adam(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1.0,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decouple: bool = False,
    use_bias_correction: bool = False,
    d0: float = 1e-6,
    growth_rate: float = math.inf,
    layer_scale: float = 1.0,
    sums: Sums | None = None,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """Adam whose rate is an estimate d, from below, of the distance from the start to the solution.

    ::

        δ = d·η, times √(1-β2ᵏ)/(1-β1ᵏ) with use_bias_correction;  q = √β2;  l = layer_scale
        r ← q·r + (1-q)·Σ l·δ·g·s/(√v + ε)
        m ← β1·m + (1-β1)·l·δ·g        v ← β2·v + (1-β2)·g²        s ← q·s + (1-q)·δ·g
        θ ← (1 - δ·λ)·θ - m/(√v + ε)   d' = max(d, min(r/((1-q)·Σ l·|s|), growth·d))

    Source: Defazio & Mishchenko, 2023, algorithm 5, with what the authors' package adds to it.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``exp_avg`` (m), ``exp_avg_sq`` (v) and ``s``, of the shape and type of p; and the
            float64 arrays of no axes ``d``, ``numerator_weighted`` (r) and ``k``, all from 0, which
            stands for d0 in d.
        step: not used; steps are counted for all tensors together, by k.
        lr: η.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ.
        decouple: shrink θ by 1 - δ·λ; False adds λ·θ to the gradient.
        use_bias_correction: as in Adam.
        d0: the first d.
        growth_rate: the most that d grows by in a step.
        layer_scale: l, which scales the rate of this tensor.
        sums: what `dadapt_adam_sums` gives, over all tensors.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = np.array([1.0]), {}
    >>> for t in (1, 2, 3):
    ...     p, state = dadapt_adam(p, 2 * p, state, step=t, betas=(0.5, 0.75), d0=0.25)
    >>> p.round(3), float(state["k"])
    (array([0.227]), 3.0)
    """
    hypers = _DAdaptAdam(
        lr,
        betas,
        eps,
        weight_decay,
        decouple,
        use_bias_correction,
        d0,
        growth_rate,
        layer_scale,
    )
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    return hypers.stepped(p, g, state, sums)


@quiet
def dadapt_adam_sums(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int = 1,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    **hypers: Any,
) -> Sums:
    """Σ l·δ·g·s/(√v + ε) with all of before the step, and Σ l·|s| with s of after, of one tensor.

    The arguments, shapes and types are those of `dadapt_adam`, Defazio & Mishchenko, 2023; the sums
    are float64, as Python floats.

    >>> dadapt_adam_sums(np.array([1.0]), np.array([2.0]), {}, betas=(0.0, 0.25), d0=0.25)
    (0.0, 0.25)
    """
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    return _DAdaptAdam(**hypers).sums(p, g, state)


@dataclass
class _DAdaptAdam:
    lr: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    decouple: bool = False
    use_bias_correction: bool = False
    d0: float = 1e-6
    growth_rate: float = math.inf
    layer_scale: float = 1.0

    def __post_init__(self) -> None:
        self.q = math.sqrt(self.betas[1])

    def rates(self, state: State) -> tuple[float, float]:
        """d and δ."""
        d = _above_zero(_scalar(state, "d"), self.d0)
        return d, d * self.lr * _correction(self.use_bias_correction, self.betas, state)

    def coupled(self, p: Array, g: Array) -> Array:
        return np.asarray(g + p.dtype.type(0.0 if self.decouple else self.weight_decay) * p)

    def sums(self, p: Array, g: Array, state: State) -> Sums:
        T = p.dtype.type
        delta = self.rates(state)[1]
        scale = self.layer_scale
        keep_s, take_s = self.q, delta * (1 - self.q)
        if not self.lr > 0:
            scale, keep_s, take_s = 0.0, 1.0, 0.0
        g = self.coupled(p, g)
        s, v = slot(state, "s", p), slot(state, "exp_avg_sq", p)
        along = (s / (np.sqrt(v) + T(self.eps))).astype(np.float64)
        terms = scale * delta * (g.astype(np.float64) * along)
        s = T(keep_s) * s + T(take_s) * g
        return _sum(terms, p), _sum(scale * np.abs(s.astype(np.float64)), p)

    def stepped(self, p: Array, g: Array, state: State, sums: Sums | None) -> Result:
        T = p.dtype.type
        numerator, size = self.sums(p, g, state) if sums is None else sums
        d, delta = self.rates(state)
        scalars = {name: _scalar(state, name) for name in ("d", "numerator_weighted", "k")}
        if size != 0:
            numerator = self.q * scalars["numerator_weighted"] + (1 - self.q) * numerator
            new = _grown(d, _divided(numerator, (1 - self.q) * size), self.growth_rate)
            scalars = {"d": new, "numerator_weighted": numerator, "k": scalars["k"] + 1}
        keep_p = 1 - self.weight_decay * delta if self.decouple else 1.0
        keeps = (self.betas[0], self.betas[1], self.q, keep_p)
        along = self.layer_scale * delta * (1 - self.betas[0])
        takes = (along, 1 - self.betas[1], delta * (1 - self.q), 1.0)
        if not (self.lr > 0 and size != 0):  # nothing moves
            keeps, takes = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0)
        g = self.coupled(p, g)
        m = T(keeps[0]) * slot(state, "exp_avg", p) + T(takes[0]) * g
        v = T(keeps[1]) * slot(state, "exp_avg_sq", p) + T(takes[1]) * (g * g)
        s = T(keeps[2]) * slot(state, "s", p) + T(takes[2]) * g
        moved = p * T(keeps[3]) - T(takes[3]) * (m / (np.sqrt(v) + T(self.eps)))
        return result(p, moved, {"exp_avg": m, "exp_avg_sq": v, "s": s}, scalars)


@quiet
def dadapt_sgd(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1.0,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    d0: float = 1e-6,
    growth_rate: float = math.inf,
    sums: Sums | None = None,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """SGD whose rate is an estimate d, from below, of the distance from the start to the solution.

    ::

        δ = d·η/‖g of the first step‖        r ← r + Σ δ·g·s        s ← s + δ·g
        θ ← μ·θ + (1-μ)·(θ0 - s)             d' = max(d, min(2r/‖s‖, growth·d))

    Source: Defazio & Mishchenko, 2023, algorithm 4, with the momentum of the authors' package.

    Args:
        p: parameter, float32 or float64, any shape.
        g: gradient of the shape of p, any real float type.
        state: ``s`` and ``x0`` (θ0, a copy of p at first), of the shape and type of p; and the
            float64 arrays of no axes ``d``, ``numerator_weighted`` (r) and ``g0_norm``, all from 0,
            which stands for d0 in d.
        step: not used.
        lr: η.
        momentum: μ.
        weight_decay: λ, added to the gradient.
        d0: the first d.
        growth_rate: the most that d grows by in a step.
        sums: what `dadapt_sgd_sums` gives, over all tensors.
        maximize: climb instead of descend.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> p, state = np.array([1.0]), {}
    >>> for t in (1, 2, 3):
    ...     p, state = dadapt_sgd(p, 2 * p, state, step=t, d0=0.25)
    >>> p.round(3), float(state["d"])
    (array([0.422]), 0.375)
    """
    g = _prepared_sgd(p, g, weight_decay, maximize, grad_factor, clip_value)
    return _DAdaptSGD(lr, momentum, d0, growth_rate).stepped(p, g, state, sums)


@quiet
def dadapt_sgd_sums(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int = 1,
    weight_decay: float = 0.0,
    maximize: bool = False,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
    **hypers: Any,
) -> Sums:
    """Σ δ·g·s with s of before the step, and Σs² with s of after, of one tensor.

    At the first step, when ‖g‖ is not known, δ is 1 here. The arguments, shapes and types are those
    of `dadapt_sgd`, Defazio & Mishchenko, 2023; the sums are float64, as Python floats.

    >>> dadapt_sgd_sums(np.array([1.0]), np.array([3.0]), {})
    (0.0, 9.0)
    """
    g = _prepared_sgd(p, g, weight_decay, maximize, grad_factor, clip_value)
    return _DAdaptSGD(**hypers).sums(p, g, state)


def _prepared_sgd(
    p: Array,
    g: Array,
    weight_decay: float,
    maximize: bool,
    grad_factor: float,
    clip_value: float,
) -> Array:
    return prepared(
        p,
        g,
        maximize=maximize,
        grad_factor=grad_factor,
        clip_value=clip_value,
        coupled_decay=weight_decay,
    )


@dataclass
class _DAdaptSGD:
    lr: float = 1.0
    momentum: float = 0.0
    d0: float = 1e-6
    growth_rate: float = math.inf

    def sums(self, p: Array, g: Array, state: State) -> Sums:
        d, norm = _above_zero(_scalar(state, "d"), self.d0), _scalar(state, "g0_norm")
        delta = d * self.lr / norm if norm > 0 else 1.0
        counted = 1.0
        if not self.lr > 0:
            delta = counted = 0.0
        s = slot(state, "s", p)
        terms = delta * (g.astype(np.float64) * s.astype(np.float64))
        after = (s + p.dtype.type(delta) * g).astype(np.float64)
        return _sum(terms, p), _sum(counted * (after * after), p)

    def stepped(self, p: Array, g: Array, state: State, sums: Sums | None) -> Result:
        T = p.dtype.type
        along, squares = self.sums(p, g, state) if sums is None else sums
        scalars = {name: _scalar(state, name) for name in ("d", "numerator_weighted", "g0_norm")}
        d, first = _above_zero(scalars["d"], self.d0), not scalars["g0_norm"] > 0
        delta = 0.0
        if squares != 0:
            norm = math.sqrt(squares)
            if first:
                scalars["g0_norm"] = norm
            delta = d * self.lr / scalars["g0_norm"]
            if first:
                norm, along = delta * norm, 0.0
            numerator = scalars["numerator_weighted"] + along
            grown = _grown(d, _divided(2 * numerator, norm), self.growth_rate) if norm > 0 else d
            scalars |= {"d": grown, "numerator_weighted": numerator}
        keep_p, take_z = self.momentum, 1 - self.momentum
        if not (self.lr > 0 and squares != 0):  # nothing moves
            keep_p, take_z, delta = 1.0, 0.0, 0.0
        s, x0 = slot(state, "s", p) + T(delta) * g, slot(state, "x0", p, p)
        moved = T(keep_p) * p + T(take_z) * (x0 - s)
        return result(p, moved, {"s": s, "x0": x0}, scalars)


def _above_zero(x: float, otherwise: float) -> float:
    return x if x > 0 else otherwise


def _scalar(state: State, name: str) -> float:
    return float(state.get(name, np.float64(0.0)))


def _sum(x: Array, like: Array) -> float:
    """The sum of float64 numbers, in the memory order of `like`."""
    flat = in_memory_order(x, like)
    return float(
        in_turn(np.array([lane_sum(flat[i : i + BLOCK]) for i in range(0, flat.size, BLOCK)]))
    )


def _correction(wanted: bool, betas: tuple[float, float], state: State) -> float:
    """√(1-β2ᵏ)/(1-β1ᵏ), k counting this step."""
    if not wanted:
        return 1.0
    k = int(_scalar(state, "k")) + 1
    top = math.sqrt(_core.math_one_minus_power(betas[1], k))
    return top / _core.math_one_minus_power(betas[0], k)


def _grown(d: float, found: float, growth: float) -> float:
    """max(d, min(found, growth·d)), where NaN changes nothing."""
    most = d * growth
    new = most if most < found else found
    return new if new > d else d


def _divided(x: float, y: float) -> float:
    """x/y as float64 has it, also where y is 0."""
    return float(np.float64(x) / np.float64(y))
