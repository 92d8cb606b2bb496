"""Random bits for stochastic rounding that depend on where they are used and on nothing else.

A counter takes the place of a generator's state: element i of the parameter with that path, in
step t, gets a hash of (seed, t, path, i). So the bits are the same whatever the order in which
elements are visited, and a run that is resumed goes on with the same ones.
"""

from __future__ import annotations

import numpy as np

from .common import Array, quiet

MASK64 = 2**64 - 1


def splitmix64(x: int) -> int:
    """A bijection of 64 bits that leaves no pattern: one output of the generator SplitMix64.

    Source: Steele, Lea & Flood, 2014; the shifts and factors are Stafford's mix 13, as in Vigna's
    splitmix64.c.

    >>> hex(splitmix64(0))
    '0xe220a8397b1dcdaf'
    """
    z = (x + 0x9E3779B97F4A7C15) & MASK64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
    return z ^ (z >> 31)


def fnv1a(text: str) -> int:
    """The 64-bit FNV-1a hash of the UTF-8 bytes of a text.

    Source: Fowler, Noll & Vo, 1991.

    >>> hex(fnv1a("foobar"))
    '0x85944171f73967e8'
    """
    state = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        state = (state ^ byte) * 0x100000001B3 & MASK64
    return state


def random_key(seed: int, step: int, path: str) -> int:
    """What the random bits of one parameter in one step start from.

    Args:
        seed: of the run, from 0 to 2⁶⁴-1.
        step: the number of the step, from 1.
        path: of the parameter in its tree, such as ``layers/0/W``.

    Returns:
        64 bits as a Python int.

    >>> random_key(0, 1, "W") == random_key(0, 1, "W") != random_key(0, 2, "W")
    True
    """
    return splitmix64(splitmix64(splitmix64(seed) ^ step) ^ fnv1a(path))


@quiet
def random16(key: int, index: Array) -> Array:
    """16 random bits for each element.

    ::

        j = ⌊i/2⌋      (k0, k1) = the lower and the upper half of splitmix64(key ^ ⌊j/2³²⌋)
        x = (j mod 2³²) + k0                      mod 2³², as all of this
        x ← (x ^ ⌊x/2¹⁶⌋)·0x7feb352d
        x ← ((x ^ ⌊x/2¹⁵⌋) + k1)·0x846ca68b
        x ← x ^ ⌊x/2¹⁶⌋

    of which an even i gets the lower half and an odd i the upper. Two elements share a hash, and
    the hash has 32 bits, as wide as the numbers that are rounded beside it.

    Source: the hash lowbias32 of Wellons, 2018, with k1 added between its two rounds.

    Args:
        key: of the parameter and step; see `random_key`.
        index: i, non-negative integers, any shape: the places of the elements in memory order,
            such as `memory_index` counts them.

    Returns:
        uint32 below 2¹⁶, of the shape of index.

    >>> random16(random_key(0, 1, "W"), np.arange(6))
    array([10493,  6955, 11692, 37535, 59792, 26202], dtype=uint32)
    """
    index = np.asarray(index, np.uint64)
    j = index >> np.uint64(1)
    upper, which = np.unique(j >> np.uint64(32), return_inverse=True)
    keys = np.array([splitmix64(key ^ int(u)) for u in upper], np.uint64)
    k = keys[which.reshape(index.shape)]
    k0, k1 = _low32(k), _low32(k >> np.uint64(32))
    x = _low32(j) + k0
    x = (x ^ (x >> 16)) * 0x7FEB352D
    x = ((x ^ (x >> 15)) + k1) * 0x846CA68B
    x = x ^ (x >> 16)
    return np.asarray(np.where(index & np.uint64(1), x >> 16, x & 0xFFFF), np.uint32)


def _low32(x: Array) -> Array:
    return np.asarray(x & np.uint64(0xFFFFFFFF), np.uint32)
