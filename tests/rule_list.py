"""Every rule of optcore, one row each, for all tests that go over rules.

A row names the rule, its class, and the options under which it is tested; a new rule is enrolled
everywhere by its row here. Options have the names that `reference`, `ops` and the classes share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import optcore
from optcore import _core, ops, reference

Options = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    name: str
    """The function in `reference` and, with an underscore behind it, in `ops`."""
    optimizer_name: str
    options: tuple[Options, ...]
    elementwise: bool = True
    """Whether a step on a part of a tensor is part of the step on the tensor."""
    factored: bool = False
    """Whether its state is smaller than its parameter."""

    @property
    def reference(self) -> Callable[..., Any]:
        return getattr(reference, self.name)

    @property
    def sums(self) -> Callable[..., Any] | None:
        """The function in `reference` that a global rule takes its sums from."""
        return getattr(reference, f"{self.name}_sums", None)

    @property
    def ops(self) -> Callable[..., None]:
        return getattr(ops, self.name + "_")

    @property
    def optimizer(self) -> Callable[..., Any]:
        return getattr(optcore, self.optimizer_name)

    @property
    def scalars(self) -> list[str]:
        """The names of float64 state that a tensor has as a whole."""
        return self.optimizer.scalar_names()

    def start(self, p: np.ndarray, options: Options) -> dict[str, np.ndarray]:
        """The state before the first step: names in the order of the slots, initial values.

        The class says what they are; the reference, which knows as well, has to agree.
        """
        kind, zero = self.optimizer, np.zeros_like(p)
        wanted = self.reference(p, zero, {}, step=1, **options)
        values = kind._initial_values() | options
        state = {
            name: np.full_like(x, kind._initial(name, values)) for name, x in wanted[1].items()
        }
        state.update({name: p.copy(order="K") for name in kind._mirrors if name in state})
        got = self.reference(p, zero, state, step=1, **options)
        for x, y in zip((got[0], *got[1].values()), (wanted[0], *wanted[1].values()), strict=True):
            assert np.array_equal(x, y, equal_nan=True), self.name
        return state

    def reference_steps(
        self,
        tensors: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]],
        grads: dict[str, np.ndarray | None],
        steps: dict[str, int],
        options: Options,
        **more: Any,
    ) -> None:
        """One step of the reference on several tensors with their state; None is no gradient."""
        active = [k for k, g in grads.items() if g is not None]
        if self.sums is not None:
            each = [self.sums(tensors[k][0], grads[k], tensors[k][1], **options, **more)
                    for k in active if tensors[k][0].size > 0]  # fmt: skip
            more = {**more, "sums": added_up(each)}
        for k in active:
            p, state = tensors[k]
            new = self.reference(p, grads[k], state, step=steps[k], **options, **more)
            tensors[k] = new
        if self.sums is not None and active:  # what a global rule learns holds for all
            for k in set(tensors) - set(active):
                learned = {name: tensors[active[0]][1][name] for name in self.scalars}
                tensors[k] = (tensors[k][0], {**tensors[k][1], **learned})

    def step(
        self,
        p: np.ndarray,
        g: np.ndarray,
        state: dict[str, np.ndarray],
        step: int,
        options: Options,
        **more: Any,
    ) -> None:
        """One step in place through `ops`."""
        own = {k: v for k, v in options.items() if not k.startswith("initial_")}
        # adafactor_ takes the one slot of a vector in the place of row_var.
        slots = {"row_var" if k == "variance" else k: v for k, v in state.items()}
        assert self.ops(p, g, **slots, step=step, **own, **more) is None


def added_up(sums: list[tuple[float, ...]]) -> tuple[float, ...]:
    """Sums of several tensors, added one after the other."""
    totals = [0.0, 0.0]
    for each in sums:
        totals = [a + b for a, b in zip(totals, each, strict=True)]
    return tuple(totals)


# The options that every rule has.
_CLIPPED = {"clip_value": 0.75, "maximize": True}
_DECOUPLED = {"weight_decay": 0.1, "decoupled_weight_decay": True, "lr": 0.05}

_DECAYED = {"weight_decay": 0.1, "decoupled_weight_decay": True}

RULES = (
    Rule(
        "sgd",
        "SGD",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.9},
            {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.9, "nesterov": True},
            {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1, "maximize": True},
            {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, **_CLIPPED},
            {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "cautious": True},
            {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "dampen_first": True},
            {"lr": 0.05, "momentum": 0.9, "rate_in_buffer": True, **_DECAYED},
            {"lr": 0.05, "momentum": 0.9, "rate_in_buffer": True, "nesterov": True},
            {"lr": 0.05, "rate_in_buffer": True},
        ),
    ),
    Rule(
        "momentum",
        "Momentum",
        (
            {"lr": 0.05, "momentum": 0.9},
            {"lr": 0.05, "momentum": 0.9, "nesterov": True},
            {"lr": 0.05, "momentum": 0.9, "form": "average"},
            {"lr": 0.05, "momentum": 0.9, "form": "average", "nesterov": True},
            {"lr": 0.05, "momentum": 0.7, "weight_decay": 0.1, **_CLIPPED},
            {"momentum": 0.7, "form": "average", "nesterov": True, **_CLIPPED},
        ),
    ),
    Rule(
        "adagrad",
        "Adagrad",
        (
            {},
            {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-8},
            {"lr": 0.1, "weight_decay": 0.1, **_CLIPPED},
            {"initial_accumulator_value": 0.1, "eps": 1e-7, "eps_in_sqrt": True, **_DECAYED},
            {"eps": 0.0, "eps_in_sqrt": True, "zero_at_zero": True},
        ),
    ),
    Rule(
        "rmsprop",
        "RMSprop",
        (
            {},
            {"alpha": 0.9, "eps_in_sqrt": True, "eps": 1e-6},
            {"centered": True},
            {"momentum": 0.9},
            {"momentum": 0.9, "centered": True, "weight_decay": 0.1, **_CLIPPED},
            {"momentum": 0.5, "centered": True, "eps_in_sqrt": True},
            {"weight_decay": 0.1, "maximize": True},
            {"momentum": 0.9, "nesterov": True, "eps_in_sqrt": True},
            {"momentum": 0.9, "rate_in_buffer": True, **_DECAYED},
            {"momentum": 0.9, "rate_in_buffer": True, "nesterov": True, "centered": True},
            {"bias_correction": True, "initial_accumulator_value": 1.0},
            {"bias_correction": True, "centered": True, "alpha": 0.5, "rate_in_buffer": True},
        ),
    ),
    Rule(
        "adadelta",
        "Adadelta",
        (
            {},
            {"lr": 0.5, "rho": 0.95, "eps": 1e-4, "weight_decay": 0.1},
            {"rho": 0.8, **_CLIPPED},
            {"rho": 0.95, "eps": 1e-7, **_DECAYED},
        ),
    ),
    Rule(
        "adam",
        "Adam",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1},
            {"amsgrad": True},
            {"amsgrad": True, "weight_decay": 0.1, "betas": (0.5, 0.6), **_CLIPPED},
            {"eps": 0.0, "eps_root": 1e-8},
            {"amsgrad": True, "eps_root": 1e-6, **_DECOUPLED},
            {"betas": (0.0, 0.0)},
            {"eps_hat": True, "eps": 1e-3, **_DECAYED},
            {"eps_hat": True, "amsgrad": True, "eps_root": 1e-8},
            {"amsgrad": True, "correct_before_max": True, "eps": 1e-4},
            {"bias_correction": False, "eps_hat": True},
            {"bias_correction": (True, False), "amsgrad": True, "correct_before_max": True},
            {"bias_correction": (False, True)},
        ),
    ),
    Rule(
        "adamw",
        "AdamW",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True, "eps_root": 1e-8},
            {"weight_decay": 0.0, **_CLIPPED},
            {"lr": 0.05, "cautious": True, "amsgrad": True, **_CLIPPED},
            {"lr": 0.05, "weight_decay": 0.5, "cautious_weight_decay": True},
            {"lr": 0.05, "weight_decay": 0.5, "cautious": True, "cautious_weight_decay": True},
            {"eps_hat": True, "bias_correction": False, "amsgrad": True},
            {"amsgrad": True, "correct_before_max": True, "bias_correction": (False, True)},
        ),
    ),
    Rule(
        "nadam",
        "NAdam",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "momentum_decay": 1.0},
            {"momentum_decay": None},
            {"momentum_decay": None, "lookahead": False, **_CLIPPED},
            {"momentum_decay": None, "lookahead": False, "double_correction": True},
            {"double_correction": True, "betas": (0.8, 0.9), **_DECOUPLED},
            {"cautious": True, "cautious_weight_decay": True, **_DECOUPLED},
            {"eps_root": 1e-6, "momentum_decay": None},
            {"scheduled_average": True, "momentum_decay": 0.5},
            {"beta2_in_v_hat": True, "scheduled_average": True, "eps": 1e-3},
        ),
    ),
    Rule(
        "nadamw",
        "NAdamW",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "lookahead": False, "eps_root": 1e-6},
            {"momentum_decay": 4e-3, "weight_decay": 0.0, **_CLIPPED},
            {"lr": 0.05, "cautious": True, "cautious_weight_decay": True},
        ),
    ),
    Rule(
        "adamax",
        "Adamax",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1},
            {"eps_in_max": False, "eps": 1e-7},
            {"eps": 0.0, "betas": (0.0, 0.0), **_CLIPPED},
            {"eps_in_max": False, **_DECOUPLED},
            {"cautious": True, "weight_decay": 0.1},
        ),
    ),
    Rule(
        "adamaxw",
        "AdamaxW",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "eps_in_max": False},
            {"lr": 0.05, "weight_decay": 0.5, "cautious_weight_decay": True},
            {"weight_decay": 0.0, **_CLIPPED},
        ),
    ),
    Rule(
        "radam",
        "RAdam",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.7), "weight_decay": 0.1},
            {"betas": (0.9, 0.99), "eps_hat": False, "threshold_inclusive": True},
            {"betas": (0.5, 0.75), "threshold": 6.0, "eps_root": 1e-6, **_CLIPPED},
            {"nesterov": True, **_DECOUPLED},
            {"betas": (0.0, 0.0), "nesterov": True},
            {"cautious": True, "cautious_weight_decay": True, "betas": (0.9, 0.9), **_DECOUPLED},
        ),
    ),
    Rule(
        "asgd",
        "ASGD",
        (
            {},
            {"lr": 0.05, "lambd": 0.1, "t0": 1.0, "weight_decay": 0.1},
            {"lambd": 0.5, "alpha": 0.5, "t0": -2.5, **_CLIPPED},
            {"lr": 0.05, "lambd": 0.0, "t0": 0.0},
        ),
    ),
    Rule(
        "rprop",
        "Rprop",
        (
            {},
            {"lr": 0.5, "etas": (0.4, 1.5), "step_sizes": (0.1, 0.9), "weight_decay": 0.1},
            {"lr": 0.05, **_CLIPPED},
        ),
    ),
    Rule(
        "adabelief",
        "AdaBelief",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1},
            {"amsgrad": True, "eps": 1e-8, "eps_root": 0.0},
            {"amsgrad": True, "weight_decay": 0.1, "betas": (0.5, 0.6), **_CLIPPED},
            {"nesterov": True, "eps_root": 1e-6, **_DECOUPLED},
            {"cautious": True, "cautious_weight_decay": True, **_DECOUPLED},
            {"betas": (0.0, 0.0)},
        ),
    ),
    Rule(
        "yogi",
        "Yogi",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1},
            {"eps": 0.0, "eps_root": 1e-6, "initial_accumulator_value": 0.0, **_CLIPPED},
            {"betas": (0.0, 0.0), "initial_accumulator_value": 0.5, **_DECOUPLED},
            {"cautious": True, "cautious_weight_decay": True, **_DECOUPLED},
        ),
    ),
    Rule(
        "lion",
        "Lion",
        (
            {},
            {"lr": 0.05, "betas": (0.5, 0.8), "step_at_zero": True},
            {"decoupled_weight_decay": False, "weight_decay": 0.1, **_CLIPPED},
            _DECOUPLED,
            {"cautious": True, "cautious_weight_decay": True, **_DECOUPLED},
        ),
    ),
    Rule(
        "signum",
        "Signum",
        (
            {},
            {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1},
            {"momentum": 0.0, "weight_decay": 0.1},
            {"cautious": True, "weight_decay": 0.1},
            {"decoupled_weight_decay": False, "weight_decay": 0.1, **_CLIPPED},
        ),
    ),
    Rule(
        "signsgd",
        "SignSGD",
        (
            {},
            {"decoupled_weight_decay": False, "weight_decay": 0.1, **_CLIPPED},
        ),
    ),
    Rule(
        "adan",
        "Adan",
        (
            {},
            {"lr": 0.05, "betas": (0.9, 0.5, 0.8), "weight_decay": 0.1},
            {"eps": 1e-3, "complement_beta2": True, **_DECOUPLED},
            {"cautious": True, "weight_decay": 0.1},
            {"eps": 0.0, "eps_root": 1e-8, **_CLIPPED},
        ),
    ),
    Rule(
        "adopt",
        "ADOPT",
        (
            {},
            {"lr": 0.05, "betas": (0.5, 0.6), "nesterov": True},
            {"clip_exponent": None, "weight_decay": 0.1, "eps": 1e-3},
            {"clip_exponent": 0.5, "weight_decay": 0.1, **_CLIPPED},
            {"eps": 0.0, "nesterov": True, **_DECOUPLED},
            {"cautious": True, "weight_decay": 0.1},
        ),
    ),
    Rule(
        "ademamix",
        "AdEMAMix",
        (
            {},
            {"lr": 0.05, "betas": (0.5, 0.8, 0.95), "alpha": 2.0, "weight_decay": 0.1},
            {"t_alpha_beta3": 8.0, "eps": 0.0, "eps_root": 1e-8},
            {"betas": (0.0, 0.8, 0.95), "t_alpha_beta3": 100.0},
            {"cautious": True, "cautious_weight_decay": True, **_DECOUPLED},
            {"decoupled_weight_decay": False, "weight_decay": 0.1, **_CLIPPED},
        ),
    ),
    Rule(
        "ftrl",
        "FTRL",
        (
            {},
            {"lr": 0.5, "l1": 0.5, "l2": 0.1, "l2_shrinkage": 0.01, "beta": 1.0},
            {"lr": 0.5, "initial_accumulator_value": 0.0, "l1": 0.1},
            {"lr": 0.5, "weight_decay": 0.1, **_CLIPPED},
            _DECOUPLED,
            {"lr": 0.0},
        ),
    ),
    Rule(
        "sophia",
        "Sophia",
        (
            {},
            {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.5, "bias_correction": True},
            {"eps": 0.5, "decoupled_weight_decay": False, **_CLIPPED},
            {"eps": 0.5, "lr": 0.05, "cautious": True, "cautious_weight_decay": True},
        ),
    ),
    Rule(
        "schedule_free_sgd",
        "ScheduleFreeSGD",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "warmup_steps": 3, "momentum": 0.8},
            {"lr": 0.05, "r": 1.5, "weight_lr_power": 0.0, "weight_decay": 0.1, **_CLIPPED},
            {"warmup_steps": 2, **_DECOUPLED},
        ),
    ),
    Rule(
        "schedule_free_adamw",
        "ScheduleFreeAdamW",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "warmup_steps": 3},
            {"lr": 0.05, "r": 1.5, "weight_lr_power": 0.0, "weight_decay": 0.1, **_CLIPPED},
            {"warmup_steps": 2, "r": 1.0, "eps": 1e-4, **_DECOUPLED},
        ),
    ),
    Rule(
        "schedule_free_radam",
        "ScheduleFreeRAdam",
        (
            {},
            {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "silent_sgd_phase": False},
            {"lr": 0.05, "r": 1.5, "weight_lr_power": 0.0, "betas": (0.5, 0.95), **_CLIPPED},
            {"betas": (0.5, 0.6), "silent_sgd_phase": False, "eps": 1e-4, **_DECOUPLED},
        ),
    ),
    Rule(
        "lamb",
        "LAMB",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "eps_root": 1e-6, "clamp": 1.5},
            {"bias_correction": False, "weight_decay": 0.1, **_CLIPPED},
            {"betas": (0.8, 0.9), **_DECOUPLED},
        ),
        elementwise=False,
    ),
    Rule(
        "lars",
        "LARS",
        (
            {},
            {"lr": 0.5, "weight_decay": 0.1, "dampening": 0.3, "trust_coefficient": 0.1},
            {"lr": 0.5, "weight_decay": 0.1, "joint_norm": True, "rate_in_buffer": True},
            {"lr": 0.5, "weight_decay": 0.1, "nesterov": True, "trust_clip": True, **_CLIPPED},
            {"lr": 0.5, "momentum": 0.0, "eps": 0.0},
        ),
        elementwise=False,
    ),
    Rule(
        "prodigy",
        "Prodigy",
        (
            {},
            {"d0": 1e-2, "lr": 0.5, "weight_decay": 0.1, "use_bias_correction": True},
            {"d0": 1e-2, "weight_decay": 0.1, "decouple": False, "growth_rate": 1.5, **_CLIPPED},
            {"d0": 1e-2, "safeguard_warmup": True, "beta3": 0.5, "d_coef": 0.5, "eps": 1e-3},
        ),
        elementwise=False,
    ),
    Rule(
        "novograd",
        "NovoGrad",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "grad_averaging": True, "eps_root": 1e-6},
            {"betas": (0.5, 0.25), "weight_decay": 0.1, "eps": 0.0, **_CLIPPED},
            _DECOUPLED,
        ),
        elementwise=False,
    ),
    Rule(
        "dadapt_adam",
        "DAdaptAdam",
        (
            {},
            {"d0": 1e-2, "lr": 0.5, "weight_decay": 0.1, "use_bias_correction": True},
            {"d0": 1e-2, "weight_decay": 0.1, "decouple": True, "growth_rate": 1.5, **_CLIPPED},
            {"d0": 1e-2, "betas": (0.5, 0.6), "layer_scale": 0.5, "eps": 1e-3},
        ),
        elementwise=False,
    ),
    Rule(
        "mars",
        "MARS",
        (
            {},
            {"lr": 0.05, "betas": (0.5, 0.9), "gamma": 0.5, "weight_decay": 0.1, "eps_root": 1e-6},
            {"amsgrad": True, "weight_decay": 0.1, "decoupled_weight_decay": False, **_CLIPPED},
        ),
        elementwise=False,
    ),
    Rule(
        "dadapt_sgd",
        "DAdaptSGD",
        (
            {},
            {"d0": 1e-2, "lr": 0.5, "momentum": 0.9},
            {"d0": 1e-2, "weight_decay": 0.1, "growth_rate": 1.5, **_CLIPPED},
        ),
        elementwise=False,
    ),
    Rule(
        "adafactor",
        "Adafactor",
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1, "maximize": True, "beta2_decay": -0.5, "d": 2.0},
            {"eps": (1e-30, 1e-3), "eps_mode": "add", "clip_value": 0.75},
            {
                "beta2": 0.999,
                "normalize": False,
                "d": float("inf"),
                "relative_step": False,
                "scale_parameter": False,
                "eps": (1e-10, 1e-3),
            },
            {"lr": 0.5, "relative_step": False, "eps": (1e-6, 0.1)},
            {"lr": 0.05, "weight_decay": 0.5, "scale_after_decay": True},
            {"lr": 0.05, "weight_decay": 0.1, "decay_times_rate": False, "decay_offset": 3.0},
            {"min_dim_size_to_factor": 6, "relative_step": False},
        ),
        elementwise=False,
        factored=True,
    ),
)

ROWWISE = Rule(
    "rowwise_adagrad",
    "RowwiseAdagrad",
    (
        {},
        {"lr": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-6},
        {"lr": 0.1, "weight_decay": 0.1, **_CLIPPED},
    ),
    elementwise=False,
    factored=True,
)
"""It takes C-contiguous arrays only, so it stands apart from tests of all layouts: test_rows.py."""


def is_elementwise(row: tuple[Rule, Options]) -> bool:
    """Whether this row is: with a mask, the share of what it leaves is that of the tensor."""
    rule, options = row
    return rule.elementwise and not options.get("cautious", False)


ROWS = [(rule, options) for rule in RULES for options in rule.options]


def row_id(row: tuple[Rule, Options]) -> str:
    rule, options = row
    return "-".join([rule.name, *(f"{k}={v}" for k, v in options.items())])


def gradients(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Iterator[np.ndarray]:
    """Gradients of every size from 1e-3 to 1e3 and some that vanish, without end."""
    while True:
        # ldexp, as NumPy's own pow depends on the CPU
        g = np.ldexp(rng.normal(size=shape), rng.integers(-10, 11, size=shape))
        g = np.where(rng.random(shape) < 0.05, rng.choice([0.0, -0.0, 1e-30], size=shape), g)
        yield g.astype(dtype)


def digest(steps: int = 5, size: int = 37) -> str:
    """A hash of the bits of every rule in every row, of the reference and of scalar functions."""
    bits = hashlib.sha256()
    for rule, options in ROWS:
        for dtype in (np.float32, np.float64):
            rng = np.random.default_rng(0)
            p = rng.normal(size=size).astype(dtype)
            state = rule.start(p, options)
            copied, copied_state = p.copy(), {k: v.copy() for k, v in state.items()}
            for t, g in zip(range(1, steps + 1), gradients(rng, p.shape, dtype), strict=False):
                rule.step(p, g, state, t, options)
                copied, copied_state = rule.reference(copied, g, copied_state, step=t, **options)
            for x in (p, *state.values(), copied, *copied_state.values()):
                bits.update(x.tobytes())
    for x in np.random.default_rng(1).uniform(0.01, 3, size=200):
        values = (_core.math_exp(x), _core.math_log(x), _core.math_cos(x), _core.math_tanh(x))
        bits.update(np.array([*values, _core.math_pow(x, -0.8)]).tobytes())
    for n in range(1, 200):
        bits.update(np.float64(_core.math_one_minus_power(0.999, n)).tobytes())
    return bits.hexdigest()
