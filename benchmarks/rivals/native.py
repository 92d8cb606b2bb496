"""optcore through the C interface: what a program without Python pays for the same step."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_double, c_int32, c_int64, c_void_p
from pathlib import Path
from typing import Any

from arrays import Model
from workload import BETAS, DECAY, EPS, LR, Workload

import optcore as oc
import rivals

_ALL_GROUPS = c_int64(-1)


# The first fields of the structs of optcore.h: as short as the oldest program may pass them.
def _struct(name: str, fields: list[tuple[str, Any]]) -> Any:
    return type(
        name, (ctypes.Structure,), {"_fields_": [("struct_size", ctypes.c_size_t), *fields]}
    )


_Options = _struct(
    "Options",
    [("clip_norm", c_double), ("clip_value", c_double)]
    + [(name, c_int32) for name in ("nonfinite", "zero_grads", "threads", "low_precision")],
)
_Tensor = _struct(
    "Tensor", [("name", c_void_p), ("data", c_void_p), ("count", c_int64), ("dtype", c_int32)]
)
_Step = _struct("Step", [("count", c_int64), ("data", ctypes.POINTER(c_void_p))])


def library() -> Path:
    """The shared library that the package carries along."""
    try:
        prefix = Path(oc.get_include()).parent
    except FileNotFoundError as error:
        raise rivals.AbsentError(str(error)) from None
    for name in ("lib/liboptcore.so", "lib/liboptcore.dylib", "bin/optcore.dll"):
        if (prefix / name).exists():
            return prefix / name
    raise rivals.AbsentError(f"no shared library in {prefix}")


class Native:
    """optcore_optimizer_step() on the same arrays, called by ctypes, which costs half a microsecond
    that C would not pay."""

    def __init__(self, workload: Workload):
        c = ctypes.CDLL(str(library()))
        c.optcore_last_error.restype = ctypes.c_char_p

        def call(name: str, *arguments: Any) -> None:
            if getattr(c, f"optcore_optimizer_{name}")(*arguments) != 0:
                raise RuntimeError(c.optcore_last_error().decode())

        model = Model(workload)
        self.result, self._grads = model.params, model.grads
        handle = c_void_p()
        call("create", b"adamw", byref(handle))
        values = {"lr": LR, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS, "weight_decay": DECAY}
        for name, value in values.items():
            call("set", handle, _ALL_GROUPS, name.encode(), c_double(value))
        options = self._sized(_Options, clip_norm=workload.clip or 0.0, threads=workload.threads)
        call("set_options", handle, byref(options))
        for array in self.result:
            tensor = self._sized(_Tensor, data=array.ctypes.data, count=array.size)
            call("add", handle, c_int64(0), byref(tensor), None)
        data = (c_void_p * len(self._grads))(*(g.ctypes.data for g in self._grads))
        self._step = self._sized(_Step, count=len(self._grads), data=data)
        self._c, self._given = c, (handle, byref(self._step), None)

    def step(self) -> None:
        if self._c.optcore_optimizer_step(*self._given) != 0:
            raise RuntimeError(self._c.optcore_last_error().decode())

    def __del__(self) -> None:
        if hasattr(self, "_c"):
            self._c.optcore_optimizer_destroy(self._given[0])

    @staticmethod
    def _sized(kind: Any, **values: Any) -> Any:
        return kind(struct_size=ctypes.sizeof(kind), **values)
