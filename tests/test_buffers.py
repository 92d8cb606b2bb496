"""Every kind of buffer in every role: either the right bytes are updated where they lie, or there
is a Python error and no byte of any argument has changed."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import optcore as oc
from optcore import ops, reference

FLOATS = (np.float32, np.float64)
HALVES = (np.float16, ml_dtypes.bfloat16)
OTHERS = (
    np.longdouble,
    np.int8,
    np.int32,
    np.int64,
    np.uint16,
    np.complex64,
    np.complex128,
    np.bool_,
    object,
)
DTYPES = FLOATS + HALVES + OTHERS
BETAS, LR = (0.5, 0.75), 0.125


class Tagged(np.ndarray):
    """A subclass of ndarray."""


def strided(x: np.ndarray) -> np.ndarray:
    whole = np.zeros([2 * n for n in x.shape], x.dtype)
    view = whole[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def misaligned(x: np.ndarray) -> np.ndarray:
    view = np.zeros(x.nbytes + 16, np.uint8)[1 : x.nbytes + 1].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def mapped(x: np.ndarray) -> np.ndarray:
    with tempfile.TemporaryFile() as file:
        view = np.memmap(file, x.dtype, "w+", shape=x.shape)
    view[...] = x
    return view


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.setflags(write=False)
    return x


def overlapping_itself(x: np.ndarray) -> np.ndarray:
    whole = np.resize(x, x.shape[0] + x.shape[1])
    return np.lib.stride_tricks.as_strided(whole, x.shape, (x.itemsize, x.itemsize))


def standing_still(x: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.as_strided(x.copy(), x.shape, (0,) * x.ndim)


# By name: the shape, how an array of this layout is made from another with the same values (or of
# values of its own), and whether an array that lies so can be a parameter or state.
Layout = tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray], bool]
LAYOUTS: dict[str, Layout] = {
    "C": ((3, 4), np.copy, True),
    "F": ((3, 4), np.asfortranarray, True),
    "permuted": ((2, 3, 4), lambda x: x.transpose(1, 2, 0).copy().transpose(2, 0, 1), True),
    "backwards": ((3, 4), lambda x: x[::-1, ::-1].copy()[::-1, ::-1], True),
    "one axis backwards": ((3, 4), lambda x: x[:, ::-1].copy()[:, ::-1], True),
    "axes of length 1": ((1, 4, 1), lambda x: np.copy(x[::-1].T).T, True),
    "0-d": ((), np.copy, True),
    "empty": ((0, 4), np.copy, True),
    "empty, strided": ((0, 4), lambda x: np.zeros((0, 8), x.dtype)[:, ::2], True),
    "one element": ((1,), lambda x: np.repeat(x, 5)[2:3], True),
    "large": ((70, 1000), np.copy, True),
    "subclass": ((3, 4), lambda x: x.copy().view(Tagged), True),
    "memmap": ((3, 4), mapped, True),
    "strided": ((3, 4), strided, False),
    "strided backwards": ((3, 4), lambda x: strided(x)[:, ::-1], False),
    "stride 0": ((3, 4), standing_still, False),
    "one stride 0": ((3, 4), lambda x: np.broadcast_to(x[:, :1].copy(), x.shape), False),
    "overlapping itself": ((3, 4), overlapping_itself, False),
    "read-only": ((3, 4), read_only, False),
    "misaligned": ((3, 4), misaligned, False),
    "byte-swapped": ((3, 4), lambda x: x.astype(x.dtype.newbyteorder("S")), False),
    "masked": ((3, 4), lambda x: np.ma.array(x, mask=np.real(x).astype(float) > 5), False),
}  # fmt: skip
# What a gradient may not be: it is only read, so most layouts will do.
NO_GRADIENT = {"byte-swapped", "masked"}

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values")


def filled(shape: tuple[int, ...], dtype: Any, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(1, 9, size=shape)
    return np.asarray(values).astype(dtype)


def whole_memory(x: np.ndarray) -> bytes:
    """All of the memory that an array is a view of."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return np.asarray(x).tobytes()


def adam(p: Any, g: Any, m: Any, v: Any) -> None:
    ops.adam_(p, g, m, v, step=3, lr=LR, betas=BETAS)


def same_bits(got: np.ndarray, want: np.ndarray) -> bool:
    return np.asarray(got).tobytes() == np.asarray(want).tobytes() and got.dtype == want.dtype


def allowed(role: str) -> tuple[Any, ...]:
    """What a written buffer may be: parameters of 16 bits have state of 32 or, in bfloat16, 16."""
    return FLOATS + (HALVES if role == "p" else HALVES[1:])


def check_step(role: str, layout: str, dtype: Any) -> bool:
    """One step of Adam with one argument of this layout and type; whether it was taken."""
    shape, lay, dense = LAYOUTS[layout]
    kind = dtype if dtype in FLOATS else np.float32
    made = {"g": filled(shape, kind, 1), "p": filled(shape, kind, 2)}
    made |= {"m": filled(shape, kind, 3), "v": filled(shape, kind, 4)}
    if layout == "byte-swapped" and np.dtype(dtype).itemsize == 1:
        pytest.skip("a byte has no order")
    if layout == "misaligned" and np.dtype(dtype).itemsize == 1:
        pytest.skip("a byte is always aligned")
    if layout in ("misaligned", "strided", "memmap") and dtype is object:
        pytest.skip("no such array")
    odd = filled(shape, dtype, 5)
    if role == "g":
        made["g"] = lay(odd)
    else:
        # The layout of a parameter is that of its state.
        made[role] = lay(odd)
        if dense and dtype in allowed(role):
            for name in {"p", "m", "v"} - {role}:
                made[name] = lay(made[name])
        elif layout == "F":
            made = {k: v if k == role else np.asfortranarray(v) for k, v in made.items()}
    before = {name: np.array(x, copy=True, subok=False) for name, x in made.items()}
    bytes_before = {name: whole_memory(x) for name, x in made.items()}
    places = {name: (x.ctypes.data, x.strides) for name, x in made.items()}
    try:
        adam(made["p"], made["g"], made["m"], made["v"])
    except (TypeError, ValueError):
        assert {name: whole_memory(x) for name, x in made.items()} == bytes_before
        return False
    wide = {k: x.astype(np.float32) if x.dtype in HALVES else x for k, x in before.items()}
    want, state = reference.adam(
        wide["p"],
        before["g"],
        {"exp_avg": wide["m"], "exp_avg_sq": wide["v"]},
        step=3,
        lr=LR,
        betas=BETAS,
    )
    for name, x in (("p", want), ("m", state["exp_avg"]), ("v", state["exp_avg_sq"])):
        assert same_bits(made[name], x.astype(before[name].dtype))
    assert whole_memory(made["g"]) == bytes_before["g"]
    assert {name: (x.ctypes.data, x.strides) for name, x in made.items()} == places
    return True


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("role", ["p", "m", "v"])
def test_written_buffers(role, layout, dtype):
    assert check_step(role, layout, dtype) == (LAYOUTS[layout][2] and dtype in allowed(role))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients(layout, dtype):
    fits = dtype in (*FLOATS, *HALVES, np.longdouble)
    assert check_step("g", layout, dtype) == (fits and layout not in NO_GRADIENT)


PAIRS = [
    (layout, grad)
    for layout, row in LAYOUTS.items()
    for grad, other in LAYOUTS.items()
    if row[2] and grad not in NO_GRADIENT and row[0] == other[0]
]


@pytest.mark.parametrize(("layout", "grad"), PAIRS)
def test_gradients_of_one_layout_for_parameters_of_another(layout, grad):
    """The element of an index goes to the parameter of that index, whatever lies where."""
    shape, lay, _ = LAYOUTS[layout]
    for kind in FLOATS:
        g = LAYOUTS[grad][1](filled(shape, np.float64, 1))
        p = filled(shape, kind, 2)
        got = lay(p)
        opt = oc.SGD({"p": got}, lr=LR, momentum=0.5)
        want, state = p, {}
        for step in (1, 2):
            opt.step({"p": g})
            want, state = reference.sgd(want, np.array(g), state, step=step, lr=LR, momentum=0.5)
        assert same_bits(got, want)
        slot = opt.state["p"]["momentum_buffer"]
        assert same_bits(slot, state["momentum_buffer"])
        assert slot.shape == got.shape
        axes = [k for k, n in enumerate(got.shape) if n > 1]
        assert got.size == 0 or all(slot.strides[k] == got.strides[k] for k in axes)


@pytest.mark.parametrize("kind", FLOATS, ids=["f32", "f64"])
@pytest.mark.parametrize(
    "number",
    [
        0.1,
        np.float16(0.1),
        np.float32(0.1),
        np.float64(0.1),
        np.longdouble("0.1"),
        np.array(0.1),
        np.array(0.1, np.float16),
        np.array(0.1, ml_dtypes.bfloat16),
        np.array(0.1, np.longdouble),
        1e300,
        -math.inf,
        math.nan,
        5e-324,
    ],
    ids=lambda x: f"{type(x).__name__}-{x}",
)
def test_numbers_as_gradients_of_0d_parameters(kind, number):
    """Rounded once, to the type of the parameter."""
    p = np.array(2.0, kind)
    with np.errstate(all="ignore"):
        g = np.asarray(number).astype(kind)
    want, _ = reference.sgd(p.copy(), g, {}, step=1, lr=LR)
    opt = oc.SGD({"s": p}, lr=LR)
    opt.step({"s": number})
    assert same_bits(p, want) or (np.isnan(p) and np.isnan(want))
    q = np.array(2.0, kind)
    ops.sgd_(q, number, step=1, lr=LR)
    assert same_bits(q, want) or (np.isnan(q) and np.isnan(want))


@pytest.mark.parametrize("half", HALVES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("kind", FLOATS, ids=["f32", "f64"])
@pytest.mark.parametrize("stride", [1, -1, 2])
def test_every_16_bit_number(kind, half, stride):
    """Each of the 65536 is widened exactly: subnormals, infinities and NaN included."""
    g = np.arange(65536, dtype=np.uint16).view(half)
    g = np.repeat(g, 2)[::2] if stride == 2 else g[::stride]
    p = np.zeros(65536, kind)
    oc.SGD(p, lr=1.0).step(g)
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide = -g.astype(kind)
    assert np.array_equal(p, wide, equal_nan=True)
    some = np.isfinite(p) & (p != 0)
    assert np.array_equal(np.signbit(p)[some], np.signbit(wide)[some])


# Overlaps. --------------------------------------------------------------------------------------


def arena(size: int) -> np.ndarray:
    return np.linspace(1, 2, size)


spans = st.tuples(st.integers(0, 40), st.integers(0, 12))


def touch(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two spans (first, length) share an element."""
    return a[1] > 0 and b[1] > 0 and a[0] < b[0] + b[1] and b[0] < a[0] + a[1]


@settings(max_examples=500, deadline=None)
@given(starts=st.lists(st.integers(0, 60), min_size=4, max_size=4), n=st.integers(1, 12))
def test_overlaps(starts, n):
    """Parameter, gradient and two slots, cut from one piece of memory at random."""
    memory = arena(80)
    p, g, m, v = (memory[i : i + n] for i in starts)
    before = memory.tobytes()
    collide = any(
        touch((starts[i], n), (starts[j], n)) for i in range(4) for j in range(i)
    )  # each of the four pairs at least one that is written
    apart = [x.copy() for x in (p, g, m, v)]
    if collide:
        with pytest.raises(ValueError, match=r"overlap in memory; expected"):
            adam(p, g, m, v)
        assert memory.tobytes() == before
    else:
        adam(p, g, m, v)
        adam(*apart)
        for got, want in zip((p, g, m, v), apart, strict=True):
            assert same_bits(got, want)
        others = np.ones(80, bool)
        for i in (starts[0], starts[2], starts[3]):
            others[i : i + n] = False
        assert np.array_equal(memory[others], arena(80)[others])


@settings(max_examples=300, deadline=None)
@given(
    written=spans,
    start=st.integers(0, 60),
    stride=st.integers(-5, 5),
    data=st.data(),
)
def test_gradients_with_gaps(written, start, stride, data):
    """A gradient may lie around and between the parameter's elements, but not on them."""
    first, n = written
    assume(n > 0)
    memory = arena(64)
    last = start + (n - 1) * stride
    assume(0 <= last < 64)
    p = memory[first : first + n]
    g = np.lib.stride_tricks.as_strided(memory[start:], (n,), (8 * stride,), writeable=False)
    elements = {start + k * stride for k in range(n)}
    before = memory.tobytes()
    clash = any(first <= e < first + n for e in elements)
    threads = data.draw(st.sampled_from([None, 1, 2]))
    opt = oc.SGD({"p": p}, lr=LR, threads=threads)
    if clash:
        with pytest.raises(ValueError, match=r"^grads/p and params/p overlap in memory"):
            opt.step({"p": g})
        assert memory.tobytes() == before
        assert opt.step_count == 0
    else:
        want = p - LR * g
        opt.step({"p": g})
        assert same_bits(p, want)


def test_neighbours():
    """Slices that follow on from each other share nothing."""
    memory = np.ones(400)
    p, g, m, v = (memory[i * 100 : (i + 1) * 100] for i in range(4))
    adam(p, g, m, v)
    opt = oc.Adam({"a": memory[:50], "b": memory[50:200], "e": memory[50:50]})
    opt.step({"a": memory[200:250], "b": memory[250:400], "e": memory[10:10]})
    assert opt.step_count == 1


def test_interleaved_gradients():
    """Columns of one matrix as parameter and gradients: a slice in Fortran order is dense."""
    whole = np.asfortranarray(np.ones((50, 8)))
    p = whole[:, 2]
    oc.SGD(p, lr=LR).step(whole[:, 3])
    assert np.all(p == 1 - LR)
    pairs = np.ones((50, 2))
    with pytest.raises(ValueError, match="dense"):
        oc.SGD(pairs[:, 0])
    lone = np.ones(100)
    opt = oc.SGD(lone[40:60])
    around = np.lib.stride_tricks.as_strided(lone, (20,), (8 * 5,))  # 0, 5, ..., 95
    with pytest.raises(ValueError, match="overlap"):
        opt.step(around)
    opt = oc.SGD(lone[41:43])
    opt.step(lone[40:45:4])  # 40 and 44
    assert opt.step_count == 1


def test_many_parameters_of_one_buffer():
    """A flat buffer of all parameters and one of all gradients, as large models keep them."""
    flat, flat_g = np.ones(1000, np.float32), np.full(1000, 2.0, np.float32)
    cuts = [0, 1, 5, 5, 64, 300, 999, 1000]
    ranges = list(itertools.pairwise(cuts))
    params = [flat[i:j] for i, j in ranges]
    oc.SGD(params, lr=LR).step([flat_g[i:j] for i, j in ranges])
    assert np.all(flat == 1 - 2 * LR)
    with pytest.raises(ValueError, match=r"^params/4 and params/5 overlap"):
        oc.SGD([*params[:4], flat[64:301], flat[300:999]])


def test_buffers_of_other_owners():
    """Memory of a bytearray cannot be resized away while it is a parameter."""
    owner = bytearray(np.ones(8).tobytes())
    p = np.frombuffer(owner, np.float64)
    opt = oc.SGD(p, lr=LR)
    opt.step(np.ones(8))
    with pytest.raises(BufferError):
        owner.extend(b"12345678")
    assert np.all(np.frombuffer(owner, np.float64) == 1 - LR)
    fixed = np.frombuffer(np.ones(8).tobytes(), np.float64)  # bytes are read-only
    with pytest.raises(ValueError, match="read-only"):
        oc.SGD(fixed)


@pytest.mark.filterwarnings("ignore:Setting the")
@pytest.mark.parametrize(
    "change",
    [
        lambda p: setattr(p, "shape", (4, 3)),
        lambda p: setattr(p, "dtype", np.int32),
        lambda p: p.setflags(write=False),
        lambda p: p.resize((6, 4), refcheck=False),
    ],
    ids=["shape", "dtype", "flags", "resize"],
)
def test_parameters_changed_behind_the_back(change):
    p = np.ones((3, 4), np.float32)
    g = np.ones((3, 4), np.float32)
    opt = oc.SGD({"W": p})
    try:
        change(p)
    except (AttributeError, ValueError) as error:
        pytest.skip(f"NumPy does not allow it: {error}")
    before = p.tobytes()
    with pytest.raises(ValueError, match=r"^params/W "):
        opt.step({"W": g})
    assert p.tobytes() == before
    assert opt.step_count == 0
