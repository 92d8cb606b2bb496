"""A parameter as a wrapper sees it: in the precision of a step, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..optimizers.storage import assign, compute_dtype, widened
from ..reference.common import quiet
from ..reference.storage import split
from ..reference.sums import in_memory_order
from ..typing import Array

CHUNK = 1 << 15
"""Elements worked on at a time, so that what lies between stays in the cache."""


def chunks(row: Array) -> Iterator[slice]:
    """The pieces that a row of elements is worked on in.

    >>> import numpy as np
    >>> [each.stop for each in chunks(np.zeros(40000))]
    [32768, 40000]
    """
    for start in range(0, row.size, CHUNK):
        yield slice(start, min(start + CHUNK, row.size))


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
        self.row = in_memory_order(array)
        names = ("master", "remainder")
        self._kept = {name: in_memory_order(state[name]) for name in names if name in state}
        self._copy = None if copied is None else in_memory_order(copied)

    @property
    def written(self) -> list[Array]:
        """What holds the parameter's values: its own row, and its copy's."""
        return [self.row] if self._copy is None else [self.row, self._copy]

    def read(self, at: slice) -> Array:
        """The values of some elements, with the bits that 16-bit parameters keep; a new array."""
        stored = self.row[at]
        values = widened(stored, {name: row[at] for name, row in self._kept.items()})
        return values.copy() if values is stored else values

    @quiet
    def write(self, at: slice, values: Array) -> None:
        """Rounds values of the compute type into these elements, and into what is kept beside."""
        if "remainder" in self._kept:
            high, self._kept["remainder"][at] = split(values)
            self.row[at] = high.view(self.row.dtype)
        else:
            self.row[at] = values
        if "master" in self._kept:
            self._kept["master"][at] = values
        if self._copy is not None:
            self._copy[at] = values

    def show(self, at: slice, values: Array) -> None:
        """Rounds values into parameter and copy alone, for as long as they are away."""
        for row in self.written:
            assign(row[at], values)
