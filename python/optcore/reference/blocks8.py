"""State in 8 bits: blocks of 256 elements that share one float32 scale.

A code is a small floating-point number with 3 bits of mantissa: non-negative numbers have 5 bits of
exponent, signed ones 4 and a sign. The codes lie as float32 numbers do, cut off behind these bits,
from c on; c is subtracted again, so that code 0 is 0::

    y(q) = float32 of the bits (bits of c) + q·2²⁰, minus c          c = 2⁻³², signed: 2⁻¹⁶

An element is ±y(q)·scale, where the largest of its block has the largest code. Its error is at
most 1/16 of itself and 2⁻³⁶ (signed: 2⁻²⁰) of the largest.

Non-negative numbers are second moments, the squares of what signed ones are, so they need twice the
range. And none but 0 becomes 0: a second moment that vanished before the first would leave a step
of m/ε.

Blocks are counted in memory order from the first element of a tensor, as for sums.

Source: Dettmers, Lewis, Shleifer & Zettlemoyer, 2022, for the scale per block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .common import Array, laid_out, quiet
from .sums import memory_index

BLOCK = 256
SHIFT = 20
SMALLEST_NORMAL = np.float32(2.0**-126)


class _Code(NamedTuple):
    c: float
    largest: int

    def value(self, q: Array) -> Array:
        c = np.float32(self.c)
        bits = (np.asarray(q, np.uint32) << SHIFT) + c.view(np.uint32)
        return np.asarray(bits.view(np.float32) - c)

    def nearest(self, y: Array) -> Array:
        # Bits grow as numbers do, so adding half a unit of the code rounds to the nearest.
        c = np.float32(self.c)
        bits = np.asarray(y + c).view(np.uint32)
        return np.asarray((bits - c.view(np.uint32) + (1 << (SHIFT - 1))) >> SHIFT)


NON_NEGATIVE, SIGNED = _Code(c=2.0**-32, largest=255), _Code(c=2.0**-16, largest=127)


@quiet
def encode8(x: Array, signed: bool) -> tuple[Array, Array]:
    """Numbers as 8-bit codes and one scale for each block of 256.

    ::

        a = max|x| over the block      scale = a/y(largest code)
        q = the code nearest to |x|·(y(largest code)/a), and signed: the sign of x in bit 7,
            else at least 1 for x other than 0

    A block whose largest number is subnormal becomes zeros, with a scale of 0. A block in which a
    number is infinite or NaN, or so large that the scale is infinite, becomes NaN, by its scale.

    Args:
        x: float32, any shape.
        signed: without it the signs are dropped.

    Returns:
        ``codes``, uint8, of the shape of x and as x in memory, and ``scales``, float32, of shape
        (⌈size/256⌉,).

    >>> encode8(np.float32([0, 1, 2, 4]), signed=False)
    (array([  0, 239, 247, 255], dtype=uint8), array([4.266667], dtype=float32))
    >>> encode8(np.float32([-0.0, 1, -2, 4]), signed=True)
    (array([128, 111, 247, 127], dtype=uint8), array([4.266736], dtype=float32))
    """
    code = SIGNED if signed else NON_NEGATIVE
    bits = np.asarray(x).view(np.uint32)
    block = memory_index(x) // BLOCK

    # The integer maximum, as the bits of a NaN are larger than those of any number.
    a_bits = np.zeros(-(-x.size // BLOCK), np.uint32)
    np.maximum.at(a_bits, block, bits & 0x7FFFFFFF)
    a = a_bits.view(np.float32)
    top = code.value(np.uint32(code.largest))
    scales = np.where(a < SMALLEST_NORMAL, np.float32(0), a / top)
    scales = np.where(np.isfinite(scales), scales, np.float32(np.nan))

    q = code.nearest(np.abs(x) * (top / a)[block])
    q = q | ((bits >> 31) << 7) if signed else np.maximum(q, x != 0)
    q = np.where((scales > 0)[block], q, 0)
    return laid_out(q.astype(np.uint8), x), scales


@quiet
def decode8(codes: Array, scales: Array, signed: bool) -> Array:
    """The numbers that codes and scales stand for: ±y(q)·scale.

    Args:
        codes: uint8, any shape.
        scales: float32, of shape (⌈size/256⌉,).
        signed: whether bit 7 is the sign.

    Returns:
        float32, of the shape of codes and as these in memory.

    >>> decode8(*encode8(np.float32([0, 1, 2, 4]), signed=False), signed=False)
    array([0., 1., 2., 4.], dtype=float32)
    """
    if signed:
        sign = np.asarray(codes & 0x80, np.uint32) << 24
        y = (SIGNED.value(codes & 0x7F).view(np.uint32) | sign).view(np.float32)
    else:
        y = NON_NEGATIVE.value(codes)
    return laid_out(y * scales[memory_index(codes) // BLOCK], codes)
