"""optcore.torch.LRScheduler: torch's own schedulers beside it, resume, and how trainers use it."""

from __future__ import annotations

import copy
import inspect
import io
import json
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from schedule_list import in_words
from test_schedules_vs_torch import CASES, EXACT, LR

import optcore as oc
from optcore.schedules import (
    Constant,
    Cosine,
    Cyclic,
    Every,
    Exponential,
    Lambda,
    Linear,
    OneCycle,
    Schedule,
    Step,
    Warmup,
    WarmupCosine,
)

torch = pytest.importorskip("torch")
ot = pytest.importorskip("optcore.torch")
LRScheduler = ot.LRScheduler
lrs = torch.optim.lr_scheduler
S = WarmupCosine(0.1, warmup=5, total=40, floor=0.001)
FAMILIES: dict[str, Callable[[Any], Any]] = {
    "momentum": lambda params: torch.optim.SGD(params, lr=LR, momentum=0.9),
    "betas[0]": lambda params: torch.optim.AdamW(params, lr=LR),
}


def parameters(seed: int = 0) -> list[Any]:
    make = torch.Generator().manual_seed(seed)
    return [torch.randn(n, generator=make, dtype=torch.float64, requires_grad=True) for n in (3, 4)]


def sgd(lr: Any = 1.0, groups: int = 1, **options: Any) -> Any:
    params = parameters()
    split = params if groups == 1 else [{"params": [p]} for p in params[:groups]]
    return torch.optim.SGD(split, lr=lr, **options)


def rate(optimizer: Any, group: int = 0) -> float:
    return optimizer.param_groups[group]["lr"]


def take(optimizer: Any, *schedulers: Any, at: int = 0) -> None:
    """A step with gradients that depend on the parameters and on the step."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.cos(p.detach() + at)
    optimizer.step()
    for scheduler in schedulers:
        scheduler.step()


def twice(k: int) -> float:
    return 2.0 * k


# Beside torch's.


@pytest.mark.parametrize(
    ("name", "make", "ours", "momentum"),
    [(*case, ("momentum", "betas[0]")[i % 2]) for i, case in enumerate(CASES)],
    ids=in_words,
)
def test_training_as_with_torchs(name, make, ours, momentum):
    """Rates to 1e-12 of the peak, momentums where there are any, and the trained parameters."""
    theirs, mine = FAMILIES[momentum](parameters()), FAMILIES[momentum](parameters())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR passes its parts an argument it deprecates
        wanted = make(theirs)
    schedulers = [LRScheduler(mine, ours)]
    if isinstance(ours, (OneCycle, Cyclic)):
        schedulers.append(LRScheduler(mine, ours.momentum(), name=momentum))
    rates = []
    for k in range(150):
        rates.append((rate(theirs), rate(mine)))
        assert rate(mine) == ours(k)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            take(theirs, wanted, at=k)
        take(mine, *schedulers, at=k)
        for key in ("betas", "momentum"):
            if key in mine.param_groups[0]:
                np.testing.assert_allclose(
                    mine.param_groups[0][key], theirs.param_groups[0][key], rtol=0, atol=EXACT
                )
    expected, got = np.transpose(rates)
    assert np.max(np.abs(got - expected)) <= EXACT * max(expected)
    for p, q in zip(theirs.param_groups[0]["params"], mine.param_groups[0]["params"], strict=True):
        torch.testing.assert_close(q, p, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Lion", "RMSprop", "NovoGrad", "Prodigy"])
def test_both_doors_take_the_same_steps(name):
    """Schedules within an optimizer of NumPy arrays, and outside one of torch tensors: same bits.

    The rate, the weight decay and, where there are any, the betas, each by another schedule.
    """
    moved = {"lr": S, "weight_decay": Linear(0.1, 20)}
    betas = Linear(0.5, 30, 0.9), Linear(0.9, 30, 0.99)
    if "betas" in inspect.signature(getattr(oc, name)).parameters:
        moved["betas"] = betas
    params = parameters()
    arrays = [p.detach().numpy().copy() for p in params]
    mine = getattr(oc, name)(arrays, **moved)
    theirs = getattr(ot, name)(params)
    by_name = {"lr": S, "weight_decay": moved["weight_decay"]}
    if "betas" in moved:
        by_name |= {"betas[0]": betas[0], "betas[1]": betas[1]}
    schedulers = [LRScheduler(theirs, schedule, name=key) for key, schedule in by_name.items()]
    for k in range(40):
        mine.step([np.cos(a + k) for a in arrays])
        for p in params:
            p.grad = torch.from_numpy(np.cos(p.detach().numpy() + k))
        theirs.step()
        for scheduler in schedulers:
            scheduler.step()
        for a, p in zip(arrays, params, strict=True):
            assert np.array_equal(a, p.detach().numpy())


# Which step has which value.


def test_the_kth_step_uses_the_kth_value():
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    assert rate(optimizer) == S(0)
    for k in range(60):
        assert rate(optimizer) == S(k)
        assert scheduler.get_last_lr() == scheduler.get_lr() == [S(k)]
        assert scheduler.last_epoch == k
        take(optimizer, scheduler)


def test_seeking_has_no_history():
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    for k in np.random.default_rng(0).integers(0, 60, 200):
        scheduler.step(epoch=int(k))
        assert rate(optimizer) == S(int(k))
    scheduler.step(epoch=2**53 + 1)
    assert (rate(optimizer), scheduler.last_epoch) == (S(2**53 + 1), 2**53 + 1)
    scheduler.step(np.int64(7))
    scheduler.step()
    assert rate(optimizer) == S(8)


def test_every():
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, Step(1.0, 1, 0.5), every=3)
    assert scheduler.schedule == Every(Step(1.0, 1, 0.5), 3)
    seen = []
    for _ in range(8):
        seen.append(rate(optimizer))
        take(optimizer, scheduler)
    assert seen == [1.0] * 3 + [0.5] * 3 + [0.25] * 2


def test_one_schedule_for_each_group():
    optimizer = sgd(groups=2)
    scheduler = LRScheduler(optimizer, [S, twice], every=2)
    for k in range(20):
        assert scheduler.get_last_lr() == [S(k // 2), twice(k // 2)]
        assert [rate(optimizer, i) for i in (0, 1)] == scheduler.get_last_lr()
        take(optimizer, scheduler)


def test_numbers_and_functions_are_schedules():
    assert LRScheduler(sgd(), 0.5).schedule == Constant(0.5)
    assert LRScheduler(sgd(), twice).schedule == Lambda(twice)


def test_groups_that_come_later():
    optimizer = sgd()
    one = LRScheduler(optimizer, S)
    take(optimizer, one)
    optimizer.add_param_group({"params": [torch.zeros(2, requires_grad=True)], "lr": 7.0})
    take(optimizer, one)
    assert one.get_last_lr() == [S(2), S(2)] == [rate(optimizer, i) for i in (0, 1)]

    optimizer = sgd()
    listed = LRScheduler(optimizer, [S])
    optimizer.add_param_group({"params": [torch.zeros(2, requires_grad=True)], "lr": 7.0})
    with pytest.raises(ValueError, match="expected one for each of the 2 parameter groups, got 1"):
        listed.step(3)
    assert (rate(optimizer), rate(optimizer, 1), listed.last_epoch) == (S(0), 7.0, 0)


# Tensors, and other hyperparameters.


def test_a_tensor_is_written_in_place():
    lr = torch.tensor(0.5, dtype=torch.float64)
    optimizer = sgd(lr=lr)
    scheduler = LRScheduler(optimizer, S)
    for k in range(10):
        assert rate(optimizer) is lr
        assert lr.item() == S(k)
        take(optimizer, scheduler)
    (last,) = scheduler.get_last_lr()
    last.fill_(7.0)
    assert lr.item() == S(10)
    again = LRScheduler(sgd(lr=torch.tensor(0.5)), S)
    again.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    assert torch.is_tensor(again.get_last_lr()[0])


def test_a_tensor_that_groups_share_is_divided_where_they_differ():
    optimizer = sgd(lr=torch.tensor(0.5, dtype=torch.float64), groups=2)
    assert rate(optimizer) is rate(optimizer, 1)
    scheduler = LRScheduler(optimizer, [S, 0.5 * S])
    for k in range(10):
        assert [rate(optimizer, i).item() for i in (0, 1)] == [S(k), 0.5 * S(k)]
        take(optimizer, scheduler)


@pytest.mark.parametrize("name", ["lr", "eps", "weight_decay", "betas[0]", "betas[1]"])
def test_any_number_of_the_groups(name):
    optimizer = torch.optim.AdamW(parameters(), lr=1.0)
    before = dict(optimizer.param_groups[0])
    scheduler = LRScheduler(optimizer, Cosine(0.5, 20, 0.25), name=name)
    for k in range(20):
        group = optimizer.param_groups[0]
        b1, b2 = group["betas"]
        values = {**group, "betas[0]": b1, "betas[1]": b2}
        assert values[name] == Cosine(0.5, 20, 0.25)(k)
        take(optimizer, scheduler)
    changed = {key for key in before if group[key] != before[key]} - {"params"}
    assert changed == {name.partition("[")[0]}


def test_betas_by_position_keep_each_other():
    optimizer = torch.optim.Adam(parameters(), betas=(0.9, 0.999))
    first, second = Linear(0.9, 10, 0.5), Exponential(0.999, 0.99)
    schedulers = [
        LRScheduler(optimizer, first, name="betas[0]"),
        LRScheduler(optimizer, [second], name="betas[1]"),
    ]
    for k in range(15):
        assert optimizer.param_groups[0]["betas"] == (first(k), second(k))
        take(optimizer, *schedulers)


def test_betas_that_are_tensors():
    optimizer = torch.optim.Adam(parameters())
    beta1 = torch.tensor(0.9, dtype=torch.float64)
    optimizer.param_groups[0]["betas"] = [beta1, 0.999]
    scheduler = LRScheduler(optimizer, S, name="betas[0]")
    scheduler.step(3)
    assert optimizer.param_groups[0]["betas"][0] is beta1
    assert beta1.item() == S(3)


# Save, and go on.


def through_json(saved: Any) -> Any:
    return json.loads(json.dumps(saved))


def through_a_file(saved: Any) -> Any:
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("carried", [through_json, through_a_file])
@pytest.mark.parametrize("optimizer_first", [True, False])
@pytest.mark.parametrize("at", [0, 1, 4, 5, 6, 39, 40, 55])
def test_resume(at, optimizer_first, carried):
    """In another optimizer that was made with another schedule: the same bits from there on."""
    through = torch.optim.AdamW(parameters(), lr=1.0)
    first = torch.optim.AdamW(parameters(), lr=1.0)
    second = torch.optim.AdamW(parameters(1), lr=3.0)
    momentum = OneCycle(1.0, 50).momentum()

    def schedulers(optimizer: Any, rate: Schedule, beta1: Schedule) -> list[Any]:
        return [LRScheduler(optimizer, rate), LRScheduler(optimizer, [beta1], name="betas[0]")]

    whole, before = schedulers(through, S, momentum), schedulers(first, S, momentum)
    for k in range(at):
        take(through, *whole, at=k)
        take(first, *before, at=k)
    after = schedulers(second, Constant(3.0), Constant(0.5))
    loads = [lambda: second.load_state_dict(copy.deepcopy(first.state_dict()))]
    loads.append(
        lambda: [
            new.load_state_dict(carried(old.state_dict()))
            for new, old in zip(after, before, strict=True)
        ]
    )
    for load in loads if optimizer_first else loads[::-1]:
        load()
    for p, q in zip(first.param_groups[0]["params"], second.param_groups[0]["params"], strict=True):
        q.data.copy_(p.data)
    for k in range(at, 60):
        assert rate(second) == rate(through) == S(k)
        assert second.param_groups[0]["betas"] == through.param_groups[0]["betas"]
        take(through, *whole, at=k)
        take(second, *after, at=k)
    for p, q in zip(
        through.param_groups[0]["params"], second.param_groups[0]["params"], strict=True
    ):
        assert torch.equal(p, q)
    assert [s.schedule for s in after] == [s.schedule for s in whole]
    assert after[0].get_last_lr() == whole[0].get_last_lr()


@pytest.mark.parametrize("last", [0, 6, 41])
def test_resume_by_last_epoch(last):
    """As torch has it: the step that was taken last; the optimizer need not know of it."""
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S, last_epoch=last)
    for k in range(last + 1, last + 10):
        assert rate(optimizer) == S(k)
        assert scheduler.last_epoch == k
        take(optimizer, scheduler)


def test_only_the_scheduler_was_saved():
    scheduler = LRScheduler(sgd(), S)
    scheduler.step(9)
    optimizer = sgd()
    other = LRScheduler(optimizer, S)
    other.load_state_dict(scheduler.state_dict())
    other.step(other.last_epoch)
    assert rate(optimizer) == S(9)


def test_a_function_is_not_saved():
    saved = LRScheduler(sgd(), Warmup(3, Lambda(twice))).state_dict()
    assert through_json(saved) == saved
    same = LRScheduler(sgd(), Warmup(3, Lambda(twice)))
    same.load_state_dict(saved)
    assert same.schedule == Warmup(3, Lambda(twice))
    with pytest.raises(ValueError, match="was a Python function, which cannot be saved"):
        LRScheduler(sgd(), S).load_state_dict(saved)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("at", [0, 1, 2, 20])
def test_copies_go_on_by_themselves(copied, at):
    optimizer = torch.optim.AdamW(parameters(), lr=1.0)
    scheduler = LRScheduler(optimizer, [S, 0.5 * S][:1], every=2)
    for k in range(at):
        take(optimizer, scheduler, at=k)
    other = copied(scheduler)
    assert other.optimizer is not optimizer
    assert repr(other) == repr(scheduler)
    for k in range(at, 30):
        take(optimizer, scheduler, at=k)
        assert other.last_epoch == at
    for k in range(at, 30):
        take(other.optimizer, other, at=k)
    assert rate(other.optimizer) == rate(optimizer) == S(15)
    for p, q in zip(
        optimizer.param_groups[0]["params"], other.optimizer.param_groups[0]["params"], strict=True
    ):
        assert torch.equal(p, q)


def test_repr():
    assert repr(LRScheduler(sgd(), Cosine(1, 9))) == (
        "LRScheduler(SGD, Cosine(initial=1.0, total=9, floor=0.0), last_epoch=0, name='lr')"
    )


# Within torch's schedulers.


def sequential(optimizer: Any) -> Any:
    return lrs.SequentialLR(
        optimizer,
        [LRScheduler(optimizer, S), lrs.StepLR(optimizer, 3, 0.5), LRScheduler(optimizer, twice)],
        milestones=[6, 14],
    )


def test_within_sequential_lr():
    """Each from its own step 0, torch's between ours; and resumed at every step."""
    optimizer = sgd(lr=0.8)
    scheduler = sequential(optimizer)
    for k in range(22):
        step = 0.8 * 0.5 ** ((k - 6) // 3)
        assert rate(optimizer) == (S(k) if k < 6 else step if k < 14 else twice(k - 14))
        assert scheduler.get_last_lr() == [rate(optimizer)]
        other = sgd(lr=0.8)
        again = sequential(other)
        other.load_state_dict(optimizer.state_dict())
        again.load_state_dict(scheduler.state_dict())
        assert rate(other) == rate(optimizer)
        take(optimizer, scheduler)
        take(other, again)
        assert rate(other) == rate(optimizer)


def test_within_chained_scheduler_beside_other_hyperparameters():
    rates = OneCycle(0.3, 100)
    mine, theirs = (torch.optim.Adam(parameters(), lr=1.0) for _ in range(2))
    scheduler = lrs.ChainedScheduler(
        [LRScheduler(mine, rates), LRScheduler(mine, rates.momentum(), name="betas[0]")]
    )
    wanted = lrs.OneCycleLR(theirs, 0.3, 100)
    for k in range(99):
        assert rate(mine) == pytest.approx(rate(theirs), rel=0, abs=1e-13)
        assert mine.param_groups[0]["betas"][0] == pytest.approx(
            theirs.param_groups[0]["betas"][0], rel=0, abs=1e-13
        )
        take(mine, scheduler, at=k)
        take(theirs, wanted, at=k)
    saved = through_json(scheduler.state_dict())
    scheduler.step()
    scheduler.load_state_dict(saved)
    assert scheduler._schedulers[0].last_epoch == 99


OVERWRITTEN = "lr: expected what this LRScheduler wrote last, got another value in param_groups"


def test_a_change_by_others_is_overwritten_with_a_warning():
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    chained = lrs.ChainedScheduler([scheduler, lrs.StepLR(optimizer, 2, 0.5)])
    take(optimizer, chained)
    take(optimizer, chained)
    assert rate(optimizer) == 0.5 * S(2)
    with pytest.warns(UserWarning, match=OVERWRITTEN):
        take(optimizer, scheduler)
    assert rate(optimizer) == S(3)
    optimizer.param_groups[0]["lr"] = 7.0
    with pytest.warns(UserWarning, match=OVERWRITTEN):
        take(optimizer, scheduler)
    assert rate(optimizer) == S(4)


def test_a_rate_on_another_device_is_not_read():
    """Reading it would wait for the device; a tensor without data stands for one here."""
    lr = torch.tensor(0.5, device="meta")
    optimizer = sgd()
    optimizer.param_groups[0]["lr"] = lr
    scheduler = LRScheduler(optimizer, S)
    optimizer._opt_called = True
    scheduler.step()
    scheduler.step()
    assert rate(optimizer) is lr
    assert scheduler.last_epoch == 2


# The order of calls.


def test_the_wrong_order_is_torchs_warning():
    for make in (lambda o: LRScheduler(o, S), lambda o: lrs.StepLR(o, 3)):
        optimizer = sgd()
        scheduler = make(optimizer)
        with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before"):
            scheduler.step()
        scheduler.step()  # once is enough
        optimizer = sgd()
        scheduler = make(optimizer)
        take(optimizer, scheduler)
        scheduler.step()


def test_seeking_is_no_wrong_order():
    scheduler = LRScheduler(sgd(), S)
    scheduler.step(0)
    scheduler.step(5)
    assert scheduler.last_epoch == 5


# As trainers use it.


def test_as_transformers_trainer_does(tmp_path: Path):
    """A rate for the log, a file for the scheduler beside the optimizer's, a resumed run."""

    def build() -> tuple[Any, Any]:
        optimizer = torch.optim.AdamW(parameters(), lr=5e-5)
        return optimizer, LRScheduler(optimizer, S)

    optimizer, scheduler = build()
    assert isinstance(scheduler, lrs.LRScheduler)
    assert not isinstance(scheduler, lrs.ReduceLROnPlateau)
    log = []
    for k in range(12):
        take(optimizer, at=k)
        log.append(scheduler.get_last_lr()[0])
        scheduler.step()
        if k == 6:
            torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
            torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert log == S.values(12).tolist()
    optimizer, scheduler = build()
    optimizer.load_state_dict(torch.load(tmp_path / "optimizer.pt", weights_only=True))
    scheduler.load_state_dict(torch.load(tmp_path / "scheduler.pt", weights_only=True))
    for k in range(7, 12):
        assert scheduler.get_last_lr()[0] == rate(optimizer) == log[k]
        take(optimizer, scheduler)


def test_as_accelerate_does():
    """Gradients of several batches are summed: a batch counts as a call, but not as a step."""
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    for batch in range(20):
        if batch % 4 == 3:
            take(optimizer, scheduler)
        else:
            scheduler._step_count += 1
    assert rate(optimizer) == S(5)


def test_as_lightning_does():
    """Found by `optimizer`, stepped by interval, saved in one file with everything else."""

    def configure_optimizers() -> dict[str, Any]:
        optimizer = torch.optim.Adam(parameters(), lr=1.0)
        scheduler = LRScheduler(optimizer, Step(0.1, 1, 0.5), every=4)
        config = {"scheduler": scheduler, "interval": "step", "frequency": 1}
        return {"optimizer": optimizer, "lr_scheduler": config}

    def fit(made: dict[str, Any], steps: range) -> list[float]:
        optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
        assert scheduler.optimizer is optimizer
        seen = []
        for k in steps:
            seen.append(rate(optimizer))
            take(optimizer, scheduler, at=k)
        return seen

    made = configure_optimizers()
    first = fit(made, range(6))
    checkpoint = through_a_file(
        {
            "optimizer_states": [made["optimizer"].state_dict()],
            "lr_schedulers": [made["lr_scheduler"]["scheduler"].state_dict()],
        }
    )
    again = configure_optimizers()
    again["optimizer"].load_state_dict(checkpoint["optimizer_states"][0])
    again["lr_scheduler"]["scheduler"].load_state_dict(checkpoint["lr_schedulers"][0])
    assert first + fit(again, range(6, 12)) == Step(0.1, 1, 0.5).every(4).values(12).tolist()


def test_under_a_grad_scaler():
    """A skipped step is not counted by torch; the warning about the order is then torch's own."""
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for k in range(10):
        optimizer.zero_grad()
        loss = sum((p * p).sum() for g in optimizer.param_groups for p in g["params"])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        assert rate(optimizer) == S(k + 1)


# Bad input: the call, the error, the message with its mend.


def scheduler_of(given: Any, optimizer: Any = None, **options: Any) -> Any:
    return LRScheduler(optimizer or sgd(), given, **options)


def adam() -> Any:
    return torch.optim.Adam(parameters())


NAMES = r"name: expected one of lr, betas\[0\], betas\[1\], eps, weight_decay, got {}, which"
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: LRScheduler(oc.SGD({"w": np.zeros(3)}), S),
        TypeError,
        r"optimizer: expected a torch.optim.Optimizer, got a SGD; optimizers of NumPy arrays take "
        r"the schedule itself: oc.Adam\(params, lr=schedule\)",
    ),
    (lambda: LRScheduler(None, S), TypeError, "optimizer: expected a torch.* got a NoneType"),
    (
        lambda: scheduler_of("cosine"),
        TypeError,
        "schedule: expected a number, a schedule or a function of the step, got 'cosine'",
    ),
    (lambda: scheduler_of([S, None], sgd(groups=2)), TypeError, r"schedule\[1\]: expected a numb"),
    (
        lambda: scheduler_of([S], sgd(groups=2)),
        ValueError,
        "schedule: expected one for each of the 2 parameter groups, got 1; pass as many, or a sin",
    ),
    (lambda: scheduler_of([]), ValueError, "schedule: expected one for each of the 1 .* got 0"),
    (lambda: scheduler_of(lrs.StepLR(sgd(), 3)), TypeError, "schedule: expected a number, a sch"),
    (lambda: scheduler_of(float("nan")), ValueError, "Constant.value: expected a finite number"),
    (
        lambda: scheduler_of(Lambda(lambda k: float("inf"))),
        ValueError,
        r"schedule: expected finite values, got inf for lr at step 0; clip it: schedule.clip\(low",
    ),
    (lambda: scheduler_of(S, every=0), ValueError, r"every: expected 1 to 2\*\*64 - 2, got 0; cou"),
    (lambda: scheduler_of(S, every=2.0), TypeError, r"every: expected a whole number .* float 2.0"),
    (lambda: scheduler_of(S, last_epoch=-2), ValueError, "last_epoch: expected -1 to .* got -2"),
    (lambda: scheduler_of(S, last_epoch=True), TypeError, "last_epoch: .* got bool True; count"),
    (lambda: scheduler_of(S, name="rate"), ValueError, "name: expected one of lr, .* got 'rate', "),
    (lambda: scheduler_of(S, adam(), name="betas"), ValueError, NAMES.format("'betas'")),
    (lambda: scheduler_of(S, adam(), name="betas[2]"), ValueError, NAMES.format(r"'betas\[2\]'")),
    (lambda: scheduler_of(S, adam(), name="amsgrad"), ValueError, NAMES.format("'amsgrad'")),
    (lambda: scheduler_of(S, adam(), name="fused"), ValueError, NAMES.format("'fused'")),
    (lambda: scheduler_of(S, adam(), name="params"), ValueError, NAMES.format("'params'")),
    (lambda: scheduler_of(S, name=0), TypeError, r"name: expected a str, got 0; pass e.g. 'lr'"),
    (lambda: scheduler_of(S).step(2.5), TypeError, "epoch: expected a whole number .* float 2.5; "),
    (lambda: scheduler_of(S).step(-1), ValueError, r"epoch: expected 0 to 2\*\*64 - 2, got -1; co"),
    (lambda: scheduler_of(S).step(2**64), ValueError, "epoch: expected 0 to .* got 18446744073709"),
    (
        lambda: scheduler_of(S).step(torch.tensor(3)),
        TypeError,
        r"epoch: expected a whole number \(int\), got Tensor tensor\(3\); count steps from 0 on",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m[:60] for _, _, m in BAD])
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_optimizer_that_was_refused_is_as_before():
    optimizer = sgd(groups=2)
    before = copy.deepcopy(optimizer.state_dict())
    for given, options in (([S], {}), (S, {"name": "x"}), (S, {"every": 0}), ("x", {})):
        with pytest.raises((TypeError, ValueError)):
            LRScheduler(optimizer, given, **options)
    with pytest.raises(ZeroDivisionError):
        LRScheduler(optimizer, lambda k: 1 / k)
    assert optimizer.state_dict() == before
    assert "step" not in vars(optimizer)


def test_a_step_that_fails_changes_nothing():
    optimizer = sgd(groups=2)
    scheduler = LRScheduler(optimizer, [S, lambda k: 1.0 / (3 - k)])
    for _ in range(2):
        take(optimizer, scheduler)
    before = scheduler.state_dict()
    with pytest.raises(ZeroDivisionError):
        take(optimizer, scheduler)
    assert scheduler.state_dict() == before
    assert [rate(optimizer, i) for i in (0, 1)] == [S(2), 1.0]


def bad_state(**entries: Any) -> dict[str, Any]:
    return {**LRScheduler(sgd(), S).state_dict(), **entries}


BAD_STATES = [
    (3, TypeError, r"state_dict: expected a dict that state_dict\(\) gave, got a int"),
    ({}, KeyError, "state_dict: expected exactly"),
    (lrs.StepLR(sgd(), 3).state_dict(), KeyError, "state_dict: expected exactly .* these differ"),
    (bad_state(kind="Momentum"), ValueError, "state_dict/kind: expected 'LRScheduler', got"),
    (bad_state(format=2), ValueError, "state_dict/format: expected 1, got 2; load it with the op"),
    (bad_state(name="eps"), ValueError, "state_dict/name: expected 'lr', got 'eps'; load it into"),
    (bad_state(last_epoch=-2), ValueError, "state_dict/last_epoch: expected -1 to"),
    (bad_state(last_epoch=1.5), TypeError, "state_dict/last_epoch: expected a whole number"),
    (bad_state(_step_count=-1), ValueError, "state_dict/_step_count: expected 0 to"),
    (bad_state(_last_lr=[0.1, 0.1]), ValueError, "state_dict/_last_lr: expected 1 numbers, one f"),
    (bad_state(_last_lr=["a"]), TypeError, "state_dict/_last_lr/0: expected a number, got 'a'"),
    (bad_state(schedule="cosine"), TypeError, "state_dict/schedule: expected a number, a schedul"),
    (bad_state(schedule=[{"schedule": "constant", "value": 1}] * 2), ValueError, "for each of the"),
    (bad_state(schedule={"schedule": "sine"}), ValueError, r"state_dict/schedule: data\['schedule"),
]


@pytest.mark.parametrize(
    ("saved", "error", "message"), BAD_STATES, ids=[m[:60] for _, _, m in BAD_STATES]
)
def test_bad_state_dicts(saved, error, message):
    optimizer = sgd()
    scheduler = LRScheduler(optimizer, S)
    scheduler.step(3)
    before = (scheduler.state_dict(), copy.deepcopy(optimizer.state_dict()))
    with pytest.raises(error, match=message):
        scheduler.load_state_dict(saved)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before


# The document.


def test_the_readmes_example_runs():
    path = Path(__file__).parents[1] / "README.md"
    blocks = re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.S)
    (block,) = [b for b in blocks if "LRScheduler" in b]
    scope: dict[str, Any] = {}
    exec(block, scope)
    assert scope["scheduler"].last_epoch > 0
