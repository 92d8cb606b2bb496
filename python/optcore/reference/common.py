"""What every rule does around its formula: roundings, gradient, decay, and the form of results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
State = Mapping[str, Array]
Result = tuple[Array, dict[str, Array]]

_F = TypeVar("_F", bound=Callable[..., Any])


def quiet(function: _F) -> _F:
    """Lets a function meet infinities and NaN without a warning, as the compiled rules do.

    >>> quiet(np.divide)(np.float32(1), np.float32(0))
    np.float32(inf)
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


def at_least(x: Array, low: Array) -> Array:
    """max(x, low), element by element, that lets a NaN in x through.

    >>> at_least(np.array([1.0, 3.0, np.nan]), np.array(2.0))
    array([ 2.,  3., nan])
    """
    return np.where(x < low, low, x)


def at_most(x: Array, high: Array) -> Array:
    """min(x, high), element by element, that lets a NaN in x through.

    >>> at_most(np.array([1.0, 3.0, np.nan]), np.array(2.0))
    array([ 1.,  2., nan])
    """
    return np.where(x > high, high, x)


def sign(x: Array) -> Array:
    """1, 0 or -1, element by element; a NaN stays.

    >>> sign(np.array([3.0, 0.0, -0.5, np.nan]))
    array([ 1.,  0., -1., nan])
    """
    T = x.dtype.type
    return np.where(x > 0, T(1), np.where(x < 0, T(-1), x))


def prepared(
    p: Array,
    g: Array,
    *,
    maximize: bool,
    grad_factor: float,
    clip_value: float,
    coupled_decay: float = 0.0,
    masked: bool = False,
) -> Array:
    """The gradient as a rule sees it.

    Rounded once to the type of p, times ±grad_factor, limited to [-clip_value, clip_value], and
    with the coupled decay λ·p added where there is one.

    >>> prepared(np.float32([1, 1]), np.array([0.5, 9.0]), maximize=True, grad_factor=2.0,
    ...          clip_value=4.0, coupled_decay=0.25)
    array([-0.75, -3.75], dtype=float32)
    """
    T = p.dtype.type
    g = g.astype(p.dtype)
    g = g * T(-grad_factor if maximize else grad_factor)
    g = at_most(at_least(g, T(-clip_value)), T(clip_value))
    if coupled_decay != 0 or masked:
        g = g + T(coupled_decay) * p
    return g


def kept(lr: float, decoupled_decay: float) -> float:
    """What decoupled decay leaves of a parameter, 1 - η·λ, in double.

    >>> kept(0.5, 0.5)
    0.75
    """
    return 1 - lr * decoupled_decay


def moved(
    p: Array,
    u: Array,
    *,
    keep: float,
    rate: float,
    g: Array | None = None,
    cautious: bool = False,
    cautious_weight_decay: bool = False,
) -> Array:
    """The step along a direction u: keep·p - rate·u.

    Cautious (Liang et al., 2024): u is left out where u·g ≤ 0, and divided elsewhere by the share
    of elements that are left, or by 1/1000. Cautious decay (Chen et al., 2025) is left out where
    u·p < 0.

    >>> moved(np.array([1.0]), np.array([2.0]), keep=0.5, rate=0.25)
    array([0.])
    >>> p, u, g = np.array([1.0, 1.0]), np.array([2.0, -2.0]), np.array([1.0, 1.0])
    >>> moved(p, u, keep=0.5, rate=0.25, g=g, cautious=True, cautious_weight_decay=True)
    array([-0.5,  1. ])
    """
    T = p.dtype.type
    decayed = p * T(keep)
    if cautious_weight_decay:
        decayed = np.where(u * p < 0, p, decayed)
    if cautious:
        left_out = u * np.asarray(g) <= 0
        share = (left_out.size - np.count_nonzero(left_out)) / left_out.size if p.size else 1.0
        u = np.where(left_out, T(0), u * T(1 / max(share, 1e-3)))
    return np.asarray(decayed - T(rate) * u)


def slot(state: State, name: str, like: Array, start: float | Array = 0.0) -> Array:
    """The array of that name, or a new one filled with `start` where the state has none yet.

    >>> slot({}, "sum", np.zeros(2), start=0.5)
    array([0.5, 0.5])
    """
    if name in state:
        return state[name]
    return np.full_like(like, start)


def laid_out(x: Array, like: Array) -> Array:
    """A copy of x whose elements lie in memory in the order of those of `like`.

    >>> laid_out(np.zeros((2, 3)), like=np.zeros((2, 3), order="F")).strides
    (8, 16)
    >>> laid_out(np.zeros(3), like=np.zeros(3)[::-1]).strides
    (-8,)
    """
    turned: tuple[Any, ...] = (..., *(slice(None, None, -1 if s < 0 else 1) for s in like.strides))
    copy: Array = np.empty_like(like, dtype=x.dtype)[turned]
    copy[...] = x
    return copy


def result(
    p: Array, new: Array, state: Mapping[str, Array], scalars: Mapping[str, float] | None = None
) -> Result:
    """The new parameter and state as arrays, with their types and shapes asserted.

    What has the shape of the parameter also has its order in memory, on which sums depend. Scalars
    that a tensor has as a whole become float64 arrays of no axes.

    >>> result(np.zeros(1), np.ones(1), {"sum": np.ones(1)})
    (array([1.]), {'sum': array([1.])})
    """
    arrays = {name: np.asarray(x) for name, x in state.items()}
    for name, x in arrays.items():
        assert x.dtype == p.dtype, name
        if x.shape == p.shape:
            arrays[name] = laid_out(x, p)
    new = np.asarray(new)
    assert new.dtype == p.dtype
    assert new.shape == p.shape
    arrays |= {name: np.asarray(x, np.float64) for name, x in (scalars or {}).items()}
    return laid_out(new, p), arrays
