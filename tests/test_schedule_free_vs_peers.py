"""The schedule-free optimizers against the package schedulefree, optax and Keras, in float64.

Both step from the same point: after each step the peer's parameter and state replace ours. Compared
are the parameter in both modes and the state, over 50 steps.

Where a peer differs, and what that leaves to compare:

============  =====================================================================================
optax         A rate that follows a schedule is read one step later in the average than in the step;
              compared with constant rates. It has no `r`.
Keras         It has no eval mode, so x is not compared; it follows from y and z. On torch tensors
              it takes the new z for the old one, as its `momentum.value` is the very tensor that is
              written next; here `assign_sub` makes a new one, which is what other backends do. The
              share of the warm-up is a float32; compared with one of 8 steps, which is exact.
============  =====================================================================================
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import optcore as oc

STEPS = 50
TOLERANCE = 1e-10
SHAPES: tuple[tuple[int, ...], ...] = ((5,), (), (4, 6), (2, 3, 5))

Arrays = dict[str, np.ndarray]


def start(rng: np.random.Generator) -> Arrays:
    return {str(k): np.asarray(rng.normal(size=shape)) for k, shape in enumerate(SHAPES)}


def gradients(rng: np.random.Generator) -> Iterator[Arrays]:
    for _ in range(STEPS):
        yield {
            str(k): np.asarray(rng.normal(size=s) * 10 ** rng.uniform(-3, 3, size=s))
            for k, s in enumerate(SHAPES)
        }


def check(ours: Any, theirs: Any, before: Any, where: object) -> None:
    """The error is at most the tolerance times the larger of the value and its change."""
    theirs = np.asarray(theirs, np.float64)
    size = np.maximum(np.abs(theirs), np.abs(theirs - before))
    assert np.all(np.abs(ours - theirs) <= TOLERANCE * size), (where, ours, theirs)


# The package. -----------------------------------------------------------------------------------

COMMON: tuple[dict[str, Any], ...] = (
    {},
    {"weight_decay": 0.1},
    {"r": 1.5},
    {"weight_lr_power": 0.0},
    {"r": 2.0, "weight_lr_power": 1.0, "weight_decay": 0.05},
)
WARM: tuple[dict[str, Any], ...] = ({"warmup_steps": 7}, {"warmup_steps": 1, "weight_decay": 0.1})
ADAM: tuple[dict[str, Any], ...] = (
    {"betas": (0.6, 0.9)},
    {"betas": (0.95, 0.0), "eps": 1e-3},
    {"eps": 1e-3, "weight_decay": 0.1, "betas": (0.5, 0.99)},
)
RADAM: tuple[dict[str, Any], ...] = (
    {"silent_sgd_phase": False},
    {"silent_sgd_phase": False, "betas": (0.8, 0.5), "weight_decay": 0.1},
    {"silent_sgd_phase": True, "betas": (0.8, 0.6)},
)
PACKAGE = [
    *(("SGD", {"lr": 0.05, **o}) for o in (*COMMON, *WARM, {"momentum": 0.5})),
    *(("AdamW", {"lr": 0.05, **o}) for o in (*COMMON, *WARM, *ADAM)),
    *(("RAdam", {"lr": 0.05, **o}) for o in (*COMMON, *ADAM, *RADAM)),
    *((name, {}) for name in ("SGD", "AdamW", "RAdam")),
]


@pytest.mark.parametrize("scheduled", [False, True], ids=["constant", "scheduled"])
@pytest.mark.parametrize(("name", "options"), PACKAGE, ids=str)
def test_package(name: str, options: dict[str, Any], scheduled: bool) -> None:
    """Also with a rate that goes up and down; and that modes may be changed after every step."""
    torch = pytest.importorskip("torch")
    schedulefree = pytest.importorskip("schedulefree")
    rng = np.random.default_rng(len(options))
    params = start(rng)
    tensors = {k: torch.tensor(p, requires_grad=True) for k, p in params.items()}
    peer = getattr(schedulefree, f"{name}ScheduleFree")(tensors.values(), **options, foreach=False)
    peer.train()
    lr = options.get("lr", peer.param_groups[0]["lr"])

    def rate(k: int) -> float:
        if not scheduled:
            return lr
        return lr * (1 + 0.5 * math.sin(k)) if k != 11 else 0.0

    opt = getattr(oc, f"ScheduleFree{name}")(params, **options | {"lr": rate})
    for t, grads in enumerate(gradients(rng)):
        before = {k: p.copy() for k, p in params.items()}
        peer.param_groups[0]["lr"] = rate(t)
        for k, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[k])
        peer.step()
        opt.step(grads)
        for k, tensor in tensors.items():
            check(params[k], tensor.detach(), before[k], (t, "y"))
            for slot, theirs in peer.state[tensor].items():
                check(opt.state[k][slot], theirs, 0.0, (t, slot))
            for scalar in ("weight_sum", "lr_max"):
                check(opt.state[k][scalar], peer.param_groups[0][scalar], 0.0, (t, scalar))
        peer.eval()
        with opt.eval():
            for k, tensor in tensors.items():
                check(params[k], tensor.detach(), before[k], (t, "x"))
        peer.train()
        for k, tensor in tensors.items():
            params[k][...] = tensor.detach().numpy()
            for slot, theirs in peer.state[tensor].items():
                opt.state[k][slot][...] = theirs
            for scalar in ("weight_sum", "lr_max"):
                opt.state[k][scalar][...] = peer.param_groups[0][scalar]


# optax. -----------------------------------------------------------------------------------------

OPTAX = [
    ("sgd", {}, {}),
    ("sgd", {"learning_rate": 0.05, "b1": 0.6}, {"lr": 0.05, "momentum": 0.6}),
    (
        "sgd",
        {"learning_rate": 0.05, "weight_decay": 0.1, "weight_lr_power": 1.0},
        {"lr": 0.05, "weight_decay": 0.1, "weight_lr_power": 1.0},
    ),
    ("adamw", {}, {}),
    (
        "adamw",
        {"learning_rate": 0.05, "b1": 0.6, "b2": 0.9, "eps": 1e-3},
        {"lr": 0.05, "betas": (0.6, 0.9), "eps": 1e-3},
    ),
    (
        "adamw",
        {"learning_rate": 0.05, "weight_decay": 0.1, "weight_lr_power": 0.0},
        {"lr": 0.05, "weight_decay": 0.1, "weight_lr_power": 0.0},
    ),
]


@pytest.mark.parametrize(("name", "theirs", "options"), OPTAX, ids=str)
def test_optax(name: str, theirs: dict[str, Any], options: dict[str, Any]) -> None:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    rng = np.random.default_rng(len(options))
    params = start(rng)
    kind = {"sgd": oc.ScheduleFreeSGD, "adamw": oc.ScheduleFreeAdamW}[name]
    opt = kind(params, **options)
    with jax.enable_x64(True):
        peer = getattr(optax.contrib, f"schedule_free_{name}")(
            **{"learning_rate": 1.0 if name == "sgd" else 0.0025, **theirs}
        )
        values = {k: jax.numpy.asarray(p) for k, p in params.items()}
        state = peer.init(values)
        for t, grads in enumerate(gradients(rng)):
            before = {k: p.copy() for k, p in params.items()}
            updates, state = peer.update(grads, state, values)
            values = optax.apply_updates(values, updates)
            opt.step(grads)
            x = optax.contrib.schedule_free_eval_params(state, values)
            for k in params:
                check(params[k], values[k], before[k], (t, "y"))
                check(opt.state[k]["z"], state.z[k], before[k], (t, "z"))
            with opt.eval():
                for k in params:
                    check(params[k], x[k], before[k], (t, "x"))
            for k in params:
                params[k][...] = values[k]
                opt.state[k]["z"][...] = state.z[k]


# Keras. -----------------------------------------------------------------------------------------

KERAS = [
    ({}, {}),
    (
        {"learning_rate": 0.05, "beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-3, "warmup_steps": 8},
        {"lr": 0.05, "betas": (0.6, 0.9), "eps": 1e-3, "warmup_steps": 8},
    ),
    ({"learning_rate": 0.05, "weight_decay": 0.1}, {"lr": 0.05, "weight_decay": 0.1}),
]


def unaliased(keras: Any) -> Any:
    """Keras's class with the old z and the new one in tensors of their own."""

    class Unaliased(keras.optimizers.ScheduleFreeAdamW):
        def assign_sub(self, reference_variable: Any, value: Any) -> None:
            new = keras.ops.subtract(reference_variable.value, value)
            reference_variable._value = keras.ops.stop_gradient(new)

    return Unaliased


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras on torch tensors
@pytest.mark.parametrize(("theirs", "options"), KERAS, ids=str)
def test_keras(theirs: dict[str, Any], options: dict[str, Any]) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(len(options))
    params = start(rng)
    opt = oc.ScheduleFreeAdamW(params, **options, dialect="keras")
    before_floatx = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        variables = {k: keras.Variable(p.copy(), dtype="float64") for k, p in params.items()}
        peer = unaliased(keras)(**theirs)
        peer.build(list(variables.values()))
        for t, grads in enumerate(gradients(rng)):
            before = {k: p.copy() for k, p in params.items()}
            peer.apply([keras.ops.convert_to_tensor(grads[k], dtype="float64") for k in variables])
            opt.step(grads)
            for i, (k, variable) in enumerate(variables.items()):
                slots = {"z": peer._momentums[i], "exp_avg_sq": peer._velocities[i]}
                y = keras.ops.convert_to_numpy(variable.value)
                check(params[k], y, before[k], (t, "y"))
                params[k][...] = y
                for slot, each in slots.items():
                    value = keras.ops.convert_to_numpy(each.value)
                    check(opt.state[k][slot], value, before[k], (t, slot))
                    opt.state[k][slot][...] = value
    finally:
        keras.config.set_floatx(before_floatx)
