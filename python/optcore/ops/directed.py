"""How the op of a rule whose direction NumPy works out reaches the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _core
from ..optimizers import hyper, slots, storage
from ..optimizers.directed import DirectedOptimizer
from ..reference.common import quiet
from ..typing import Array
from .apply import Arrays, Gradients, State, Steps, listed, refuse_schedules, step_numbers


@quiet
def apply_directed_(
    kind: type[DirectedOptimizer],
    p: Arrays,
    g: Gradients,
    state: Mapping[str, State | None],
    step: Steps,
    values: Mapping[str, Any],
    *,
    clip_norm: float | None,
    clip_value: float | None,
    threads: int | None,
) -> None:
    """One step of a rule on the given arrays, in place; written is when all has been worked out."""
    values = kind._normalized(dict(values))
    refuse_schedules(values)
    norm_limit = hyper.limit(clip_norm, "clip_norm", hyper.NO_NORM)
    value_limit = hyper.limit(clip_value, "clip_value", hyper.NO_LIMIT)
    team = hyper.thread_count(threads)
    several = isinstance(p, (list, tuple))
    params = listed(p, several, "p", None)
    count = len(params)
    grads = listed(g, several, "g", count)
    given = {
        name: listed(arrays, several, name, count)
        for name, arrays in state.items()
        if arrays is not None
    }
    numbers = step_numbers(step, count)
    names = [f"[{i}]" if count > 1 else "" for i in range(count)]
    own = []
    for i, (param, where) in enumerate(zip(params, names, strict=True)):
        _core.check_param(param, f"p{where}")
        kind._check_shape(param.shape, f"p{where}")
        mine = {name: arrays[i] for name, arrays in given.items() if arrays[i] is not None}
        own.append(_checked(kind, values, param, mine, where))
    every = [
        (name + where, array)
        for mine, where in zip(own, names, strict=True)
        for name, array in mine.items()
    ]
    factor = _core.examine_gradients(params, grads, every, norm_limit, team)

    directions: list[Array | None] = [None] * count
    written = []
    for i, grad in enumerate(grads):
        if grad is None:
            continue
        directions[i], new = kind.directed(
            storage.widened(params[i], {}),
            np.asarray(grad),
            own[i],
            values,
            step=numbers[i],
            factor=factor,
            clip_value=value_limit,
            where=f"p{names[i]}",
        )
        written += [(array, new[name]) for name, array in own[i].items()]
    scalars = kind._scalars(values)
    _core.apply(
        kind.rule,
        0,
        params,
        directions,
        [[]] * count,
        [[]] * count,
        [scalars.get(name, 0.0) for name in kind.hypers()],
        *kind._core_switches(values),
        numbers,
        hyper.NO_NORM,
        hyper.NO_LIMIT,
        team,
    )
    for array, changed in written:
        array[...] = changed


def _checked(
    kind: type[DirectedOptimizer],
    values: Mapping[str, Any],
    param: Array,
    given: Mapping[str, Any],
    where: str,
) -> dict[str, Array]:
    """The state of a parameter, if it is what the rule keeps for one of this shape."""
    wanted = kind.slots_of(values, param)
    if unknown := [name for name in given if name not in wanted]:
        raise TypeError(
            f"{unknown[0]}{where}: expected None, as the state of shape {param.shape} is "
            f"{', '.join(wanted)}, got an array; leave it out, or turn on the option that uses it"
        )
    return {name: _fitting(given.get(name), slot, name + where) for name, slot in wanted.items()}


def _fitting(array: Any, slot: slots.Slot, name: str) -> Array:
    mend = f"make it with np.zeros({slot.shape}, np.{slot.dtype}) and keep it"
    if not isinstance(array, np.ndarray):
        shown = None if array is None else f"a {type(array).__name__}"
        raise TypeError(f"{name}: expected an array, got {shown}; {mend}")
    if array.dtype != slot.dtype:
        raise TypeError(f"{name}: expected a {slot.dtype} array, got {array.dtype}; {mend}")
    if array.shape != slot.shape:
        raise ValueError(f"{name}: expected shape {slot.shape}, got {array.shape}; {mend}")
    return array
