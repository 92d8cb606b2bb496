"""Schedules: closed forms, peers, steps anywhere, what may be passed and what may not."""

import copy
import json
import math
import operator
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from schedule_list import CATALOGUE, half_cosine, in_words

from optcore import _core, schedules
from optcore.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Every,
    Exponential,
    InverseTime,
    Lambda,
    MultiStep,
    Polynomial,
    Schedule,
    Shifted,
    Step,
    Warmup,
    WarmupCosine,
)

LAST = 2**64 - 1


def twice(k: int) -> float:
    return 2.0 * k


def exact_restarts(k, initial, period, t_mul, m_mul, floor):
    """SGDR, cycle by cycle."""
    start, length, peak = mpmath.mpf(0), mpmath.mpf(period), mpmath.mpf(1)
    while start + length <= k:
        start, length, peak = start + length, length * t_mul, peak * m_mul
    return floor + (initial - mpmath.mpf(floor)) * peak * half_cosine((k - start) / length)


# Every schedule with its formula, written down anew. 0.5 and the like keep the boundaries of the
# restarts exact.
FORMULAS = [
    (Constant(0.1), lambda k: 0.1),
    (Step(0.1, 30), lambda k: 0.1 * mpmath.mpf(0.1) ** (k // 30)),
    (Step(0.1, 7, gamma=0.5), lambda k: 0.1 * mpmath.mpf(0.5) ** (k // 7)),
    (
        MultiStep(0.1, [30, 80, 80, 500], gamma=0.3),
        lambda k: 0.1 * mpmath.mpf(0.3) ** sum(m <= k for m in [30, 80, 80, 500]),
    ),
    (Exponential(0.1, 0.99), lambda k: 0.1 * mpmath.mpf(0.99) ** k),
    (Exponential(0.1, gamma=1.01), lambda k: 0.1 * mpmath.mpf(1.01) ** k),
    (Exponential(0.1, decay=0.01), lambda k: 0.1 * mpmath.exp(-mpmath.mpf(0.01) * k)),
    (InverseTime(0.1, decay=0.03), lambda k: 0.1 / (1 + mpmath.mpf(0.03) * k)),
    (Polynomial(0.1, 300), lambda k: 0.1 * (1 - mpmath.mpf(min(k, 300)) / 300)),
    (
        Polynomial(0.1, 300, power=2.5, end=0.02),
        lambda k: 0.02 + mpmath.mpf(0.08) * (1 - mpmath.mpf(min(k, 300)) / 300) ** 2.5,
    ),
    (Cosine(0.1, 300), lambda k: 0.1 * half_cosine(mpmath.mpf(min(k, 300)) / 300)),
    (
        Cosine(0.1, 300, floor=0.01),
        lambda k: 0.01 + mpmath.mpf(0.09) * half_cosine(mpmath.mpf(min(k, 300)) / 300),
    ),
    (CosineRestarts(0.1, 50), lambda k: exact_restarts(k, 0.1, 50, 1, 1, 0)),
    (CosineRestarts(0.1, 10, t_mul=2), lambda k: exact_restarts(k, 0.1, 10, 2, 1, 0)),
    (
        CosineRestarts(0.1, 7, t_mul=1.5, m_mul=0.8, floor=0.01),
        lambda k: exact_restarts(k, 0.1, 7, 1.5, 0.8, 0.01),
    ),
    (
        Warmup(100, Exponential(0.1, 0.99), start=0.01),
        lambda k: (
            0.01 + mpmath.mpf(0.09) * k / 100 if k < 100 else 0.1 * mpmath.mpf(0.99) ** (k - 100)
        ),
    ),
    (Warmup(0, Constant(0.1)), lambda k: 0.1),
    (
        WarmupCosine(0.1, 100, 400, floor=0.01, start=0.02),
        lambda k: (
            0.02 + mpmath.mpf(0.08) * k / 100
            if k < 100
            else 0.01 + mpmath.mpf(0.09) * half_cosine(mpmath.mpf(min(k, 400) - 100) / 300)
        ),
    ),
    (Step(0.1, 10, 0.5).shift(1), lambda k: 0.1 * mpmath.mpf(0.5) ** ((1 + k) // 10)),
    (InverseTime(0.1, 0.5).every(30), lambda k: 0.1 / (1 + mpmath.mpf(0.5) * (k // 30))),
    (Lambda(twice), twice),
    (
        Warmup(8, Lambda(twice).shift(3), start=1.0),
        lambda k: 1 + 5 * k / 8 if k < 8 else 2 * k - 10,
    ),
    (Lambda(twice).every(3), lambda k: 2.0 * (k // 3)),
    *CATALOGUE,
]
ALL = [s for s, _ in FORMULAS]
NATIVE = [s for s in ALL if s._native is not None]


@pytest.mark.parametrize(("schedule", "formula"), FORMULAS, ids=in_words)
def test_closed_form(schedule, formula):
    expected = np.array([float(formula(k)) for k in range(1000)])
    got = schedule.values(1000)
    assert np.max(np.abs(got - expected)) <= 2e-15 * np.max(np.abs(expected))


@pytest.mark.parametrize("schedule", ALL, ids=in_words)
def test_the_value_at_a_step_depends_on_nothing_else(schedule):
    values = schedule.values(700)
    steps = np.random.default_rng(0).permutation(700)
    assert np.array_equal(schedule(steps), values[steps])
    assert [schedule(int(k)) for k in steps[:50]] == values[steps[:50]].tolist()
    assert np.array_equal(copy.deepcopy(schedule)(np.arange(500, 700)), values[500:])


@pytest.mark.parametrize("total", [100_000, 150_000, 1_000_003])
def test_long_arrays_have_the_bits_of_single_steps(total):
    """Many at once, in runs and in any order."""
    rng = np.random.default_rng(total)
    for s in (
        WarmupCosine(0.1, total // 9, total - 70_000, 0.01, 0.02),
        Cosine(0.1, total // 2, 0.01),
        Cosine(0.1, total, exponent=1.5),
        Exponential(0.1, 0.9999) * Cosine(1.0, total),
    ):
        values = s.values(total)
        picked = rng.integers(0, total, 5000)
        order = rng.permutation(total)
        assert np.array_equal(s(order), values[order])
        assert [s(int(k)) for k in picked] == values[picked].tolist()
        assert np.array_equal(s(np.array([], dtype=np.int64)), [])


@pytest.mark.parametrize("schedule", NATIVE, ids=in_words)
@pytest.mark.parametrize("step", [2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63, LAST])
def test_huge_steps(schedule, step):
    value = schedule(step)
    assert schedule(np.array([step], dtype=np.uint64))[0] == value
    growing = "gamma=1.01" in repr(schedule)
    assert value == math.inf if growing else 0 <= value <= 0.1


@pytest.mark.parametrize(
    ("schedule", "end"),
    [
        (Step(0.1, 30), 0.0),
        (Step(0.1, 30, gamma=1.0), 0.1),
        (MultiStep(1.0, [1, LAST], gamma=0.5), 0.25),
        (Exponential(0.1, 0.999), 0.0),
        (Exponential(0.1, decay=1e-3), 0.0),
        (Exponential(0.1, decay=0.0), 0.1),
        (Polynomial(0.1, 300, end=0.02), 0.02),
        (Cosine(0.1, 300, floor=0.01), 0.01),
        (WarmupCosine(0.1, 10, 300, floor=0.01), 0.01),
        (Warmup(10, Cosine(0.1, 300, floor=0.01)), 0.01),
        (Cosine(0.1, 300, floor=0.01).shift(LAST), 0.01),
        (Step(1.0, 2**63, gamma=0.5), 0.5),
        (CosineRestarts(0.1, 3, t_mul=1.5, m_mul=0.0, floor=0.02), 0.02),
    ],
    ids=in_words,
)
def test_past_the_end(schedule, end):
    assert schedule(LAST) == end


@pytest.mark.parametrize("total", [2**53 + 3, 2**63 + 5, LAST])
def test_huge_lengths(total):
    for s in (Cosine(0.1, total), Polynomial(0.1, total), WarmupCosine(0.1, total // 2, total)):
        assert s(total) == 0
        assert 0 <= s(total - 1) <= s(total // 2) <= 0.1
    assert Cosine(0.1, total)(0) == Polynomial(0.1, total)(0) == 0.1
    assert CosineRestarts(0.1, total)(total - 1) < 1e-9


@pytest.mark.parametrize(("period", "t_mul", "cycles"), [(10, 2, 49), (10, 3, 31), (64, 1.5, 7)])
def test_restarts_far_out(period, t_mul, cycles):
    """Down at the floor, and one step later at the peak again, up to steps near 2**53."""
    s = CosineRestarts(1.0, period, t_mul=t_mul)
    start = sum(period * t_mul**i for i in range(cycles))
    assert start < 2**53
    assert s(math.ceil(start)) > 0.999
    assert s(math.ceil(start) - 1) < 0.001


@pytest.mark.parametrize("start", [10**15, 2**53 // 10 * 10, 2**64 // 10 * 10])
def test_equal_cycles_are_exact_for_every_step(start):
    s = CosineRestarts(1.0, 10)
    assert [s(start + i) for i in (0, 1, 5)] == [s(0), s(1), s(5)]
    assert s(start - 1) == s(9)


@pytest.mark.parametrize(
    ("t_mul", "starts"),
    [(1.1, [1000, 2100, 3310, 4641]), (1.2, [1000, 2200, 3640, 5368]), (1.7, [1000, 2700, 5590])],
)
def test_decimal_t_mul_restarts_on_the_step_that_decimals_say(t_mul, starts):
    s = CosineRestarts(1.0, 1000, t_mul=t_mul)
    for start in starts:
        assert s(start) == 1.0
        assert s(start - 1) < 1e-5


@pytest.mark.parametrize("t_mul", [math.nextafter(1, 2), 1 + 1e-9, 1.0001, 7.5, 1e10, 1e300])
def test_any_t_mul(t_mul):
    s = CosineRestarts(1.0, 3, t_mul=t_mul, m_mul=0.9)
    steps = np.array([0, 1, 2, 3, 10**6, 2**53, 2**60, LAST], dtype=np.uint64)
    assert np.all((s(steps) >= 0) & (s(steps) <= 1))
    assert s(3) == pytest.approx(0.9, rel=1e-6)


def test_restarts_that_grow_never_give_nan():
    s = CosineRestarts(1.0, 1, m_mul=2.0, floor=1.0)
    assert s(LAST) == 1.0
    assert not np.isnan(CosineRestarts(1.0, 3, m_mul=2.0).values(10000)).any()


# Property tests: bounds, direction, joins.

rates = st.floats(1e-12, 1e3)
lengths = st.integers(1, 10**6) | st.integers(1, LAST)
steps = st.integers(0, 10**6) | st.integers(0, LAST)


@given(initial=rates, end=rates, total=lengths, power=st.floats(0.1, 10), k=steps)
def test_polynomial_and_cosine_stay_between_their_ends(initial, end, total, power, k):
    low, high = sorted((initial, end))
    for s in (Polynomial(initial, total, power, end), Cosine(initial, total, end)):
        assert s(0) == initial
        assert s(total) == s(LAST) == end
        assert low <= s(k) <= high


@given(initial=rates, total=st.integers(1, 10**5), k=st.integers(0, 10**5), floor=st.floats(0, 1))
def test_decays_never_rise(initial, total, k, floor):
    for s in (
        Polynomial(initial, total, end=initial * floor),
        Cosine(initial, total, floor=initial * floor),
        InverseTime(initial, floor),
        Exponential(initial, decay=floor),
        Exponential(initial, gamma=floor),
        Step(initial, total, gamma=floor),
    ):
        assert s(k + 1) <= s(k)


@given(peak=rates, warmup=st.integers(0, 10**6), more=st.integers(1, 10**6), start=rates, k=steps)
def test_warmup_cosine_is_warmup_into_cosine(peak, warmup, more, start, k):
    s = WarmupCosine(peak, warmup, warmup + more, floor=peak / 10, start=start)
    assert s(warmup) == peak
    assert s(k) == Warmup(warmup, Cosine(peak, more, floor=peak / 10), start=start)(k)
    if warmup:
        assert s(0) == start


@given(period=st.integers(1, 1000), cycle=st.integers(0, 50), m_mul=st.floats(0, 1))
def test_restarts_begin_at_their_peaks(period, cycle, m_mul):
    first = period * (2**cycle - 1)
    assume(first <= LAST)
    s = CosineRestarts(1.0, period, t_mul=2, m_mul=m_mul)
    assert s(first) == _core.math_power(m_mul, cycle)


@given(offset=steps, every=lengths, k=steps)
def test_shift_and_every(offset, every, k):
    s = InverseTime(1.0, 0.5)
    assert s.shift(offset)(k) == s(min(k + offset, LAST))
    assert s.every(every)(k) == s(k // every)


# Peers.


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Step(0.1, 30, 0.5), lambda t, o: t.StepLR(o, 30, 0.5)),
        (Step(0.1, 30), lambda t, o: t.StepLR(o, 30)),
        (MultiStep(0.1, [30, 80, 80], 0.3), lambda t, o: t.MultiStepLR(o, [30, 80, 80], 0.3)),
        (Exponential(0.1, 0.99), lambda t, o: t.ExponentialLR(o, 0.99)),
        (Polynomial(0.1, 300, 2.0), lambda t, o: t.PolynomialLR(o, 300, 2.0)),
        (Polynomial(0.1, 300), lambda t, o: t.PolynomialLR(o, 300)),
        (
            CosineRestarts(0.1, 10, 2, floor=0.01),
            lambda t, o: t.CosineAnnealingWarmRestarts(o, 10, 2, 0.01),
        ),
        (CosineRestarts(0.1, 7), lambda t, o: t.CosineAnnealingWarmRestarts(o, 7)),
        (Cosine(0.1, 1000, 0.01), lambda t, o: t.CosineAnnealingLR(o, 1000, 0.01)),
        (Warmup(100, Constant(0.1), 0.025), lambda t, o: t.LinearLR(o, 0.25, 1.0, 100)),
        (InverseTime(0.1, 0.03), lambda t, o: t.LambdaLR(o, lambda k: 1 / (1 + 0.03 * k))),
    ],
    ids=in_words,
)
def test_against_torch(ours, theirs):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = theirs(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(1000):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert np.max(np.abs(ours.values(1000) - rates)) <= 1e-12 * 0.1


# What a step may be.


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u8"])
@pytest.mark.parametrize("schedule", [Cosine(0.1, 50), Lambda(twice)], ids=in_words)
def test_integer_arrays_of_any_type(schedule, dtype):
    got = schedule(np.arange(100).astype(dtype))
    assert got.dtype == np.float64
    assert np.array_equal(got, schedule.values(100))


@pytest.mark.parametrize("schedule", [Cosine(0.1, 50), Lambda(twice)], ids=in_words)
@pytest.mark.parametrize(
    "steps",
    [
        np.arange(24).reshape(2, 3, 4),
        np.asfortranarray(np.arange(24).reshape(4, 6)),
        np.arange(24).reshape(4, 6).T[::-2],
        np.arange(24)[::-3],
        np.array(7),
        np.empty((0, 3), dtype=np.int64),
        np.broadcast_to(np.array([5]), (2, 2)),
    ],
    ids=lambda a: f"{a.shape}",
)
def test_arrays_of_any_shape(schedule, steps):
    got = schedule(steps)
    assert isinstance(got, np.ndarray)
    assert got.dtype == np.float64
    assert got.shape == steps.shape
    assert [float(v) for v in got.flat] == [schedule(int(k)) for k in steps.flat]


@pytest.mark.parametrize("step", [7, np.int64(7), np.uint8(7)])
@pytest.mark.parametrize("schedule", [Cosine(0.1, 50), Lambda(twice)], ids=in_words)
def test_whole_numbers_of_any_type(schedule, step):
    assert type(schedule(step)) is float
    assert schedule(step) == schedule(7)


BAD_STEPS = [
    (-1, ValueError, r"step: expected 0 to 2\*\*64 - 1, got -1; count the steps from 0 on"),
    (2**64, ValueError, r"step: expected 0 to 2\*\*64 - 1, got 18446744073709551616"),
    (np.array([3, -2]), ValueError, "step: expected .*, got -2; count the steps from 0 on"),
    (2.5, TypeError, r"step: expected a whole number \(int\), got float 2.5; pass an int or an"),
    (3.0, TypeError, r"step: expected a whole number \(int\), got float 3.0; pass an int"),
    (True, TypeError, "step: expected a whole number .*, got bool True; pass an int"),
    (np.True_, TypeError, "step: expected a whole number .*, got numpy.bool.* pass an int"),
    ("7", TypeError, "step: expected a whole number .*, got str '7'; pass an int"),
    (None, TypeError, "step: expected a whole number .*, got NoneType None; pass an int"),
    ([1, 2], TypeError, r"got list \[1, 2\]; pass an int or an array of integers"),
    (list(range(1000)), TypeError, r"got list \[0, 1, .*\.\.\.; pass an int"),
    (np.array([1.0]), TypeError, r"expected an array of integers, got dtype float64; use step\.as"),
    (np.array([True]), TypeError, "array of integers, got dtype bool; use step.astype"),
    (np.array([1], dtype="m8[s]"), TypeError, "array of integers, got dtype timedelta64"),
    (np.array([1], dtype=object), TypeError, "array of integers, got dtype object"),
]


@pytest.mark.parametrize(("step", "error", "message"), BAD_STEPS)
@pytest.mark.parametrize("schedule", [Cosine(0.1, 50), Lambda(twice)], ids=in_words)
def test_bad_steps(schedule, step, error, message):
    with pytest.raises(error, match=message):
        schedule(step)


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (-1, ValueError, "n: expected at least 0, got -1; pass the number of steps"),
        (2.0, TypeError, r"n: expected a whole number \(int\), got 2.0; pass the number of steps"),
        (True, TypeError, "n: expected a whole number .*, got True; pass the number of steps"),
    ],
)
def test_bad_number_of_values(n, error, message):
    with pytest.raises(error, match=message):
        Constant(1.0).values(n)


def test_values():
    assert Constant(0.5).values(0).shape == (0,)
    assert Step(1.0, 1, 0.5).values(np.int64(3)).tolist() == [1.0, 0.5, 0.25]


# What an argument may be: the call, the error, the message with its mend.

NUMBER = r"expected a real number, got {}; pass a float such as 0.001"
FINITE = r"expected a finite number, got {}; pass an ordinary number such as 0.001"
SOME_STEPS = r"expected at least 1 step, got 0; pass a number of steps such as 100"
WHOLE = (
    r"expected a whole number \(int\), got {}; round it to whole steps, with // or int\(\.\.\.\)"
)
COUNT = r"expected 0 to 2\*\*64 - 1, got {}; count the steps from 0 on"
NOT_NEGATIVE = r"expected a number of at least 0, got {}; pass 0 or a positive number"
SCHEDULE = r"expected a schedule, got {}; for a fixed value pass Constant\(value\)"
ONE_OF_TWO = r"expected exactly one of gamma and decay, got {}; pass gamma=0.99 .* or decay=0.01"

BAD_ARGUMENTS = [
    (lambda: Constant("0.1"), TypeError, r"Constant\.value: " + NUMBER.format("str '0.1'")),
    (lambda: Constant(None), TypeError, r"Constant\.value: " + NUMBER.format("NoneType None")),
    (lambda: Constant(True), TypeError, r"Constant\.value: " + NUMBER.format("bool True")),
    (lambda: Constant(1j), TypeError, r"Constant\.value: " + NUMBER.format("complex 1j")),
    (lambda: Constant(math.nan), ValueError, r"Constant\.value: " + FINITE.format("nan")),
    (
        lambda: Constant(10**400),
        ValueError,
        r"Constant\.value: expected a finite number, got an int",
    ),
    (lambda: Step(math.inf, 1), ValueError, r"Step\.initial: " + FINITE.format("inf")),
    (lambda: Step(0.1, 0), ValueError, r"Step\.step_size: " + SOME_STEPS),
    (lambda: Step(0.1, -3), ValueError, r"Step\.step_size: " + COUNT.format("-3")),
    (lambda: Step(0.1, 2.5), TypeError, r"Step\.step_size: " + WHOLE.format("float 2.5")),
    (lambda: Step(0.1, True), TypeError, r"Step\.step_size: " + WHOLE.format("bool True")),
    (lambda: Step(0.1, 2**64), ValueError, r"Step\.step_size: " + COUNT.format(2**64)),
    (lambda: Step(0.1, 3, -0.5), ValueError, r"Step\.gamma: " + NOT_NEGATIVE.format("-0.5")),
    (lambda: Step(0.1, 3, math.nan), ValueError, r"Step\.gamma: " + FINITE.format("nan")),
    (
        lambda: MultiStep(0.1, [80, 30]),
        ValueError,
        r"MultiStep\.milestones: expected steps in rising order, got 30 after 80; "
        r"pass sorted\(milestones\)",
    ),
    (
        lambda: MultiStep(0.1, 30),
        TypeError,
        r"MultiStep\.milestones: expected a sequence of whole numbers, got int 30; "
        r"pass a list such as \[30, 80\]",
    ),
    (lambda: MultiStep(0.1, "30"), TypeError, r"MultiStep\.milestones: expected a sequence"),
    (
        lambda: MultiStep(0.1, [1, 2.5]),
        TypeError,
        r"MultiStep\.milestones\[1\]: " + WHOLE.format("float 2.5"),
    ),
    (
        lambda: MultiStep(0.1, [[1, 2]]),
        TypeError,
        r"MultiStep\.milestones\[0\]: " + WHOLE.format(r"list \[1, 2\]"),
    ),
    (lambda: MultiStep(0.1, [-1]), ValueError, r"MultiStep\.milestones\[0\]: " + COUNT.format(-1)),
    (lambda: Exponential(0.1), TypeError, "Exponential: " + ONE_OF_TWO.format("neither")),
    (
        lambda: Exponential(0.1, 0.9, decay=0.1),
        TypeError,
        "Exponential: " + ONE_OF_TWO.format("both"),
    ),
    (
        lambda: Exponential(0.1, -1.0),
        ValueError,
        r"Exponential\.gamma: " + NOT_NEGATIVE.format("-1"),
    ),
    (
        lambda: Exponential(0.1, decay=-1e-3),
        ValueError,
        r"Exponential\.decay: " + NOT_NEGATIVE.format("-0.001"),
    ),
    (
        lambda: InverseTime(0.1, -0.1),
        ValueError,
        r"InverseTime\.decay: " + NOT_NEGATIVE.format("-0.1"),
    ),
    (lambda: Polynomial(0.1, 0), ValueError, r"Polynomial\.total: " + SOME_STEPS),
    (
        lambda: Polynomial(0.1, 10, 0),
        ValueError,
        r"Polynomial\.power: expected a number above 0, got 0; pass a positive number such as 1.0",
    ),
    (lambda: Polynomial(0.1, 10, end=-math.inf), ValueError, r"Polynomial\.end: "),
    (lambda: Cosine(0.1, 0), ValueError, r"Cosine\.total: " + SOME_STEPS),
    (lambda: Cosine(0.1, 1e3), TypeError, r"Cosine\.total: " + WHOLE.format("float 1000.0")),
    (lambda: Cosine(0.1, 10, math.nan), ValueError, r"Cosine\.floor: " + FINITE.format("nan")),
    (lambda: CosineRestarts(0.1, 0), ValueError, r"CosineRestarts\.period: " + SOME_STEPS),
    (
        lambda: CosineRestarts(0.1, 5, 0.5),
        ValueError,
        r"CosineRestarts\.t_mul: expected a number of at least 1, got 0.5; pass 1.0 to leave",
    ),
    (
        lambda: CosineRestarts(0.1, 5, math.inf),
        ValueError,
        r"CosineRestarts\.t_mul: expected a fin",
    ),
    (
        lambda: CosineRestarts(0.1, 5, 1, -1),
        ValueError,
        r"CosineRestarts\.m_mul: " + NOT_NEGATIVE.format("-1"),
    ),
    (lambda: Warmup(-1, Constant(1)), ValueError, r"Warmup\.warmup: " + COUNT.format(-1)),
    (lambda: Warmup(5, 0.1), TypeError, r"Warmup\.into: " + SCHEDULE.format("float 0.1")),
    (
        lambda: Warmup(5, Lambda(twice), math.nan),
        ValueError,
        r"Warmup\.start: " + FINITE.format("nan"),
    ),
    (
        lambda: WarmupCosine(0.1, 100, 100),
        ValueError,
        r"WarmupCosine\.warmup: expected fewer steps than total \(100\), got 100; raise total, "
        r"which counts these steps as well, or lower warmup",
    ),
    (lambda: WarmupCosine(0.1, 0, 0), ValueError, r"WarmupCosine\.total: " + SOME_STEPS),
    (lambda: WarmupCosine(math.nan, 1, 5), ValueError, r"WarmupCosine\.peak: "),
    (lambda: WarmupCosine(0.1, 1, 5, math.nan), ValueError, r"WarmupCosine\.floor: "),
    (lambda: WarmupCosine(0.1, 1, 5, 0, math.nan), ValueError, r"WarmupCosine\.start: "),
    (lambda: Constant(1.0).shift(-1), ValueError, r"Shifted\.offset: " + COUNT.format(-1)),
    (lambda: Constant(1.0).every(0), ValueError, r"Every\.steps: " + SOME_STEPS),
    (lambda: Lambda(twice).every(0.5), TypeError, r"Every\.steps: " + WHOLE.format("float 0.5")),
    (lambda: Shifted(0.1, 1), TypeError, r"Shifted\.of: " + SCHEDULE.format("float 0.1")),
    (
        lambda: Lambda(0.1),
        TypeError,
        r"Lambda\.f: expected a function, got float 0.1; pass a function of the step, or Constant",
    ),
    (
        lambda: Lambda(lambda k: None)(7),
        TypeError,
        r"Lambda\.f: expected a number in return, got NoneType None at step 7; return a float",
    ),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), BAD_ARGUMENTS, ids=[m[:60] for _, _, m in BAD_ARGUMENTS]
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


BAD_DATA = [
    (3, TypeError, r"data: expected a dict, got int; pass what to_dict\(\) returned"),
    ({}, ValueError, r"data\['schedule'\]: expected one of constant, .*, got None; pass what"),
    ({"schedule": "sine"}, ValueError, r"data\['schedule'\]: .*, cosine, .*, got 'sine'; pass"),
    ({"schedule": ["step"]}, ValueError, r"data\['schedule'\]: expected one of"),
    ({"schedule": "lambda"}, ValueError, r"got 'lambda', a Python function; make it again with La"),
    (
        {"schedule": "cosine", "initial": 1.0, "length": 5},
        ValueError,
        "Cosine: expected initial, total, floor, exponent, got 'length' as well; leave it out",
    ),
    (
        {"schedule": "cosine", "initial": 1.0},
        ValueError,
        "Cosine: expected initial, total, floor, exponent, got no 'total'; add it",
    ),
    ({"schedule": "cosine", "initial": 1.0, "total": 0}, ValueError, r"Cosine\.total: "),
    (
        {"schedule": "every", "of": {"schedule": "lambda"}, "steps": 2},
        ValueError,
        r"make it again with Lambda\(f\)",
    ),
]


@pytest.mark.parametrize(("data", "error", "message"), BAD_DATA)
def test_bad_data(data, error, message):
    with pytest.raises(error, match=message):
        Schedule.from_dict(data)


def test_from_dict_of_a_class_gives_that_class():
    data = Cosine(0.1, 10).to_dict()
    assert Cosine.from_dict(data) == Cosine(0.1, 10)
    with pytest.raises(TypeError, match=r"data: expected a Step, got a Cosine; use Schedule\.from"):
        Step.from_dict(data)


# Values: equality, copies, JSON.


@pytest.mark.parametrize("schedule", NATIVE, ids=in_words)
def test_json_round_trip(schedule):
    back = Schedule.from_dict(json.loads(json.dumps(schedule.to_dict())))
    assert back == schedule
    assert hash(back) == hash(schedule)
    assert type(back) is type(schedule)
    assert np.array_equal(back.values(500), schedule.values(500))


@given(initial=rates, total=lengths, floor=rates)
def test_json_keeps_every_bit(initial, total, floor):
    s = Cosine(initial, total, floor)
    assert Schedule.from_dict(json.loads(json.dumps(s.to_dict()))) == s


def test_lambda_to_dict():
    assert Lambda(twice).to_dict() == {"schedule": "lambda"}
    assert Lambda(twice).shift(2).to_dict()["of"] == {"schedule": "lambda"}


@pytest.mark.parametrize("schedule", ALL, ids=in_words)
def test_copies(schedule):
    for back in (
        copy.copy(schedule),
        copy.deepcopy(schedule),
        pickle.loads(pickle.dumps(schedule)),
    ):
        assert back == schedule
        assert hash(back) == hash(schedule)


@pytest.mark.parametrize("schedule", NATIVE, ids=in_words)
def test_repr_is_the_call_that_makes_it(schedule):
    assert eval(repr(schedule), vars(schedules)) == schedule


def test_repr():
    assert repr(Cosine(1, 10)) == "Cosine(initial=1.0, total=10, floor=0.0)"
    assert repr(Exponential(0.1, 0.9)) == "Exponential(initial=0.1, gamma=0.9)"
    assert repr(Exponential(0.1, decay=2)) == "Exponential(initial=0.1, decay=2.0)"
    assert repr(MultiStep(0.1, [1, 2])) == "MultiStep(initial=0.1, milestones=(1, 2), gamma=0.1)"


def test_equality():
    assert len(set(ALL)) == len(ALL)
    assert Cosine(1, 10) == Cosine(np.float32(1), np.int64(10))
    assert MultiStep(1, [1, 2]) == MultiStep(1, np.array([1, 2])) == MultiStep(1, (1, 2))
    assert Cosine(1, 10) != Cosine(1, 11)
    assert Polynomial(1, 10) != Cosine(1, 10)
    assert Constant(1.0) != 1.0
    assert Lambda(twice) == Lambda(twice)
    assert Lambda(twice) != Lambda(lambda k: 2.0 * k)


@pytest.mark.parametrize("schedule", ALL, ids=in_words)
def test_schedules_cannot_be_changed(schedule):
    name = next(iter(schedule._arguments()))
    with pytest.raises(AttributeError):
        setattr(schedule, name, 1)
    with pytest.raises(AttributeError):
        delattr(schedule, name)
    with pytest.raises(AttributeError):
        schedule.another = 1


def test_what_was_passed_is_not_kept():
    milestones = [1, 2]
    s = MultiStep(1.0, milestones, 0.5)
    milestones.append(3)
    assert s.milestones == (1, 2)
    assert s(3) == 0.25
    s.to_dict()["milestones"].append(3)
    assert s.milestones == (1, 2)


# The table of C++ and the classes of Python.


def test_every_native_family_has_its_class():
    by_name = {s._native_name(): s for s in NATIVE}
    families = _core.schedule_families()
    assert set(by_name) == set(families)
    for name, parameters in families.items():
        one = by_name[name]
        assert set(one._native_arguments(one._arguments())) == set(parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("sine", {}, ValueError, "got 'sine'; see schedule_families"),
        ("constant", {}, TypeError, "Constant needs value"),
        ("constant", {"value": 1.0, "x": 1}, TypeError, "parameters it does not have"),
    ],
)
def test_native_factory(name, parameters, error, message):
    with pytest.raises(error, match=message):
        _core.schedule(name, parameters)


def test_native_schedules_come_from_the_factory_only():
    with pytest.raises(TypeError):
        _core.Schedule()


def test_public_names():
    assert len(set(schedules.__all__)) == len(schedules.__all__)
    stateless = [name for name in schedules.__all__ if name != "ReduceOnPlateau"]
    assert all(issubclass(getattr(schedules, name), Schedule) for name in stateless)


def test_a_lambda_is_asked_once_per_step():
    asked = []
    s = Lambda(lambda k: asked.append(k) or 1.0).every(2)
    s(np.arange(4))
    s(9)
    assert asked == [0, 0, 1, 1, 4]
    assert Warmup(4, Lambda(operator.neg), start=4.0).values(6).tolist() == [4, 3, 2, 1, 0, -1]
    assert Every(Shifted(Lambda(twice), LAST), 2)(LAST) == 2.0 * LAST
