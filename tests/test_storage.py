"""The formats in which numbers are stored: what the reference functions promise on their own.

The kernels equal them bit for bit, so that these properties hold of both.
"""

from __future__ import annotations

import math
from itertools import product

import ml_dtypes
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from optcore import reference
from optcore.reference import sums
from optcore.reference.random_bits import fnv1a, splitmix64

TINY = np.float32(2.0**-126)
"""The smallest normal number."""
HUGE = np.finfo(np.float32).max

both_codes = pytest.mark.parametrize("signed", [False, True], ids=["non-negative", "signed"])


def bits(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float32).view(np.uint32)


def floats(bits: np.ndarray) -> np.ndarray:
    return np.asarray(bits, np.uint32).view(np.float32)


def ulps(x: np.ndarray, y: np.ndarray) -> int:
    """The largest distance between two arrays, counted in float32 numbers of one sign."""
    return int(np.max(np.abs(bits(x).astype(np.int64) - bits(y).astype(np.int64)), initial=0))


def around_every_bfloat16() -> np.ndarray:
    """Every upper half of a float32 with the lower halves at which roundings turn."""
    high = np.arange(2**16, dtype=np.uint32)[:, None] << 16
    return floats(high + np.uint32([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]))


any_bits = arrays(np.uint32, 64, elements=st.integers(0, 2**32 - 1))


# bfloat16.


def test_every_bfloat16_is_a_float32():
    every = np.arange(2**16).astype(np.uint16)
    x = reference.from_bfloat16(every)
    theirs = every.view(ml_dtypes.bfloat16).astype(np.float32)
    nan = np.isnan(x)
    assert np.array_equal(nan, np.isnan(theirs))
    assert np.array_equal(bits(x)[~nan], bits(theirs)[~nan])
    back = reference.to_bfloat16(x)
    assert np.array_equal(back[~nan], every[~nan])
    assert np.array_equal(back[nan], every[nan] & 0x8000 | 0x7FC0)


@given(any_bits)
@example(bits(around_every_bfloat16()))
def test_bfloat16_rounds_to_nearest_even(x):
    x = floats(x)
    with np.errstate(all="ignore"):
        theirs = x.astype(ml_dtypes.bfloat16).view(np.uint16)
    nan = np.isnan(x)
    mine = reference.to_bfloat16(x)
    assert np.array_equal(mine[~nan], theirs[~nan])
    assert np.array_equal(mine[nan], (bits(x)[nan] >> 16) & 0x8000 | 0x7FC0)


# float32 in two halves.


@given(any_bits)
@example(bits(around_every_bfloat16()))
@example(bits(np.float32([HUGE, -HUGE, np.inf, -np.inf, 0.0, -0.0, TINY, 1e-45, -1e-45])))
def test_split_is_undone_exactly(x):
    x = floats(x)
    nan = np.isnan(x)
    high, low = reference.split(x)
    assert (high.dtype, low.dtype) == (np.uint16, np.int16)
    back = reference.joined(high, low)
    assert np.array_equal(bits(back)[~nan], bits(x)[~nan])
    assert np.all(np.isnan(back) == nan)
    assert np.array_equal(np.signbit(back), np.signbit(x))

    tie = low == -0x8000
    assert np.array_equal(high[~tie], reference.to_bfloat16(x)[~tie])
    assert np.array_equal(high[tie], (bits(x)[tie] >> 16) + 1), "ties go away from zero"


# Random bits.


def test_published_values():
    """Of SplitMix64 from the seed 1234567, and of FNV-1a."""
    outputs = [splitmix64(1234567 + n * 0x9E3779B97F4A7C15) for n in range(3)]
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [fnv1a(s) for s in ("", "a")] == [0xCBF29CE484222325, 0xAF63DC4C8601EC8C]
    assert fnv1a("θ") == fnv1a("θ".encode().decode()) != fnv1a("?")


def lowbias32(x: int, k1: int = 0) -> int:
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32
    x = ((x ^ x >> 15) + k1) * 0x846CA68B % 2**32
    return x ^ x >> 16


def test_random16_is_the_formula():
    """Once more in Python's integers, across the places where a half of the counter overflows."""
    key = reference.random_key(7, 3, "layers/0/W")
    for start in (0, 2**32 - 4, 2**33 - 4, 5 * 2**33 - 4, 2**62 - 4):
        index = np.arange(start, start + 8)
        want = []
        for i in index.tolist():
            j = i >> 1
            k = splitmix64(key ^ j >> 32)
            x = lowbias32((j + k) % 2**32, k >> 32)
            want.append(x >> 16 if i % 2 else x & 0xFFFF)
        assert reference.random16(key, index).tolist() == want
    assert reference.random16(key, np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert reference.random16(key, np.array(3)).shape == ()
    assert reference.random16(key, np.arange(0)).shape == (0,)


def test_keys_differ():
    seeds, steps, paths = (0, 1, 2, 2**64 - 1), range(1, 200), ("", "W", "b", "0", "0/W", "W/0")
    keys = {reference.random_key(*case) for case in product(seeds, steps, paths)}
    assert len(keys) == 4 * 199 * 6


N = 2**18


def stream(seed: int = 0, step: int = 1, path: str = "W") -> np.ndarray:
    return reference.random16(reference.random_key(seed, step, path), np.arange(N))


def chi_square(counts: np.ndarray) -> float:
    """How many of its standard deviations χ² is away from its mean, for equal chances."""
    expected = counts.sum() / counts.size
    freedom = counts.size - 1
    return float((np.square(counts - expected).sum() / expected - freedom) / (2 * freedom) ** 0.5)


@pytest.mark.parametrize("case", [(0, 1, "W"), (0, 2, "W"), (0, 1, "b"), (1, 1, "W")], ids=str)
def test_random_bits_are_uniform(case):
    r = stream(*case)
    assert r.dtype == np.uint32
    assert r.max() < 2**16
    for half in (r[::2], r[1::2]):
        for byte in (half & 0xFF, half >> 8):
            assert abs(chi_square(np.bincount(byte, minlength=256))) < 5
        # the upper bytes of neighbours, as one number
        pairs = (half[:-1:2] >> 12 << 4) | half[1::2] >> 12
        assert abs(chi_square(np.bincount(pairs, minlength=256))) < 5
    for bit in range(16):
        assert abs(np.mean(r >> bit & 1) - 0.5) < 5 * 0.5 / N**0.5


def test_random_bits_are_independent():
    """Of those of the neighbours, of other steps, of other paths and of other seeds."""
    r = stream()
    pairs = [(r[:-lag], r[lag:]) for lag in (1, 2, 3, 16, 256, 4096)]
    pairs += [(r, stream(step=t)) for t in (2, 3, 17)]
    pairs += [(r, stream(path=path)) for path in ("", "w", "b", "W/0")]
    pairs += [(r, stream(seed=seed)) for seed in (1, 2, 2**63)]
    for k, (a, b) in enumerate(pairs):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / N**0.5, k
        assert abs(np.mean(np.bitwise_count(a ^ b)) - 8) < 5 * 2 / N**0.5, k


STEPS = 4096


def over_steps(elements: int) -> np.ndarray:
    """One row for each of many steps."""
    keys = [reference.random_key(0, t, "W") for t in range(1, STEPS + 1)]
    return np.stack([reference.random16(key, np.arange(elements)) for key in keys])


def test_random_bits_of_one_element_over_the_steps():
    r = over_steps(8)
    assert np.all(np.abs(r.mean(axis=0) / 2**16 - 0.5) < 5 / (12 * STEPS) ** 0.5)
    for a, b in [(r[:-1], r[1:]), (r[:, :-1], r[:, 1:])]:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / a.size**0.5


# Stochastic rounding.

BETWEEN = np.float32([1.001, -1.001, 0.1, -3.3e37, 1.9999999])
BETWEEN = np.append(BETWEEN, np.float32([3e-39, -3e-39, 1e-45, -7.77e-41, 1.17549421e-38]))


def test_stochastic_rounding_has_the_mean_exactly():
    """Over all 2¹⁶ draws, each once, in float64, which holds these sums exactly."""
    draws = np.arange(2**16, dtype=np.uint32)
    for x in BETWEEN:
        low = int(bits(x)) >> 16
        drawn = reference.stochastic_bfloat16(np.full(2**16, x), draws)
        assert np.all((drawn == low) | (drawn == low + 1))
        assert np.mean(reference.from_bfloat16(drawn).astype(np.float64)) == x


def test_stochastic_rounding_is_unbiased_over_steps():
    x = np.broadcast_to(BETWEEN, (STEPS, BETWEEN.size))
    drawn = reference.from_bfloat16(reference.stochastic_bfloat16(x, over_steps(BETWEEN.size)))
    error = drawn.astype(np.float64).mean(axis=0) - BETWEEN
    low, high = (reference.from_bfloat16((bits(BETWEEN) >> 16) + up) for up in (0, 1))
    gap = np.abs(high.astype(np.float64) - low)
    assert np.all(np.abs(error) <= 5 * 0.5 * gap / STEPS**0.5)


@given(any_bits, st.integers(0, 2**16 - 1))
@example(bits(around_every_bfloat16()), 0)
@example(bits(around_every_bfloat16()), 2**16 - 1)
def test_stochastic_rounding_takes_one_of_two(x, r):
    x = floats(x)
    nan, low = np.isnan(x), bits(x) >> 16
    drawn = reference.stochastic_bfloat16(x, np.full(x.shape, r, np.uint32))
    assert np.array_equal(drawn[nan], low[nan] & 0x8000 | 0x7FC0)
    exact = bits(x) & 0xFFFF == 0
    assert np.array_equal(drawn[exact & ~nan], low[exact & ~nan])
    assert np.all(nan | (drawn == low) | (drawn == low + 1))


# Blocks of 8-bit codes.


def many_sizes(rng: np.random.Generator, blocks: int, signed: bool) -> np.ndarray:
    """Blocks with largest numbers of all sizes, and in each block numbers of all sizes below."""
    largest = floats(rng.integers(int(bits(TINY)), int(bits(np.float32(3.1e38))), (blocks, 1)))
    x = largest * np.ldexp(rng.random((blocks, 256), np.float32), -rng.integers(0, 24, (1, 256)))
    x[:, rng.integers(256)] = largest[:, 0]
    return (x * rng.choice([-1, 1], x.shape) if signed else x).astype(np.float32)


def largest_of(x: np.ndarray) -> np.ndarray:
    return np.max(np.abs(x), axis=1, keepdims=True).astype(np.float64)


@both_codes
def test_codes_are_numbers_in_order(signed):
    every = np.arange(256).astype(np.uint8)
    y = reference.decode8(every, np.ones(1, np.float32), signed)
    half = y[: 128 if signed else 256]
    assert half[0] == 0
    assert np.all(np.diff(half) > 0)
    assert half[-1] < 1
    if signed:
        assert np.array_equal(bits(y[128:]), bits(y[:128]) | 0x80000000)
    smallest = 1.07 * TINY if signed else 2.0**-113  # below, the first codes are subnormal
    for scale in np.float32([smallest, 1e-20, 0.3, 1, 7.7, 1e30, HUGE]):
        x = reference.decode8(every, np.array([scale]), signed)
        assert np.array_equal(reference.encode8(x, signed)[0], every), scale


@both_codes
def test_error_of_a_code(signed):
    x = many_sizes(np.random.default_rng(0), 500, signed)
    codes, scales = reference.encode8(x, signed)
    assert (codes.dtype, codes.shape) == (np.uint8, x.shape)
    assert (scales.dtype, scales.shape) == (np.float32, (500,))
    back = reference.decode8(codes, scales, signed)
    bound = (np.abs(x.astype(np.float64)) + largest_of(x) * 2.0 ** (-16 if signed else -31)) / 16
    # beside the roundings of float32 themselves, and that of subnormal numbers
    assert np.all(np.abs(back.astype(np.float64) - x) <= bound * (1 + 2**-14) + 2.0**-149)
    assert np.all((np.signbit(back) == np.signbit(x)) | (not signed))
    if not signed:  # but for what is subnormal
        assert np.all(((back > 0) == (x > 0)) | (largest_of(x) < 2.0**-113)), "only 0 becomes 0"


@both_codes
@given(arrays(np.uint32, 40, elements=st.integers(int(bits(TINY)), int(bits(np.float32(3.19e38))))))
@example(bits(np.float32([TINY, 1, 1.9374999, 1.875, 3.19e38, 2.0**127])))
@settings(deadline=None)
def test_the_largest_of_a_block_is_kept(signed, a):
    a = floats(a)
    x = np.zeros((a.size, 256), np.float32)
    x[:, 17] = a
    codes, scales = reference.encode8(x, signed)
    assert np.all(codes[:, 17] == (127 if signed else 255))
    back = reference.decode8(codes, scales, signed)
    assert ulps(back[:, 17], a) <= 2
    assert not np.any(np.delete(back, 17, axis=1)), "zero is exact"
    again, scales_again = reference.encode8(back, signed)
    assert np.array_equal(again, codes)
    assert ulps(scales_again, scales) <= 1


@both_codes
def test_encoding_twice_changes_nothing(signed):
    x = many_sizes(np.random.default_rng(1), 500, signed)
    codes, scales = reference.encode8(x, signed)
    again, scales_again = reference.encode8(reference.decode8(codes, scales, signed), signed)
    assert np.array_equal(again, codes)
    assert ulps(scales_again, scales) <= 1


@both_codes
@given(arrays(np.float32, 256, elements=st.floats(0, 2.0**127, width=32)))
@settings(deadline=None)
def test_codes_grow_with_their_numbers(signed, x):
    codes, scales = reference.encode8(np.sort(x), signed)
    assert np.all(np.diff(codes.astype(int)) >= 0)
    assert np.all(np.diff(reference.decode8(codes, scales, signed)) >= 0)


@both_codes
def test_special_blocks(signed):
    """Each of them between two blocks of ones, which it does not touch."""
    top = 1.875 / 2 - (2.0**-16 if signed else 0)
    too_large = np.float32(float(HUGE) * top * (1 + 2**-20))
    for value in (np.nan, -np.nan, np.inf, -np.inf, HUGE, too_large):
        x = np.ones(3 * 256, np.float32)
        x[300] = value
        codes, scales = reference.encode8(x, signed)
        assert np.isnan(scales).tolist() == [False, True, False], value
        assert not np.any(codes[256:512])
        back = reference.decode8(codes, scales, signed).reshape(3, 256)
        assert np.all(np.isnan(back) == [[False], [True], [False]])
        assert ulps(back[::2], np.ones((2, 256))) <= 2
    for value in (0.0, -0.0, np.nextafter(TINY, np.float32(0)), np.float32(1e-45)):
        x = np.ones(3 * 256, np.float32)
        x[256:512] = value
        codes, scales = reference.encode8(x, signed)
        assert scales[1] == 0
        assert not np.any(codes[256:512])
        assert not np.any(bits(reference.decode8(codes, scales, signed)[256:512]))


@both_codes
def test_signs_of_zero(signed):
    x = np.float32([0.0, -0.0, 1.0, 1e-30, -1e-30])
    back = reference.decode8(*reference.encode8(x, signed), signed)
    assert np.signbit(back).tolist() == [False, signed, False, False, signed]


@both_codes
@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 600])
def test_the_last_block_may_be_short(n, signed):
    x = np.random.default_rng(n).normal(size=n).astype(np.float32)
    codes, scales = reference.encode8(x, signed)
    assert (codes.shape, scales.shape) == ((n,), (-(-n // 256),))
    padded = np.concatenate([x, np.zeros(-n % 256, np.float32)])
    wanted, wanted_scales = reference.encode8(padded, signed)
    assert np.array_equal(codes, wanted[:n])
    assert np.array_equal(scales, wanted_scales)
    assert reference.decode8(codes, scales, signed).shape == (n,)


def layouts(x: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in other places of memory."""
    wide = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    wide[tuple(slice(None, None, 2) for _ in x.shape)] = x
    flipped = (slice(None, None, -1),) * x.ndim
    return {
        "C": np.ascontiguousarray(x),
        "F": np.asfortranarray(x),
        "backwards": np.ascontiguousarray(x[flipped])[flipped],
        "apart": wide[tuple(slice(None, None, 2) for _ in x.shape)],
        "transposed": np.ascontiguousarray(x.swapaxes(0, -1)).swapaxes(0, -1),
    }


@both_codes
def test_blocks_are_counted_in_memory_order(signed):
    for name, x in layouts(many_sizes(np.random.default_rng(2), 12, signed)).items():
        row = sums.in_memory_order(x)
        wanted, wanted_scales = reference.encode8(row, signed)
        codes, scales = reference.encode8(x, signed)
        assert np.array_equal(sums.in_memory_order(codes, like=x), wanted), name
        assert np.array_equal(scales, wanted_scales), name
        assert np.array_equal(np.sign(codes.strides), np.sign(x.strides)), name
        back = reference.decode8(codes, scales, signed)
        flat = reference.decode8(wanted, wanted_scales, signed)
        assert np.array_equal(sums.in_memory_order(back, like=x), flat), name
    alone = np.array(3.0, np.float32)
    codes, scales = reference.encode8(alone, signed)
    assert codes.shape == ()
    assert ulps(reference.decode8(codes, scales, signed), alone) <= 2


@given(array_shapes(min_dims=1, max_dims=4, max_side=5))
def test_memory_index(shape):
    for x in layouts(np.arange(math.prod(shape)).reshape(shape)).values():
        index = reference.memory_index(x)
        assert index.shape == x.shape
        assert np.array_equal(sums.in_memory_order(x)[index], x)


# What is kept beside the weights.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_average(dtype):
    rng = np.random.default_rng(3)
    e, p = rng.normal(size=(2, 100)).astype(dtype)
    assert np.array_equal(reference.average(e, p, 1.0), e)
    assert np.array_equal(reference.average(e, p, 0.0), p)
    start = e
    for _ in range(50):
        e = reference.average(e, p, 0.9)
    assert e.dtype == dtype
    assert e == pytest.approx(p + 0.9**50 * (start - p), rel=1e-5 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0,), (1,), (17,), (4097,), (70, 90)])
def test_update_sums(shape, dtype):
    rng = np.random.default_rng(4)
    before = rng.normal(size=shape).astype(dtype)
    after = before + np.ldexp(rng.normal(size=shape), -5).astype(dtype)
    d = (after - before).astype(np.float64).ravel()
    update, weights, largest = reference.update_sums(before, after)
    assert update == pytest.approx(math.fsum(d * d), rel=1e-14)
    assert weights == reference.sum_squares(before)
    assert largest == np.max(np.abs(d), initial=0)
    assert update == reference.sum_squares(after - before)
    for x in layouts(before).values():
        row, moved = sums.in_memory_order(x), sums.in_memory_order(after, like=x)
        assert reference.update_sums(x, after) == reference.update_sums(row, moved)


def test_update_sums_of_what_is_not_finite():
    before = np.float32([1, 2, 3])
    assert reference.update_sums(before, np.float32([1, np.inf, 3])) == (np.inf, 14, np.inf)
    update, weights, largest = reference.update_sums(before, np.float32([np.nan, np.inf, 3]))
    assert math.isnan(update)
    assert weights == 14
    assert math.isnan(largest)
