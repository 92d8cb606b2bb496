"""What people do to an optimizer of torch between its steps, and its next step has to notice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from torch_list import bits, copies, ot, rows, torch

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"weight_decay": 0.1, "maximize": True}),
    ("Adam", {"betas": (0.5, 0.9)}),
    ("Adam", {"weight_decay": 0.1, "eps": 1e-3}),
    ("Adam", {"maximize": True}),
    ("AdamW", {"weight_decay": 0.0}),
    ("RMSprop", {"alpha": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {"lr_decay": 0.3}),
    ("Adadelta", {"rho": 0.5}),
    ("RAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Rprop", {"step_sizes": (1e-3, 0.1)}),
    ("Adafactor", {"d": 2.0}),
]


def tensors(seed: int = 0) -> list[Any]:
    random = torch.Generator().manual_seed(seed)
    shapes = ((5,), (4, 3))
    return [torch.randn(s, generator=random, dtype=torch.float64).requires_grad_() for s in shapes]


def run(optimizer: Any, params: list[Any], first: int, last: int) -> None:
    for t in range(first, last + 1):
        random = torch.Generator().manual_seed(100 + t)
        for p in params:
            p.grad = torch.randn(p.shape, generator=random, dtype=torch.float64).to(p.dtype)
        optimizer.step()


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=str)
def test_hyperparameters_written_between_steps(name, change):
    found = []
    for door in (ot, torch.optim):
        params = tensors()
        optimizer = getattr(door, name)(params, lr=0.02)
        run(optimizer, params, 1, 3)
        optimizer.param_groups[0].update(change)
        run(optimizer, params, 4, 7)
        found.append(params)
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-11)


def cleared(optimizer: Any) -> None:
    optimizer.state.clear()


def replaced(optimizer: Any) -> None:
    optimizer.state = defaultdict(dict)


def one_gone(optimizer: Any) -> None:
    del optimizer.state[optimizer.param_groups[0]["params"][0]]


def scaled(optimizer: Any) -> None:
    for state in optimizer.state.values():
        state["exp_avg"].mul_(0.5)


def other_tensors(optimizer: Any) -> None:
    for state in optimizer.state.values():
        state["exp_avg"] = state["exp_avg"] * 2


def other_layout(optimizer: Any) -> None:
    for state in optimizer.state.values():
        average = state["exp_avg"]
        state["exp_avg"] = average.t().contiguous().t() if average.dim() == 2 else average.clone()


@pytest.mark.parametrize(
    "change", [cleared, replaced, one_gone, scaled, other_tensors, other_layout]
)
def test_state_written_between_steps(change: Callable[[Any], None]):
    found = []
    for door in (ot, torch.optim):
        params = tensors()
        optimizer = door.AdamW(params, lr=0.02)
        run(optimizer, params, 1, 3)
        change(optimizer)
        run(optimizer, params, 4, 7)
        found.append(params)
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-11)


def test_a_parameter_swapped_in_its_group():
    """As sharding does it after the optimizer was made; state goes with the tensor."""
    found = []
    for door in (ot, torch.optim):
        params = tensors()
        optimizer = door.AdamW(params, lr=0.02)
        run(optimizer, params, 1, 2)
        new = copies(params)
        optimizer.param_groups[0]["params"] = new
        run(optimizer, new, 3, 5)
        found.append(new)
        assert bits(params[0]) != bits(new[0])
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-11)


def test_a_parameter_taken_from_its_group():
    params = tensors()
    optimizer = ot.AdamW(params, lr=0.02)
    run(optimizer, params, 1, 2)
    gone = optimizer.param_groups[0]["params"].pop(0)
    before, after = bits(gone), bits(params[1])
    run(optimizer, params, 3, 4)
    assert bits(gone) == before
    assert bits(params[1]) != after


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_model_that_changes_its_type(dtype):
    """`model.to(dtype)` writes new data into the same parameters."""
    params = tensors()
    optimizer = ot.AdamW(params, lr=0.02)
    run(optimizer, params, 1, 2)
    with torch.no_grad():
        for p in params:
            p.grad = None
            p.data = p.data.to(dtype)
    before = [p.detach().clone() for p in params]
    run(optimizer, params, 3, 4)
    for p, b in zip(params, before, strict=True):
        assert p.dtype == dtype
        assert torch.isfinite(p).all()
        assert not torch.equal(p, b)
    assert all(float(optimizer.state[p]["step"]) == 4 for p in params)


def test_two_optimizers_take_turns_on_one_parameter():
    found = []
    for door in (ot, torch.optim):
        params = tensors()
        first, second = door.AdamW(params, lr=0.02), door.SGD(params, lr=0.01, momentum=0.9)
        for t in range(1, 6):
            run(first, params, t, t)
            run(second, params, t, t)
        found.append(params)
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-11)


def test_parameters_of_several_types_in_one_group():
    """Each as if it were alone."""
    dtypes = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
    params = [p.detach().to(d).requires_grad_() for d in dtypes for p in tensors()]
    apart = copies(params)
    together = ot.AdamW(params, lr=0.02)
    alone = [ot.AdamW([p], lr=0.02) for p in apart]
    for t in range(1, 5):
        random = torch.Generator().manual_seed(t)
        for p, q in zip(params, apart, strict=True):
            p.grad = q.grad = torch.randn(p.shape, generator=random).to(p.dtype)
        together.step()
        for optimizer in alone:
            optimizer.step()
    assert [bits(p) for p in params] == [bits(p) for p in apart]


@rows(closure=False)
def test_many_optimizers_come_and_go(row):
    """None keeps its parameters alive."""
    import gc
    import weakref

    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 2)
    seen = [weakref.ref(p) for p in params]
    del params, optimizer
    gc.collect()
    assert not any(ref() is not None for ref in seen)
