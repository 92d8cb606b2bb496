"""State dicts of wrappers: their own part, around that of the optimizer inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..optimizers.state_dict import FORMAT, check_format, count, entry_of, loaded_state

if TYPE_CHECKING:
    from .base import Wrapper


def save(wrapper: Wrapper, copy: bool) -> dict[str, Any]:
    """The state dict of a wrapper."""
    return {
        "format": FORMAT,
        "wrapper": wrapper.kind,
        "options": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in wrapper._options.items()
        },
        "counters": dict(wrapper._counters),
        "state": {
            path: {name: array.copy() if copy else array for name, array in own.items()}
            for path, own in wrapper._state.items()
        },
        "optimizer": wrapper._optimizer.state_dict(copy=copy),
    }


def load(wrapper: Wrapper, saved: Mapping[str, Any]) -> None:
    """Takes over a state dict. The optimizer comes last of what can fail, and is all or nothing."""
    _check_header(wrapper, saved)
    options = _loaded_options(wrapper, saved)
    counters = _loaded_counters(wrapper, options, saved)
    arrays = loaded_state([p.path for p in wrapper._parameters], wrapper._state, saved)
    inner = entry_of(saved, "optimizer", Mapping)
    try:
        wrapper._optimizer.load_state_dict(inner)
    except (KeyError, TypeError, ValueError) as error:
        words = str(error.args[0]).replace("state_dict", "state_dict/optimizer", 1)
        raise type(error)(words) from None

    wrapper._options, wrapper._counters = options, counters
    for path, own in arrays.items():
        for name, array in own.items():
            wrapper._state[path][name][...] = array


def _check_header(wrapper: Wrapper, saved: Mapping[str, Any]) -> None:
    check_format(saved)
    kind = entry_of(saved, "wrapper", str)
    if kind != wrapper.kind:
        raise ValueError(
            f"state_dict/wrapper: expected {wrapper.kind!r}, got {kind!r}; "
            "nest wrappers in the order in which they were when it was saved"
        )


def _loaded_options(wrapper: Wrapper, saved: Mapping[str, Any]) -> dict[str, Any]:
    options = entry_of(saved, "options", Mapping)
    if set(options) != set(wrapper._options):
        raise KeyError(
            f"state_dict/options: expected exactly {sorted(wrapper._options)}, got "
            f"{sorted(map(str, options))}; pass a dict that state_dict() gave"
        )
    try:
        return wrapper._checked(options)
    except (KeyError, TypeError, ValueError) as error:
        raise type(error)(f"state_dict/options/{error.args[0]}") from None


def _loaded_counters(
    wrapper: Wrapper, options: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, int]:
    counters = entry_of(saved, "counters", Mapping)
    if set(counters) != set(wrapper._counters):
        raise KeyError(
            f"state_dict/counters: expected exactly {sorted(wrapper._counters)}, got "
            f"{sorted(map(str, counters))}; pass a dict that state_dict() gave"
        )
    loaded = {name: count(value, f"state_dict/counters/{name}") for name, value in counters.items()}
    wrapper._check_counters(options, loaded)
    return loaded
