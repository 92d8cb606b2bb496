"""Parameters in 16 bits: bfloat16, and float32 split into a bfloat16 and its rest.

float16 needs nothing of its own, as NumPy has it: ``x.astype(np.float16)``.
"""

from __future__ import annotations

import numpy as np

from .common import Array, quiet

SIGN = 0x80000000
NAN = 0x7FC00000


def _bits(x: Array) -> Array:
    """The bits of float32 numbers, every NaN as the quiet one of its sign."""
    bits = np.asarray(x).view(np.uint32)
    return np.where(np.isnan(x), (bits & SIGN) | NAN, bits)


@quiet
def to_bfloat16(x: Array) -> Array:
    """The nearest bfloat16, ties to even: the upper half of float32, rounded.

    Args:
        x: float32, any shape.

    Returns:
        The bits, uint16, of the shape of x. NaN keeps its sign and nothing else.

    >>> [hex(b) for b in to_bfloat16(np.float32([1, -2, 1 + 2**-8, 1 + 3 * 2**-8, np.inf]))]
    ['0x3f80', '0xc000', '0x3f80', '0x3f82', '0x7f80']
    """
    bits = _bits(x)
    odd = (bits >> 16) & 1
    return np.asarray((bits + 0x7FFF + odd) >> 16, np.uint16)


def from_bfloat16(bits: Array) -> Array:
    """The float32 of the same value, which always exists.

    Args:
        bits: uint16, any shape.

    Returns:
        float32 of that shape.

    >>> from_bfloat16(np.uint16([0x3f80, 0xc000, 0x7f80]))
    array([ 1., -2., inf], dtype=float32)
    """
    return np.asarray(np.asarray(bits, np.uint32) << 16).view(np.float32)


@quiet
def stochastic_bfloat16(x: Array, random16: Array) -> Array:
    """One of the two bfloat16 numbers around x, such that the mean of many is x.

    ::

        ⌊(bits of x + r)/2¹⁶⌋      with r uniform in 0, 1, …, 2¹⁶-1

    A number that bfloat16 has is kept. Beyond its largest finite number the upper one is infinity.

    Source: Gupta, Agrawal, Gopalakrishnan & Narayanan, 2015.

    Args:
        x: float32, any shape.
        random16: r, uint32 below 2¹⁶, of the shape of x; see `random16`.

    Returns:
        The bits, uint16, of the shape of x. NaN keeps its sign and nothing else.

    >>> x = np.float32([1 + 2**-9] * 4)  # a quarter of the way from 0x3f80 to 0x3f81
    >>> [hex(b) for b in stochastic_bfloat16(x, np.uint32([0, 0x4000, 0xbfff, 0xc000]))]
    ['0x3f80', '0x3f80', '0x3f80', '0x3f81']
    """
    return np.asarray((_bits(x) + random16) >> 16, np.uint16)


@quiet
def split(x: Array) -> tuple[Array, Array]:
    """float32 as a bfloat16, to compute the gradient with, and what is missing from it.

    ::

        high = ⌊(bits of x + 2¹⁵)/2¹⁶⌋      low = bits of x - 2¹⁶·high

    `high` is the bfloat16 nearest to x, ties away from zero; `low` is the signed distance to x in
    units of the last place of x.

    Args:
        x: float32, any shape.

    Returns:
        ``high``, the bits of a bfloat16, uint16, and ``low``, int16; both of the shape of x.

    >>> high, low = split(np.float32([1, 1 + 2**-23, 2 - 2**-23]))
    >>> from_bfloat16(high), low
    (array([1., 1., 2.], dtype=float32), array([ 0,  1, -1], dtype=int16))
    """
    bits = _bits(x)
    high = np.asarray((bits + 0x8000) >> 16, np.uint16)
    return high, np.asarray(bits & 0xFFFF, np.uint16).view(np.int16)


@quiet
def joined(high: Array, low: Array) -> Array:
    """The float32 that `split` took apart, exactly; of NaN the sign.

    Args:
        high: the bits of a bfloat16, uint16, any shape.
        low: int16, of the shape of high.

    Returns:
        float32 of that shape.

    >>> joined(*split(np.float32([1, 0.1, -3e38])))
    array([ 1.e+00,  1.e-01, -3.e+38], dtype=float32)
    """
    distance = np.asarray(low, np.int32).view(np.uint32)  # added modulo 2³², which wraps below 0
    return np.asarray((np.asarray(high, np.uint32) << 16) + distance).view(np.float32)
