"""Memory for optimizer state, placed so that a step streams it at full speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _core
from ..typing import Array


@dataclass(frozen=True)
class Slot:
    """A state array to be made: for which parameter, which of how many, its shape and strides."""

    param: Array
    index: int
    count: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def like(param: Array, index: int, count: int) -> Slot:
    """A slot that lies in memory exactly as its parameter does."""
    return Slot(param, index, count, param.shape, param.strides)


def contiguous(param: Array, index: int, count: int, shape: tuple[int, ...]) -> Slot:
    """A C-contiguous slot of a shape of its own."""
    return Slot(param, index, count, shape, np.empty(shape, param.dtype).strides)


def allocate(slots: list[Slot]) -> list[Array]:
    """Zeroed arrays for all slots, in one piece of memory.

    Each is as far from a 64-byte line as its parameter; large ones keep 16 KiB of distance from
    their neighbours, modulo 64 KiB, so that no two streams of a step meet in the same memory bank.
    """
    requests = []
    for slot in slots:
        size = int(np.prod(slot.shape, dtype=np.int64)) * slot.param.itemsize
        requests.append((size, _first_address(slot.param), slot.index, slot.count))
    offsets, total = _core.place_slots(requests)
    memory = np.zeros(total + _core.placement_base, np.uint8)
    start = -memory.ctypes.data % _core.placement_base
    return [
        np.ndarray(
            slot.shape,
            slot.param.dtype,
            memory,
            start + offset + _reach(slot.shape, slot.strides),
            slot.strides,
        )
        for slot, offset in zip(slots, offsets, strict=True)
    ]


def _first_address(array: Array) -> int:
    """The lowest address of an array."""
    return array.ctypes.data - _reach(array.shape, array.strides)


def _reach(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How far element [0, ..., 0] lies above the lowest address: 0 without negative strides."""
    if 0 in shape:
        return 0
    return sum(-(n - 1) * stride for n, stride in zip(shape, strides, strict=True) if stride < 0)
