"""What rules for matrices share: unfolding along an axis, eigenvectors, roots.

Everything here is NumPy's BLAS and LAPACK, so the last bits depend on the library and the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .common import Array, at_least


def in_c_order(x: Array) -> Array:
    """The array in C order, so that BLAS sees the same whatever the parameter's memory order is.

    >>> in_c_order(np.zeros((2, 3), order="F")).flags.c_contiguous
    True
    """
    return np.asarray(x, order="C")


def gram(x: Array, axis: int) -> Array:
    """X Xᵀ of the unfolding of a tensor along one axis: n × n for an axis of n.

    >>> gram(np.array([[1.0, 2.0], [0.0, 1.0]]), 1)
    array([[1., 2.],
           [2., 5.]])
    """
    rows = in_c_order(np.moveaxis(x, axis, 0)).reshape(x.shape[axis], -1)
    return np.asarray(rows @ rows.T)


def turned(x: Array, matrices: Sequence[Array | None], *, back: bool = False) -> Array:
    """A tensor times a matrix along every axis: Mᵢᵀ, or back Mᵢ; None leaves an axis alone.

    >>> swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> turned(np.array([[1.0, 2.0], [3.0, 4.0]]), [swap, None])
    array([[3., 4.],
           [1., 2.]])
    """
    for axis, matrix in enumerate(matrices):
        if matrix is not None:
            product = np.tensordot(x, matrix, axes=([axis], [1 if back else 0]))
            x = in_c_order(np.moveaxis(product, -1, axis))
    return x


def eigen(x: Array) -> tuple[Array, Array]:
    """Eigenvalues of a symmetric matrix, rising, and its eigenvectors; NaN if x is not finite.

    Where LAPACK finds none in float32, it is asked again in float64.

    >>> eigen(np.diag([2.0, 1.0]))[0], eigen(np.full((1, 1), np.inf))[0]
    (array([1., 2.]), array([nan]))
    """
    if not np.isfinite(x).all():
        return np.full_like(x[0], np.nan), np.full_like(x, np.nan)
    try:
        values, vectors = np.linalg.eigh(x)
    except np.linalg.LinAlgError:
        if x.dtype == np.float64:
            raise
        values, vectors = np.linalg.eigh(x.astype(np.float64))
    return values.astype(x.dtype), vectors.astype(x.dtype)


def inverse_root(x: Array, order: int, eps: float) -> Array:
    """(x + ε)^(−1/order) of a positive semidefinite matrix, through its eigenvalues.

    >>> inverse_root(np.diag([15.0, 0.0]), 4, 1.0)
    array([[0.5, 0. ],
           [0. , 1. ]])
    """
    T = x.dtype.type
    values, vectors = eigen(x)
    roots = (at_least(values, T(0)) + T(eps)) ** T(-1 / order)
    return np.asarray((vectors * roots) @ vectors.T)
