"""Arithmetic of whole vectors: the bits of NumPy, at every ISA level and number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optcore import _core, reference

pytestmark = pytest.mark.usefixtures("restored_runtime")

SIZES = (0, 1, 5, 15, 16, 17, 4095, 4096, 4097, 12289, 32768, 100_003)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
every_level = pytest.mark.parametrize("isa", _core.available_isas())


def vectors(n: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors of numbers of all sizes, at addresses that are aligned to the element only."""
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(2, n + 1)) * 10.0 ** rng.integers(-9, 9, size=(2, n + 1))
    return x.astype(dtype)[1:], y.astype(dtype)[1:]


@every_level
@both_dtypes
def test_dot_equals_the_reference(isa, dtype):
    _core.use_isa(isa)
    for n in SIZES:
        x, y = vectors(n, dtype)
        wanted = reference.dot(x, y)
        for threads in (1, 2, 3, 7):
            assert _core.dot(x, y, threads).hex() == wanted.hex(), (n, threads)
        assert _core.dot(x, x) == reference.sum_squares(x)


@both_dtypes
def test_dot_is_right(dtype):
    x, y = vectors(10_000, dtype)
    exact = math.fsum(float(a) * float(b) for a, b in zip(x, y, strict=True))
    size = math.fsum(abs(float(a) * float(b)) for a, b in zip(x, y, strict=True))
    assert abs(_core.dot(x, y) - exact) <= 1e-13 * size


def test_dot_of_float32_does_not_overflow():
    x = np.full(3, 1e38, np.float32)
    assert _core.dot(x, x) == pytest.approx(3e76, rel=1e-6)


@pytest.mark.parametrize("values", [[-0.0] * 20, [np.inf, 1.0], [np.inf, -np.inf], [np.nan, 1.0]])
def test_dot_of_odd_numbers(values):
    x = np.array(values)
    y = np.abs(np.sign(x)) + 1
    np.testing.assert_array_equal(_core.dot(x, y), reference.dot(x, y))
    assert np.signbit(_core.dot(x, y)) == np.signbit(reference.dot(x, y)) or np.isnan(x).any()


@every_level
@both_dtypes
def test_axpy_and_scale_equal_numpy(isa, dtype):
    _core.use_isa(isa)
    a = 0.1  # rounded once to float32
    for n in SIZES:
        x, y = vectors(n, dtype)
        for threads in (1, 2, 3):
            got = y.copy()
            _core.axpy(a, x, got, threads)
            np.testing.assert_array_equal(got, y + dtype(a) * x)
            got = x.copy()
            _core.scale(a, got, threads)
            np.testing.assert_array_equal(got, dtype(a) * x)


def test_nothing_outside_is_touched():
    memory = np.full(60, 7.0)
    _core.axpy(2.0, np.ones(41), memory[8:49])
    _core.scale(3.0, memory[8:49])
    assert (memory[8:49] == 27.0).all()
    assert (memory[:8] == 7.0).all()
    assert (memory[49:] == 7.0).all()


def test_bad_vectors():
    x, y = np.ones(4), np.ones(4)
    with pytest.raises(TypeError, match="x: expected a NumPy array, got a list"):
        _core.dot([1.0], y)
    with pytest.raises(TypeError, match="y: expected a float32 or float64 array, got int64"):
        _core.dot(x, np.ones(4, np.int64))
    with pytest.raises(TypeError, match="x: expected a float32 or float64 array, got >f8"):
        _core.scale(2.0, x.astype(">f8"))
    with pytest.raises(ValueError, match="y: expected the size and dtype of x"):
        _core.dot(x, np.ones(5))
    with pytest.raises(ValueError, match="y: expected the size and dtype of x"):
        _core.axpy(1.0, x, np.ones(4, np.float32))
    with pytest.raises(ValueError, match="x: expected a dense array of one axis"):
        _core.dot(np.ones((2, 2)), y)
    with pytest.raises(ValueError, match="x: expected a dense array of one axis"):
        _core.dot(np.ones(8)[::2], y)
    y.setflags(write=False)
    with pytest.raises(ValueError, match="y: expected a writable array"):
        _core.axpy(1.0, x, y)
    long = np.ones(6)
    with pytest.raises(ValueError, match="overlaps x"):
        _core.axpy(1.0, long[:4], long[2:])
    np.testing.assert_array_equal(x, np.ones(4))
    np.testing.assert_array_equal(long, np.ones(6))
