"""torch's own schedulers on optimizers of optcore.torch: all of them, as on torch's optimizers."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
ot = pytest.importorskip("optcore.torch")
lrs = torch.optim.lr_scheduler
SWALR = torch.optim.swa_utils.SWALR

STEPS = 45

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"lr": 0.01},
    "AdamW": {"lr": 0.01, "amsgrad": True},
    "Adamax": {"lr": 0.01},
    "NAdam": {"lr": 0.01},
    "RAdam": {"lr": 0.01},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.01},
    "Adadelta": {"lr": 0.5},
    "ASGD": {"lr": 0.1},
    "Rprop": {"lr": 0.01},
}
# torch keeps NAdam's product of momentums and ASGD's rate and average weight in float32.
FLOAT32_SCALARS = {"NAdam", "ASGD"}


def half(k: int) -> float:
    return 1.0 / (k + 1)


def damp(k: int) -> float:
    return 0.97


# Every class with one or more ways to make it.
SCHEDULERS: list[tuple[str, Callable[[Any], Any]]] = [
    ("LambdaLR", lambda o: lrs.LambdaLR(o, half)),
    ("LambdaLR", lambda o: lrs.LambdaLR(o, [half, damp])),
    ("MultiplicativeLR", lambda o: lrs.MultiplicativeLR(o, damp)),
    ("StepLR", lambda o: lrs.StepLR(o, 10, 0.5)),
    ("MultiStepLR", lambda o: lrs.MultiStepLR(o, [5, 5, 20], 0.5)),
    ("ConstantLR", lambda o: lrs.ConstantLR(o, 0.5, 10)),
    ("LinearLR", lambda o: lrs.LinearLR(o, 0.1, 1.0, 20)),
    ("ExponentialLR", lambda o: lrs.ExponentialLR(o, 0.95)),
    ("PolynomialLR", lambda o: lrs.PolynomialLR(o, 30, 2.0)),
    ("CosineAnnealingLR", lambda o: lrs.CosineAnnealingLR(o, 20, 1e-3)),
    ("CosineAnnealingWarmRestarts", lambda o: lrs.CosineAnnealingWarmRestarts(o, 7, 2)),
    ("CyclicLR", lambda o: lrs.CyclicLR(o, 1e-3, 0.1, 6, 9, "triangular2")),
    ("CyclicLR", lambda o: lrs.CyclicLR(o, 1e-3, 0.1, 6, mode="exp_range", gamma=0.99)),
    ("CyclicLR", lambda o: lrs.CyclicLR(o, [1e-3, 1e-2], [0.1, 0.2], 6, cycle_momentum=False)),
    ("OneCycleLR", lambda o: lrs.OneCycleLR(o, 0.1, STEPS + 1)),
    ("OneCycleLR", lambda o: lrs.OneCycleLR(o, [0.1, 0.2], STEPS + 1, three_phase=True)),
    ("OneCycleLR", lambda o: lrs.OneCycleLR(o, 0.1, STEPS + 1, cycle_momentum=False)),
    ("ReduceLROnPlateau", lambda o: lrs.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=1)),
    ("SWALR", lambda o: SWALR(o, 0.003, anneal_epochs=15)),
    ("SWALR", lambda o: SWALR(o, [0.003, 0.02], anneal_epochs=5, anneal_strategy="linear")),
    (
        "SequentialLR",
        lambda o: lrs.SequentialLR(
            o,
            [lrs.LinearLR(o, 0.1, 1.0, 8), lrs.CosineAnnealingLR(o, 20), lrs.ExponentialLR(o, 0.9)],
            [8, 25],
        ),
    ),
    (
        "ChainedScheduler",
        lambda o: lrs.ChainedScheduler(
            [lrs.ConstantLR(o, 0.1, 5), lrs.ExponentialLR(o, 0.97), lrs.StepLR(o, 11, 0.5)]
        ),
    ),
]


def parameters(seed: int) -> list[dict[str, Any]]:
    """Two groups, the second with a rate of its own."""
    draw = torch.Generator().manual_seed(seed)
    first, second, third = (
        torch.randn(n, generator=draw, dtype=torch.float64, requires_grad=True) for n in (5, 3, 1)
    )
    return [{"params": [first, second]}, {"params": [third], "lr": 0.05}]


def tensors(optimizer: Any) -> Iterator[Any]:
    for group in optimizer.param_groups:
        yield from group["params"]


def take(optimizer: Any, scheduler: Any, k: int) -> None:
    for p in tensors(optimizer):
        p.grad = torch.sin(p.detach() * 3 + k)
    optimizer.step()
    if isinstance(scheduler, lrs.ReduceLROnPlateau):
        scheduler.step((1.0, 0.9, 0.95, 0.97, 0.96, 0.99)[k % 6])
    else:
        scheduler.step()


def numbers(optimizer: Any) -> list[dict[str, Any]]:
    """What schedulers write, as it stands in the groups."""
    names = ("lr", "initial_lr", "momentum", "betas", "max_lr", "min_lr", "swa_lr")
    return [{n: g[n] for n in names if n in g} for g in optimizer.param_groups]


def assert_alike(ours: Any, theirs: Any) -> None:
    """The same numbers in the groups, bit for bit, and the same parameters."""
    assert numbers(ours) == numbers(theirs)
    off = 1e-6 if type(theirs).__name__ in FLOAT32_SCALARS else 1e-10
    for p, q in zip(tensors(ours), tensors(theirs), strict=True):
        torch.testing.assert_close(p, q, rtol=off, atol=off)


def both(name: str) -> tuple[Any, Any]:
    """An optimizer of ours and one of torch's over equal parameters."""
    ours, theirs = getattr(ot, name), getattr(torch.optim, name)
    return ours(parameters(0), **OPTIMIZERS[name]), theirs(parameters(0), **OPTIMIZERS[name])


IDS = [f"{name}-{i}" for i, (name, _) in enumerate(SCHEDULERS)]
ROWS = pytest.mark.parametrize("make", [make for _, make in SCHEDULERS], ids=IDS)
NAMES = pytest.mark.parametrize("name", OPTIMIZERS)


@ROWS
@NAMES
def test_they_drive_our_optimizers(name: str, make: Callable[[Any], Any]) -> None:
    """And refuse what they refuse: some want momentum, which some rules have not."""
    ours, theirs = both(name)
    try:
        wanted = make(theirs)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            make(ours)
        return
    scheduler = make(ours)
    for k in range(STEPS):
        assert_alike(ours, theirs)
        take(ours, scheduler, k)
        take(theirs, wanted, k)
    assert_alike(ours, theirs)
    assert scheduler.get_last_lr() == wanted.get_last_lr() == [g["lr"] for g in ours.param_groups]


@ROWS
@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("at", [0, 9, 30])
def test_they_resume(name: str, make: Callable[[Any], Any], at: int) -> None:
    """Saved with our optimizer, and gone on with in another: the bits of the run in one piece."""
    through, first = both(name)[0], both(name)[0]
    second = type(first)(parameters(1), **OPTIMIZERS[name])
    whole, before, after = make(through), make(first), make(second)
    for k in range(at):
        take(through, whole, k)
        take(first, before, k)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    for p, q in zip(tensors(first), tensors(second), strict=True):
        q.data.copy_(p.data)
    for k in range(at, STEPS):
        assert numbers(second) == numbers(through)
        take(through, whole, k)
        take(second, after, k)
    assert all(map(torch.equal, tensors(second), tensors(through)))


@NAMES
def test_a_tensor_as_the_rate(name: str) -> None:
    """torch's schedulers write it in place."""
    ours, theirs = both(name)
    wanted = lrs.StepLR(theirs, 3, 0.5)
    for group in ours.param_groups:
        group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
    held = [group["lr"] for group in ours.param_groups]
    scheduler = lrs.StepLR(ours, 3, 0.5)
    for k in range(10):
        take(ours, scheduler, k)
        take(theirs, wanted, k)
    assert [lr.item() for lr in held] == [group["lr"] for group in theirs.param_groups]
    for p, q in zip(tensors(ours), tensors(theirs), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)


def test_every_class_of_torch_is_here() -> None:
    """All that torch has, and may have one day."""
    theirs = {
        name
        for name, kind in vars(lrs).items()
        if isinstance(kind, type) and issubclass(kind, lrs.LRScheduler) and not name.startswith("_")
    }
    assert {name for name, _ in SCHEDULERS} == theirs - {"LRScheduler"} | {"SWALR"}


def test_the_wrong_order_warns() -> None:
    """torch knows whether our optimizers have stepped."""
    scheduler = lrs.StepLR(both("Adam")[0], 3)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
