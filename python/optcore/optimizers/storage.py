"""Number formats: what parameters and state are stored in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..reference.blocks8 import encode8
from ..reference.storage import joined
from ..typing import Array
from . import slots

QUANTUM = 256
"""Elements that share one scale of 8-bit state."""

STATE_DTYPES = ("float32", "bfloat16", "8bit", "param")
LOW_PRECISION = ("master", "stochastic", "split")


def is_half(array: Array) -> bool:
    """Whether an array holds float16 or bfloat16."""
    return array.dtype.itemsize == 2


def compute_dtype(array: Array) -> np.dtype[Any]:
    """What a step on this parameter computes in."""
    return np.dtype(np.float64 if array.dtype == np.float64 else np.float32)


def state_dtype(value: object) -> str | dict[str, str] | None:
    """A choice of the user's in plain words: a name, a name for each slot, or None.

    >>> import numpy as np
    >>> state_dtype(np.float32), state_dtype({"exp_avg": "bfloat16"})
    ('float32', {'exp_avg': 'bfloat16'})
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {
            str(slot): _state_name(each, f"state_dtype[{slot!r}]") for slot, each in value.items()
        }
    return _state_name(value, "state_dtype")


def _state_name(value: object, where: str) -> str:
    name = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    if name not in (*STATE_DTYPES, "float64"):
        raise ValueError(
            f"{where}: expected one of {', '.join(STATE_DTYPES)}, got {value!r}; pick one, or None "
            "for the type a step computes in"
        )
    return name


def slot_dtype(choice: Any, slot: str, param: Array, name: str) -> str:
    """The name of what a slot of this parameter is stored in."""
    wanted = choice.get(slot) if isinstance(choice, Mapping) else choice
    own = str(compute_dtype(param))
    if wanted == "param" and param.dtype.name == "bfloat16":
        return "bfloat16"
    if wanted in (None, "param"):
        return own
    if own == "float64" and wanted != "float64":
        raise TypeError(
            f"state_dtype: expected None for {name}, which is float64, got {wanted!r}; float64 is "
            "float64 throughout: make the parameter float32"
        )
    if own != "float64" and wanted == "float64":
        raise TypeError(
            f"state_dtype: expected one of {', '.join(STATE_DTYPES)} for {name}, which is "
            f"{param.dtype}, got 'float64'; a step on it computes in float32"
        )
    return str(wanted)


def slots_of(names: list[str], choice: Any, param: Array, where: str) -> dict[str, slots.Slot]:
    """The state arrays of these names in the chosen formats; 8-bit ones with their scales."""
    if isinstance(choice, Mapping) and (unknown := set(choice) - set(names)):
        raise KeyError(
            f"state_dtype: expected slots among {', '.join(names) or 'none'}, got "
            f"{sorted(unknown)}; {where} has no others"
        )
    wanted = {}
    for name in names:
        kind = slot_dtype(choice, name, param, where)
        wanted[name] = slots.like(param, numpy_dtype(kind, "state_dtype"))
        if kind == "8bit":
            blocks = -(-param.size // QUANTUM)
            wanted[scale_of(name)] = slots.contiguous(param, (blocks,), np.float32)
    return wanted


def scale_of(name: str) -> str:
    """The name of the array that holds the scales of an 8-bit slot."""
    return f"{name}_scale"


def as_slot(state: Mapping[str, Array], name: str) -> Any:
    """A slot as the core takes it: an array, or codes with their scales."""
    scale = scale_of(name)
    return (state[name], state[scale]) if scale in state else state[name]


def fill(state: Mapping[str, Array], name: str, start: float, signed: bool) -> None:
    """Starts a slot from a number; `signed` says whether its 8-bit codes have a sign."""
    if scale_of(name) in state:
        # Of one number repeated, every block has the codes and the scale of that number alone.
        code, scale = encode8(np.full(1, start, np.float32), signed)
        state[name][...] = code[0]
        state[scale_of(name)][...] = scale[0]
    else:
        state[name][...] = start


def assign(to: Array, values: Array) -> None:
    """Rounds values into an array; one beyond its range becomes infinite, as in a step."""
    with np.errstate(all="ignore"):
        to[...] = values


def widened(param: Array, state: Mapping[str, Array]) -> Array:
    """A parameter in the type that a step computes in, with what is kept beside its 16 bits.

    >>> widened(np.float16([1.0]), {"master": np.float32([1.0001])})
    array([1.0001], dtype=float32)
    >>> widened(np.float16([2.0]), {"master": np.float32([1.0001])})  # written to by the user
    array([2.], dtype=float32)
    """
    if not is_half(param):
        return param
    if "remainder" in state:
        return joined(param.view(np.uint16), state["remainder"])
    wide = param.astype(np.float32)
    if "master" in state:
        with np.errstate(all="ignore"):
            unchanged = state["master"].astype(param.dtype) == param
        return np.where(unchanged, state["master"], wide)
    return wide


def kept_slots(rounding: str, param: Array) -> dict[str, slots.Slot]:
    """What is kept beside a 16-bit parameter."""
    if rounding == "master":
        return {"master": slots.like(param, np.float32)}
    if rounding == "split":
        return {"remainder": slots.like(param, np.int16)}
    return {}


def numpy_dtype(name: str, what: str) -> np.dtype[Any]:
    """The NumPy dtype of that name; bfloat16 is in a package of its own."""
    if name == "8bit":
        return np.dtype(np.uint8)
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            f"{what}: 'bfloat16' needs the package ml_dtypes, which gives NumPy that type; "
            "pip install 'optcore[bf16]'"
        ) from None
    bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return bfloat16


def check_low_precision(value: object, param: Array, name: str) -> str:
    """How this parameter is rounded: what was asked for, where it is 16 bits wide."""
    if value is None or not is_half(param):
        return "nearest"
    if value != "master" and param.dtype == np.float16:
        raise TypeError(
            f"low_precision: {value!r} expected bfloat16, but {name} is float16; "
            "use 'master', or a bfloat16 parameter"
        )
    return str(value)


def index_of(array: Array, element: int) -> tuple[int, ...]:
    """The index of an element that is counted in memory order.

    >>> index_of(np.zeros((2, 3), order="F"), 3)
    (1, 1)
    """
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    place = np.unravel_index(element, tuple(array.shape[axis] for axis in order))
    index = [0] * array.ndim
    for axis, at in zip(order, place, strict=True):
        backwards = array.strides[axis] < 0
        index[axis] = array.shape[axis] - 1 - int(at) if backwards else int(at)
    return tuple(index)
