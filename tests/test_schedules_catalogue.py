"""Of every kind of schedule: what may be passed, bounds, direction, joins, steps far out."""

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optcore import schedules
from optcore.schedules import (
    REX,
    WSD,
    Clipped,
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSqrt,
    InverseTime,
    Lambda,
    Linear,
    LRRangeTest,
    Noam,
    OneCycle,
    OneCycleMomentum,
    PiecewiseConstant,
    PiecewiseLinear,
    Polynomial,
    Product,
    Scaled,
    Sequential,
    SlantedTriangular,
    Step,
    Sum,
    Tanh,
    Warmup,
    WarmupCosine,
)

LAST = 2**64 - 1

rates = st.floats(1e-9, 1e3)
totals = st.integers(1, 10**6) | st.integers(1, LAST)
steps = st.integers(0, 10**6) | st.integers(0, LAST)
parts = st.floats(0, 1)


# Bounds: never above the peak, never below the floor, exact at both ends.


@given(initial=rates, end=rates, total=totals, k=steps, exponent=st.floats(0.1, 10))
def test_falls_stay_between_their_ends(initial, end, total, k, exponent):
    low, high = sorted((initial, end))
    for s in (
        Linear(initial, total, end),
        Cosine(initial, total, end, exponent=exponent),
        REX(initial, total, end),
        LRRangeTest(initial, end, total),
        LRRangeTest(initial, end, total, "linear"),
        PiecewiseLinear([0, total], [initial, end]),
        PiecewiseLinear([0, total], [initial, end], "cosine"),
    ):
        assert s(0) == initial
        assert s(total) == s(LAST) == end
        assert low <= s(k) <= high


@given(peak=rates, total=totals, k=steps, rise=st.floats(0, 0.5), phases=st.sampled_from([2, 3]))
def test_one_cycle_stays_between_its_ends(peak, total, k, rise, phases):
    for shape in ("linear", "cosine"):
        s = OneCycle(peak, total, rise, 25.0, 1e4, phases, shape)
        assert peak / 25 / 1e4 <= s(k) <= peak
        assert s(LAST) == peak / 25 / 1e4
        assert 0.85 <= s.momentum()(k) <= 0.95
        assert s.momentum()(LAST) == 0.95


@given(low=rates, high=rates, up=totals, down=totals, k=steps, gamma=parts)
def test_cycles_stay_between_low_and_high(low, high, up, down, k, gamma):
    if up + down > LAST:
        up, down = up // 2, down // 2
    up, down = max(up, 1), max(down, 1)
    for mode in ("triangular", "triangular2", "exp_range"):
        s = Cyclic(low, high, up, down, mode, gamma)
        assert min(low, high) <= s(k) <= max(low, high)
        assert s(0) == s(up + down) == low
    assert Cyclic(low, high, up, down)(up) == high


@given(
    peak=rates,
    warmup=st.integers(0, 10**5),
    stable=st.integers(0, 10**5),
    decay=st.integers(1, 10**5),
    k=st.integers(0, 4 * 10**5),
    tail=st.sampled_from(["linear", "cosine", "sqrt", "square"]),
)
def test_wsd_is_a_trapezium(peak, warmup, stable, decay, k, tail):
    total = warmup + stable + decay
    s = WSD(peak, warmup, total, decay, tail, peak / 10, peak / 7)
    assert s(warmup) == s(warmup + stable) == peak
    assert s(total) == s(LAST) == peak / 10
    assert peak / 10 <= s(k) <= peak
    assert s(k + 1) <= s(k) if k >= warmup else s(k + 1) >= s(k)


@given(peak=rates, total=totals, k=steps, cut=parts, ratio=st.floats(1, 1e6))
def test_slanted_triangle_stays_between_its_ends(peak, total, k, cut, ratio):
    s = SlantedTriangular(peak, total, cut, ratio)
    assert peak / ratio <= s(k) <= peak
    assert s(total) == s(LAST) == peak / ratio


# Direction.


@given(initial=rates, total=st.integers(1, 10**5), k=st.integers(0, 2 * 10**5), floor=parts)
def test_decays_never_rise(initial, total, k, floor):
    for s in (
        Linear(initial, total, initial * floor),
        Cosine(initial, total, initial * floor, exponent=2.0),
        REX(initial, total, initial * floor),
        Tanh(initial, total, floor=initial * floor),
        Exponential(initial, floor),
        Exponential(initial, decay=floor, steps=total),
        InverseTime(initial, floor, steps=total),
        InverseTime(initial, floor, steps=total, staircase=True),
        InverseSqrt(initial, total),
    ):
        assert s(k + 1) <= s(k)


@given(
    start=rates,
    peak=rates,
    warmup=st.integers(1, 10**5),
    k=st.integers(0, 10**5),
    shape=st.sampled_from(["linear", "exponential", "log"]),
)
def test_warmups_go_one_way_and_arrive(start, peak, warmup, k, shape):
    s = Warmup(warmup, Constant(peak), start, shape=shape)
    assert s(0) == start
    assert s(warmup) == peak
    k = min(k, warmup - 1)
    if start <= peak:
        assert start <= s(k) <= s(k + 1) <= peak
    else:
        assert start >= s(k) >= s(k + 1) >= peak


@given(dim=st.integers(1, 10**5), warmup=st.integers(1, 10**5), k=st.integers(0, 10**6))
def test_noam_turns_at_its_warmup(dim, warmup, k):
    s = Noam(dim, warmup)
    top = s(warmup - 1)
    assert top == pytest.approx((dim * warmup) ** -0.5, rel=1e-15)
    assert s(k) <= top
    assert s(k + 1) <= s(k) if k >= warmup - 1 else s(k + 1) >= s(k)


# Joins.


@given(n=st.integers(1, 1000), peak=rates)
def test_warmup_joins_what_follows(n, peak):
    """No jump: the line, continued by a step, is the first value of what follows."""
    s = Warmup(n).then(InverseSqrt(peak, n))
    assert s(n) == peak
    assert abs(s(n) - s(n - 1)) <= 1.001 * peak / n
    assert abs(s(n + 1) - s(n)) <= peak / n


# Each over n steps, with the longest way that it may go in one of them, as a part of its peak of 1.
# What is a root of the steps, or a power of them, is steep at one end.
SMOOTH = {
    "WarmupCosine": (lambda n: WarmupCosine(1.0, n // 3, n), lambda n: 4 / n),
    "WarmupCosine, no warmup": (lambda n: WarmupCosine(1.0, 0, n), lambda n: 2 / n),
    "WSD, linear": (lambda n: WSD(1.0, n // 4, n, n // 2), lambda n: 5 / n),
    "WSD, cosine": (lambda n: WSD(1.0, n // 4, n, n // 2, "cosine"), lambda n: 5 / n),
    "WSD, square": (lambda n: WSD(1.0, n // 4, n, n // 2, "square"), lambda n: 5 / n),
    "WSD, sqrt": (lambda n: WSD(1.0, n // 4, n, n // 2, "sqrt"), lambda n: 2 / n**0.5),
    "OneCycle": (lambda n: OneCycle(1.0, n), lambda n: 7 / n),
    "OneCycle, linear": (lambda n: OneCycle(1.0, n, shape="linear"), lambda n: 5 / n),
    "OneCycle, three phases": (lambda n: OneCycle(1.0, n, phases=3), lambda n: 7 / n),
    "its momentum": (lambda n: OneCycle(1.0, n, phases=3).momentum(0.0, 1.0), lambda n: 7 / n),
    "Cyclic": (lambda n: Cyclic(0.0, 1.0, n // 4, n // 3), lambda n: 5 / n),
    "Cyclic, halved": (lambda n: Cyclic(0.0, 1.0, n // 4, mode="triangular2"), lambda n: 5 / n),
    "Cyclic, exponential": (
        lambda n: Cyclic(0.0, 1.0, n // 4, mode="exp_range", gamma=1 - 1 / n),
        lambda n: 6 / n,
    ),
    "SlantedTriangular": (lambda n: SlantedTriangular(1.0, n, cut=0.2), lambda n: 6 / n),
    "PiecewiseLinear": (
        lambda n: PiecewiseLinear([n // 5, n // 2, n], [1.0, 0.2, 0.7]),
        lambda n: 4 / n,
    ),
    "PiecewiseLinear, cosine": (
        lambda n: PiecewiseLinear([n // 5, n // 2, n], [1.0, 0.2, 0.7], "cosine"),
        lambda n: 5 / n,
    ),
    "Warmup, exponential": (
        lambda n: Warmup(n // 2, Cosine(1.0, n // 2), 1e-2, shape="exponential"),
        lambda n: 11 / n,
    ),
    "Warmup, log": (
        lambda n: Warmup(n // 2, Cosine(1.0, n // 2), shape="log"),
        lambda n: 1 / math.log(n // 2),
    ),
    "Noam": (lambda n: Noam(1, n // 3, scale=(n // 3) ** 0.5), lambda n: 4 / n),
    "Polynomial, clipped": (lambda n: Polynomial(1.0, n, 2.0).clip(0.3), lambda n: 2.1 / n),
}


@pytest.mark.parametrize("name", SMOOTH)
@given(n=st.integers(40, 2000))
def test_no_jump_where_pieces_join(name, n):
    """Over twice the steps, the ends included: no two values further apart than the slope says."""
    make, most = SMOOTH[name]
    assert np.max(np.abs(np.diff(make(n).values(2 * n)))) <= most(n)


@given(n=st.integers(40, 2000), fall=st.floats(0.05, 0.9))
def test_a_jump_is_seen(n, fall):
    """What the test above would find: a sequence whose parts do not meet."""
    s = Sequential([Linear(1.0, n, 1.0 - fall), Linear(1.0, n)], [n])
    assert np.max(np.abs(np.diff(s.values(2 * n)))) >= fall - 2 / n


@given(first=rates, last=rates, n=st.integers(1, 1000), k=st.integers(0, 3000))
def test_sequential_counts_from_its_boundaries(first, last, n, k):
    a, b = Linear(first, 77), Cosine(last, 99)
    s = Sequential([a, b], [n])
    assert s(k) == (a(k) if k < n else b(k - n))
    assert s(n) == last


# Far out.


@pytest.mark.parametrize(("period", "t_mul"), [(10, 2), (1, 2), (7, 3), (3, 10), (2**62 + 1, 2)])
def test_whole_restarts_are_exact_at_every_step(period, t_mul):
    """At the peak on each boundary that is a step number, and down just before the next one."""
    s = CosineRestarts(1.0, period, t_mul=t_mul, m_mul=0.5)
    start, length, cycle = 0, period, 0
    while start <= LAST:
        assert s(start) == 0.5**cycle
        if length > 1000 and start + length <= LAST:
            assert s(start + length - 1) < 1e-5
        start, length, cycle = start + length, length * t_mul, cycle + 1
    assert cycle > 1


def test_restarts_far_out_know_where_they_are():
    """The part of the cycle that has passed, in whole numbers, beyond 2**53."""
    s = CosineRestarts(1.0, 10, t_mul=2)
    start, length = 10 * (2**60 - 1), 10 * 2**60
    for k in (start + 1, start + 2**53 + 1, start + length // 3):
        x = Fraction(k - start, length)
        assert s(k) == pytest.approx((1 + math.cos(math.pi * float(x))) / 2, abs=1e-15)


def test_cycles_are_exact_at_every_step():
    polynomial, cyclic = Polynomial(1.0, 10, cycle=True), Cyclic(0.0, 1.0, 5)
    last = LAST // 10 * 10
    assert polynomial(last) == cyclic(last) == 0.0
    assert polynomial(last - 10) == 0.0
    assert 0 < polynomial(last + 1) < 1e-17
    assert cyclic(last + 5) == 1.0


# Bad input: the call, the error, the message with its mend.

ONE = Constant(1.0)


def twice(k):
    return 2.0 * k


BAD = [
    (lambda: Linear(0.1, 0), ValueError, r"Linear\.total: expected at least 1 step, got 0"),
    (lambda: Linear(0.1, 5, math.nan), ValueError, r"Linear\.end: expected a finite number"),
    (lambda: Polynomial(1, 5, cycle=1), TypeError, r"Polynomial\.cycle: expected True or False, g"),
    (lambda: PiecewiseConstant([], []), ValueError, r"levels: expected as many as boundaries \+ 1"),
    (
        lambda: PiecewiseConstant([1, 2], [3, 4]),
        ValueError,
        r"PiecewiseConstant\.levels: expected as many as boundaries \+ 1 \(3\), got 2; add what is",
    ),
    (
        lambda: PiecewiseConstant([1, 2, 3], [4, 3]),
        ValueError,
        r"boundaries: expected steps in rising order, got 3 after 4; pass sorted\(boundaries\)",
    ),
    (
        lambda: PiecewiseConstant([1, math.nan], [3]),
        ValueError,
        r"PiecewiseConstant\.levels\[1\]: expected a finite number, got nan; pass an ordinary",
    ),
    (lambda: PiecewiseConstant([1, "2"], [3]), TypeError, r"levels\[1\]: expected a real number"),
    (
        lambda: PiecewiseConstant(0.1, [3]),
        TypeError,
        r"levels: expected a sequence of numbers, got",
    ),
    (lambda: PiecewiseLinear([], []), ValueError, r"PiecewiseLinear\.steps: expected at least one"),
    (lambda: PiecewiseLinear([1], [1, 2]), ValueError, r"levels: expected as many as steps \(1\)"),
    (
        lambda: PiecewiseLinear([1], [1], "cubic"),
        ValueError,
        r"PiecewiseLinear\.shape: expected one of 'linear', 'cosine', got 'cubic'; pick one of",
    ),
    (
        lambda: PiecewiseLinear([1], [1], None),
        TypeError,
        r"shape: expected a word \(str\), got Non",
    ),
    (lambda: Exponential(1, 0.5, steps=0), ValueError, r"Exponential\.steps: expected at least 1"),
    (lambda: InverseTime(1, 0.5, steps=0), ValueError, r"InverseTime\.steps: expected at least 1"),
    (
        lambda: InverseTime(1, 1, staircase="no"),
        TypeError,
        r"InverseTime\.staircase: expected True",
    ),
    (lambda: InverseSqrt(0.1, 0), ValueError, r"InverseSqrt\.timescale: expected at least 1 step"),
    (lambda: Noam(0, 10), ValueError, r"Noam\.dim: expected at least 1, got 0; pass a positive"),
    (lambda: Noam(512, 0), ValueError, r"Noam\.warmup: expected at least 1 step"),
    (lambda: Cosine(1, 5, exponent=0), ValueError, r"Cosine\.exponent: expected a number above 0"),
    (
        lambda: Warmup(5, ONE, shape="cubic"),
        ValueError,
        r"shape: expected one of 'linear', 'expone",
    ),
    (
        lambda: Warmup(5, ONE, shape="exponential"),
        ValueError,
        r"Warmup\.start: expected a number of the sign of what follows \(1\) for shape 'exponential"
        r"', got 0; pass a small positive number such as 1e-6",
    ),
    (
        lambda: Warmup(5, Lambda(twice), 0.1, shape="exponential")(1),
        ValueError,
        r"Warmup\.start: expected a number of the sign of what follows \(0\)",
    ),
    (
        lambda: Warmup(5, Linear(1, 5)).then(ONE),
        ValueError,
        "leads nowhere yet, got one into Linear",
    ),
    (lambda: Warmup(5).then(0.1), TypeError, r"Warmup\.into: expected a schedule, got float 0.1"),
    (lambda: OneCycle(1, 0), ValueError, r"OneCycle\.total: expected at least 1 step"),
    (
        lambda: OneCycle(1, 9, 1.5),
        ValueError,
        r"OneCycle\.rise: expected a number from 0 to 1, got",
    ),
    (
        lambda: OneCycle(1, 9, 0.6, phases=3),
        ValueError,
        r"OneCycle\.rise: expected at most 0.5 with three phases, got 0.6; leave as long for the",
    ),
    (
        lambda: OneCycle(1, 9, phases=4),
        ValueError,
        r"OneCycle\.phases: expected 2 or 3, got 4; pas",
    ),
    (lambda: OneCycle(1, 9, div=0), ValueError, r"OneCycle\.div: expected a number above 0, got 0"),
    (
        lambda: OneCycle(1, 9, final_div=-1),
        ValueError,
        r"OneCycle\.final_div: expected a number ab",
    ),
    (
        lambda: OneCycle(1e9, 9, div=1e-300),
        ValueError,
        r"div: expected a divisor that leaves a fin",
    ),
    (lambda: OneCycle(math.inf, 9), ValueError, r"OneCycle\.peak: expected a finite number"),
    (lambda: OneCycle(1, 9, shape="cos"), ValueError, r"OneCycle\.shape: expected one of 'linear'"),
    (
        lambda: OneCycleMomentum(math.nan, 1, 9),
        ValueError,
        r"OneCycleMomentum\.low: expected a fin",
    ),
    (lambda: Cyclic(0, 1, 0), ValueError, r"Cyclic\.up: expected at least 1 step"),
    (lambda: Cyclic(0, 1, 5, 0), ValueError, r"Cyclic\.down: expected at least 1 step"),
    (
        lambda: Cyclic(0, 1, 2**63),
        ValueError,
        r"Cyclic\.down: expected less than 2\*\*64 steps in a",
    ),
    (
        lambda: Cyclic(0, 1, 5, mode="saw"),
        ValueError,
        r"Cyclic\.mode: expected one of 'triangular'",
    ),
    (
        lambda: Cyclic(0, 1, 5, gamma=1.1),
        ValueError,
        r"Cyclic\.gamma: expected a number from 0 to 1",
    ),
    (
        lambda: WSD(1, 10, 10, 1),
        ValueError,
        r"WSD\.warmup: expected fewer steps than total \(10\), got 10; raise total, which counts",
    ),
    (
        lambda: WSD(1, 10, 30, 21),
        ValueError,
        r"WSD\.decay: expected at most total - warmup \(20\), got 21; lower decay or raise the",
    ),
    (lambda: WSD(1, 10, 30, 0), ValueError, r"WSD\.decay: expected at least 1 step"),
    (
        lambda: WSD(1, 1, 9, 2, "exp"),
        ValueError,
        r"WSD\.tail: expected one of 'linear', 'cosine', '",
    ),
    (
        lambda: LRRangeTest(0, 1, 9),
        ValueError,
        r"LRRangeTest\.low: expected a number above 0, got 0",
    ),
    (lambda: LRRangeTest(1, -1, 9), ValueError, r"LRRangeTest\.high: expected a number above 0"),
    (lambda: LRRangeTest(1, 2, 0), ValueError, r"LRRangeTest\.total: expected at least 1 step"),
    (lambda: REX(0.1, 0), ValueError, r"REX\.total: expected at least 1 step"),
    (
        lambda: SlantedTriangular(1, 9, -0.1),
        ValueError,
        r"cut: expected a number from 0 to 1, got -",
    ),
    (
        lambda: SlantedTriangular(1, 9, 0.1, 0.5),
        ValueError,
        r"ratio: expected a number of at least 1",
    ),
    (
        lambda: Tanh(1, 9, 3, -6),
        ValueError,
        r"Tanh\.upper: expected more than lower \(3\), got -6; raise it, or lower lower",
    ),
    (
        lambda: Sequential([], []),
        ValueError,
        r"Sequential\.schedules: expected at least one, got no",
    ),
    (
        lambda: Sequential([ONE, ONE], []),
        ValueError,
        r"schedules: expected as many as boundaries \+",
    ),
    (
        lambda: Sequential([ONE] * 3, [5, 4]),
        ValueError,
        r"boundaries: expected steps in rising ord",
    ),
    (
        lambda: Sequential([ONE, 0.1], [5]),
        TypeError,
        r"Sequential\.schedules\[1\]: expected a schedule, got float 0.1; for a fixed value pass",
    ),
    (
        lambda: Sequential(ONE, []),
        TypeError,
        r"Sequential\.schedules: expected a sequence of schedules, got .*; pass a list such as",
    ),
    (
        lambda: Sequential([ONE, ONE], [-1]),
        ValueError,
        r"boundaries\[0\]: expected 0 to 2\*\*64 - 1",
    ),
    (lambda: Product([]), ValueError, r"Product\.of: expected at least one, got none; pass a list"),
    (lambda: Sum([1.0]), TypeError, r"Sum\.of\[0\]: expected a schedule, got float 1.0"),
    (lambda: Scaled(ONE, math.inf), ValueError, r"Scaled\.factor: expected a finite number"),
    (lambda: Scaled(0.1, 2), TypeError, r"Scaled\.of: expected a schedule, got float 0.1"),
    (
        lambda: Clipped(ONE, 2, 1),
        ValueError,
        r"Clipped\.high: expected at least low \(2\), got 1; swap low and high",
    ),
    (lambda: Clipped(ONE, math.nan), ValueError, r"Clipped\.low: expected a number, got nan"),
    (lambda: Clipped(ONE, high="1"), TypeError, r"Clipped\.high: expected a real number, got str"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m[:60] for _, _, m in BAD])
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "kind",
    [
        getattr(schedules, n)
        for n in schedules.__all__
        if n not in ("Schedule", "Lambda", "ReduceOnPlateau")
    ],
    ids=lambda kind: kind.__name__,
)
def test_no_argument_takes_what_is_no_number(kind):
    """NaN and None, in the place of every one of them."""
    good = {
        "boundaries": [5],
        "decay": 5,
        "down": 5,
        "gamma": 0.5,
        "into": ONE,
        "levels": [1.0, 2.0],
        "milestones": [5],
        "mode": "triangular",
        "of": [ONE, ONE] if kind in (Product, Sum) else ONE,
        "phases": 2,
        "schedules": [ONE, ONE],
        "shape": "linear",
        "start": 0.5,
        "steps": [1, 2] if kind is PiecewiseLinear else 5,
        "tail": "linear",
        "total": 100,
        "upper": 3.0,
        "warmup": 5,
        **dict.fromkeys(("dim", "initial", "factor", "high", "offset", "period", "peak"), 1),
        **dict.fromkeys(("rise", "step_size", "t_mul", "timescale", "up", "value"), 1),
        **dict.fromkeys(("cut", "div", "final_div", "m_mul", "power", "ratio", "scale"), 1.0),
        **dict.fromkeys(("end", "exponent", "floor", "low", "lower"), 0.5),
        **dict.fromkeys(("cycle", "staircase"), True),
    }
    names = [n for n in inspect.signature(kind).parameters if (kind, n) != (Exponential, "decay")]
    good = {name: good[name] for name in names}
    kind(**good)
    optional = {(Clipped, "low"), (Clipped, "high"), (Cyclic, "down"), (Exponential, "gamma")}
    for name in names:
        for bad in (math.nan, None):
            if bad is None and (kind, name) in optional:
                continue
            with pytest.raises(
                (TypeError, ValueError), match=rf"{kind.__name__}\.{name}: expected"
            ):
                kind(**{**good, name: bad})


def test_every_makes_stairs():
    """`every` makes stairs of any of them."""
    s = LRRangeTest(1e-4, 1.0, total=10).every(7)
    assert len(set(s.values(70).tolist())) == 10
    assert np.array_equal(s.values(70)[::7], LRRangeTest(1e-4, 1.0, total=10).values(10))
    assert Step(1.0, 7, 0.5)(21) == Exponential(1.0, 0.5).every(7)(21)
