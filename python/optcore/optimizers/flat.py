"""Parameters of any shapes as one vector."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..reference.sums import in_memory_order
from ..typing import Array
from . import storage


class Flat:
    """Where each parameter stands in the one vector: one behind the other, each in memory order.

    The vector is float64 if any parameter is, else float32.

    >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array(5.0)
    >>> flat = Flat([W, b])
    >>> flat.read()
    array([1., 2., 3., 4., 5.])
    >>> flat.write(np.arange(5.0))
    >>> print(W[1, 0], b, flat.place_of(3))
    2.0 4.0 (0, (1, 1))
    """

    def __init__(self, params: Sequence[Array]):
        self._params = params
        self._rows = [self._row(np.asarray(p)) for p in params]
        ends = np.cumsum([0, *(row.size for row in self._rows)]).tolist()
        self._parts = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.size: int = ends[-1]
        wide = any(p.dtype == np.float64 for p in params)
        self.dtype = np.dtype(np.float64 if wide else np.float32)

    def read(self) -> Array:
        """The parameters as they are now, in a new vector."""
        return self.joined(self._rows)

    def joined(self, rows: Sequence[Array]) -> Array:
        """A new vector of what each parameter has a row of."""
        return np.concatenate([row.reshape(-1) for row in rows], dtype=self.dtype)

    def write(self, vector: Array) -> None:
        """Sets the parameters to a vector. Where one is narrower, the vector is rounded to it."""
        for row, part in zip(self._rows, self._parts, strict=True):
            storage.assign(row, vector[part].reshape(row.shape))
            if row.dtype != vector.dtype:
                vector[part] = row.reshape(-1)

    def copies(self) -> list[Array]:
        """The parameters to the bit, for `restore`."""
        return [row.copy() for row in self._rows]

    def restore(self, copies: Sequence[Array]) -> None:
        """Puts back what `copies` gave."""
        for row, copy in zip(self._rows, copies, strict=True):
            row[...] = copy

    def place_of(self, element: int) -> tuple[int, tuple[int, ...]]:
        """The parameter that an element of the vector belongs to, and its index in there."""
        i = next(i for i, part in enumerate(self._parts) if element < part.stop)
        return i, self._index_of(np.asarray(self._params[i]), element - self._parts[i].start)

    def _row(self, array: Array) -> Array:
        """A view of a parameter, with its elements in their order in the vector."""
        return in_memory_order(array)

    def _index_of(self, array: Array, element: int) -> tuple[int, ...]:
        """The index of an element that is counted in this order."""
        return storage.index_of(array, element)

    def views(self, vector: Array) -> list[Array]:
        """A vector's parts, each with the shape and the axes of its parameter."""
        return [
            _shaped(vector[part], np.asarray(p))
            for part, p in zip(self._parts, self._params, strict=True)
        ]


def _shaped(row: Array, like: Array) -> Array:
    """The opposite of `in_memory_order`: a view of the row with the axes of `like`."""
    order = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
    turned = row.reshape([like.shape[axis] for axis in order])
    flips: list[Any] = [slice(None, None, -1 if s < 0 else 1) for s in like.strides]
    back: Array = turned.transpose(np.argsort(order).tolist())[tuple([*flips, Ellipsis])]
    return back
