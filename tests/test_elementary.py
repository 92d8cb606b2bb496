"""The elementary functions of the core against mpmath: within 1 ulp, everywhere."""

import itertools
import math
import random
import struct
import sys

import mpmath
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from optcore import _core

INF, NAN = math.inf, math.nan
TINY, HUGE = 5e-324, sys.float_info.max
SMALLEST_NORMAL = sys.float_info.min
NEAR_ONE = 1 - 2**-53


@pytest.fixture(autouse=True)
def working_precision():
    # 1300 bits hold any double next to π, so that mpmath itself reduces arguments exactly.
    with mpmath.workprec(1300):
        yield


def ulps(got: float, exact: mpmath.mpf) -> float:
    """The distance in units of the last place that the exact value has as a double."""
    if exact == 0:
        return 0.0 if got == 0 else INF
    if math.isinf(got):
        return 0.0 if abs(exact) >= mpmath.mpf(HUGE) and (exact > 0) == (got > 0) else INF
    exponent = max(mpmath.frexp(exact)[1] - 53, -1074)
    return float(abs(mpmath.mpf(got) - exact) / mpmath.mpf(2) ** exponent)


def exact_pow(x: float, y: float) -> mpmath.mpf:
    return mpmath.mpf(x) ** mpmath.mpf(y)


def exact_one_minus_power(base: float, n: int) -> mpmath.mpf:
    return 1 - mpmath.mpf(base) ** n


UNARY = {
    "exp": (_core.math_exp, mpmath.exp),
    "log": (_core.math_log, mpmath.log),
    "tanh": (_core.math_tanh, mpmath.tanh),
    "cos": (_core.math_cos, mpmath.cos),
    "cos_pi": (_core.math_cos_pi, mpmath.cospi),
}

HARD = {
    "exp": [
        *(0.0, 1.0, -1.0, TINY, -TINY, 2**-53, -(2**-54), 0.34657359027997264),
        *(709.782712893384, 709.7827128933841, -708.3964185322641, -708.3964185322642),
        *(-745.1332191019411, -745.1332191019412, -745.13321910194122, -744.0, 800.0, -800.0),
    ],
    "log": [1.0, NEAR_ONE, 1 + 2**-52, TINY, SMALLEST_NORMAL, HUGE, 2.0, 0.5, 2**0.5, 0.5**0.5],
    "tanh": [TINY, 2**-28, 2**-29, 0.17328679513998632, 0.5, 19.0, 21.99, 22.0, 700.0, HUGE],
    "cos": [
        *(0.0, TINY, math.pi / 4, math.pi / 2, math.pi, 3 * math.pi / 2, 355.0, 1e5, 1e22, HUGE),
        6381956970095103.0 * 2.0**797,  # the double that comes closest to a multiple of π/2
        *(0.7853981633974484, 11.0, 5.5 * 2**50),
    ],
    "cos_pi": [
        *(0.0, TINY, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 1e15 + 0.5, 2.0**50 + 0.25, 2.0**50 + 0.5),
        *(2.0**52 + 1, 2.0**53 - 1, 2.0**53, HUGE, math.nextafter(0.5, 0), math.nextafter(0.5, 1)),
    ],
}


@pytest.mark.parametrize(
    ("name", "x"), [(name, x) for name, points in HARD.items() for x in points]
)
def test_hard_cases(name, x):
    function, exact = UNARY[name]
    assert ulps(function(x), exact(mpmath.mpf(x))) <= 1


def of_any_size(rng: random.Random, low: float, high: float) -> float:
    return rng.choice((-1, 1)) * 2 ** rng.uniform(low, high)


def any_positive(rng: random.Random) -> float:
    return struct.unpack("d", struct.pack("Q", rng.randrange(1, 0x7FF << 52)))[0]


SWEEPS = {
    "exp, all": ("exp", lambda rng: rng.uniform(-746, 710)),
    "exp, subnormal results": ("exp", lambda rng: rng.uniform(-746, -708)),
    "exp, near 0": ("exp", lambda rng: of_any_size(rng, -60, 0)),
    "log, all": ("log", any_positive),
    "log, near 1": ("log", lambda rng: 1 + of_any_size(rng, -52, -1.01)),
    "tanh, all": ("tanh", lambda rng: of_any_size(rng, -40, 5)),
    "tanh, subnormal": ("tanh", lambda rng: of_any_size(rng, -1073, -1000)),
    "cos, ordinary": ("cos", lambda rng: rng.uniform(-1e5, 1e5)),
    "cos, all": ("cos", lambda rng: of_any_size(rng, -30, 1023)),
    "cos, near its zeros": ("cos", lambda rng: rng.randrange(10**6) * (math.pi / 2)),
    "cos_pi, one turn": ("cos_pi", lambda rng: rng.uniform(-2, 2)),
    "cos_pi, all": ("cos_pi", lambda rng: of_any_size(rng, -30, 53)),
    "cos_pi, near its zeros": (
        "cos_pi",
        lambda rng: rng.randrange(1000) + 0.5 + of_any_size(rng, -50, -1),
    ),
}


@pytest.mark.parametrize("sweep", SWEEPS)
def test_sweep(sweep):
    name, draw = SWEEPS[sweep]
    function, exact = UNARY[name]
    rng = random.Random(sweep)
    with mpmath.workprec(1300 if name == "cos" else 200):
        points = [draw(rng) for _ in range(1000 if name == "cos" else 3000)]
        worst = max(points, key=lambda x: ulps(function(x), exact(mpmath.mpf(x))))
        assert ulps(function(worst), exact(mpmath.mpf(worst))) <= 1, worst


POW_SWEEPS = {
    "ordinary": lambda rng: (2 ** rng.uniform(-50, 50), rng.uniform(-25, 25)),
    "any base": lambda rng: (any_positive(rng), of_any_size(rng, -20, 1)),
    "base near 1": lambda rng: (1 + of_any_size(rng, -52, -10), of_any_size(rng, 5, 55)),
    "subnormal results": lambda rng: (2 ** -(rng.uniform(1020, 1076) / 2.5), 2.5),
    "negative base": lambda rng: (-rng.uniform(0, 3), float(rng.randrange(-300, 300))),
}


@pytest.mark.parametrize("sweep", POW_SWEEPS)
def test_pow_sweep(sweep):
    rng = random.Random(sweep)
    with mpmath.workprec(300):
        for _ in range(2000):
            x, y = POW_SWEEPS[sweep](rng)
            exact = exact_pow(x, y)
            assert ulps(_core.math_pow(x, y), exact) <= 1, (x, y)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(x=st.floats(-746, 710))
def test_exp_property(x):
    assert ulps(_core.math_exp(x), mpmath.exp(mpmath.mpf(x))) <= 1


@given(x=st.floats(TINY, HUGE))
def test_log_property(x):
    assert ulps(_core.math_log(x), mpmath.log(mpmath.mpf(x))) <= 1


@given(x=finite)
def test_odd_and_even_property(x):
    assert _core.math_tanh(-x) == -_core.math_tanh(x)
    assert _core.math_cos(-x) == _core.math_cos(x)
    assert _core.math_cos_pi(-x) == _core.math_cos_pi(x)


@given(x=st.floats(TINY, HUGE), y=finite)
def test_pow_property(x, y):
    assume(abs(y * math.log(x)) < 800)
    assert ulps(_core.math_pow(x, y), exact_pow(x, y)) <= 1


@pytest.mark.parametrize("function", [f for f, _ in UNARY.values()])
def test_nan_stays_nan(function):
    assert math.isnan(function(NAN))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", INF, INF),
        ("exp", -INF, 0.0),
        ("exp", HUGE, INF),
        ("exp", -HUGE, 0.0),
        ("exp", -0.0, 1.0),
        ("log", 0.0, -INF),
        ("log", -0.0, -INF),
        ("log", 1.0, 0.0),
        ("log", INF, INF),
        ("log", -1.0, NAN),
        ("log", -INF, NAN),
        ("tanh", 0.0, 0.0),
        ("tanh", -0.0, -0.0),
        ("tanh", INF, 1.0),
        ("tanh", -INF, -1.0),
        ("cos", INF, NAN),
        ("cos", -INF, NAN),
        ("cos", -0.0, 1.0),
        ("cos_pi", INF, NAN),
        ("cos_pi", -INF, NAN),
        ("cos_pi", -0.0, 1.0),
        ("cos_pi", 0.5, 0.0),
        ("cos_pi", -1.5, 0.0),
        ("cos_pi", 2.0**52 + 1, -1.0),
    ],
)
def test_special_values(name, x, expected):
    assert repr(UNARY[name][0](x)) == repr(expected)  # tells -0.0 from 0.0


def pow_of_c99(x: float, y: float) -> float:
    """C's pow where it is exact; Python's own differs only in what it raises."""
    try:
        return math.pow(x, y)
    except ValueError:  # a negative number to no integer, or 0 to a negative one
        if x != 0:
            return NAN
        odd = y.is_integer() and abs(y) < 2**53 and int(y) % 2 == 1
        return math.copysign(INF, x) if odd else INF
    except OverflowError:
        return -INF if x < 0 and int(y) % 2 == 1 else INF


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, INF, -INF, NAN, HUGE, -HUGE]


@pytest.mark.parametrize(
    ("x", "y"), list(itertools.product(SPECIAL, [*SPECIAL, 2.0**53, 2.0**53 - 1]))
)
def test_pow_special_values(x, y):
    got, expected = _core.math_pow(x, y), pow_of_c99(x, y)
    if math.isfinite(expected) and expected != 0:
        assert got == pytest.approx(expected, rel=2**-52, abs=0)
    else:
        assert repr(got) == repr(expected)


@pytest.mark.parametrize("n", range(34))
def test_exact_results_are_exact(n):
    for base in (2, 3):
        assert _core.math_pow(base, n) == _core.math_power(base, n) == base**n
    assert _core.math_pow(0.1, 1.0) == _core.math_power(0.1, 1) == 0.1


COUNTS = [
    *(1, 2, 3, 10, 1000, 2**24 - 1, 2**24, 2**24 + 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1),
    *(2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**55 + 1, 2**63 - 1, 2**63, 2**64 - 1),
]
BETAS = [
    *(0.0, TINY, 1e-300, 2**-30, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.999999),
    *(1 - 2**-20, 1 - 2**-31, 1 - 2**-50, 1 - 2**-52, NEAR_ONE),
]


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("base", BETAS)
def test_powers_of_betas(base, n):
    assert ulps(_core.math_power(base, n), mpmath.mpf(base) ** n) <= 1
    assert ulps(_core.math_one_minus_power(base, n), exact_one_minus_power(base, n)) <= 1


@given(
    base=st.floats(0, 1, exclude_max=True) | st.floats(2.0**-53, 1e-3).map(lambda x: 1 - x),
    n=st.integers(0, 2**64 - 1) | st.integers(0, 100_000),
)
@example(base=0.5, n=1074)
@example(base=0.7, n=1991)
def test_power_property(base, n):
    assert ulps(_core.math_power(base, n), mpmath.mpf(base) ** n) <= 1
    assert ulps(_core.math_one_minus_power(base, n), exact_one_minus_power(base, n)) <= 1


@given(base=st.floats(-1e3, 1e3), n=st.integers(0, 400))
def test_power_of_any_base(base, n):
    assert ulps(_core.math_power(base, n), mpmath.mpf(base) ** n) <= 1


@pytest.mark.parametrize(
    ("base", "n", "expected"),
    [
        (0.0, 0, 1.0),
        (NAN, 0, 1.0),
        (1.0, 2**64 - 1, 1.0),
        (-1.0, 2**64 - 1, -1.0),
        (-1.0, 2**63, 1.0),
        (-0.0, 3, -0.0),
        (-0.0, 4, 0.0),
        (-INF, 3, -INF),
        (-INF, 2, INF),
        (INF, 2**40, INF),
        (NAN, 5, NAN),
        (10.0, 309, INF),
        (-10.0, 309, -INF),
        (0.1, 400, 0.0),
        (-0.1, 401, -0.0),
        (2.0, 2**64 - 1, INF),
    ],
)
def test_power_special_values(base, n, expected):
    assert repr(_core.math_power(base, n)) == repr(expected)


@pytest.mark.parametrize(
    ("base", "n", "expected"),
    [(0.5, 0, 0.0), (1.0, 7, 0.0), (0.0, 1, 1.0), (NAN, 3, NAN), (0.9, 2**64 - 1, 1.0)],
)
def test_one_minus_power_special_values(base, n, expected):
    assert repr(_core.math_one_minus_power(base, n)) == repr(expected)
