"""A parameter as a wrapper sees it: in the precision of a step, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..optimizers.storage import assign, compute_dtype
from ..reference.common import quiet
from ..reference.storage import joined, split
from ..reference.sums import in_memory_order
from ..typing import Array

CHUNK = 1 << 15
"""Elements worked on at a time, so that what lies between stays in the cache."""


def chunks(row: Array) -> Iterator[slice]:
    """The pieces that a row of elements is worked on in.

    >>> [each.stop for each in chunks(np.zeros(40000))]
    [32768, 40000]
    """
    for start in range(0, row.size, CHUNK):
        yield slice(start, min(start + CHUNK, row.size))


def row_of(array: Array) -> Array:
    """The elements of a dense array in memory order: a view, of an array without axes too.

    >>> x = np.zeros((2, 2), order="F")
    >>> row_of(x)[1] = 5.0
    >>> x
    array([[0., 0.],
           [5., 0.]])
    """
    return in_memory_order(array) if array.ndim > 0 else array.reshape(-1)


class Parameter:
    """One parameter, its elements in memory order, with what the optimizer keeps beside it.

    Args:
        path: its path.
        array: the caller's array; it is dense, so its elements in a row are a view.
        state: the optimizer's state arrays of it.
        copied: the array of `copy_to`, or None.
    """

    def __init__(self, path: str, array: Array, state: Mapping[str, Array], copied: Array | None):
        self.path, self.array = path, array
        self.dtype = compute_dtype(array)
        self.row = row_of(array)
        kept, rest = state.get("master"), state.get("remainder")
        self._master = None if kept is None else row_of(kept)
        self._remainder = None if rest is None else row_of(rest)
        self._copy = None if copied is None else row_of(copied)

    @property
    def written(self) -> list[Array]:
        """What holds the parameter's values: its own row, and its copy's."""
        return [self.row] if self._copy is None else [self.row, self._copy]

    @quiet
    def read(self, at: slice) -> Array:
        """The values of some elements, with the bits that 16-bit parameters keep elsewhere."""
        stored = self.row[at]
        if self._remainder is not None:
            return joined(stored.view(np.uint16), self._remainder[at])
        values = stored.astype(self.dtype)
        if self._master is not None:
            # As in a step: where the user has written the parameter, the master gives way.
            master = self._master[at]
            same = master.astype(stored.dtype) == stored
            return np.where(same, master, values)
        return values

    @quiet
    def write(self, at: slice, values: Array) -> None:
        """Rounds values of the compute type into these elements, and into what is kept beside."""
        if self._remainder is not None:
            high, self._remainder[at] = split(values)
            self.row[at] = high.view(self.row.dtype)
        else:
            self.row[at] = values
        if self._master is not None:
            self._master[at] = values
        if self._copy is not None:
            self._copy[at] = values

    def show(self, at: slice, values: Array) -> None:
        """Rounds values into parameter and copy alone, for as long as they are away."""
        for row in self.written:
            assign(row[at], values)
