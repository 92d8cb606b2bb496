"""Gradients of embedding tables: some rows of a parameter, by their indices."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from .typing import Array


class Rows:
    """A leaf of a gradient tree that names rows of its parameter: those that a batch has touched.

    A row is what lies under one index of the parameter's first axis. A step leaves all other rows
    alone, and their state with them: moments and weight decay of a row stand still until it is
    named again, as in `torch.optim.SparseAdam`. Its step number, and so its bias correction, is
    the parameter's. Where an index is repeated, its values are added first, in order of
    appearance, in the type that the step computes in. `clip_norm` and `nonfinite` look at these
    sums.

    Every elementwise rule takes rows, and so does `RowwiseAdagrad`, in the same step as dense
    gradients. Rules that look at whole tensors do not, nor do `cautious=True`, 8-bit state,
    `stats=True` and `bind`. An average (`ema=`) goes on in all rows; a 16-bit copy (`copy_to=`) is
    written where rows are named. `zero_grads=True` sets `values` to zero. (`SparseAdam` adds ε to
    √v, `Adam` to √v̂: its ε is ours times √(1 − β2ᵗ).)

    Args:
        indices: integers of any dtype, one axis, in any order, with or without repeats; from 0 to
            the parameter's first extent - 1. Without any, the step does nothing but count.
        values: the gradients of these rows: shape (len(indices), *parameter.shape[1:]), any
            strides, any real float type.

    Both are looked at when a step is taken: a wrong dtype is a TypeError there, an index out of
    range or a wrong shape a ValueError. The parameter has to be C-contiguous.

    Raises:
        TypeError: an argument is a masked array.

    Example:
        >>> import numpy as np, optcore as oc
        >>> params = {"E": np.zeros((4, 2)), "b": np.zeros(2)}
        >>> opt = oc.SGD(params, lr=1.0)
        >>> rows = oc.Rows([3, 1, 3], np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 4.0]]))
        >>> opt.step({"E": rows, "b": np.ones(2)})
        >>> params["E"]
        array([[ 0.,  0.],
               [-2.,  0.],
               [ 0.,  0.],
               [-1., -4.]])
    """

    __slots__ = ("_indices", "_values")

    _indices: Array
    _values: Array

    def __init__(self, indices: npt.ArrayLike, values: npt.ArrayLike):
        given = _array(indices, "indices")
        if given.size == 0 and not isinstance(indices, np.ndarray):
            given = given.astype(np.int64)  # NumPy takes an empty list for floats
        object.__setattr__(self, "_indices", given)
        object.__setattr__(self, "_values", _array(values, "values"))

    @property
    def indices(self) -> Array:
        """Which rows."""
        return self._indices

    @property
    def values(self) -> Array:
        """The gradients of these rows."""
        return self._values

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name}: Rows stay as they were made; make new ones")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name}: Rows stay as they were made; make new ones")

    def __reduce__(self) -> tuple[Any, ...]:
        return Rows, (self._indices, self._values)

    def __len__(self) -> int:
        """How many indices there are."""
        return self._indices.size

    def __repr__(self) -> str:
        return f"Rows({len(self)} indices, values {self._values.shape} {self._values.dtype})"


def _array(given: npt.ArrayLike, name: str) -> Array:
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected a plain array, got a masked one, whose mask would be lost; "
            "pass its .data or .filled()"
        )
    return np.asarray(given)
