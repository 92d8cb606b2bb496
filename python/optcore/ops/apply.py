"""How an op reaches the core: arrays and numbers, checked, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from .. import _core
from ..optimizers import hyper, ranges
from ..optimizers.base import Optimizer
from ..schedules import Schedule
from ..typing import Array

Arrays: TypeAlias = Array | Sequence[Array]
"""One array, or a list of arrays stepped in one call."""

Gradients: TypeAlias = Array | Sequence[Array | None] | None
"""The same for gradients, where None skips a parameter."""

State: TypeAlias = Array | Sequence[Array | Sequence[Array] | None]
"""The same for state, where a pair of arrays is codes with their scales."""

Steps: TypeAlias = int | Sequence[int]
"""The number of this step, counted from 1: one for all arrays, or one for each."""


def apply_(
    kind: type[Optimizer],
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
    """One step of a rule on the given arrays, in place. `state` holds them by argument name."""
    values = kind._normalized(dict(values))
    refuse_schedules(values)
    found = kind._scalars(values)
    several = isinstance(p, (list, tuple))
    params = listed(p, several, "p", None)
    count = len(params)
    used, unused = kind.state_names(values, params)
    slots = {name: listed(state[name], several, name, count) for name in used}
    for name, arrays in slots.items():
        if any(array is None for array in arrays):
            raise TypeError(
                f"{name}: expected an array, got None; make it with np.zeros_like(p) and keep it"
            )
    for name in unused:
        if state.get(name) is not None:
            raise TypeError(
                f"{name}: expected None, got an array; leave it out, or turn on the option that "
                f"uses it ({', '.join(kind.option_names()) or 'a matrix'})"
            )
    scalars = [name for name in used if name in kind.scalar_names()]
    tensors = [name for name in used if name not in scalars]
    _core.apply(
        kind.rule,
        kind._variant(values),
        params,
        listed(g, several, "g", count),
        [[slots[name][i] for name in tensors] for i in range(count)],
        [[slots[name][i] for name in scalars] for i in range(count)],
        [found[name] for name in kind.hypers()],
        bool(values.get("decoupled_weight_decay", False)),
        bool(values["maximize"]),
        bool(values.get("cautious", False)),
        bool(values.get("cautious_weight_decay", False)),
        step_numbers(step, count),
        hyper.limit(clip_norm, "clip_norm", hyper.NO_NORM),
        hyper.limit(clip_value, "clip_value", hyper.NO_LIMIT),
        hyper.thread_count(threads),
    )


def refuse_schedules(values: Mapping[str, Any]) -> None:
    """A TypeError where a value is a schedule: an op knows no step number but its own."""
    for name, value in values.items():
        for shown, number in ranges.numbers_in(name, value).items():
            if isinstance(number, Schedule):
                raise TypeError(
                    f"{shown}: expected a number, got {number!r}; call it with schedule(step)"
                )


def listed(arrays: Any, several: bool, name: str, count: int | None) -> list[Any]:
    """The arrays as a list, as long as the list of parameters."""
    if not several:
        return [arrays]
    if not isinstance(arrays, (list, tuple)) or (count is not None and len(arrays) != count):
        raise ValueError(
            f"{name}: expected a list of {count} arrays, as for p, got {_described(arrays)}; "
            "pass one array per parameter"
        )
    return list(arrays)


def _described(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"{len(value)} items"
    return f"a {type(value).__name__}"


def step_numbers(step: Any, count: int) -> list[int]:
    """A step number for each array."""
    numbers = list(step) if isinstance(step, (list, tuple)) else [step] * count
    if len(numbers) != count:
        raise ValueError(f"step: expected {count} numbers, one per array, got {len(numbers)}")
    for number in numbers:
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
            raise TypeError(f"step: expected an int, 1 or more, got {number!r}; count from 1")
        if not 1 <= int(number) < 2**64:
            raise ValueError(f"step: expected 1 to 2**64 - 1, got {number}; count from 1")
    return [int(number) for number in numbers]
