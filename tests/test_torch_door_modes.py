"""The torch door where other values stand for the parameters, and checkpoints of sharded training.

Eval mode, `averaged()`, and `torch.distributed.checkpoint`, which fills what a new optimizer has.
"""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
from torch_list import bits, memory, ot, torch

import optcore as oc

dcp = pytest.importorskip("torch.distributed.checkpoint")
dcp_state = pytest.importorskip("torch.distributed.checkpoint.state_dict")

TWO_MODES = ("ScheduleFreeAdamW", "ScheduleFreeRAdam", "ScheduleFreeSGD")
STEPPED = [name for name in ot.__all__ if getattr(getattr(ot, name), "_kind", None)]
two_modes = pytest.mark.parametrize("name", TWO_MODES)


def model_of(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False), torch.nn.Tanh(), torch.nn.Linear(4, 2, bias=False)
    )


def train(model: Any, optimizer: Any, first: int, last: int) -> None:
    for t in range(first, last + 1):
        optimizer.zero_grad()
        batch = torch.randn(5, 3, generator=torch.Generator().manual_seed(t))
        model(batch).square().sum().backward()
        optimizer.step()


def trained(name: str, steps: int = 8, **options: Any) -> tuple[Any, Any]:
    model = model_of()
    optimizer = getattr(ot, name)(model.parameters(), **options)
    train(model, optimizer, 1, steps)
    return model, optimizer


def weights(model: Any) -> list[bytes]:
    return memory(list(model.parameters()))


# Modes. ----------------------------------------------------------------------------------------


@two_modes
def test_eval_mode_before_the_first_step(name):
    model = model_of()
    optimizer = getattr(ot, name)(model.parameters())
    optimizer.eval()
    assert not optimizer.training
    before = weights(model)
    model(torch.ones(1, 3)).sum().backward()
    with pytest.raises(RuntimeError, match=r"^step: expected train mode.*call train\(\) first"):
        optimizer.step()
    assert weights(model) == before
    optimizer.train()
    assert optimizer.training
    assert weights(model) == before
    train(model, optimizer, 1, 8)
    assert weights(model) != before


@two_modes
def test_a_refused_step_does_not_call_the_closure(name):
    _, optimizer = trained(name)
    optimizer.eval()
    called = []
    with pytest.raises(RuntimeError, match="eval mode"):
        optimizer.step(lambda: called.append(1))
    assert not called


@two_modes
def test_the_mode_is_part_of_every_group_and_of_copies(name):
    model, optimizer = trained(name)
    y = weights(model)
    optimizer.eval()
    assert [group["train_mode"] for group in optimizer.param_groups] == [False]
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert not other.training
        other.train()
        assert memory(other.param_groups[0]["params"]) == y
    later = torch.nn.Parameter(torch.zeros(2))
    optimizer.add_param_group({"params": [later]})
    assert not optimizer.training
    optimizer.train()
    assert [group["train_mode"] for group in optimizer.param_groups] == [True, True]
    assert weights(model) == y
    assert later.eq(0).all()


@two_modes
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("fresh", ["fresh", "stepped"])
def test_the_mode_is_loaded(name, mode, fresh):
    model, optimizer = trained(name)
    y = weights(model)
    getattr(optimizer, mode)()
    file = io.BytesIO()
    torch.save((model.state_dict(), optimizer.state_dict()), file)
    file.seek(0)
    other, second = trained(name, 0 if fresh == "fresh" else 2)
    saved, state = torch.load(file)
    other.load_state_dict(saved)
    second.load_state_dict(state)
    assert second.training == (mode == "train")
    second.train()
    assert weights(other) == y


@two_modes
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")  # one process will do
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("flat", [False, True], ids=["nested", "flat"])
def test_modes_through_a_distributed_checkpoint(name, mode, flat, tmp_path):
    """y is gone, as a new optimizer has none to be filled: it is worked out again."""
    model, optimizer = trained(name)
    y = [p.detach().clone() for p in model.parameters()]
    optimizer.zero_grad()
    getattr(optimizer, mode)()
    options = dcp_state.StateDictOptions(flatten_optimizer_state_dict=flat)
    at, of = dcp_state.get_state_dict(model, optimizer, options=options)
    dcp.save({"model": at, "optimizer": of}, checkpoint_id=tmp_path, no_dist=True)

    other = model_of(seed=1)
    second = getattr(ot, name)(other.parameters())
    at, of = dcp_state.get_state_dict(other, second, options=options)
    saved = {"model": at, "optimizer": of}
    dcp.load(saved, checkpoint_id=tmp_path, no_dist=True)
    dcp_state.set_state_dict(
        other,
        second,
        model_state_dict=saved["model"],
        optim_state_dict=saved["optimizer"],
        options=options,
    )
    assert second.training == (mode == "train")
    assert weights(other) == weights(model)
    second.train()
    for found, expected in zip(other.parameters(), y, strict=True):
        if mode == "train":
            assert bits(found) == bits(expected)
        else:
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in STEPPED if name != "SparseAdam"])
def test_a_state_dict_of_a_new_optimizer_leaves_the_model_alone(name):
    """It takes a step with gradients of 0 and a rate of 0, so that there is state."""
    model = model_of()
    before = weights(model)
    optimizer = getattr(ot, name)(model.parameters())
    rates = [group["lr"] for group in optimizer.param_groups]
    dcp_state.get_optimizer_state_dict(model, optimizer)
    assert weights(model) == before
    assert [group["lr"] for group in optimizer.param_groups] == rates


# The average in the place of the parameters. -----------------------------------------------------


def averaging(name: str = "SGD") -> tuple[Any, Any]:
    return trained(name, ema=oc.EMA(0.5))


def test_averaged_is_not_nested():
    model, optimizer = averaging()
    before = weights(model)
    with optimizer.averaged():
        average = weights(model)
        with pytest.raises(RuntimeError, match=r"^averaged: .*leave its with block first"):
            optimizer.averaged().__enter__()
        assert weights(model) == average != before
        with pytest.raises(RuntimeError, match=r"^step: .*leave its with block first"):
            optimizer.step()
    assert weights(model) == before
    train(model, optimizer, 9, 9)
    assert weights(model) != before


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_no_copy_is_made_inside_averaged(how):
    """It could be stepped, and would hold the average for good."""
    _, optimizer = averaging()
    with optimizer.averaged(), pytest.raises(RuntimeError, match=r"^copy: expected the parameters"):
        how(optimizer)
    how(optimizer)


@two_modes
def test_modes_and_averages_exclude_each_other(name):
    model, optimizer = averaging(name)
    before = weights(model)
    with optimizer.averaged(), pytest.raises(RuntimeError, match=r"^eval: expected the parameters"):
        optimizer.eval()
    assert optimizer.training
    assert weights(model) == before
    optimizer.eval()
    with pytest.raises(RuntimeError, match=r"^averaged: expected train mode"):
        optimizer.averaged().__enter__()
    optimizer.train()
    assert weights(model) == before
