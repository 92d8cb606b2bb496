"""The dialect "optax" against optax itself, in float64.

How rows work, and how to add one, is said in `oracles.py`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
from oracles import (
    BOTH,
    STEPS,
    TOLERANCE,
    Case,
    Rates,
    defaults_differ,
    grid,
    held,
    left_out,
    row_id,
    rows,
    worst,
)

import optcore

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

# What optax calls our options, where it has another name.
NAMES = {
    "lr": "learning_rate",
    "betas": lambda v: {"b1": v[0], "b2": v[1]},
    "alpha": "decay",
    "bias_correction": "bias_correction",
}
# No part of the formula; or, of Adafactor, what optcore does not offer.
NO_OPTIONS = {
    "learning_rate",
    "accumulator_dtype",
    "mu_dtype",
    "mask",
    "weight_decay_mask",
    "dtype_momentum",
    "trust_ratio_mask",
}
NOT_OFFERED = {"adafactor": {"momentum"}, "adam": {"nesterov"}, "adamw": {"nesterov"}}
BETAS = ((0.9, 0.999), (0.3, 0.9))
BETAS3 = {"betas": lambda v: dict(zip(("b1", "b2", "b3"), v, strict=True))}
ADAM_SLOTS = {"exp_avg": "mu", "exp_avg_sq": "nu"}
ADAM = grid(lr=(0.05,), betas=BETAS, eps=(1e-8, 1e-3), eps_root=(0.0, 1e-4))
ADAMW = grid(
    lr=(0.05,), betas=BETAS, eps=(1e-8, 1e-3), eps_root=(0.0, 1e-4), weight_decay=(1e-4, 0.1)
)
ADAMAX_SLOTS = {"exp_avg": "mu", "exp_inf": "nu"}
NADAM_SLOTS = {**ADAM_SLOTS, "mu_product": ""}
RMSPROP = {"lr": (0.05,), "alpha": (0.9, 0.5), "eps": (1e-8, 1e-3), "eps_in_sqrt": BOTH}
RMSPROP_NAMES = {"initial_accumulator_value": "initial_scale"}
RMSPROP_SLOTS = {"square_avg": "nu"}
ADAFACTOR = {
    "beta2_decay": (-0.8, -0.3),
    "scale_parameter": BOTH,
    "d": (1.0, math.inf),
    "weight_decay": (0.0, 0.1),
    "eps": ((1e-30, 1e-3), (1e-3, 1e-3)),
    "decay_offset": (0.0, -3.0),
}
ADAFACTOR_NAMES = {
    "beta2_decay": lambda v: {"decay_rate": -v},
    "scale_parameter": "multiply_by_parameter_scale",
    "d": lambda v: {"clipping_threshold": None if v == math.inf else v},
    "weight_decay": "weight_decay_rate",
    "eps": lambda v: {"eps": v[0]},
    "decay_offset": lambda v: {"decay_offset": int(v)},
    "min_dim_size_to_factor": lambda v: (
        {"factored": False}
        if v == math.inf
        else {"factored": True, "min_dim_size_to_factor": int(v)}
    ),
}

CASES = (
    Case("SGD", "sgd", {}, [{"lr": 0.05}]),
    Case(
        "SGD",
        "sgd",
        {"momentum_buffer": "trace"},
        grid(lr=(0.05,), momentum=(0.9, 0.5), nesterov=BOTH),
    ),
    Case(
        "Adagrad",
        "adagrad",
        {"sum": "sum_of_squares"},
        grid(lr=(0.05,), initial_accumulator_value=(0.1, 0.0, 2.0), eps=(1e-7, 1e-3, 0.0)),
    ),
    Case(
        "RMSprop",
        "rmsprop",
        RMSPROP_SLOTS,
        grid(**RMSPROP, initial_accumulator_value=(0.0, 1.0), bias_correction=BOTH),
        names=RMSPROP_NAMES,
    ),
    Case(
        "RMSprop",
        "rmsprop",
        {**RMSPROP_SLOTS, "momentum_buffer": "-trace"},
        grid(**RMSPROP, momentum=(0.9, 0.5), nesterov=BOTH, bias_correction=BOTH),
        names=RMSPROP_NAMES,
    ),
    Case(
        "RMSprop",
        "rmsprop",
        {**RMSPROP_SLOTS, "grad_avg": "mu"},
        grid(**RMSPROP, centered=(True,), initial_accumulator_value=(0.0, 1.0)),
        names=RMSPROP_NAMES,
    ),
    Case(
        "RMSprop",
        "rmsprop",
        {**RMSPROP_SLOTS, "grad_avg": "mu", "momentum_buffer": "-trace"},
        grid(**RMSPROP, centered=(True,), momentum=(0.9,), nesterov=BOTH),
        names=RMSPROP_NAMES,
    ),
    Case(
        "RMSprop",
        "rmsprop",
        {**RMSPROP_SLOTS, "grad_avg": "mu"},
        grid(lr=(0.05,), eps=(1e-2,), centered=(True,), bias_correction=(True,)),
        names=RMSPROP_NAMES,
        deviation="corrected variance",
    ),
    Case(
        "RMSprop",
        "rmsprop",
        RMSPROP_SLOTS,
        grid(lr=(0.05,), centered=(False,), momentum=(0.0,), nesterov=(False,)),
    ),
    Case(
        "Adadelta",
        "adadelta",
        {"square_avg": "e_g", "acc_delta": "e_x"},
        grid(lr=(1.0, 0.3), rho=(0.9, 0.6), eps=(1e-6, 1e-3), weight_decay=(0.0, 0.1)),
    ),
    Case("Adam", "adam", ADAM_SLOTS, ADAM),
    Case("AdamW", "adamw", ADAM_SLOTS, ADAMW),
    Case(
        "Adam",
        "amsgrad",
        {**ADAM_SLOTS, "max_exp_avg_sq": "nu_max"},
        grid(
            lr=(0.05,),
            betas=BETAS,
            eps=(1e-8, 1e-3),
            eps_root=(0.0, 1e-4),
            bias_correction=((True, True), (True, False), (False, True), (False, False)),
        ),
        names={
            "bias_correction": lambda v: dict(
                zip(
                    ("bias_correction_mu", "bias_correction_nu"),
                    (v, v) if isinstance(v, bool) else v,
                    strict=True,
                )
            )
        },
        fixed={"amsgrad": True},
    ),
    Case("NAdam", "nadam", NADAM_SLOTS, ADAM),
    Case("NAdamW", "nadamw", NADAM_SLOTS, ADAMW),
    Case("Adamax", "adamax", ADAMAX_SLOTS, grid(lr=(0.05,), betas=BETAS, eps=(1e-8, 1e-3))),
    Case(
        "AdamaxW",
        "adamaxw",
        ADAMAX_SLOTS,
        grid(lr=(0.05,), betas=BETAS, eps=(1e-8, 1e-3), weight_decay=(1e-4, 0.1)),
    ),
    Case(
        "RAdam",
        "radam",
        ADAM_SLOTS,
        grid(
            lr=(0.05,),
            betas=((0.9, 0.999), (0.3, 0.9), (0.5, 0.75)),
            eps=(1e-8, 1e-3),
            eps_root=(0.0, 1e-4),
            threshold=(5.0, 6.5),
            nesterov=BOTH,
        ),
    ),
    Case(
        "AdaBelief",
        "adabelief",
        {"exp_avg": "mu", "exp_avg_var": "nu"},
        grid(
            lr=(0.05,), betas=BETAS, eps=(1e-16, 1e-3), eps_root=(1e-16, 0.0, 1e-4), nesterov=BOTH
        ),
    ),
    Case("Yogi", "yogi", ADAM_SLOTS, grid(lr=(0.05,), betas=BETAS, eps=(1e-3, 1e-8))),
    Case(
        "Adafactor",
        "adafactor",
        {"row_var": "rows", "col_var": "cols"},
        grid(lr=(0.05,), **ADAFACTOR, min_dim_size_to_factor=(2.0,)),
        names=ADAFACTOR_NAMES,
        shapes=((4, 6), (6, 4), (70, 33), (2, 3, 5), (4, 4)),
    ),
    Case(
        "Adafactor",
        "adafactor",
        {"row_var": "rows", "col_var": "cols"},
        [{"lr": 0.05}],
        names=ADAFACTOR_NAMES,
        shapes=((128, 130),),
    ),
    Case(
        "Adafactor",
        "adafactor",
        {"variance": "v"},
        grid(lr=(0.05,), **ADAFACTOR, min_dim_size_to_factor=(128.0, math.inf)),
        names=ADAFACTOR_NAMES,
        shapes=((4, 6), (5,), (), (127, 200)),
    ),
    Case(
        "Lion",
        "lion",
        {"exp_avg": "mu"},
        grid(lr=(0.05,), betas=((0.9, 0.99), (0.3, 0.8)), weight_decay=(1e-3, 0.1)),
    ),
    Case(
        "Signum",
        "signum",
        {"momentum_buffer": "ema"},
        grid(lr=(0.05,), momentum=(0.9, 0.4)),
        names={"momentum": "beta"},
    ),
    Case("SignSGD", "sign_sgd", {}, [{"lr": 0.05}]),
    Case(
        "Adan",
        "adan",
        {"exp_avg": "m", "exp_avg_sq": "n", "exp_avg_diff": "v", "previous_grad": "g"},
        grid(
            lr=(0.05,),
            betas=((0.98, 0.92, 0.99), (0.3, 0.5, 0.8)),
            eps=(1e-8, 1e-3),
            eps_root=(1e-8, 1e-4),
            weight_decay=(0.0, 0.1),
        ),
        names=BETAS3,
    ),
    Case(
        "ADOPT",
        "adopt",
        ADAM_SLOTS,
        grid(
            lr=(0.05,),
            betas=((0.9, 0.9999), (0.3, 0.8)),
            eps=(1e-6, 1e-2),
            nesterov=BOTH,
            clip_exponent=(0.25, 0.5, None),
        ),
        names={
            "clip_exponent": lambda v: (
                {"use_clipping": False}
                if v is None
                else {"use_clipping": True, "clip_value_fn": lambda count: count**v}
            )
        },
    ),
    Case(
        "AdEMAMix",
        "ademamix",
        {"exp_avg": "m1", "exp_avg_sq": "nu", "exp_avg_slow": "m2"},
        grid(
            lr=(0.05,),
            betas=((0.9, 0.999, 0.9999), (0.3, 0.5, 0.8)),
            eps=(1e-8, 1e-3),
            eps_root=(0.0, 1e-4),
            alpha=(5.0, 1.0),
            weight_decay=(0.0, 0.1),
        ),
        names={**BETAS3, "alpha": "alpha"},
    ),
    Case(
        "LARS",
        "lars",
        {"momentum_buffer": "-trace"},
        grid(
            lr=(0.5,),
            momentum=(0.9, 0.4),
            nesterov=BOTH,
            weight_decay=(0.0, 0.1),
            trust_coefficient=(1e-3, 0.1),
            eps=(0.0, 1e-2),
        ),
    ),
    Case(
        "LAMB",
        "lamb",
        ADAM_SLOTS,
        grid(
            lr=(0.05,),
            betas=BETAS,
            eps=(1e-6, 1e-3),
            eps_root=(0.0, 1e-4),
            weight_decay=(0.0, 0.1),
        ),
    ),
    Case(
        "NovoGrad",
        "novograd",
        {"exp_avg": "mu", "exp_norm_sq": "nu"},
        grid(
            lr=(0.05,),
            betas=((0.9, 0.25), (0.3, 0.8)),
            eps=(1e-6, 1e-2),
            eps_root=(0.0, 1e-4),
            weight_decay=(0.0, 0.1),
        ),
    ),
)


def function(name: str) -> Any:
    return getattr(optax, name, None) or getattr(optax.contrib, name)


@pytest.fixture(autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@functools.cache
def compiled(name: str, fixed: tuple[tuple[str, Any], ...]) -> Any:
    """A step of optax by XLA. Floats are its arguments, so that one program serves many rows."""

    def step(floats: dict[str, Any], g: Any, state: Any, p: Any) -> Any:
        updates, state = function(name)(**dict(fixed), **floats).update(g, state, p)
        return optax.apply_updates(p, updates), state

    return jax.jit(step)


class Optax:
    """A parameter, and a transformation with its state."""

    def __init__(self, name: str, p: np.ndarray, options: dict[str, Any], _rates: Rates | None):
        self.p = jax.numpy.array(p)
        self.state = function(name)(**options).init(self.p)
        self.floats = {k: v for k, v in options.items() if isinstance(v, float)}
        fixed = {k: v for k, v in options.items() if k not in self.floats}
        self.program = compiled(name, tuple(fixed.items()))
        assert self.p.dtype == np.float64

    def step(self, g: np.ndarray, rate: float | None) -> np.ndarray:
        if rate is not None:
            self.floats["learning_rate"] = rate
        self.p, self.state = self.program(self.floats, g, self.state, self.p)
        return np.array(self.p)

    def slot(self, name: str) -> np.ndarray:
        # Of the two axes that optax factors its rows belong to the shorter one.
        if name in ("rows", "cols"):
            wide = self.p.shape[-2] <= self.p.shape[-1]
            name = "v_row" if (name == "rows") == wide else "v_col"
        found = list(fields(self.state, name))
        assert len(found) == 1, name
        return np.array(found[0])


def fields(state: Any, name: str) -> Any:
    """All fields of that name in nested named tuples."""
    if isinstance(state, tuple):
        yield from (getattr(state, f) for f in getattr(state, "_fields", ()) if f == name)
        for inner in state:
            yield from fields(inner, name)


@pytest.mark.parametrize("row", rows(CASES), ids=row_id)
def test_optax(row):
    held("optax", *row, NAMES, Optax)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.ours}-{c.peer}-{'-'.join(c.slots)}")
def test_defaults_are_those_of_optax(case):
    differ = defaults_differ("optax", case, function(case.peer), NAMES)
    differ.pop("clip_value_fn", None)  # no two functions are equal
    differ.pop("learning_rate", None)  # which it has no default for, or None for no rate at all
    assert differ == {}


@pytest.mark.parametrize("peer", sorted({case.peer for case in CASES}))
def test_every_option_of_optax_is_in_a_row(peer):
    cases = [case for case in CASES if case.peer == peer]
    found = left_out(cases, function(peer), NAMES, NO_OPTIONS)
    # nadam and nadamw are adam and adamw with nesterov=True.
    assert found == NOT_OFFERED.get(peer, {"nesterov"} if peer.startswith("nadam") else set())


@pytest.mark.parametrize("etas", [(0.5, 1.2), (0.3, 1.5)])
@pytest.mark.parametrize("step_sizes", [(1e-6, 50.0), (0.009, 0.02)])
def test_rprop(etas, step_sizes):
    """optax 0.2.8 works out our step, but applies that of the step before: no dialect for that.

    So its state is held to ours: `prev_updates` is what our step has subtracted.
    """
    rng = np.random.default_rng(0)
    p = np.zeros((7, 3))
    opt = optcore.Rprop(p, etas=etas, step_sizes=step_sizes)
    peer = optax.rprop(0.01, *etas, *step_sizes)
    state = peer.init(jax.numpy.array(p))
    for _ in range(STEPS):
        g = rng.normal(size=p.shape)
        p[...] = 0  # so that the movement is exact
        opt.step(g)
        _, state = peer.update(jax.numpy.array(g), state)
        (theirs,) = fields(state, "step_sizes")
        np.testing.assert_allclose(opt.state[""]["step_size"], theirs, TOLERANCE)
        (moved,) = fields(state, "prev_updates")
        np.testing.assert_allclose(-p, moved, TOLERANCE)


@pytest.mark.parametrize("shape", [(7, 3), (5,), ()])
@pytest.mark.parametrize(
    "options", grid(rho=(0.01, 0.5), eps=(1e-8, 0.1), weight_decay=(1e-4, 0.1))
)
def test_sophia(shape, options):
    """optax takes in the estimate of a step after the step itself."""
    rng = np.random.default_rng(len(shape))
    p = rng.normal(size=shape)
    opt = optcore.Sophia(p, lr=0.05, dialect="optax", **options)
    given = optax.GradientTransformationExtraArgs(
        lambda _: optax.EmptyState(), lambda _g, state, hessian, **_: (hessian, state)
    )
    named = {"gamma" if k == "rho" else k: v for k, v in options.items()}
    peer = optax.contrib.sophia(0.05, **named, update_interval=3, hessian_diagonal_fn=given)
    theirs = jax.numpy.array(p)
    state = peer.init(theirs)
    for step in range(50):
        g, h = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(loc=1.0, size=shape))
        before = p.copy()
        opt.step(g)
        if step % 3 == 0:
            opt.update_hessian(h)
        updates, state = peer.update(jax.numpy.array(g), state, theirs, hessian=jax.numpy.array(h))
        theirs = optax.apply_updates(theirs, updates)
        after = np.array(theirs)
        assert worst(p, after, before, after - before) <= TOLERANCE, step
        for ours, name in (("exp_avg", "mu"), ("hessian", "nu")):
            (found,) = fields(state, name)
            assert worst(opt.state[""][ours], np.array(found)) <= TOLERANCE, (ours, step)
            opt.state[""][ours][...] = np.array(found)
        p[...] = after
