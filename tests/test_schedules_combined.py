"""Schedules made of schedules: arithmetic, what stays native, what a checkpoint holds, plots."""

import json
import operator
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optcore as oc
from optcore.schedules import (
    Clipped,
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    Lambda,
    Linear,
    MultiStep,
    Polynomial,
    Product,
    Scaled,
    Schedule,
    Sequential,
    Shifted,
    Step,
    Sum,
    Warmup,
    WarmupCosine,
)

A, B = Linear(1.0, 50), Step(2.0, 7, 0.5)
K = np.arange(100)


def twice(k):
    return 2.0 * k


# Arithmetic.


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (0.1 * A, Scaled(A, 0.1)),
        (A * 0.1, Scaled(A, 0.1)),
        (np.float64(0.1) * A, Scaled(A, 0.1)),
        (A * np.float32(0.5), Scaled(A, 0.5)),
        (2 * A, Scaled(A, 2.0)),
        (-A, Scaled(A, -1.0)),
        (A * B, Product([A, B])),
        (A * B * A, Product([A, B, A])),
        (A * (B * A), Product([A, Product([B, A])])),
        (A + B, Sum([A, B])),
        (A + B + 1, Sum([A, B, Constant(1.0)])),
        (1 + A, Sum([Constant(1.0), A])),
        (A - B, Sum([A, Scaled(B, -1.0)])),
        (A - 0.5, Sum([A, Constant(-0.5)])),
        (0.5 - A, Sum([Constant(0.5), Scaled(A, -1.0)])),
        (sum([A, B]), Sum([Constant(0.0), A, B])),
        (A.clip(0.1), Clipped(A, 0.1)),
        (A.clip(0.1, 0.5), Clipped(A, 0.1, 0.5)),
        (A.clip(high=0.5), Clipped(A, high=0.5)),
        (A.clip(-np.inf, np.inf), Clipped(A)),
        (A.shift(3), Shifted(A, 3)),
        (Warmup(100).then(A), Warmup(100, A)),
        (Warmup(100, start=0.1, shape="log").then(A), Warmup(100, A, 0.1, shape="log")),
    ],
)
def test_arithmetic(made, expected):
    assert made == expected
    assert hash(made) == hash(expected)
    assert repr(made) == repr(expected)
    assert made._native is not None


@pytest.mark.parametrize("native", [True, False])
def test_values_are_those_of_numpy(native):
    """The same operations in the same order, whoever does them."""
    a, b = (A, B) if native else (Lambda(A), Lambda(B))
    x, y = A(K), B(K)
    for s, expected in (
        (0.1 * a, 0.1 * x),
        (a * b * a, x * y * x),
        (a + b + 0.3, x + y + 0.3),
        (a - b, x - y),
        (1.5 - a * b, 1.5 - x * y),
        ((a + b).clip(0.3, 1.7), np.clip(x + y, 0.3, 1.7)),
        (Sequential([a, b], [40]), np.where(K < 40, x, np.roll(y, 40))),
    ):
        assert (s._native is not None) == native
        np.testing.assert_array_equal(s(K), expected)
        assert [s(int(k)) for k in K] == expected.tolist()


@pytest.mark.parametrize("other", [True, "2", None, [1.0], 1j, np.ones(3)])
@pytest.mark.parametrize("operation", [operator.add, operator.mul, operator.sub])
def test_arithmetic_with_what_is_no_number(operation, other):
    with pytest.raises(TypeError, match=r"operand|sequence|concatenate"):
        operation(A, other)
    with pytest.raises(TypeError, match=r"operand|sequence|concatenate"):
        operation(other, A)


def test_arithmetic_checks_its_numbers():
    with pytest.raises(ValueError, match=r"Scaled\.factor: expected a finite number"):
        A * float("inf")
    with pytest.raises(ValueError, match=r"Constant\.value: expected a finite number"):
        A + float("nan")


def test_a_function_inside_takes_it_back_to_python():
    f = Lambda(twice)
    for s in (0.1 * f, f + A, A * f, f.clip(1), Sequential([A, f], [5]), Warmup(5, f), f.every(2)):
        assert s._native is None
        assert (s.shift(3) * A)._native is None
        assert s(7) == s(np.array([7]))[0]
        with pytest.raises(ValueError, match=r"make it again with Lambda\(f\)"):
            Schedule.from_dict((A + s).to_dict())


schedules = st.recursive(
    st.sampled_from([A, B, Cosine(0.3, 60, 0.01), Exponential(1.0, 0.9), Constant(0.25)]),
    lambda inner: st.one_of(
        st.tuples(inner, st.floats(-3, 3)).map(lambda t: t[0] * t[1]),
        st.lists(inner, min_size=1, max_size=3).map(Sum),
        st.lists(inner, min_size=1, max_size=3).map(Product),
        st.tuples(inner, inner, st.integers(0, 90)).map(lambda t: Sequential(t[:2], t[2:])),
        st.tuples(inner, st.integers(0, 40)).map(lambda t: Warmup(t[1], t[0])),
        st.tuples(inner, st.integers(0, 40)).map(lambda t: t[0].shift(t[1])),
        st.tuples(inner, st.integers(1, 9)).map(lambda t: t[0].every(t[1])),
        inner.map(lambda s: s.clip(-0.5, 0.5)),
    ),
    max_leaves=8,
)


@given(s=schedules, order=st.permutations(range(60)))
def test_whatever_is_combined(s, order):
    """Native, seekable, equal after JSON, the call that makes it as its repr."""
    assert s._native is not None
    values = s.values(60)
    assert [s(k) for k in order] == values[order].tolist()
    back = Schedule.from_dict(json.loads(json.dumps(s.to_dict())))
    assert (back, hash(back), repr(back)) == (s, hash(s), repr(s))
    assert np.array_equal(back.values(60), values)
    assert eval(repr(s), vars(oc.schedules)) == s


# Bad data.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"schedule": "sum", "of": [{"schedule": "sine"}]}, "expected one of constant, .* 'sine'"),
        ({"schedule": "sum", "of": [{"schedule": "lambda"}]}, r"make it again with Lambda\(f\)"),
        ({"schedule": "sum", "of": []}, r"Sum\.of: expected at least one"),
        (
            {"schedule": "scaled", "of": {"schedule": "constant"}, "factor": 1},
            "got no 'value'; add",
        ),
        ({"schedule": "clipped", "low": 1}, "Clipped: expected of, low, high, got no 'of'; add it"),
    ],
)
def test_bad_nested_data(data, message):
    with pytest.raises(ValueError, match=message):
        Schedule.from_dict(data)


# Checkpoints.


def adam(lr, betas=(0.9, 0.999)):
    return oc.Adam({"w": np.ones(3, np.float32)}, lr=lr, betas=betas)


def test_a_checkpoint_holds_any_of_them():
    lr = Warmup(3).then(0.1 * Sequential([A, B + 0.2], [5])).clip(1e-5)
    saved = json.loads(
        json.dumps(adam(lr, (A * 0.9, 0.999)).state_dict(), default=np.ndarray.tolist)
    )
    other = adam(1.0)
    saved["state"] = other.state_dict()["state"]
    other.load_state_dict(saved)
    assert other.groups[0].schedule("lr") == lr
    assert other.groups[0].schedule("betas") == (A * 0.9, 0.999)


def test_a_function_within_others_stays_as_it_is():
    lr = Sequential([A, 0.1 * Lambda(twice)], [5])
    opt = adam(lr)
    opt.load_state_dict(adam(lr).state_dict())
    assert opt.groups[0].schedule("lr") is lr
    with pytest.raises(ValueError, match="was a Python function, which cannot be saved"):
        adam(A).load_state_dict(adam(lr).state_dict())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"schedule": "cosine", "initial": 0.1, "total": 9, "floor": 0.01}, Cosine(0.1, 9, 0.01)),
        ({"schedule": "exponential", "initial": 0.1, "gamma": 0.9}, Exponential(0.1, 0.9)),
        ({"schedule": "exponential", "initial": 0.1, "decay": 0.9}, Exponential(0.1, decay=0.9)),
        ({"schedule": "inverse_time", "initial": 0.1, "decay": 0.9}, InverseTime(0.1, 0.9)),
        (
            {"schedule": "polynomial", "initial": 0.1, "total": 9, "power": 2.0, "end": 0.0},
            Polynomial(0.1, 9, 2.0),
        ),
        (
            {"schedule": "multi_step", "initial": 0.1, "milestones": [1, 2], "gamma": 0.1},
            MultiStep(0.1, [1, 2]),
        ),
        (
            {
                "schedule": "cosine_restarts",
                "initial": 0.1,
                "period": 9,
                "t_mul": 2.0,
                "m_mul": 1.0,
                "floor": 0.0,
            },
            CosineRestarts(0.1, 9, 2),
        ),
        (
            {
                "schedule": "warmup",
                "warmup": 5,
                "into": {"schedule": "constant", "value": 0.1},
                "start": 0.0,
            },
            Warmup(5, Constant(0.1)),
        ),
        (
            {
                "schedule": "warmup_cosine",
                "peak": 0.1,
                "warmup": 5,
                "total": 9,
                "floor": 0.0,
                "start": 0.0,
            },
            WarmupCosine(0.1, 5, 9),
        ),
    ],
)
def test_checkpoints_of_earlier_versions(data, expected):
    """As 0.1 wrote them down, without the options that have come since; and so does this one."""
    saved = adam(1.0).state_dict()
    saved["groups"][0]["lr"] = data
    opt = adam(1.0)
    opt.load_state_dict(saved)
    assert opt.groups[0].schedule("lr") == expected
    assert expected.to_dict() == data


def test_a_run_resumes_where_it_was():
    """Saved after three steps and gone on with in another optimizer, or run through."""
    lr = Warmup(2).then(0.1 * (A + B))
    through, first, second = adam(lr), adam(lr), adam(0.5)
    grad = {"w": np.full(3, 0.5, np.float32)}
    for opt, n in ((through, 6), (first, 3)):
        for _ in range(n):
            opt.step(grad)
    second.load_state_dict(first.state_dict())
    assert second.lr == lr(3)
    for _ in range(3):
        second.step(grad)
    assert second.lr == through.lr == lr(6)


# Plots.


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_plot(pyplot):
    axes = A.plot(40, label="a")
    assert B.plot(60, axes, color="red") is axes
    first, second = axes.get_lines()
    assert first.get_label() == "a"
    assert second.get_color() == "red"
    assert np.array_equal(first.get_ydata(), A.values(40))
    assert np.array_equal(second.get_xdata(), np.arange(60))
    assert axes.get_xlabel() == "step"
    assert A.plot(5) is not axes


def test_plot_of_a_wrong_number():
    with pytest.raises(ValueError, match="n: expected at least 0, got -1"):
        A.plot(-1)


def test_plot_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'optcore\[plot\]'"):
        A.plot(5)
