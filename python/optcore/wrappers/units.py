"""Sums over the units of a weight array, in one fixed order.

A unit is what one output of a layer is computed with: all elements of one index of an axis. Each
sum runs over a unit's elements in the order of the remaining axes, in float64: the upper half is
added to the lower until one number is left. So its bits depend on the numbers alone.
"""

from __future__ import annotations

import numpy as np

from ..typing import Array

AT_ONCE = 1 << 16
"""Elements that are summed at a time."""


def folded(rows: Array) -> Array:
    """The sum of each row, whose elements are overwritten.

    >>> folded(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([ 6., 15.])
    """
    count = rows.shape[1]
    if count == 0:
        return np.zeros(rows.shape[0])
    while count > 1:
        half = (count + 1) // 2
        rows[:, : count - half] += rows[:, half:count]
        count = half
    return rows[:, 0]


def by_unit(x: Array, axis: int) -> Array:
    """The units of an array as rows; an array of fewer than two axes is one unit.

    >>> by_unit(np.array([[1, 2], [3, 4]]), axis=1)
    array([[1, 3],
           [2, 4]])
    """
    if x.ndim < 2:
        return x.reshape(1, -1)
    units = x.shape[axis]
    return np.moveaxis(x, axis, 0).reshape(units, x.size // units if units else 0)


def sums(x: Array, axis: int, *, squared: bool = False) -> Array:
    """The sum, or the sum of squares, over each unit; float64, one number per unit.

    >>> sums(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    array([3., 7.])
    >>> sums(np.float32([3.0, 4.0]), axis=0, squared=True)
    array([25.])
    """
    rows = by_unit(x, axis)
    total = np.empty(rows.shape[0])
    step = max(1, AT_ONCE // max(1, rows.shape[1]))
    for start in range(0, rows.shape[0], step):
        part = rows[start : start + step].astype(np.float64)
        if squared:
            part *= part
        total[start : start + step] = folded(part)
    return total


def spread(values: Array, x: Array, axis: int) -> Array:
    """One number per unit in a shape that goes with the array, in its type.

    >>> spread(np.array([1.0, 2.0]), np.zeros((3, 2), np.float32), axis=-1)
    array([[1., 2.]], dtype=float32)
    """
    shape = [1] * x.ndim
    if x.ndim >= 2:
        shape[axis] = -1
    return values.astype(x.dtype).reshape(shape)
