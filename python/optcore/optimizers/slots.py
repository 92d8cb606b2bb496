"""Memory for optimizer state, placed so that a step streams it at full speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..typing import Array


@dataclass(frozen=True)
class Slot:
    """A state array to be made: for which parameter, its dtype, shape and strides."""

    param: Array
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def like(param: Array, dtype: npt.DTypeLike) -> Slot:
    """A slot whose elements lie in memory in the order of its parameter's."""
    item = np.dtype(dtype).itemsize
    strides = tuple(stride // param.itemsize * item for stride in param.strides)
    return Slot(param, np.dtype(dtype), param.shape, strides)


def contiguous(param: Array, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Slot:
    """A C-contiguous slot of a shape of its own."""
    return Slot(param, np.dtype(dtype), shape, np.empty(shape, dtype).strides)


def allocate(slots: list[dict[str, Slot]]) -> list[dict[str, Array]]:
    """Zeroed arrays for the slots of all parameters, in one piece of memory.

    Each is as far from a 64-byte line as its parameter; large ones keep their distance from each
    other modulo 64 KiB, so that no two streams of a step meet in the same memory bank.
    """
    flat = [(slot, k, len(each)) for each in slots for k, slot in enumerate(each.values())]
    requests = []
    for slot, k, count in flat:
        size = int(np.prod(slot.shape, dtype=np.int64)) * slot.dtype.itemsize
        address = slot.param.ctypes.data - _reach(slot.param.shape, slot.param.strides)
        requests.append((size, address - address % slot.dtype.itemsize, k, count))
    offsets, total = _core.place_slots(requests)
    memory = np.zeros(total + _core.placement_base, np.uint8)
    start = -memory.ctypes.data % _core.placement_base
    arrays = (
        np.ndarray(
            slot.shape,
            slot.dtype,
            memory,
            start + offset + _reach(slot.shape, slot.strides),
            slot.strides,
        )
        for (slot, _, _), offset in zip(flat, offsets, strict=True)
    )
    return [{name: next(arrays) for name in each} for each in slots]


def _reach(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How far element [0, ..., 0] lies above the lowest address: 0 without negative strides."""
    if 0 in shape:
        return 0
    return sum(-(n - 1) * stride for n, stride in zip(shape, strides, strict=True) if stride < 0)
