"""What any language with a foreign function interface does, here Python's ctypes alone.

python host.py path/to/liboptcore.so
"""

from __future__ import annotations

import ctypes
import sys
from array import array


class Tensor(ctypes.Structure):
    """optcore_tensor. All fields that are not set are zero, which is their default."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("dtype", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("steps", ctypes.c_uint64),
        ("copy", ctypes.c_void_p),
        ("copy_dtype", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
    )


class Step(ctypes.Structure):
    """optcore_step."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("count", ctypes.c_int64),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("gradients", ctypes.c_void_p),
        ("params", ctypes.c_void_p),
        ("grad_scale", ctypes.c_double),
    )


def main(path: str) -> int:
    """Minimizes Σ(x - target)² with Lion."""
    library = ctypes.CDLL(path)
    library.optcore_last_error.restype = ctypes.c_char_p

    def call(name: str, *arguments: object) -> None:
        if getattr(library, f"optcore_{name}")(*arguments) != 0:
            raise RuntimeError(f"{name}: {library.optcore_last_error().decode()}")

    x, target = array("d", [0.0] * 4), [1.0, -2.0, 3.0, -4.0]
    gradient = array("d", x)
    optimizer = ctypes.c_void_p()
    call("optimizer_create", b"lion", ctypes.byref(optimizer))
    call("optimizer_set", optimizer, ctypes.c_int64(-1), b"lr", ctypes.c_double(0.05))
    tensor = Tensor(
        struct_size=ctypes.sizeof(Tensor), name=b"x", data=x.buffer_info()[0], count=4, dtype=1
    )
    call("optimizer_add", optimizer, ctypes.c_int64(0), ctypes.byref(tensor), None)
    data = (ctypes.c_void_p * 1)(gradient.buffer_info()[0])
    step = Step(struct_size=ctypes.sizeof(Step), count=1, data=data)
    for _ in range(200):
        for i in range(4):
            gradient[i] = 2 * (x[i] - target[i])
        call("optimizer_step", optimizer, ctypes.byref(step), None)
    call("optimizer_destroy", optimizer)
    print("x =", [round(value, 2) for value in x])
    return 0 if all(abs(a - b) < 0.2 for a, b in zip(x, target, strict=True)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
