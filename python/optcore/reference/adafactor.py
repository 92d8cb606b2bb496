"""Adafactor."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from .. import _core
from .common import Array, Result, State, at_least, kept, moved, prepared, quiet, result
from .sums import in_turn, lane_sum, squares, sum_squares

# A matrix is summed in tiles of this many rows and columns of memory.
TILE_ROWS, TILE_COLS = 64, 1024


class _Scalars(NamedTuple):
    """What holds for the whole step, in double."""

    keep_old: float
    take_new: float
    rho: float
    eps2: float
    d: float
    added: float
    floor_mean: float
    floor_v: float
    scale: float
    scale_parameter: bool
    normalize: bool

    def rate(self, sum_p: float, sum_u: float, n: float) -> float:
        """α/max(1, RMS(u)/d), from Σθ² and Σu² over n elements."""
        rms_p = math.sqrt(sum_p / n) * self.scale
        rms_u = 0.0 if math.isinf(self.d) else math.sqrt(sum_u / n) / self.d
        alpha = self.rho
        if self.scale_parameter:
            alpha = self.rho * (self.eps2 if rms_p < self.eps2 else rms_p)
        return alpha / (1 if rms_u < 1 else rms_u)


@quiet
def adafactor(
    p: Array,
    g: Array,
    state: State,
    *,
    step: int,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
    beta2: float | None = None,
    eps_mode: Literal["clamp", "add"] = "clamp",
    relative_step: bool = True,
    scale_parameter: bool = True,
    normalize: bool = True,
    min_dim_size_to_factor: int = 0,
    decay_offset: float = 0.0,
    scale_after_decay: bool = False,
    decay_times_rate: bool = True,
    grad_factor: float = 1.0,
    clip_value: float = math.inf,
) -> Result:
    """A second moment kept as one number per row and one per column, and steps relative to θ.

    ::

        β2ᵗ = 1 - t^beta2_decay, or the constant beta2
        ρ = min(η, 1/√t), or η without relative_step
        α = ρ·max(ε2, RMS(θ)), or ρ without scale_parameter
        matrices    r ← β2ᵗ·r + (1-β2ᵗ)·(mean of g² along each row), c the same along each column
                    v = r·cᵀ/mean(r), or r·cᵀ without normalize
        the rest    v ← β2ᵗ·v + (1-β2ᵗ)·g²
        u = g/√v                  θ ← (1 - η·λ)·θ - α/max(1, RMS(u)/d)·u

    ε1 keeps v away from 0: with eps_mode "add" it is added to g², with "clamp" mean(r) is kept at
    ε1 at least and v at ε1². Neither falls below the smallest normal number.

    Source: Shazeer & Stern, 2018, algorithms 4 to 6 ("add", ε1 = 1e-30); torch.optim.Adafactor
    for the defaults ("clamp", ε1 the machine epsilon) and for the decoupled decay λ.

    Args:
        p: parameter, float32 or float64. The last two axes of an array with two and more are a
            matrix; either of them may be the one that runs faster in memory.
        g: gradient of the shape of p, any real float type.
        state: ``row_var`` (r) of shape (..., rows, 1) and ``col_var`` (c) of shape (..., 1, cols)
            for matrices, ``variance`` (v) of the shape of p for the rest; of the type of p.
        step: t, the number of this step, from 1.
        lr: η, the largest relative rate.
        beta2_decay: the exponent of the decay of 1-β2ᵗ.
        eps: ε1 and ε2; ε1 = None means the machine epsilon of the type of p.
        d: the limit of RMS(u); infinity for none.
        weight_decay: λ, always decoupled.
        maximize: climb instead of descend.
        beta2: a constant in the place of β2ᵗ.
        eps_mode: "clamp" or "add".
        relative_step: let 1/√t limit the rate.
        scale_parameter: make the step relative to RMS(θ).
        normalize: divide by mean(r).
        min_dim_size_to_factor: matrices with a side below it are treated as the rest.
        decay_offset: taken off t in β2ᵗ; the difference counts as 1 at least.
        scale_after_decay: take RMS(θ) of θ·(1 - η·λ).
        decay_times_rate: False decays θ by λ instead of η·λ.
        grad_factor: what the gradient is multiplied by, first of all.
        clip_value: the limit of every element of the gradient after that.

    Returns:
        The new parameter and the new state; the arguments are left as they are. Sums are float64
        in the order of memory; see `optcore.reference.sums`.

    >>> p, state = adafactor(np.array([[3.0, 4.0]]), np.array([[1.0, 2.0]]), {}, step=1, lr=0.5)
    >>> p.round(3), state["row_var"], state["col_var"]
    (array([[1.232, 2.232]]), array([[2.5]]), array([[1., 4.]]))
    """
    matrix = _is_matrix(p, min_dim_size_to_factor)
    if p.size == 0:
        shapes = _slot_shapes(p, matrix)
        return result(
            p, p.copy(), {k: state.get(k, np.zeros(s, p.dtype)) for k, s in shapes.items()}
        )
    eps1 = float(np.finfo(p.dtype).eps) if eps[0] is None else eps[0]
    t = max(float(step) - decay_offset, 1.0)
    take_new = _core.math_pow(t, beta2_decay) if beta2 is None else 1 - beta2
    keep_old = 1 - take_new if beta2 is None else beta2
    limit = 1 / math.sqrt(float(step))
    keep = kept(lr if decay_times_rate else 1.0, weight_decay)
    clamp = eps_mode == "clamp"
    smallest = float(np.finfo(p.dtype).tiny)
    scalars = _Scalars(
        keep_old=keep_old,
        take_new=take_new,
        rho=limit if relative_step and limit < lr else lr,
        eps2=eps[1],
        d=d,
        added=0.0 if clamp else eps1,
        floor_mean=max(eps1, smallest) if clamp else smallest,
        floor_v=max(eps1 * eps1, smallest) if clamp else smallest,
        scale=abs(keep) if scale_after_decay else 1.0,
        scale_parameter=scale_parameter,
        normalize=normalize,
    )
    g = prepared(p, g, maximize=maximize, grad_factor=grad_factor, clip_value=clip_value)
    u, new_state, sum_p, sum_u = (_matrix if matrix else _vector)(p, g, state, scalars)
    rate = scalars.rate(sum_p, sum_u, float(p.size))
    return result(p, moved(p, u, keep=keep, rate=rate), new_state)


_Direction = tuple[Array, dict[str, Array], float, float]


def _is_matrix(p: Array, min_dim: int) -> bool:
    return p.ndim >= 2 and min(p.shape[-2:]) >= min_dim


def _slot_shapes(p: Array, matrix: bool) -> dict[str, tuple[int, ...]]:
    if not matrix:
        return {"variance": p.shape}
    *batch, rows, cols = p.shape
    return {"row_var": (*batch, rows, 1), "col_var": (*batch, 1, cols)}


def _vector(p: Array, g: Array, state: State, s: _Scalars) -> _Direction:
    """u, the new state, Σθ² and Σu² of an array that is no matrix."""
    T = p.dtype.type
    old = state.get("variance", np.zeros_like(p))
    v = T(s.keep_old) * old + T(s.take_new) * (g * g + T(s.added))
    u = np.asarray(g / np.sqrt(at_least(v, T(s.floor_v))))
    return u, {"variance": v}, sum_squares(p), sum_squares(u, like=p)


def _matrix(p: Array, g: Array, state: State, s: _Scalars) -> _Direction:
    """The same of a batch of matrices over the last two axes."""
    T = p.dtype.type
    shape = _slot_shapes(p, matrix=True)
    row_var = state.get("row_var", np.zeros(shape["row_var"], p.dtype))
    col_var = state.get("col_var", np.zeros(shape["col_var"], p.dtype))

    # Sums follow the rows and columns of memory, which may be the columns and rows of the matrix.
    g2, p2 = squares(g), squares(p)
    if _is_transposed(p):
        col_mean = _means_along_rows(g2.mT).mT
        row_mean = _means_down_columns(g2.mT).mT
        sum_p = _sum_by_rows(p2.mT)
    else:
        row_mean, col_mean, sum_p = _means_along_rows(g2), _means_down_columns(g2), _sum_by_rows(p2)

    new_row = _factor(row_var, row_mean, s).astype(p.dtype)
    new_col = _factor(col_var, col_mean, s).astype(p.dtype)
    mean = in_turn(new_row.astype(np.float64), axis=-2) / float(p.shape[-2])
    divisor = np.where(mean < s.floor_mean, s.floor_mean, mean) if s.normalize else np.ones(1)
    row = (new_row.astype(np.float64) / divisor[..., None]).astype(p.dtype)

    u = g / np.sqrt(at_least(row * new_col, T(s.floor_v)))
    sum_u = _sum_by_rows(squares(u.mT if _is_transposed(p) else u))
    return u, {"row_var": new_row, "col_var": new_col}, sum_p, sum_u


def _is_transposed(p: Array) -> bool:
    rows, cols = p.shape[-2:]
    return rows != 1 and cols != 1 and p.strides[-2] < p.strides[-1]


def _factor(old: Array, mean: Array, s: _Scalars) -> Array:
    return s.keep_old * old.astype(np.float64) + s.take_new * (mean + s.added)


def _tiled_rows(x: Array) -> Array:
    """Per row the sums of its tiles of columns: shape (..., rows, tiles)."""
    tiles = range(0, x.shape[-1], TILE_COLS)
    return np.stack([lane_sum(x[..., j : j + TILE_COLS]) for j in tiles], axis=-1)


def _means_along_rows(x: Array) -> Array:
    return (in_turn(_tiled_rows(x)) / float(x.shape[-1]))[..., None]


def _means_down_columns(x: Array) -> Array:
    tiles = range(0, x.shape[-2], TILE_ROWS)
    sums = np.stack([in_turn(x[..., i : i + TILE_ROWS, :], axis=-2) for i in tiles], axis=-2)
    return in_turn(sums, axis=-2)[..., None, :] / float(x.shape[-2])


def _sum_by_rows(x: Array) -> float:
    return float(in_turn(_tiled_rows(x).reshape(-1)))
