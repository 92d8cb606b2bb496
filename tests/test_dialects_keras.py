"""The dialect "keras" against Keras 3 itself, with torch as its backend.

How rows work, and how to add one, is said in `oracles.py`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from oracles import BOTH, Case, Rates, defaults_differ, grid, held, left_out, row_id, rows

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

# Of its own variables: NumPy 2 asks for another signature of `__array__`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# What Keras calls our options, where it has another name.
NAMES = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "betas": lambda v: {"beta_1": v[0], "beta_2": v[1]},
    "alpha": "rho",
}
# No part of the formula, or what optcore has for all rules.
NO_OPTIONS = {
    "learning_rate",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "name",
    "kwargs",
}
# Any power of n but the root would be taken of every element.
NOT_OFFERED = {"Ftrl": {"learning_rate_power"}}
BETAS = ((0.9, 0.999), (0.3, 0.9))
ADAM_SLOTS = {"exp_avg": "_momentums", "exp_avg_sq": "_velocities"}
AMSGRAD_SLOTS = {**ADAM_SLOTS, "max_exp_avg_sq": "_velocity_hats"}
ADAM = grid(lr=(0.05,), betas=BETAS, eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1), amsgrad=(False,))
AMSGRAD = grid(lr=(0.05,), betas=BETAS, eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1), amsgrad=(True,))
RMSPROP = {"lr": (0.05,), "alpha": (0.9, 0.5), "eps": (1e-7, 1e-3), "weight_decay": (0.0, 0.1)}
FACTORED_SHAPES = ((4, 6), (6, 4), (1, 9), (70, 33), (2, 3, 5), (1, 1))
ADAFACTOR = {
    "lr": (0.01, 0.5),
    "beta2_decay": (-0.8, -0.3),
    "eps": ((1e-30, 1e-3), (1e-3, 0.5)),
    "d": (1.0, 2.0),
    "weight_decay": (0.0, 0.1),
    # Keras limits the rate by 1/√t either way.
    "relative_step": (True,),
}
ADAFACTOR_NAMES = {
    "beta2_decay": "beta_2_decay",
    "eps": lambda v: {"epsilon_1": v[0], "epsilon_2": v[1]},
    "d": "clip_threshold",
}

CASES = (
    Case("SGD", "SGD", {}, [{}, *grid(lr=(0.05,), momentum=(0.0,), weight_decay=(0.0, 0.1))]),
    Case(
        "SGD",
        "SGD",
        {"momentum_buffer": "-momentums"},
        grid(lr=(0.05,), momentum=(0.9, 0.5), nesterov=BOTH, weight_decay=(0.0, 0.1)),
    ),
    Case(
        "Adagrad",
        "Adagrad",
        {"sum": "_accumulators"},
        [
            {},
            *grid(
                lr=(0.05,),
                initial_accumulator_value=(0.1, 0.0, 2.0),
                eps=(1e-7, 1e-3),
                weight_decay=(0.0, 0.1),
            ),
        ],
    ),
    Case("RMSprop", "RMSprop", {"square_avg": "_velocities"}, [{}, *grid(**RMSPROP)]),
    Case(
        "RMSprop",
        "RMSprop",
        {"square_avg": "_velocities", "momentum_buffer": "_momentums"},
        grid(**RMSPROP, momentum=(0.9, 0.5)),
    ),
    Case(
        "RMSprop",
        "RMSprop",
        {"square_avg": "_velocities", "grad_avg": "_average_gradients"},
        grid(**RMSPROP, centered=(True,)),
    ),
    Case(
        "RMSprop",
        "RMSprop",
        {
            "square_avg": "_velocities",
            "grad_avg": "_average_gradients",
            "momentum_buffer": "_momentums",
        },
        [*grid(**RMSPROP, momentum=(0.9,), centered=(True,)), {"momentum": 0.9, "centered": True}],
    ),
    Case(
        "RMSprop",
        "RMSprop",
        {"square_avg": "_velocities"},
        grid(lr=(0.05,), momentum=(0.0,), centered=(False,)),
    ),
    Case(
        "Adadelta",
        "Adadelta",
        {"square_avg": "_accumulated_grads", "acc_delta": "_accumulated_delta_vars"},
        [{}, *grid(lr=(1.0, 0.3), rho=(0.95, 0.6), eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1))],
    ),
    Case("Adam", "Adam", ADAM_SLOTS, [{}, *ADAM]),
    Case("Adam", "Adam", AMSGRAD_SLOTS, AMSGRAD),
    Case("AdamW", "AdamW", ADAM_SLOTS, [{}, *ADAM]),
    Case("AdamW", "AdamW", AMSGRAD_SLOTS, AMSGRAD),
    Case(
        "NAdam",
        "Nadam",
        {**ADAM_SLOTS, "mu_product": "_u_product"},
        [{}, *grid(lr=(0.05,), betas=BETAS, eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1))],
    ),
    Case(
        "Adamax",
        "Adamax",
        {"exp_avg": "_m", "exp_inf": "_u"},
        [{}, *grid(lr=(0.05,), betas=BETAS, eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1))],
    ),
    Case(
        "Adafactor",
        "Adafactor",
        {"row_var": "_r", "col_var": "_c"},
        [{}, *grid(**ADAFACTOR)],
        names=ADAFACTOR_NAMES,
        shapes=FACTORED_SHAPES,
    ),
    Case(
        "Adafactor",
        "Adafactor",
        {"variance": "_v"},
        [{}, *grid(**ADAFACTOR)],
        names=ADAFACTOR_NAMES,
        shapes=((5,), ()),
    ),
    Case(
        "Adafactor",
        "Adafactor",
        {"variance": "_v"},
        [{"relative_step": False}],
        names={"relative_step": lambda v: {"relative_step": v}},
        fixed={"relative_step": True},
        shapes=((5,),),
    ),
    Case(
        "LAMB",
        "Lamb",
        {"exp_avg": "_momentums", "exp_avg_sq": "_velocities"},
        [{}, *grid(lr=(0.05,), betas=BETAS, eps=(1e-7, 1e-3), weight_decay=(0.0, 0.1))],
    ),
    Case(
        "Lion",
        "Lion",
        {"exp_avg": "_momentums"},
        [{}, *grid(lr=(0.05,), betas=((0.9, 0.99), (0.3, 0.8)), weight_decay=(0.0, 0.1))],
    ),
    Case(
        "FTRL",
        "Ftrl",
        {"z": "_linears", "n": "_accumulators"},
        [
            {},
            *grid(
                lr=(0.05, 1.0),
                l1=(0.0, 0.5),
                l2=(0.0, 0.2),
                l2_shrinkage=(0.0, 0.2),
                beta=(0.0, 1.0),
                initial_accumulator_value=(0.1, 0.5),
                weight_decay=(0.0, 0.1),
            ),
        ],
        # a penalty of ½λ‖θ‖² here, of λ‖θ‖² there
        names={
            "l1": "l1_regularization_strength",
            "l2": lambda v: {"l2_regularization_strength": v / 2},
            "l2_shrinkage": lambda v: {"l2_shrinkage_regularization_strength": v / 2},
        },
    ),
)


@pytest.fixture(autouse=True)
def double_by_default():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


class Keras:
    """A variable and its optimizer."""

    def __init__(self, name: str, p: np.ndarray, options: dict[str, Any], _rates: Rates | None):
        self.variable = keras.Variable(p.copy(), dtype="float64")
        self.optimizer = getattr(keras.optimizers, name)(**options)
        self.optimizer.build([self.variable])

    def step(self, g: np.ndarray, rate: float | None) -> np.ndarray:
        if rate is not None:
            self.optimizer.learning_rate = rate
        self.optimizer.apply([keras.ops.convert_to_tensor(g, "float64")], [self.variable])
        return self.variable.numpy().copy()

    def slot(self, name: str) -> np.ndarray:
        kept = getattr(self.optimizer, name)
        return (kept[0] if isinstance(kept, list) else kept).numpy().copy()


@pytest.mark.parametrize("row", rows(CASES), ids=row_id)
def test_keras(row):
    held("keras", *row, NAMES, Keras)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.ours}-{'-'.join(c.slots)}")
def test_defaults_are_those_of_keras(case):
    function = getattr(keras.optimizers, case.peer).__init__
    assert defaults_differ("keras", case, function, NAMES) == {}


@pytest.mark.parametrize("peer", sorted({case.peer for case in CASES}))
def test_every_option_of_keras_is_in_a_row(peer):
    cases = [case for case in CASES if case.peer == peer]
    function = getattr(keras.optimizers, peer)
    assert left_out(cases, function, NAMES, NO_OPTIONS) == NOT_OFFERED.get(peer, set())
