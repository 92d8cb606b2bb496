"""Sums in float64 in one fixed order, so that their bits depend on the numbers alone.

Blocks of 4096 elements are counted in memory order from the first element of a tensor. In a block
element i goes to lane i mod 16; each lane adds up its elements one after the other, then the lanes
are folded in halves: lane k takes lane k+8, then lane k+4, k+2, k+1. Blocks, then tensors, are
added one after the other. Squares are taken in float64 whatever the type of the elements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .common import Array, quiet

BLOCK = 4096
LANES = 16


def in_memory_order(x: Array, like: Array | None = None) -> Array:
    """The elements of x in one row, in the order in which those of `like` (else x) lie in memory.

    >>> in_memory_order(np.array([[1, 2], [3, 4]], order="F"))
    array([1, 3, 2, 4])
    >>> in_memory_order(np.array([[1, 2], [3, 4]]), like=np.zeros((2, 2), order="F"))
    array([1, 3, 2, 4])

    Of a dense array it is a view, of one without axes too.

    >>> x = np.array(0.0)
    >>> in_memory_order(x)[0] = 5.0
    >>> x
    array(5.)
    """
    strides = (x if like is None else like).strides
    flips: list[Any] = [slice(None, None, -1 if s < 0 else 1) for s in strides]
    forwards = x[tuple([*flips, Ellipsis])]  # the ellipsis makes it a view for no axes too
    slowest_first = sorted(range(x.ndim), key=lambda axis: -abs(strides[axis]))
    row: Array = np.asarray(forwards).transpose(slowest_first).reshape(-1)
    return row


def memory_index(x: Array) -> Array:
    """The place of each element of x in memory order, counted from 0; int64, of the shape of x.

    >>> memory_index(np.zeros((2, 3), order="F"))
    array([[0, 2, 4],
           [1, 3, 5]])
    """
    count = np.arange(x.size, dtype=np.int64)
    index = np.empty_like(count)
    index[in_memory_order(count.reshape(x.shape), like=x)] = count
    return index.reshape(x.shape)


def in_turn(x: Array, axis: int = -1) -> Array:
    """The sum along an axis, added strictly from the first element to the last.

    >>> in_turn(np.array([[1.0, 1e16, -1e16], [1e16, -1e16, 1.0]]))
    array([0., 1.])
    """
    if x.shape[axis] == 0:
        return np.asarray(x.sum(axis=axis))
    return np.asarray(np.add.accumulate(x, axis=axis).take(-1, axis=axis))


def lane_sum(x: Array) -> Array:
    """The sum along the last axis, in 16 lanes that are folded in halves at the end.

    >>> lane_sum(np.arange(6.0).reshape(2, 3))
    array([ 3., 12.])
    """
    groups = -(-x.shape[-1] // LANES)
    # Missing elements become zeros, which leave a sum of squares as it is.
    padded = np.zeros((*x.shape[:-1], groups * LANES))
    padded[..., : x.shape[-1]] = x
    lanes = in_turn(padded.reshape(*x.shape[:-1], groups, LANES), axis=-2)
    width = LANES // 2
    while width > 0:
        lanes = lanes[..., :width] + lanes[..., width : 2 * width]
        width //= 2
    return lanes[..., 0]


def squares(x: Array) -> Array:
    """x², taken in float64.

    >>> squares(np.float32([2.0**100])) == 2.0**200
    array([ True])
    """
    wide = x.astype(np.float64)
    return wide * wide


@quiet
def sum_squares(x: Array, like: Array | None = None) -> float:
    """The sum of x² over one tensor, counted in the memory order of `like` (else of x itself).

    Args:
        x: float32 or float64, any shape.
        like: an array of the same shape; for a gradient, its parameter.

    Returns:
        A float64 value as a Python float.

    >>> sum_squares(np.float32([3, 4]))
    25.0
    """
    flat = squares(in_memory_order(x, like))
    blocks = np.array([lane_sum(flat[i : i + BLOCK]) for i in range(0, flat.size, BLOCK)])
    return float(in_turn(blocks))


@quiet
def dot(x: Array, y: Array) -> float:
    """Σxy over two vectors, multiplied and added in float64.

    Args:
        x: float32 or float64, one axis.
        y: of the shape and type of x.

    Returns:
        A float64 value as a Python float.

    >>> dot(np.float32([3, 4]), np.float32([2, -1]))
    2.0
    """
    # Lanes start from +0, so that a sum of nothing but −0 is +0.
    products = x.astype(np.float64) * y.astype(np.float64) + 0.0
    blocks = np.array([lane_sum(products[i : i + BLOCK]) for i in range(0, x.size, BLOCK)])
    return float(in_turn(blocks))


@quiet
def update_sums(before: Array, after: Array) -> tuple[float, float, float]:
    """How far a step has moved a parameter, and from where: Σd², Σθ² and max|d|, d = θ' - θ.

    d is rounded to the type of the parameter; the sums are those of `sum_squares`.

    Args:
        before: θ, float32 or float64, any shape.
        after: θ', of the shape and type of θ.

    Returns:
        Three float64 values as Python floats. The maximum is NaN where any d is, and 0 of nothing.

    >>> update_sums(np.float32([3, 4]), np.float32([3, 2]))
    (4.0, 25.0, 2.0)
    """
    d = np.asarray(after - before)
    largest = float(np.max(np.abs(d), initial=0))
    return sum_squares(d, like=before), sum_squares(before), largest


@quiet
def global_norm(grads: Sequence[Array], params: Sequence[Array] | None = None) -> float:
    """√Σg² over all elements of all tensors, in float64.

    Args:
        grads: float32 or float64 arrays of any shapes.
        params: the parameters that they belong to, where these lie in memory in another order
            than their gradients; the elements are then counted in the order of the parameters.

    Returns:
        A float64 value as a Python float.

    >>> global_norm([np.float32([3]), np.array([[4.0]])])
    5.0
    """
    whole = 0.0
    for i, g in enumerate(grads):
        if g.size > 0:
            whole += sum_squares(g, None if params is None else params[i])
    return math.sqrt(whole)


def clip_factor(norm: float, max_norm: float) -> float:
    """What clips gradients of this norm: min(1, max_norm/(norm + 1e-6)), NaN for a NaN norm.

    torch.nn.utils.clip_grad_norm_'s formula, and 1 without a limit. Pass it on as `grad_factor`.

    >>> clip_factor(0.5, 1.0)
    1.0
    >>> round(clip_factor(4.0, 1.0), 3)
    0.25
    """
    factor = max_norm / (norm + 1e-6)
    return 1.0 if factor > 1 or math.isinf(max_norm) else factor
