"""State dicts of L-BFGS: as those of the other optimizers, with what belongs to no parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..typing import Array
from . import state_dict as common
from .curvature import Pair
from .lbfgs_step import Options, Progress

if TYPE_CHECKING:
    from .lbfgs import LBFGS

NUMBERS = ("func_evals", "n_iter", "t", "H_diag", "ro")


def vectors(progress: Progress) -> dict[str, Array]:
    """The state's vectors by torch's names: old_dirs are changes of gradients, old_stps steps."""
    if progress.direction is None or progress.grad is None:
        return {}
    named = {"d": progress.direction, "prev_flat_grad": progress.grad}
    for i, pair in enumerate(progress.pairs):
        named |= {f"old_dirs.{i}": pair.y, f"old_stps.{i}": pair.s}
    return named


def by_parameter(opt: LBFGS) -> dict[str, dict[str, Array]]:
    """The state's vectors cut into parameters: read-only views."""
    state: dict[str, dict[str, Array]] = {path: {} for path in opt._tree.paths}
    for name, vector in vectors(opt._progress).items():
        for path, view in zip(opt._tree.paths, opt._flat.views(vector), strict=True):
            view.setflags(write=False)
            state[path][name] = view
    return state


def save(opt: LBFGS, copy: bool) -> dict[str, Any]:
    """The state dict of an L-BFGS optimizer."""
    progress = opt._progress
    options = {name: common._plain(getattr(opt._options, name)) for name in Options.names()}
    return {
        "format": common.FORMAT,
        "rule": opt.rule,
        "groups": [{**options, "paths": list(opt._tree.paths)}],
        "step": progress.step,
        "numbers": {
            "func_evals": progress.evals,
            "n_iter": progress.iterations,
            "t": progress.length,
            "H_diag": progress.scale,
            "ro": [pair.rho for pair in progress.pairs],
        },
        "state": {
            path: {name: view.copy() if copy else view for name, view in slots.items()}
            for path, slots in by_parameter(opt).items()
        },
    }


def loaded(opt: LBFGS, saved: Mapping[str, Any]) -> tuple[Options, Progress]:
    """The options and the progress that a state dict holds, all of it checked."""
    common.check_header(opt.rule, saved)
    options = _options(opt, saved)
    numbers = common.entry_of(saved, "numbers", Mapping)
    common._same_keys(numbers, list(NUMBERS), "state_dict/numbers")
    if not isinstance(numbers["ro"], (list, tuple)):
        raise TypeError(
            f"state_dict/numbers/ro: expected a list of numbers, got {numbers['ro']!r:.80}; "
            "pass a dict that state_dict() gave"
        )
    rhos = [_number(rho, f"state_dict/numbers/ro/{i}") for i, rho in enumerate(numbers["ro"])]
    if len(rhos) > options.history_size:
        raise ValueError(
            f"state_dict/numbers/ro: expected at most {options.history_size} (history_size), "
            f"got {len(rhos)}; pass a dict that state_dict() gave"
        )
    progress = Progress(
        step=common.count(common.entry_of(saved, "step", (int, np.integer)), "state_dict/step"),
        evals=common.count(numbers["func_evals"], "state_dict/numbers/func_evals"),
        iterations=common.count(numbers["n_iter"], "state_dict/numbers/n_iter"),
        length=_number(numbers["t"], "state_dict/numbers/t"),
        scale=_number(numbers["H_diag"], "state_dict/numbers/H_diag"),
    )
    names = ["d", "prev_flat_grad"] if progress.iterations else []
    for i in range(len(rhos)):
        names += [f"old_dirs.{i}", f"old_stps.{i}"]
    if rhos and not progress.iterations:
        raise ValueError(
            f"state_dict/numbers/ro: expected none before the first iteration, got {len(rhos)}; "
            "pass a dict that state_dict() gave"
        )
    found = _vectors(opt, saved, names)
    if not names:
        return options, progress
    pairs = tuple(
        Pair(found[f"old_stps.{i}"], found[f"old_dirs.{i}"], rho) for i, rho in enumerate(rhos)
    )
    return options, replace(
        progress, pairs=pairs, direction=found["d"], grad=found["prev_flat_grad"]
    )


def _options(opt: LBFGS, saved: Mapping[str, Any]) -> Options:
    groups = common.entry_of(saved, "groups", (list, tuple))
    where = "state_dict/groups/0"
    if len(groups) != 1 or not isinstance(groups[0], Mapping):
        raise ValueError(
            "loaded state dict has a different number of parameter groups: state_dict/groups: "
            f"expected a list of one dict, got {groups!r:.80}; LBFGS has one group"
        )
    entry = groups[0]
    common._same_keys(entry, [*Options.names(), "paths"], where)
    if list(entry["paths"]) != list(opt._tree.paths):
        raise ValueError(
            f"{where}/paths: expected {list(opt._tree.paths)}, got {entry['paths']!r}; "
            "make the optimizer over the same parameters"
        )
    values = {
        name: common.restored(entry[name], getattr(opt._options, name), f"{where}/{name}")
        for name in Options.names()
    }
    try:
        return opt._checked(values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}/{error.args[0]}") from None


def _vectors(opt: LBFGS, saved: Mapping[str, Any], names: list[str]) -> dict[str, Array]:
    """The vectors of these names, put together from their parameters' parts."""
    state = common.entry_of(saved, "state", Mapping)
    common._same_keys(state, opt._tree.paths, "state_dict/state")
    for path in opt._tree.paths:
        if not isinstance(state[path], Mapping):
            raise TypeError(
                f"state_dict/state/{path}: expected a dict, got a {type(state[path]).__name__}; "
                "pass a dict that state_dict() gave"
            )
        common._same_keys(state[path], names, f"state_dict/state/{path}")
    found = {}
    for name in names:
        vector = np.empty(opt._flat.size, opt._flat.dtype)
        for path, view in zip(opt._tree.paths, opt._flat.views(vector), strict=True):
            array, where = np.asarray(state[path][name]), f"state_dict/state/{path}/{name}"
            if not common._is_float(array):
                raise TypeError(f"{where}: expected a float array, got {array.dtype}; convert it")
            if array.shape != view.shape:
                raise ValueError(
                    f"{where}: expected shape {view.shape}, got {array.shape}; "
                    "make the optimizer over parameters of the same shapes"
                )
            with np.errstate(all="ignore"):
                view[...] = array
        found[name] = vector
    return found


def _number(value: Any, where: str) -> float:
    if not isinstance(value, (float, int, np.floating)) or isinstance(value, bool):
        raise TypeError(f"{where}: expected a number, got {value!r}; state_dict() gives one")
    return float(value)
