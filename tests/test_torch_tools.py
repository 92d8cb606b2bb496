"""optcore.torch under torch's own tools: GradScaler, torch.compile, averaged models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import optcore

torch = pytest.importorskip("torch")

with warnings.catch_warnings():  # torch's own deprecated calls
    warnings.simplefilter("ignore")
    import torch._dynamo.utils

    import optcore.torch as ot


def network(dtype: Any = None) -> Any:
    torch.manual_seed(0)
    layers = torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
    return torch.nn.Sequential(*layers).to(dtype or torch.float32)


def batch(step: int) -> tuple[Any, Any]:
    X = torch.randn(8, 6, generator=torch.Generator().manual_seed(step))
    return X, X[:, :1] ** 2


def weights(model: Any) -> list[Any]:
    return [p.detach().clone() for p in model.parameters()]


def assert_same_bits(got: list[Any], wanted: list[Any]) -> None:
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def train(model: Any, optimizer: Any, steps: range, call: Any = None) -> list[Any]:
    for step in steps:
        X, y = batch(step)
        optimizer.zero_grad()
        ((call or model)(X) - y).square().mean().backward()
        optimizer.step()
    return weights(model)


def alone(kind: Any, steps: int) -> list[Any]:
    model = network()
    return train(model, kind(model.parameters(), lr=1e-2), range(steps))


# torch.amp.GradScaler. -------------------------------------------------------------------------


def scaled(kind: Any, poisoned: int | None = None, **options: Any) -> tuple[list[Any], Any, Any]:
    """Six steps under autocast, with gradients of an infinite loss at one of them."""
    model = network()
    optimizer = kind(model.parameters(), lr=1e-2, **options)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    for step in range(6):
        X, y = batch(step)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = (model(X) - y).square().mean()
        scaler.scale(loss * (torch.inf if step == poisoned else 1.0)).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        scaler.step(optimizer)
        scaler.update()
    return weights(model), optimizer, scaler


@pytest.mark.parametrize("name", ["AdamW", "SGD", "NAdam"])
@pytest.mark.parametrize("poisoned", [None, 0, 3])
def test_the_scaler_skips_steps_as_with_torch(name: str, poisoned: int | None) -> None:
    """To 2e-6 of torch's weights: they follow each other for six float32 steps."""
    ours, _, scaler = scaled(getattr(ot, name), poisoned)
    theirs, _, their_scaler = scaled(getattr(torch.optim, name), poisoned)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)
    assert scaler.get_scale() == their_scaler.get_scale()
    assert scaler.get_scale() == (2.0**12 if poisoned is None else 2.0**11)


def test_a_skipped_step_is_not_counted() -> None:
    _, optimizer, _ = scaled(ot.AdamW, 0)
    assert {float(state["step"]) for state in optimizer.state.values()} == {5.0}


def test_clipping_inside_the_step_under_the_scaler() -> None:
    """The gradients are unscaled by then, so it is the same norm, to the last bits of float32."""
    outside, _, _ = scaled(ot.AdamW)
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2, clip_norm=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    for step in range(6):
        X, y = batch(step)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = (model(X) - y).square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        assert 0 < optimizer.grad_norm < 100
    for a, b in zip(weights(model), outside, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


# torch.compile. --------------------------------------------------------------------------------


@pytest.fixture
def dynamo() -> Iterator[None]:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("dynamo")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model(backend: str) -> None:
    """Compiled code keeps the parameters that we write in place."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2)
    call = torch.compile(model, backend=backend, fullgraph=True)
    assert_same_bits(train(model, optimizer, range(4), call), alone(ot.AdamW, 4))


@pytest.mark.usefixtures("dynamo")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["AdamW", "SGD", "Lion"])
def test_a_compiled_step_runs_as_it_is(name: str) -> None:
    """There is nothing to compile: the step is one call of the core, and its frames stay Python."""
    model = network()
    optimizer = getattr(ot, name)(model.parameters(), lr=1e-2)
    step = torch.compile(optimizer.step, backend="eager")
    for number in range(4):
        X, y = batch(number)
        optimizer.zero_grad()
        (model(X) - y).square().mean().backward()
        step()
    assert_same_bits(weights(model), alone(getattr(ot, name), 4))
    assert torch._dynamo.utils.counters["frames"]["total"] < 20  # traced, it is more than a hundred


@pytest.mark.usefixtures("dynamo")
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_training_step() -> None:
    """Forward, backward and step in one compiled function: the graph breaks, the numbers do not."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2)

    @torch.compile(backend="eager")
    def one(X: Any, y: Any) -> None:
        optimizer.zero_grad()
        (model(X) - y).square().mean().backward()
        optimizer.step()

    for number in range(4):
        one(*batch(number))
    assert_same_bits(weights(model), alone(ot.AdamW, 4))


# torch.optim.swa_utils. ------------------------------------------------------------------------


def test_an_averaged_model() -> None:
    """It copies the model once, and reads the parameters that we write."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2)
    average = torch.optim.swa_utils.AveragedModel(model)
    seen = []
    for step in range(5):
        seen.append(train(model, optimizer, range(step, step + 1)))
        average.update_parameters(model)
    assert_same_bits(weights(model), alone(ot.AdamW, 5))
    for i, mean in enumerate(weights(average.module)):
        torch.testing.assert_close(mean, torch.stack([each[i] for each in seen]).mean(0))


def test_an_exponential_average_beside_our_own() -> None:
    """The same decay, both from the parameters after the first step: to float32's rounding."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2, ema=optcore.EMA(0.9))
    function = torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=function)
    for step in range(5):
        train(model, optimizer, range(step, step + 1))
        average.update_parameters(model)
    with optimizer.averaged():
        for a, b in zip(weights(model), weights(average.module), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step.*:UserWarning")
def test_swalr_drives_the_rate() -> None:
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.swa_utils.SWALR(optimizer, swa_lr=1e-3, anneal_epochs=4)
    for step in range(5):
        train(model, optimizer, range(step, step + 1))
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_a_copied_model_and_optimizer_part_ways() -> None:
    """deepcopy of both, as a teacher or a snapshot: the copy steps its own parameters."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2)
    train(model, optimizer, range(2))
    before = weights(model)
    model_2, optimizer_2 = deepcopy((model, optimizer))
    twin = train(model_2, optimizer_2, range(2, 4))
    assert_same_bits(weights(model), before)
    assert_same_bits(twin, train(model, optimizer, range(2, 4)))
