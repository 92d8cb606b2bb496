"""The keyword `dialect`: what it fills in, and what it leaves as the caller has it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import optcore as oc
from optcore.optimizers import dialects


class Named(oc.Adam):
    """A class that names its options."""

    _dialects: ClassVar[dialects.Table] = {
        "keras": {"eps": 1e-7, "lr": 0.5},
        "optax": {"amsgrad": True},
    }

    def __init__(self, params: Any, lr: Any = 0.1, *, eps: Any = 1e-8, amsgrad: bool = False, **c):
        super().__init__(params, lr, (0.9, 0.999), eps, 0.0, amsgrad, **c)


def values(opt: oc.Optimizer, *names: str) -> tuple[Any, ...]:
    return tuple(opt.groups[0][name] for name in names)


W = np.zeros(3)


def test_it_fills_in_what_is_left_out():
    assert values(Named(W), "lr", "eps", "amsgrad") == (0.1, 1e-8, False)
    assert values(Named(W, dialect="torch"), "lr", "eps", "amsgrad") == (0.1, 1e-8, False)
    assert values(Named(W, dialect="keras"), "lr", "eps", "amsgrad") == (0.5, 1e-7, False)


def test_what_is_given_wins_by_name_and_by_place_even_if_it_is_the_default():
    assert values(Named(W, 0.1, dialect="keras"), "lr", "eps") == (0.1, 1e-7)
    assert values(Named(W, lr=0.1, eps=1e-8, dialect="keras"), "lr", "eps") == (0.1, 1e-8)
    assert values(Named(params=W, eps=0.0, dialect="keras"), "lr", "eps") == (0.5, 0.0)


def test_a_group_wins_over_the_dialect():
    groups = [{"params": [np.zeros(2)]}, {"params": {"b": np.zeros(2)}, "eps": 0.25}]
    opt = Named(groups, dialect="keras")
    assert [g["eps"] for g in opt.groups] == [1e-7, 0.25]
    assert [g["lr"] for g in opt.groups] == [0.5, 0.5]


def test_a_schedule_is_given_too():
    opt = Named(W, oc.schedules.Constant(0.3), dialect="keras")
    assert values(opt, "lr", "eps") == (0.3, 1e-7)


def test_an_option_of_the_dialect_makes_its_state():
    assert "max_exp_avg_sq" in Named(W, dialect="optax").state[""]


@pytest.mark.parametrize("dialect", ["paper", "Keras", "", None, 3, ["keras"]])
def test_an_unknown_dialect(dialect):
    w = np.ones(3)
    with pytest.raises(ValueError, match="dialect: expected one of torch, keras, optax for Named"):
        Named(w, dialect=dialect)
    with pytest.raises(ValueError, match="dialect: expected one of torch for Momentum"):
        oc.Momentum(w, dialect="keras")
    assert np.array_equal(w, np.ones(3))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_deacy": 0.1}, r"AdamW: .* 'weight_deacy'; did you mean weight_decay"),
        ({"learning_rate": 0.1}, r"AdamW: .* 'learning_rate'; it takes params, lr, betas, eps"),
        ({"clip_nrom": 1.0}, r"AdamW: .* 'clip_nrom'; did you mean clip_norm"),
    ],
)
def test_a_misspelt_argument_is_told_near_ones(options, words):
    with pytest.raises(TypeError, match=words):
        oc.AdamW(W, **options)


def test_wrong_arguments_are_still_refused_by_name():
    with pytest.raises(TypeError, match="betta"):
        Named(W, betta=1.0, dialect="keras")
    with pytest.raises(TypeError, match="params"):
        Named(dialect="keras")


class Inner(Named):
    """A user's class that passes everything on: the class it inherits from fills in the rest."""

    def __init__(self, params: Any, **common: Any):
        super().__init__(params, eps=0.25, **common)


def test_a_class_in_between():
    assert values(Inner(W), "lr", "eps") == (0.1, 0.25)
    assert values(Inner(W, dialect="keras"), "lr", "eps") == (0.5, 0.25)
    assert values(Inner(W, lr=0.2, dialect="keras"), "lr", "eps") == (0.2, 0.25)


@pytest.mark.parametrize("table", [{"tensorflow": {}}, {"torch": {}}, {"keras": {"epsilon": 1.0}}])
def test_a_slip_in_a_table_is_found_on_import(table):
    with pytest.raises(TypeError, match=r"Slip\._dialects"):
        type("Slip", (oc.Adam,), {"_dialects": table})


def kinds() -> list[type[oc.Optimizer]]:
    found = [getattr(oc, name) for name in dir(oc)]
    classes = [c for c in found if isinstance(c, type) and issubclass(c, oc.Optimizer)]
    return [c for c in classes if c is not oc.Optimizer]


TABLES = [(kind, dialect) for kind in kinds() for dialect in kind._dialects]


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.__name__)
def test_torch_is_the_default(kind):
    parameters = inspect.signature(kind.__init__).parameters
    assert "dialect" not in parameters  # it is one of `common`
    w = np.zeros((2, 3))
    assert dict(kind(w).groups[0]) == dict(kind(w, dialect="torch").groups[0])


@pytest.mark.parametrize(("kind", "dialect"), TABLES)
def test_every_table_holds_and_differs(kind, dialect):
    """Each entry is an option of the class with another value than its default, and is taken."""
    parameters = inspect.signature(kind.__init__).parameters
    table = kind._dialects[dialect]
    for name, value in table.items():
        assert parameters[name].default != value, name
    group = kind(np.zeros((2, 3)), dialect=dialect).groups[0]
    assert {name: group[name] for name in table} == dict(table)


# What is published, and forms of peers that are not installed, written out once more.

STEPS = 40


def trajectories(opt: oc.Optimizer, w: np.ndarray, steps: Callable[[np.ndarray], Any]) -> None:
    """Holds an optimizer over `w` against a formula: a generator that is sent gradients."""
    rng = np.random.default_rng(7)
    formula = steps(w.copy())
    next(formula)
    for _ in range(STEPS):
        g = rng.normal(size=w.shape) * 10 ** rng.uniform(-3, 3, size=w.shape)
        opt.step(g)
        np.testing.assert_allclose(w, formula.send(g), rtol=1e-11, atol=1e-12)


def test_nadam_as_published():
    def published(p):
        m, n, product = np.zeros_like(p), np.zeros_like(p), 1.0
        mu = [0.9 * (1 - 0.5 * 0.96 ** (t / 250)) for t in range(STEPS + 2)]
        for t in range(1, STEPS + 1):
            g = yield p
            product *= mu[t]
            m = mu[t] * m + (1 - mu[t]) * g
            n = 0.999 * n + 0.001 * g**2
            ahead = mu[t + 1] * m / (1 - product * mu[t + 1]) + (1 - mu[t]) * g / (1 - product)
            p = p - 0.05 * ahead / (np.sqrt(0.999 * n / (1 - 0.999**t)) + 1e-8)
        yield p

    w = np.random.default_rng(0).normal(size=5)
    trajectories(oc.NAdam(w, lr=0.05, dialect="paper"), w, published)


def rate(k: int) -> float:
    return 0.02 * (1 + k % 3)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_as_published(nesterov):
    """The velocity is a step: it has the rates of the past in it."""

    def published(p):
        v = np.zeros_like(p)
        for k in range(STEPS):
            g = yield p
            v = 0.9 * v - rate(k) * g
            p = p + (0.9 * v - rate(k) * g if nesterov else v)
        yield p

    w = np.random.default_rng(0).normal(size=5)
    opt = oc.SGD(w, rate, momentum=0.9, nesterov=nesterov, dialect="paper")
    trajectories(opt, w, published)


def test_the_first_step_is_dampened_too():
    def like_mlx(p):
        v = np.zeros_like(p)
        for _ in range(STEPS):
            g = yield p
            v = 0.9 * v + (1 - 0.3) * g
            p = p - 0.05 * v
        yield p

    w = np.random.default_rng(0).normal(size=5)
    opt = oc.SGD(w, lr=0.05, momentum=0.9, dampening=0.3, dampen_first=True)
    trajectories(opt, w, like_mlx)


def test_rmsprop_as_tensorflow_first_had_it():
    def first(p):
        s, b = np.ones_like(p), np.zeros_like(p)
        for _ in range(STEPS):
            g = yield p
            s = 0.9 * s + 0.1 * g**2
            b = 0.9 * b + 0.05 * g / np.sqrt(s + 1e-10)
            p = p - b
        yield p

    w = np.random.default_rng(0).normal(size=5)
    opt = oc.RMSprop(
        w,
        lr=0.05,
        eps=1e-10,
        momentum=0.9,
        initial_accumulator_value=1.0,
        dialect="keras",
    )
    trajectories(opt, w, first)


def test_a_sum_of_zero_is_no_step():
    still = np.array([1.0, 2.0])
    oc.Adagrad(still, lr=1.0, eps=0.0, zero_at_zero=True).step(np.array([0.0, 4.0]))
    assert np.array_equal(still, [1.0, 1.0])
    oc.Adagrad(still, lr=1.0, eps=0.0).step(np.array([0.0, 4.0]))
    assert np.isnan(still[0])


def test_what_is_not_factored_is_kept_whole():
    params = {"wide": np.ones((200, 130)), "small": np.ones((4, 130)), "b": np.ones(3)}
    opt = oc.Adafactor(params, dialect="optax")
    assert {k: sorted(s) for k, s in opt.state.items()} == {
        "wide": ["col_var", "row_var"],
        "small": ["variance"],
        "b": ["variance"],
    }
    assert opt.state["small"]["variance"].shape == (4, 130)
    whole = oc.Adafactor([np.ones((200, 130))], min_dim_size_to_factor=float("inf"))
    assert list(whole.state["0"]) == ["variance"]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda w: oc.Adam(w, bias_correction=1), TypeError, "bias_correction: expected True or"),
        (lambda w: oc.Adam(w, bias_correction=(True, 0)), TypeError, "bias_correction: expected"),
        (lambda w: oc.Adam(w, eps_hat=1), TypeError, "eps_hat: expected True or False"),
        (lambda w: oc.SGD(w, rate_in_buffer="yes"), TypeError, "rate_in_buffer: expected True"),
        (lambda w: oc.RMSprop(w, nesterov=True), ValueError, "requires a momentum"),
        (
            lambda w: oc.RMSprop(w, alpha=1, bias_correction=True),
            ValueError,
            "bias_correction: expected alpha below 1",
        ),
        (
            lambda w: oc.RMSprop(w, initial_accumulator_value=-1.0),
            ValueError,
            "Invalid initial_accumulator_value value: -1",
        ),
        (lambda w: oc.Adagrad(w, eps=-1.0, eps_in_sqrt=True), ValueError, "Invalid epsilon value"),
        (
            lambda w: oc.Adafactor(w, min_dim_size_to_factor=-1),
            ValueError,
            "min_dim_size_to_factor: expected 0 or more",
        ),
        (
            lambda w: oc.Adafactor(w, min_dim_size_to_factor="128"),
            TypeError,
            "min_dim_size_to_factor: expected a number",
        ),
        (lambda w: oc.Adafactor(w, beta2=2.0), ValueError, "Invalid beta2 value: 2"),
    ],
)
def test_bad_options(make, error, words):
    w = np.ones(3)
    with pytest.raises(error, match=words):
        make(w)
    assert np.array_equal(w, np.ones(3))
