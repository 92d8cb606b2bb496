"""Steps on some rows of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .common import Array, Result, State, quiet


@quiet
def coalesced(indices: Array, values: Array, dtype: npt.DTypeLike) -> tuple[Array, Array]:
    """Named rows, each once and in ascending order, and the sums of their values.

    Values are rounded to `dtype` one by one; those of the same row are added in order of
    appearance.

    Args:
        indices: integers, one axis.
        values: shape (len(indices), ...), any real float type.
        dtype: the type of the sums.

    Returns:
        The rows as int64, and an array of shape (len(rows), ...).

    >>> coalesced(np.array([3, 1, 3]), np.array([[1.0], [2.0], [4.0]]), np.float64)
    (array([1, 3]), array([[2.],
           [5.]]))
    """
    places: dict[int, list[int]] = {}
    for place, row in enumerate(indices.tolist()):
        places.setdefault(row, []).append(place)
    rows = sorted(places)
    rounded = values.astype(dtype)
    sums = np.empty((len(rows), *values.shape[1:]), dtype)
    for k, row in enumerate(rows):
        sums[k] = rounded[places[row][0]]
        for place in places[row][1:]:
            sums[k] = sums[k] + rounded[place]
    return np.array(rows, np.int64), sums


def step_rows(
    rule: Callable[..., Result],
    p: Array,
    indices: Array,
    values: Array,
    state: State,
    *,
    step: int,
    **options: Any,
) -> Result:
    """A step of a rule on the named rows of a parameter; the others stay as they are.

    Args:
        rule: `optcore.reference.adam`, or any other whose state is by elements or by rows.
        p: parameter, float32 or float64, with one axis or more.
        indices: integers, one axis, repeats allowed.
        values: the gradient of the named rows, shape (len(indices), *p.shape[1:]).
        state: as for the rule, of the whole parameter. What is missing starts at 0, ``sum`` at
            `initial_accumulator_value`, ``mu_product`` at 1.
        step: the number of this step of the parameter.
        options: those of the rule.

    Returns:
        The new parameter and the new state; the arguments are left as they are.

    >>> from optcore.reference import adagrad
    >>> p, state = step_rows(adagrad, np.ones((3, 1)), np.array([2, 2]), np.array([[3.0], [1.0]]),
    ...                      {}, step=1, lr=0.5)
    >>> p.ravel(), state["sum"].ravel()
    (array([1. , 1. , 0.5]), array([ 0.,  0., 16.]))
    """
    rows, sums = coalesced(indices, values, p.dtype)
    known = {name: x if x.ndim == 0 else x[rows] for name, x in state.items()}
    stepped, after = rule(p[rows], sums, known, step=step, **options)
    new = p.copy()
    new[rows] = stepped
    first = {"sum": options.get("initial_accumulator_value", 0.0)}
    slots = {}
    for name, x in after.items():
        if x.ndim == 0:
            slots[name] = x
            continue
        whole = np.full((p.shape[0], *x.shape[1:]), first.get(name, 0.0), x.dtype)
        slots[name] = state[name].copy() if name in state else whole
        slots[name][rows] = x
    return new, slots
