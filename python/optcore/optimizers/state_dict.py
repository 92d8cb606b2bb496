"""State dicts: everything an optimizer needs to go on, by parameter path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import schedules
from ..schedules import Schedule
from ..typing import Array

if TYPE_CHECKING:
    from .base import Optimizer

FORMAT = 1


def save(opt: Optimizer, copy: bool) -> dict[str, Any]:
    """The state dict of an optimizer."""
    return {
        "format": FORMAT,
        "rule": opt.rule_name(),
        "options": _options(opt),
        "groups": [
            {**{k: _plain(v) for k, v in g._values.items()}, "paths": g.paths} for g in opt.groups
        ],
        "step": opt.step_count,
        "param_steps": dict(zip(opt._paths, opt._stepper.param_steps, strict=True)),
        "state": {
            path: {name: slot.copy() if copy else slot for name, slot in state.items()}
            for path, state in opt._state.items()
        },
        **opt._saved_more(copy),
    }


def load(opt: Optimizer, saved: Mapping[str, Any]) -> None:
    """Takes over a state dict. Everything is checked before anything is changed."""
    check_header(opt.rule_name(), saved)
    groups = _loaded_groups(opt, saved)
    opt._check_groups(groups)
    step, param_steps = _loaded_steps(opt, saved)
    arrays = loaded_state(opt._paths, opt._state, saved)
    more = opt._checked_more(saved)

    opt._stepper.hold()  # no other thread may step in between
    try:
        for path, slots in arrays.items():
            for name, array in slots.items():
                opt._state[path][name][...] = array
        for group, values in zip(opt.groups, groups, strict=True):
            group._take(values)
        opt._stepper.set_steps(step, param_steps)
        opt._take_more(more)
    finally:
        opt._stepper.let_go()


def _options(opt: Optimizer) -> list[dict[str, Any]]:
    """What decides each group's state."""
    names = opt.fixed_names()
    return [{name: _plain(group._values[name]) for name in names} for group in opt.groups]


def _plain(value: Any) -> Any:
    """A value without objects of ours in it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)  # state_dtype by slot
    return value.to_dict() if isinstance(value, Schedule) else value


def restored(value: Any, now: Any, where: str) -> Any:
    """The opposite; a `Lambda` cannot be saved, so the present schedule stays in its place."""
    if isinstance(value, (list, tuple)):
        present = now if isinstance(now, tuple) and len(now) == len(value) else [None] * len(value)
        return tuple(restored(v, p, where) for v, p in zip(value, present, strict=True))
    if isinstance(value, Mapping) and "schedule" in value:
        if "lambda" not in _schedule_names(value):
            try:
                return schedules.Schedule.from_dict(dict(value))
            except (TypeError, ValueError, KeyError) as error:
                raise type(error)(f"{where}: {error.args[0]}") from None
        if not isinstance(now, Schedule) or now.to_dict() != dict(value):
            raise ValueError(
                "state_dict: a hyperparameter was a Python function, which cannot be saved; "
                "expected this optimizer to have a schedule in its place: make it with one"
            )
        return now
    return value


def _schedule_names(value: Mapping[str, Any]) -> set[str]:
    """The kinds of schedule in a saved one, nested ones included."""
    inner = [v for v in value.values() if isinstance(v, Mapping)]
    for several in value.values():
        if isinstance(several, (list, tuple)):
            inner += [v for v in several if isinstance(v, Mapping)]
    return {str(value.get("schedule"))}.union(*map(_schedule_names, inner))


def entry_of(saved: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """An entry of a state dict, of the type that it has to have."""
    if name not in saved:
        raise KeyError(f"state_dict/{name} is missing; expected a dict that state_dict() gave")
    if not isinstance(saved[name], kind) or isinstance(saved[name], bool):
        raise TypeError(
            f"state_dict/{name}: got a {type(saved[name]).__name__}; "
            "expected a dict that state_dict() gave"
        )
    return saved[name]


def check_format(saved: Mapping[str, Any]) -> None:
    """Raises unless this is a state dict, in a format that is known."""
    if not isinstance(saved, Mapping):
        raise TypeError(
            f"state_dict: expected a dict that state_dict() gave, got a {type(saved).__name__}"
        )
    version = entry_of(saved, "format", int)
    if not 1 <= version <= FORMAT:
        raise ValueError(
            f"state_dict/format: expected 1 to {FORMAT}, got {version}; "
            "load it with the newer optcore that saved it"
        )


def check_header(expected: str, saved: Mapping[str, Any]) -> None:
    """Raises unless this was saved by such a rule, in a format that is known."""
    check_format(saved)
    rule = entry_of(saved, "rule", str)
    if rule != expected:
        raise ValueError(
            f"state_dict/rule: expected {expected!r}, got {rule!r}; "
            "load it into an optimizer of the same kind"
        )


def _loaded_groups(opt: Optimizer, saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = entry_of(saved, "groups", (list, tuple))
    if len(entries) != len(opt.groups):
        raise ValueError(
            "loaded state dict has a different number of parameter groups: state_dict/groups: "
            f"expected {len(opt.groups)} group{'s' * (len(opt.groups) != 1)}, got {len(entries)}; "
            "make the optimizer with as many"
        )
    loaded = []
    for i, (entry, group) in enumerate(zip(entries, opt.groups, strict=True)):
        where = f"state_dict/groups/{i}"
        if not isinstance(entry, Mapping):
            raise TypeError(f"{where}: expected a dict, got a {type(entry).__name__}")
        names = {"paths", *group._values}
        if set(entry) != names:
            odd = sorted(map(str, set(entry) ^ names))
            raise KeyError(f"{where}: expected exactly {sorted(names)}; these differ: {odd}")
        if not isinstance(entry["paths"], (list, tuple)):
            raise TypeError(
                f"{where}/paths: expected a list of paths, got {entry['paths']!r}; "
                "pass a dict that state_dict() gave"
            )
        if list(entry["paths"]) != group._paths:
            raise ValueError(
                f"{where}/paths: expected {group._paths}, got {list(entry['paths'])}; "
                "make the optimizer over the same parameters"
            )
        try:
            values = {}
            for name, now in group._values.items():
                values[name] = restored(entry[name], now, f"{where}/{name}")
            values = opt._normalized(values)
        except (TypeError, ValueError, KeyError) as error:
            words = str(error.args[0])
            raise type(error)(words if words.startswith(where) else f"{where}/{words}") from None
        group._check_fixed(values)
        loaded.append(values)
    return loaded


def count(value: Any, where: str) -> int:
    """A step number, or an error."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{where}: expected an int, got {value!r}; step numbers count from 0")
    if not 0 <= value < 2**64 - 1:
        raise ValueError(f"{where}: expected 0 to 2**64 - 2, got {value}; step numbers end there")
    return int(value)


def _loaded_steps(opt: Optimizer, saved: Mapping[str, Any]) -> tuple[int, list[int]]:
    step = count(entry_of(saved, "step", (int, np.integer)), "state_dict/step")
    counts = entry_of(saved, "param_steps", Mapping)
    _same_keys(counts, opt._paths, "state_dict/param_steps")
    return step, [count(counts[p], f"state_dict/param_steps/{p}") for p in opt._paths]


def loaded_state(
    paths: list[str], own: Mapping[str, Mapping[str, Array]], saved: Mapping[str, Any]
) -> dict[str, dict[str, Array]]:
    """Checked copies of the saved arrays, each of the type and shape of one's own."""
    state = entry_of(saved, "state", Mapping)
    _same_keys(state, paths, "state_dict/state")
    loaded: dict[str, dict[str, Array]] = {}
    for path, mine in own.items():
        where = f"state_dict/state/{path}"
        if not isinstance(state[path], Mapping):
            raise TypeError(f"{where}: expected a dict, got a {type(state[path]).__name__}")
        _same_keys(state[path], list(mine), where)
        loaded[path] = {}
        for name, slot in mine.items():
            array = np.asarray(state[path][name])
            codes = slot.dtype.kind in "iu"  # 8-bit state, or the other half of a parameter
            if array.dtype != slot.dtype if codes else not _is_float(array):
                raise TypeError(
                    f"{where}/{name}: expected a {slot.dtype if codes else 'float'} array, "
                    f"got {array.dtype}"
                )
            if array.shape != slot.shape:
                raise ValueError(
                    f"{where}/{name}: expected shape {slot.shape}, got {array.shape}; "
                    "make the optimizer over parameters of the same shapes"
                )
            # All is read and converted before anything is written: it may be one's own state, and
            # a number that does not fit becomes infinite here, whatever NumPy is told of that.
            with np.errstate(all="ignore"):
                loaded[path][name] = np.array(array, slot.dtype)
    return loaded


def like_parameters(
    saved: Mapping[str, Any], name: str, paths: list[str], params: list[Array]
) -> dict[str, Array]:
    """An entry of one array for each parameter, of its shape and dtype; a copy."""
    stored = entry_of(saved, name, Mapping)
    _same_keys(stored, paths, f"state_dict/{name}")
    loaded = {}
    for path, param in zip(paths, params, strict=True):
        array = np.asarray(stored[path])
        if not _is_float(array):
            raise TypeError(
                f"state_dict/{name}/{path}: expected a float array, got {array.dtype}; "
                "pass a dict that state_dict() gave"
            )
        if array.shape != param.shape:
            raise ValueError(
                f"state_dict/{name}/{path}: expected shape {param.shape}, got {array.shape}; "
                "make the optimizer over parameters of the same shapes"
            )
        with np.errstate(all="ignore"):
            loaded[path] = np.array(array, param.dtype)
    return loaded


def _is_float(array: Array) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _same_keys(got: Mapping[Any, Any], expected: list[str], where: str) -> None:
    missing = [key for key in expected if key not in got]
    extra = sorted(map(str, set(got) - set(expected)))
    if missing or extra:
        raise KeyError(
            f"{where}: expected exactly {expected}; missing {missing}, unknown {extra}: "
            "make the optimizer over the same parameters"
        )
