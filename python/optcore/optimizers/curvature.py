"""The history of L-BFGS: what steps and gradients have shown of the loss's curvature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import _core
from ..typing import Array

LEAST_CURVATURE = 1e-10
"""A pair whose yᵀs is not above this is left out, as it would not keep the matrix positive."""


@dataclass(frozen=True)
class Pair:
    """A step s, the change y of the gradient along it, and ρ = 1/(yᵀs). None of it ever changes."""

    s: Array
    y: Array
    rho: float


def two_loops(grad: Array, pairs: Sequence[Pair], scale: float, threads: int) -> Array:
    """−H·g for the inverse Hessian H of the pairs (Nocedal & Wright, 2006, algorithm 7.4).

    .. code-block:: text

        q ← −g
        from the newest pair to the oldest:   αᵢ ← ρᵢ·sᵢᵀq,   q ← q − αᵢ·yᵢ
        r ← γ·q
        from the oldest pair to the newest:   r ← r + (αᵢ − ρᵢ·yᵢᵀr)·sᵢ

    Args:
        grad: the gradient g, one axis.
        pairs: the pairs, oldest first.
        scale: γ, what the inverse Hessian is before the pairs.
        threads: threads, 0 for the default.

    Returns:
        The direction of the next step, a new array.

    >>> import numpy as np
    >>> s = np.array([1.0, 0.0])
    >>> two_loops(np.array([4.0, 6.0]), [Pair(s, 4 * s, 1 / 4)], 0.5, 0)
    array([-1., -3.])
    """
    q: Array = -grad
    alphas = []
    for pair in reversed(pairs):
        alpha = pair.rho * _core.dot(pair.s, q, threads)
        _core.axpy(-alpha, pair.y, q, threads)
        alphas.append(alpha)
    if scale != 1.0:
        _core.scale(scale, q, threads)
    for pair, alpha in zip(pairs, reversed(alphas), strict=True):
        beta = pair.rho * _core.dot(pair.y, q, threads)
        _core.axpy(alpha - beta, pair.s, q, threads)
    return q


def difference(a: Array, b: Array, threads: int) -> Array:
    """a − b, without NumPy's warnings.

    >>> import numpy as np
    >>> difference(np.array([3.0]), np.array([1.0]), 0)
    array([2.])
    """
    result: Array = a.copy()
    _core.axpy(-1.0, b, result, threads)
    return result


def largest(x: Array) -> float:
    """max |x|, 0 of nothing.

    >>> import numpy as np
    >>> largest(np.array([1.0, -2.0]))
    2.0
    """
    return max(float(x.max()), -float(x.min())) if x.size else 0.0
