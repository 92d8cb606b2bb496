"""The C interface through ctypes: what a program in another language would do."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any, ClassVar

import ml_dtypes
import numpy as np
import pytest

from optcore import _core, presets
from optcore.optimizers.base import Optimizer
from optcore.schedules import Schedule

NAMES = ("liboptcore.so", "liboptcore.dylib", "optcore.dll")

DTYPES: dict[str, int] = {
    "float32": 0,
    "float64": 1,
    "bfloat16": 2,
    "float16": 3,
    "uint8": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "uint32": 8,
    "uint64": 9,
}
LOW_PRECISION = {None: 0, "stochastic": 1, "master": 2, "split": 3}
NONFINITE = {"propagate": 0, "skip": 1, "raise": 2}
ALL_GROUPS = -1


def library_path() -> Path:
    """The shared library: OPTCORE_LIBRARY, or what lies beside the extension module."""
    if given := os.environ.get("OPTCORE_LIBRARY"):
        return Path(given)
    extension = Path(_core.__file__).resolve()
    package = Path(presets.__file__).parent
    folders = [extension.parent, *(package / name for name in ("lib", "lib64", "bin"))]
    for folder in folders:
        for name in NAMES:
            if (folder / name).exists():
                return folder / name
    pytest.skip(f"no shared library in {[str(f) for f in folders]}; set OPTCORE_LIBRARY")


class Struct(ctypes.Structure):
    """A struct at its defaults, with its size set."""

    def __init__(self, **values: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **values)


class RuleInfo(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("title", c_char_p),
        ("rule", c_char_p),
        ("kind", c_char_p),
        ("values", c_int64),
        ("available", c_int32),
        ("maskable", c_int32),
    ]


class ValueInfo(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("initial", c_double),
        ("kind", c_int32),
        ("fixed", c_int32),
    ]


class Array(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("data", c_void_p),
        ("count", c_int64),
        ("dtype", c_int32),
        ("ndim", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
    ]


class Argument(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("number", c_double),
        ("whole", c_uint64),
        ("word", c_char_p),
        ("numbers", POINTER(c_double)),
        ("wholes", POINTER(c_uint64)),
        ("schedules", POINTER(c_void_p)),
        ("length", c_int64),
    ]


class ArgumentInfo(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("kind", c_int32),
        ("required", c_int32),
        ("number", c_double),
        ("word", c_char_p),
    ]


class ScheduleInfo(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("title", c_char_p),
        ("arguments", c_int64),
    ]


class Options(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("clip_norm", c_double),
        ("clip_value", c_double),
        ("nonfinite", c_int32),
        ("zero_grads", c_int32),
        ("threads", c_int32),
        ("low_precision", c_int32),
        ("seed", c_uint64),
        ("average", c_int32),
        ("reserved", c_int32),
        ("average_decay", c_double),
        ("average_schedule", c_void_p),
        ("executor", c_void_p),
    ]


class Tensor(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("data", c_void_p),
        ("count", c_int64),
        ("dtype", c_int32),
        ("ndim", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("steps", c_uint64),
        ("copy", c_void_p),
        ("copy_dtype", c_int32),
        ("reserved", c_int32),
    ]


class Gradient(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("data", c_void_p),
        ("count", c_int64),
        ("dtype", c_int32),
        ("row_dtype", c_int32),
        ("strides", POINTER(c_int64)),
        ("rows", c_void_p),
        ("row_count", c_int64),
    ]


class Step(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("count", c_int64),
        ("data", POINTER(c_void_p)),
        ("gradients", POINTER(Gradient)),
        ("params", POINTER(c_void_p)),
        ("grad_scale", c_double),
    ]


class StepResult(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("grad_norm", c_double),
        ("bad_tensor", c_int64),
        ("bad_element", c_int64),
        ("stepped", c_int32),
        ("reserved", c_int32),
    ]


class StateHeader(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("rule", c_char_p),
        ("format", c_int64),
        ("step", c_uint64),
        ("groups", c_int64),
        ("tensors", c_int64),
    ]


class StateValue(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("value", c_double),
        ("scheduled", c_int32),
        ("reserved", c_int32),
    ]


class StateTensor(Struct):
    _fields_: ClassVar[Any] = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("group", c_int64),
        ("steps", c_uint64),
        ("arrays", c_int64),
    ]


class CallError(Exception):
    """A code other than OPTCORE_OK, with its name and message."""


class Library:
    """The functions, each raising `CallError` unless it returns OPTCORE_OK."""

    def __init__(self, path: Path) -> None:
        self.c = ctypes.CDLL(str(path))
        for name in ("last_error", "status_name", "version", "dtype_name"):
            getattr(self.c, f"optcore_{name}").restype = c_char_p
        for name in ("rule_count", "schedule_count"):
            getattr(self.c, f"optcore_{name}").restype = c_int64

    def call(self, name: str, *arguments: Any) -> None:
        status = getattr(self.c, f"optcore_{name}")(*arguments)
        if status != 0:
            code = self.c.optcore_status_name(status).decode()
            raise CallError(f"{code}: {self.c.optcore_last_error().decode()}")

    def schedule(self, of: Schedule, shown: bool = False) -> c_void_p:
        """The same schedule in C; `shown`: without the arguments that are at a default."""
        arguments = of._arguments()
        if shown:
            defaults = {
                f.name: f.default for f in presets.saving.parameters(type(of)) if f.name != "of"
            }
            arguments = {k: v for k, v in arguments.items() if defaults.get(k) != v}
            if arguments.get("down") == arguments.get("up"):
                arguments.pop("down", None)
        else:
            arguments = of._native_arguments(arguments)
        kept = [self._argument(of._native_name(), name, v) for name, v in arguments.items()]
        given = (Argument * len(kept))(*kept)
        handle = c_void_p()
        name = of._native_name().encode()
        self.call("schedule_create", name, given, c_int64(len(kept)), ctypes.byref(handle))
        return handle

    def _argument(self, family: str, name: str, value: Any) -> Argument:
        a = Argument(name=name.encode())
        kind = self._kinds(family)[name]
        if kind == 0:
            a.number = float(value)
        elif kind in (1, 2):
            a.whole = int(value)
        elif kind == 3:
            a.word = value.encode()
        elif kind == 5:
            a.numbers, a.length = (c_double * len(value))(*value), len(value)
        elif kind == 6:
            a.wholes, a.length = (c_uint64 * len(value))(*value), len(value)
        else:
            inner = [self.schedule(s) for s in ([value] if kind == 4 else value)]
            a.schedules, a.length = (c_void_p * len(inner))(*inner), len(inner)
        return a

    def _kinds(self, family: str) -> dict[str, int]:
        kinds: dict[str, int] = {}
        while True:
            info = ArgumentInfo()
            try:
                self.call(
                    "schedule_argument",
                    family.encode(),
                    c_int64(len(kinds)),
                    ctypes.byref(info),
                )
            except CallError:
                return kinds
            kinds[info.name.decode()] = info.kind

    def values(self, schedule: c_void_p, steps: np.ndarray) -> np.ndarray:
        out = np.empty(steps.size)
        self.call(
            "schedule_fill",
            schedule,
            c_void_p(steps.ctypes.data),
            c_int64(steps.size),
            c_void_p(out.ctypes.data),
        )
        return out


def axes(array: np.ndarray) -> dict[str, Any]:
    """Shape, strides, dtype and place of an array."""
    n = max(array.ndim, 1)
    return {
        "data": array.ctypes.data,
        "count": array.size,
        "dtype": DTYPES[array.dtype.name],
        "ndim": array.ndim,
        "shape": (c_int64 * n)(*array.shape),
        "strides": (c_int64 * n)(*(s // array.itemsize for s in array.strides)),
    }


def viewed(array: Array) -> np.ndarray:
    """The NumPy array over what the library describes."""
    name = next(k for k, v in DTYPES.items() if v == array.dtype)
    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    shape = tuple(array.shape[k] for k in range(array.ndim))
    strides = tuple(array.strides[k] * dtype.itemsize for k in range(array.ndim))
    if array.count == 0:
        return np.zeros(shape, dtype)
    low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
    memory = (ctypes.c_char * (array.count * dtype.itemsize)).from_address(array.data + low)
    return np.ndarray(shape, dtype, memory, -low, strides)


def values_of(opt: Optimizer, group: int = 0) -> dict[str, float]:
    """The values of a Python optimizer's group, by their names in C. Schedules are left out."""
    kind, values = type(opt), opt.groups[group]._values
    scalars = kind._scalars(values)
    options = dict(zip(kind.option_names(), kind._options(values), strict=True))
    found: dict[str, float] = {}
    for each in presets.preset(kind).values:
        by = options if each.kind == "option" else scalars if each.name in scalars else values
        if not isinstance(by[each.name], Schedule):
            found[each.name] = float(by[each.name])
    return found


class Native:
    """An optimizer of the C interface over NumPy arrays."""

    def __init__(self, library: Library, name: str) -> None:
        self.library, self.handle = library, c_void_p()
        self.names: list[str] = []
        self._kept: list[Any] = []
        library.call("optimizer_create", name.encode(), ctypes.byref(self.handle))

    def __del__(self) -> None:
        self.library.c.optcore_optimizer_destroy(self.handle)

    def call(self, name: str, *arguments: Any) -> None:
        self.library.call(f"optimizer_{name}", self.handle, *arguments)

    def set(self, values: Mapping[str, float], group: int = ALL_GROUPS) -> None:
        for name, value in values.items():
            self.call("set", c_int64(group), name.encode(), c_double(value))

    def set_schedule(self, name: str, schedule: c_void_p, group: int = ALL_GROUPS) -> None:
        self.call("set_schedule", c_int64(group), name.encode(), schedule)

    def options(self, **options: Any) -> None:
        self.call("set_options", ctypes.byref(Options(**options)))

    def state_dtype(self, dtype: str, slot: str | None = None) -> None:
        name = slot.encode() if slot else None
        self.call("set_state_dtype", c_int64(ALL_GROUPS), name, c_int32(DTYPES[dtype]))

    def add_group(self) -> int:
        group = c_int64()
        self.call("add_group", ctypes.byref(group))
        return group.value

    def add(self, name: str, array: np.ndarray, group: int = 0, **more: Any) -> None:
        self._kept.append(array)
        tensor = Tensor(name=name.encode(), **axes(array), **more)
        self.call("add", c_int64(group), ctypes.byref(tensor), None)
        self.names.append(name)

    def start(self, memory: np.ndarray | None = None) -> None:
        self._kept.append(memory)
        at = None if memory is None else c_void_p(memory.ctypes.data)
        self.call("start", at, c_size_t(0 if memory is None else memory.size))

    def step(self, grads: Sequence[Any], what: str = "step", **more: Any) -> StepResult:
        """Each gradient is an array, None, or a `Gradient`."""
        gradients = (Gradient * len(grads))()
        for i, g in enumerate(grads):
            given = g if isinstance(g, Gradient) else Gradient()
            if isinstance(g, np.ndarray):
                there = axes(g)
                given = Gradient(**{k: there[k] for k in ("data", "count", "dtype", "strides")})
            gradients[i] = given
        result = StepResult()
        step = Step(count=len(grads), gradients=gradients, **more)
        self.call(what, ctypes.byref(step), ctypes.byref(result))
        return result

    def step_plain(self, grads: Sequence[np.ndarray | None]) -> None:
        """The short way: gradients that are laid out as their tensors."""
        data = (c_void_p * len(grads))(*(None if g is None else g.ctypes.data for g in grads))
        self.call("step", ctypes.byref(Step(count=len(grads), data=data)), None)

    def state(self, tensor: int) -> dict[str, np.ndarray]:
        count = c_int64()
        self.call("slot_count", c_int64(tensor), ctypes.byref(count))
        found = {}
        for i in range(count.value):
            array = Array()
            self.call("slot", c_int64(tensor), c_int64(i), ctypes.byref(array))
            found[array.name.decode()] = viewed(array)
        return found

    def evaluated(self, tensor: int, like: np.ndarray) -> np.ndarray:
        out = np.empty_like(like, np.float64 if like.dtype == np.float64 else np.float32)
        self.call("evaluated", c_int64(tensor), c_void_p(out.ctypes.data), c_size_t(out.nbytes))
        return out

    def save(self) -> dict[str, Any]:
        """What is saved, in the layout of Python's state_dict()."""
        c, state = self.library, c_void_p()
        self.call("save", ctypes.byref(state))
        header = StateHeader()
        c.call("state_get_header", state, ctypes.byref(header))
        saved: dict[str, Any] = {
            "format": header.format,
            "rule": header.rule.decode(),
            "step": header.step,
            "param_steps": {},
            "state": {},
            "values": [],
        }
        for g in range(header.groups):
            count, values = c_int64(), {}
            c.call("state_value_count", state, c_int64(g), ctypes.byref(count))
            for i in range(count.value):
                value = StateValue()
                c.call("state_get_value", state, c_int64(g), c_int64(i), ctypes.byref(value))
                if not value.scheduled:
                    values[value.name.decode()] = value.value
            saved["values"].append(values)
        for t in range(header.tensors):
            tensor = StateTensor()
            c.call("state_get_tensor", state, c_int64(t), ctypes.byref(tensor))
            path, arrays = tensor.name.decode(), {}
            for i in range(tensor.arrays):
                array = Array()
                c.call("state_get_array", state, c_int64(t), c_int64(i), ctypes.byref(array))
                arrays[array.name.decode()] = viewed(array).copy()
            saved["param_steps"][path] = tensor.steps
            saved["state"][path] = arrays
        c.call("state_destroy", state)
        return saved

    def load(self, saved: Mapping[str, Any], groups: Mapping[str, int] | None = None) -> None:
        """Takes over what Python's state_dict() gave; hyperparameters stay as they are."""
        c, state = self.library, c_void_p()
        c.call("state_create", ctypes.byref(state))
        try:
            header = StateHeader(
                rule=saved["rule"].encode(), format=saved["format"], step=saved["step"]
            )
            c.call("state_set_header", state, ctypes.byref(header))
            for t, (path, arrays) in enumerate(saved["state"].items()):
                group = (groups or {}).get(path, 0)
                tensor = StateTensor(
                    name=path.encode(), group=group, steps=saved["param_steps"][path]
                )
                c.call("state_add_tensor", state, ctypes.byref(tensor), None)
                for name, array in arrays.items():
                    a = Array(name=name.encode(), **axes(array))
                    c.call("state_add_array", state, c_int64(t), ctypes.byref(a))
            self.call("load", state)
        finally:
            c.call("state_destroy", state)
