"""The rules as teaching texts print them, each written down here as its formula stands there.

Both trajectories run free for 100 steps of full-batch least squares in float64: the formula here,
and optcore with the options that reproduce it, through the classes and through the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import optcore as oc
from optcore import reference
from optcore.schedules import (
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    Lambda,
    Schedule,
    Step,
    Warmup,
)

STEPS = 100
TOLERANCE = 1e-12
SHAPE = (6, 3)

_rng = np.random.default_rng(7)
_A = _rng.normal(size=(30, SHAPE[0]))
_Y = _A @ _rng.normal(size=SHAPE) + 0.1 * _rng.normal(size=(30, SHAPE[1]))
START = _rng.normal(size=SHAPE)


def gradient(w: np.ndarray) -> np.ndarray:
    """Of the mean squared error of a linear model with several outputs; of a sum for vectors."""
    if w.ndim == 1:
        return _A.T @ (_A @ w - _Y[:, 0]) / len(_A)
    return _A.T @ (_A @ w - _Y) / len(_A)


# A form is a generator: it is sent a gradient and yields what is to be added to the parameter.
Form = Callable[[np.ndarray], Iterator[np.ndarray]]


def plain(w, eta=0.1):
    g = yield w * 0
    while True:
        g = yield -eta * g


def velocity(w, eta=0.05, mu=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = mu * v - eta * g
        g = yield v


def rate_in_buffer(w, eta=0.05, mu=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = mu * v + eta * g
        g = yield -v


def average(w, eta=0.1, beta=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = beta * v + (1 - beta) * g
        g = yield -eta * v


def heavy_ball(w, eta=0.05, mu=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = mu * v + g
        g = yield -eta * v


def velocity_nesterov(w, eta=0.05, mu=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = mu * v - eta * g
        g = yield mu * v - eta * g


def average_nesterov(w, eta=0.1, beta=0.9):
    v = np.zeros_like(w)
    g = yield v
    while True:
        v = beta * v + (1 - beta) * g
        g = yield -eta * (beta * v + (1 - beta) * g)


def adagrad(w, eta=0.5, eps=1e-8):
    s = np.zeros_like(w)
    g = yield s
    while True:
        s = s + g**2
        g = yield -eta * g / (np.sqrt(s) + eps)


def rmsprop(w, eta=0.002, rho=0.9, eps=1e-8):
    """The rate keeps it from the minimum: oscillating there, it magnifies any rounding."""
    s = np.zeros_like(w)
    g = yield s
    while True:
        s = rho * s + (1 - rho) * g**2
        g = yield -eta * g / (np.sqrt(s) + eps)


def adadelta(w, rho=0.95, eps=1e-6):
    """Zeiler's RMS[x] is √(E[x²] + ε), and his E[Δx²] starts at 0."""
    mean_g2, mean_dx2 = np.zeros_like(w), np.zeros_like(w)
    g = yield mean_g2
    while True:
        mean_g2 = rho * mean_g2 + (1 - rho) * g**2
        dx = -np.sqrt(mean_dx2 + eps) / np.sqrt(mean_g2 + eps) * g
        mean_dx2 = rho * mean_dx2 + (1 - rho) * dx**2
        g = yield dx


def adam(w, eta=0.05, beta1=0.9, beta2=0.999, eps=1e-8, inside=False):
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    g = yield m
    while True:
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        root = np.sqrt(v_hat + eps) if inside else np.sqrt(v_hat) + eps
        g = yield -eta * m_hat / root


def nadam(w, eta=0.05, beta1=0.9, beta2=0.999, eps=1e-8, form="published"):
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    g = yield m
    while True:
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        now, following = 1 - beta1**t, 1 - beta1 ** (t + 1)
        if form == "published":  # Dozat corrects m for the momentum of the next step
            u = beta1 * (m / following) + (1 - beta1) * g / now
        elif form == "same step":
            u = beta1 * (m / now) + (1 - beta1) * g / now
        else:  # the bracket as a whole, with m corrected inside it already and g not
            u = (beta1 * (m / now) + (1 - beta1) * g) / now
        g = yield -eta * u / (np.sqrt(v / (1 - beta2**t)) + eps)


def adafactor_published(w, limit=1e-2, eps1=1e-30, eps2=1e-3, d=1.0):
    """Algorithm 4 (matrices, in sums over rows and columns) or 5 (vectors), with 6 for the rest."""
    rows, cols, whole, t, x = 0.0, 0.0, 0.0, 0, w.copy()
    g = yield w * 0
    while True:
        t += 1
        alpha = max(eps2, math.sqrt(np.mean(x**2))) * min(limit, 1 / math.sqrt(t))
        beta2 = 1 - t**-0.8
        if w.ndim == 2:
            rows = beta2 * rows + (1 - beta2) * (g**2 + eps1).sum(axis=1)
            cols = beta2 * cols + (1 - beta2) * (g**2 + eps1).sum(axis=0)
            whole = np.outer(rows, cols) / rows.sum()
        else:
            whole = beta2 * whole + (1 - beta2) * (g**2 + eps1)
        u = g / np.sqrt(whole)
        step = -alpha * u / max(1.0, math.sqrt(np.mean(u**2)) / d)
        x = x + step
        g = yield step


def adafactor_simplified(w, eta=1e-3, beta2=0.999, eps1=1e-30):
    """No normalisation, no clipping, a constant β2, and ε inside the root of each factor."""
    row, col = np.zeros(w.shape[0]), np.zeros(w.shape[1])
    g = yield w * 0
    while True:
        row = beta2 * row + (1 - beta2) * np.mean(g**2, axis=1)
        col = beta2 * col + (1 - beta2) * np.mean(g**2, axis=0)
        g = yield -eta * g * np.outer(1 / np.sqrt(row + eps1), 1 / np.sqrt(col + eps1))


class Row(NamedTuple):
    text: str
    form: Form
    name: str
    options: dict[str, Any]
    start: np.ndarray = START


SIMPLIFIED = {
    "lr": 1e-3,
    "beta2": 0.999,
    "normalize": False,
    "d": math.inf,
    "relative_step": False,
    "scale_parameter": False,
}
PUBLISHED = {"lr": 1e-2, "eps": (1e-30, 1e-3), "eps_mode": "add"}
NADAM = {"lr": 0.05, "momentum_decay": None}

ROWS = [
    Row("gradient descent", plain, "SGD", {"lr": 0.1}),
    Row("velocity", velocity, "Momentum", {"lr": 0.05, "form": "velocity"}),
    Row("rate in the buffer", rate_in_buffer, "Momentum", {"lr": 0.05}),
    Row("average", average, "Momentum", {"lr": 0.1, "form": "average"}),
    Row("heavy ball", heavy_ball, "SGD", {"lr": 0.05, "momentum": 0.9}),
    Row("velocity nesterov", velocity_nesterov, "Momentum", {"lr": 0.05, "nesterov": True}),
    Row(
        "average nesterov",
        average_nesterov,
        "Momentum",
        {"lr": 0.1, "form": "average", "nesterov": True},
    ),
    Row("adagrad", adagrad, "Adagrad", {"lr": 0.5, "eps": 1e-8}),
    Row("rmsprop", rmsprop, "RMSprop", {"lr": 0.002, "alpha": 0.9}),
    Row(
        "rmsprop, large eps",
        lambda w: rmsprop(w, eps=1e-4),
        "RMSprop",
        {"lr": 0.002, "alpha": 0.9, "eps": 1e-4},
    ),
    Row("adadelta", adadelta, "Adadelta", {"rho": 0.95}),
    Row("adam", adam, "Adam", {"lr": 0.05}),
    Row(
        "adam, eps inside the root",
        lambda w: adam(w, inside=True),
        "Adam",
        {"lr": 0.05, "eps": 0.0, "eps_root": 1e-8},
    ),
    Row("nadam, published", nadam, "NAdam", NADAM),
    Row(
        "nadam, both moments at t",
        lambda w: nadam(w, form="same step"),
        "NAdam",
        {**NADAM, "lookahead": False},
    ),
    Row(
        "nadam, m corrected twice",
        lambda w: nadam(w, form="twice"),
        "NAdam",
        {**NADAM, "lookahead": False, "double_correction": True},
    ),
    Row("adafactor, matrix", adafactor_published, "Adafactor", PUBLISHED),
    Row(
        "adafactor, matrix by columns",
        adafactor_published,
        "Adafactor",
        PUBLISHED,
        np.asfortranarray(START),
    ),
    Row("adafactor, vector", adafactor_published, "Adafactor", PUBLISHED, START[:, 0].copy()),
    Row(
        "adafactor, simplified",
        adafactor_simplified,
        "Adafactor",
        {**SIMPLIFIED, "eps": (1e-30, 1e-3)},
    ),
    Row(  # the same text's form for vectors is RMSprop by another name
        "adafactor, simplified, vector",
        lambda w: rmsprop(w, rho=0.999, eps=1e-3),
        "RMSprop",
        {"lr": 0.002, "alpha": 0.999, "eps": 1e-3},
        START[:, 0].copy(),
    ),
]


def by_class(row: Row) -> Iterator[np.ndarray]:
    w = row.start.copy(order="K")
    optimizer = getattr(oc, row.name)({"w": w}, **row.options)
    while True:
        optimizer.step({"w": gradient(w)})
        yield w


def by_reference(row: Row) -> Iterator[np.ndarray]:
    w, state, t = row.start, {}, 0
    while True:
        t += 1
        w, state = getattr(reference, row.name.lower())(
            w, gradient(w), state, step=t, **row.options
        )
        yield w


def trajectory(form: Form, w: np.ndarray, rate: Callable[[int], float] | None = None):
    """The parameter and the update after each step of a formula."""
    steps = form(w)
    next(steps)
    for k in range(STEPS):
        update = steps.send(gradient(w))
        if rate is not None:
            update = rate(k) * update
        w = w + update
        yield w, update


def worst_error(ours: Iterator[np.ndarray], theirs) -> float:
    """The largest error of any element at any step, as a part of max(|θ|, |update|)."""
    error = 0.0
    for mine, (w, update) in zip(ours, theirs, strict=False):
        size = np.maximum(np.abs(w), np.abs(update))
        error = max(error, float(np.max(np.abs(mine - w) / size)))
    return error


@pytest.mark.parametrize("door", [by_class, by_reference])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_form(row, door):
    assert worst_error(door(row), trajectory(row.form, row.start)) <= TOLERANCE


def test_every_form_moves_and_descends():
    """Two trajectories that stand still, or are both wrong by a sign, would agree as well."""
    for row in ROWS:
        *_, (w, _) = trajectory(row.form, row.start)
        assert np.linalg.norm(gradient(w)) < 0.9 * np.linalg.norm(gradient(row.start)), row.text


# Rates. Texts that count from 1 mean the schedule begun one step in.

ETA, FLOOR = 0.1, 0.01


def sgdr(k: int, period: int, t_mul: float, m_mul: float, floor: float) -> float:
    """Cycle by cycle, as Loshchilov & Hutter have it, the height of each times m_mul."""
    length, height = float(period), ETA - floor
    while k >= length:
        k, length, height = k - length, length * t_mul, height * m_mul
    return floor + 0.5 * height * (1 + math.cos(math.pi * k / length))


def cycles_by_logarithm(k: int, period: int = 10, m_mul: float = 0.5) -> float:
    """One text's own restarts, for t_mul = 2: its cycle's number comes from a logarithm, and its
    cosine runs over half of each cycle's length, so that it turns up again within the cycle."""
    cycle = math.floor(math.log2(k / period + 1))
    alpha, inside = FLOOR / ETA, k - period * (2**cycle - 1)
    cosine = 0.5 * (1 + math.cos(math.pi * inside / (period * 2 ** (cycle - 1))))
    return ETA * ((1 - alpha) * cosine + alpha) * m_mul**cycle


RATES: list[tuple[str, Callable[[int], float], Schedule]] = [
    ("inverse time", lambda k: ETA / (1 + 0.1 * k), InverseTime(ETA, 0.1)),
    ("inverse time, from 1", lambda k: ETA / (1 + 0.1 * (k + 1)), InverseTime(ETA, 0.1).shift(1)),
    ("step", lambda k: ETA * 0.5 ** math.floor((1 + k) / 10), Step(ETA, 10, 0.5).shift(1)),
    ("exponential", lambda k: ETA * math.exp(-0.1 * k), Exponential(ETA, decay=0.1)),
    ("cosine", lambda k: ETA * 0.5 * (1 + math.cos(math.pi * k / 100)), Cosine(ETA, 100, 0.0)),
    (
        "cosine to a floor",
        lambda k: FLOOR + (ETA - FLOOR) * 0.5 * (1 + math.cos(math.pi * k / 100)),
        Cosine(ETA, 100, FLOOR),
    ),
    ("warmup", lambda k: ETA * (k / 30) if k < 30 else ETA, Warmup(30, oc.schedules.Constant(ETA))),
    (
        "warmup into cosine",
        lambda k: ETA * k / 30 if k < 30 else ETA * 0.5 * (1 + math.cos(math.pi * (k - 30) / 70)),
        Warmup(30, Cosine(ETA, 70, 0.0)),
    ),
    (
        "restarts",
        lambda k: sgdr(k, 10, 2, 0.5, FLOOR),
        CosineRestarts(ETA, 10, 2.0, 0.5, FLOOR),
    ),
    ("restarts, even", lambda k: sgdr(k, 25, 1, 1, 0.0), CosineRestarts(ETA, 25)),
    (
        "restarts, fractional",
        lambda k: sgdr(k, 10, 1.5, 0.8, FLOOR),
        CosineRestarts(ETA, 10, 1.5, 0.8, FLOOR),
    ),
    ("restarts by logarithm", cycles_by_logarithm, Lambda(cycles_by_logarithm)),
]


@pytest.mark.parametrize(("formula", "schedule"), [r[1:] for r in RATES], ids=[r[0] for r in RATES])
def test_rate(formula, schedule):
    k = np.arange(STEPS)
    expected = np.array([formula(int(i)) for i in k])
    np.testing.assert_allclose(schedule(k), expected, rtol=TOLERANCE, atol=1e-15 * ETA)
    assert [schedule(int(i)) for i in k] == list(schedule(k))


@pytest.mark.parametrize(("formula", "schedule"), [r[1:] for r in RATES], ids=[r[0] for r in RATES])
def test_rate_in_a_loop(formula, schedule):
    """The k-th step, k = 0, 1, …, uses s(k)."""
    w = START.copy()
    optimizer = oc.SGD({"w": w}, lr=schedule)

    def ours():
        while True:
            optimizer.step({"w": gradient(w)})
            yield w

    theirs = trajectory(lambda w: plain(w, eta=1.0), START, formula)
    assert worst_error(ours(), theirs) <= TOLERANCE


def test_the_rate_reaches_the_buffer_with_later_steps_only():
    """Rate inside or outside of the buffer is the same until the rate changes."""
    rate = InverseTime(0.05, 0.1)
    w, v = START.copy(), np.zeros(SHAPE)
    mine = START.copy()
    optimizer = oc.Momentum({"w": mine}, lr=rate, momentum=0.9)
    for k in range(STEPS):
        v = 0.9 * v - rate(k) * gradient(w)
        w = w + v
        optimizer.step({"w": gradient(mine)})
        np.testing.assert_allclose(mine, w, rtol=TOLERANCE, atol=0)
