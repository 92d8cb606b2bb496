"""Schedules with their formulas, written down anew in mpmath, for every test of all schedules.

The values lie between 0 and 0.1 at every step, as `test_huge_steps` asks for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mpf

from optcore.schedules import (
    REX,
    WSD,
    Clipped,
    Constant,
    Cosine,
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
    Schedule,
    Sequential,
    SlantedTriangular,
    Step,
    Sum,
    Tanh,
    Warmup,
)


def in_words(value: Any) -> str:
    """A name for a test, the same in each run: the repr, less where functions lie in memory."""
    if isinstance(value, (Schedule, str)):
        return re.sub(" at 0x[0-9a-f]+", "", str(value))
    return ""


def half_cosine(x: Any) -> Any:
    return (1 + mpmath.cospi(x)) / 2


def straight(x: Any) -> Any:
    return 1 - x


def along(points: list[tuple[Any, Any]], k: int, shape: Callable[[Any], Any] = straight) -> Any:
    """From point to point by the shape, and level before the first and after the last."""
    if k <= points[0][0]:
        return mpf(points[0][1])
    for (a, first), (b, last) in itertools.pairwise(points):
        if a <= k < b:
            return last + (mpf(first) - last) * shape((k - mpf(a)) / (mpf(b) - a))
    return mpf(points[-1][1])


def triangle(k: int, up: int, down: int) -> Any:
    inside = k % (up + down)
    return mpf(inside) / up if inside <= up else mpf(up + down - inside) / down


def polynomial_cycle(k: int) -> Any:
    whole = 70 * max(1, -(-k // 70))
    return mpf(0.01) + (mpf(0.1) - 0.01) * (1 - mpf(k) / whole) ** 1.5


def trapezium(k: int, tail: Callable[[Any], Any]) -> Any:
    if k < 50:
        return mpf(0.001) + (mpf(0.1) - 0.001) * k / 50
    if k < 300:
        return mpf(0.1)
    return mpf(0.01) + (mpf(0.1) - 0.01) * tail(min(mpf(k - 300) / 150, 1))


def ramp(k: int, shape: str) -> Any:
    if k >= 100:
        return 0.1 * mpf(0.99) ** (k - 100)
    if shape == "exponential":
        return mpf(1e-4) * (mpf(0.1) / 1e-4) ** (mpf(k) / 100)
    return mpf(1e-4) + (mpf(0.1) - 1e-4) * min(mpmath.log(k + 1) / mpmath.log(100), 1)


def ulmfit(k: int, total: int, top: int) -> Any:
    p = mpf(k) / top if k < top else mpf(max(total - k, 0)) / (total - top)
    return mpf(0.1) * (1 + p * 31) / 32


def tanh(k: int) -> Any:
    z = -6 + 9 * mpf(min(k, 300)) / 300
    return mpf(0.01) + (mpf(0.1) - 0.01) * (1 - mpmath.tanh(z)) / 2


def half(k: int) -> float:
    return 0.05 if k % 2 else 0.025


ONE = mpf(0.3) * 900 - 1  # where the rates of one cycle turn
THREE = mpf(0.4) * 900 - 1
LOW = mpf(0.1) / 25

CATALOGUE: list[tuple[Schedule, Callable[[int], Any]]] = [
    (Linear(0.1, 300, 0.02), lambda k: along([(0, 0.1), (300, 0.02)], k)),
    (Linear(0.0, 7, end=0.1), lambda k: along([(0, 0.0), (7, 0.1)], k)),
    (Polynomial(0.1, 70, 1.5, 0.01, cycle=True), polynomial_cycle),
    (
        PiecewiseConstant([0.1, 0.0, 0.05], [10, 500]),
        lambda k: 0.1 if k < 10 else 0.0 if k < 500 else 0.05,
    ),
    (PiecewiseConstant([0.1], []), lambda k: 0.1),
    (
        PiecewiseLinear([5, 30, 30, 600], [0.1, 0.05, 0.02, 0.07]),
        lambda k: along([(5, 0.1), (30, 0.05), (30, 0.02), (600, 0.07)], k),
    ),
    (
        PiecewiseLinear([0, 30, 600], [0.1, 0.05, 0.07], "cosine"),
        lambda k: along([(0, 0.1), (30, 0.05), (600, 0.07)], k, half_cosine),
    ),
    (Exponential(0.1, 0.5, steps=30), lambda k: 0.1 * mpf(0.5) ** (mpf(k) / 30)),
    (Exponential(0.1, decay=0.5, steps=30), lambda k: 0.1 * mpmath.exp(-mpf(k) / 60)),
    (InverseTime(0.1, 0.5, steps=30), lambda k: 0.1 / (1 + mpf(k) / 60)),
    (InverseTime(0.1, 0.5, steps=30, staircase=True), lambda k: 0.1 / (1 + mpf(k // 30) / 2)),
    (InverseSqrt(0.1), lambda k: 0.1 / mpmath.sqrt(1 + k)),
    (InverseSqrt(0.1, 40), lambda k: 0.1 / mpmath.sqrt(1 + mpf(k) / 40)),
    (
        Noam(64, 40, scale=3.0),
        lambda k: 3 * mpf(64) ** -0.5 * min(mpf(k + 1) ** -0.5, (k + 1) * mpf(40) ** -1.5),
    ),
    (
        Cosine(0.1, 300, 0.01, exponent=1.7),
        lambda k: 0.01 + (mpf(0.1) - 0.01) * half_cosine(mpf(min(k, 300)) / 300) ** mpf(1.7),
    ),
    (Warmup(100, Exponential(0.1, 0.99), 1e-4, shape="log"), lambda k: ramp(k, "log")),
    (
        Warmup(100, Exponential(0.1, 0.99), 1e-4, shape="exponential"),
        lambda k: ramp(k, "exponential"),
    ),
    (Warmup(1, Constant(0.1), 0.05, shape="log"), lambda k: 0.1 if k else 0.05),
    (
        OneCycle(0.1, 900),
        lambda k: along([(0, LOW), (ONE, 0.1), (899, LOW / 10000)], k, half_cosine),
    ),
    (
        OneCycle(0.1, 900, 0.4, 5.0, 100.0, phases=3, shape="linear"),
        lambda k: along([(0, 0.1 / 5), (THREE, 0.1), (2 * THREE, 0.1 / 5), (899, 0.1 / 500)], k),
    ),
    (
        OneCycleMomentum(0.085, 0.095, 900),
        lambda k: along([(0, 0.095), (ONE, 0.085), (899, 0.095)], k, half_cosine),
    ),
    (Cyclic(0.02, 0.1, 20), lambda k: 0.02 + (mpf(0.1) - 0.02) * triangle(k, 20, 20)),
    (
        Cyclic(0.02, 0.1, 20, 31, "triangular2"),
        lambda k: 0.02 + (mpf(0.1) - 0.02) * triangle(k, 20, 31) / 2 ** (k // 51),
    ),
    (
        Cyclic(0.02, 0.1, 20, 7, "exp_range", 0.995),
        lambda k: 0.02 + (mpf(0.1) - 0.02) * triangle(k, 20, 7) * mpf(0.995) ** k,
    ),
    (WSD(0.1, 50, 450, 150, "linear", 0.01, 0.001), lambda k: trapezium(k, straight)),
    (WSD(0.1, 50, 450, 150, "cosine", 0.01, 0.001), lambda k: trapezium(k, half_cosine)),
    (
        WSD(0.1, 50, 450, 150, "sqrt", 0.01, 0.001),
        lambda k: trapezium(k, lambda x: 1 - mpmath.sqrt(x)),
    ),
    (WSD(0.1, 50, 450, 150, "square", 0.01, 0.001), lambda k: trapezium(k, lambda x: 1 - x * x)),
    (
        LRRangeTest(1e-5, 0.1, 400),
        lambda k: mpf(1e-5) * (mpf(0.1) / 1e-5) ** (mpf(min(k, 400)) / 400),
    ),
    (LRRangeTest(1e-5, 0.1, 400, "linear"), lambda k: along([(0, 1e-5), (400, 0.1)], k)),
    (
        REX(0.1, 300, 0.01),
        lambda k: 0.01 + (mpf(0.1) - 0.01) * 2 * (300 - mpf(min(k, 300))) / (600 - min(k, 300)),
    ),
    (SlantedTriangular(0.1, 305), lambda k: ulmfit(k, 305, 30)),
    (SlantedTriangular(0.1, 300, cut=0.0), lambda k: ulmfit(k, 300, 0)),
    (Tanh(0.1, 300, floor=0.01), tanh),
    (
        Sequential([Constant(0.1), Linear(0.1, 50), Step(0.05, 90, 0.5)], [30, 400]),
        lambda k: (
            0.1
            if k < 30
            else along([(30, 0.1), (80, 0)], k)
            if k < 400
            else mpf(0.05) / 2 ** ((k - 400) // 90)
        ),
    ),
    (Sequential([Constant(0.1)], []), lambda k: 0.1),
    (
        Product([Linear(1.0, 300), Exponential(0.1, 0.99), Warmup(20)]),
        lambda k: (1 - mpf(min(k, 300)) / 300) * 0.1 * mpf(0.99) ** k * min(mpf(k) / 20, 1),
    ),
    (
        Sum([Linear(0.02, 300), Cosine(0.03, 200), Constant(0.01)]),
        lambda k: (
            along([(0, 0.02), (300, 0)], k) + 0.03 * half_cosine(mpf(min(k, 200)) / 200) + 0.01
        ),
    ),
    (Scaled(Linear(1.0, 300), 0.1), lambda k: 0.1 * along([(0, 1), (300, 0)], k)),
    (
        Clipped(Linear(0.1, 300), 0.02, 0.07),
        lambda k: min(max(along([(0, 0.1), (300, 0)], k), 0.02), mpf(0.07)),
    ),
    (Clipped(Linear(0.1, 300), high=0.07), lambda k: min(along([(0, 0.1), (300, 0)], k), 0.07)),
    # With a Python function inside, so that Python puts them together.
    (
        Sequential([Lambda(half), Linear(0.1, 9)], [50]),
        lambda k: half(k) if k < 50 else along([(50, 0.1), (59, 0)], k),
    ),
    (0.5 * (Lambda(half) * Linear(1.0, 300)), lambda k: half(k) * along([(0, 0.5), (300, 0)], k)),
    ((Lambda(half) + Constant(0.01)).clip(0.04), lambda k: max(half(k) + mpf(0.01), 0.04)),
    (Lambda(half).clip(high=0.03), lambda k: min(half(k), 0.03)),
    (
        Warmup(8, Lambda(half), 0.001, shape="exponential"),
        lambda k: half(k - 8) if k >= 8 else mpf(0.001) * mpf(25) ** (mpf(k) / 8),
    ),
]
