"""Hooks and closures of torch optimizers: what is called, when, and with what."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import pytest
from torch_list import bits, rows, torch

hooks = importlib.import_module("torch.optim.optimizer")


def closure_of(row: Any) -> Any:
    return (lambda: torch.tensor(1.0)) if row.closure else None


@rows()
def test_hooks_around_a_step_and_their_order(row):
    params = row.params()
    row.fill(params, 1)
    optimizer, other = row.ours(params), torch.optim.SGD(params)
    seen: list[Any] = []

    def note(word: str) -> Any:
        return lambda opt, args, kwargs: seen.append((word, opt))

    handles = [
        hooks.register_optimizer_step_pre_hook(note("global before")),
        hooks.register_optimizer_step_post_hook(note("global after")),
        optimizer.register_step_pre_hook(note("before")),
        optimizer.register_step_post_hook(note("after")),
    ]
    try:
        optimizer.step(closure_of(row))
        words = ["global before", "before", "after", "global after"]
        assert seen == [(word, optimizer) for word in words]
        seen.clear()
        for p in params:
            p.grad = None
        other.step()
        assert seen == [(word, other) for word in ("global before", "global after")]
    finally:
        for handle in handles:
            handle.remove()
    seen.clear()
    row.fill(params, 2)
    optimizer.step(closure_of(row))
    assert seen == []


@rows()
def test_hooks_see_parameters_before_and_after_a_step(row):
    params = row.params()
    optimizer = row.ours(params)
    row.fill(params, 1)
    start, seen = [bits(p) for p in params], []
    optimizer.register_step_pre_hook(lambda *_: seen.append([bits(p) for p in params]))
    optimizer.register_step_post_hook(lambda *_: seen.append([bits(p) for p in params]))
    row.step(optimizer)
    assert seen[0] == start
    assert seen[1] == [bits(p) for p in params]
    if not row.closure:
        assert all(a != b for a, b in zip(*seen, strict=True))


@rows()
def test_a_hook_before_a_step_may_change_its_arguments(row):
    params = row.params()
    row.fill(params, 1)
    optimizer = row.ours(params)
    loss = torch.tensor(5.0)
    optimizer.register_step_pre_hook(lambda opt, args, kwargs: ((opt, lambda: loss), {}))
    assert optimizer.step(closure_of(row)) is loss


@rows()
def test_hooks_of_state_dict(row):
    optimizer = row.ours(row.params())

    def before(opt: Any) -> None:
        opt.state["mark"] = 1

    def after(opt: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
        return {**state_dict, "marked": state_dict["state"].pop("mark", 0)}

    last = optimizer.register_state_dict_post_hook(after)
    assert optimizer.state_dict()["marked"] == 0
    first = optimizer.register_state_dict_pre_hook(before)
    assert optimizer.state_dict()["marked"] == 1
    last.remove()
    assert optimizer.state_dict()["state"]["mark"] == 1
    first.remove()
    del optimizer.state["mark"]
    assert optimizer.state_dict().keys() == {"state", "param_groups"}


@rows()
def test_hooks_of_load_state_dict(row):
    """One that writes in the dict, one that returns another and comes first, one afterwards."""
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 2)
    state_dict = optimizer.state_dict()

    def write(opt: Any, given: dict[str, Any]) -> None:
        given["param_groups"][0]["lr"] = 0.002

    def replace(opt: Any, given: dict[str, Any]) -> dict[str, Any]:
        given = copy.deepcopy(given)
        given["param_groups"][0]["lr"] = 0.003
        return given

    written = optimizer.register_load_state_dict_pre_hook(write)
    optimizer.load_state_dict(copy.deepcopy(state_dict))
    assert optimizer.param_groups[0]["lr"] == 0.002
    optimizer.register_load_state_dict_pre_hook(replace, prepend=True)
    optimizer.load_state_dict(copy.deepcopy(state_dict))
    assert optimizer.param_groups[0]["lr"] == 0.002
    written.remove()
    seen = []
    optimizer.register_load_state_dict_post_hook(lambda opt: seen.append(opt.param_groups[0]["lr"]))
    optimizer.load_state_dict(copy.deepcopy(state_dict))
    assert seen == [0.003]
    row.run(optimizer, params, 3, 3)
    assert all(torch.isfinite(p).all() for p in params)


# Closures. ------------------------------------------------------------------------------------


@rows(closure=False)
@pytest.mark.parametrize("how", ["position", "keyword"])
def test_a_closure_returns_the_loss(row, how):
    params = row.params()
    row.fill(params, 1)
    optimizer = row.ours(params)
    loss, calls = torch.tensor(2.5), []

    def closure() -> Any:
        calls.append(torch.is_grad_enabled())
        return loss

    result = optimizer.step(closure) if how == "position" else optimizer.step(closure=closure)
    assert result is loss
    assert calls == [True]


@rows(closure=False)
def test_a_closure_that_returns_nothing(row):
    params, apart = row.params(), row.params()
    ours, plain = row.ours(params), row.ours(apart)
    row.fill(params, 1)
    row.fill(apart, 1)
    assert ours.step(lambda: None) is None
    assert plain.step() is None
    assert [bits(p) for p in params] == [bits(p) for p in apart]


@rows(sparse=False, closure=False)
def test_a_closure_in_which_backward_runs(row):
    """Gradients that come about in the closure are those of the step, the first step too."""
    params, apart = row.params(), row.params()
    ours, plain = row.ours(params), row.ours(apart)

    def loss_of(params: list[Any]) -> Any:
        return sum((p * (i + 1)).square().sum() for i, p in enumerate(params))

    def closure() -> Any:
        ours.zero_grad()
        loss = loss_of(params)
        loss.backward()
        return loss

    with torch.no_grad():  # which the closure has to undo
        for _ in range(4):
            found = ours.step(closure)
            with torch.enable_grad():
                plain.zero_grad()
                loss = loss_of(apart)
                loss.backward()
            plain.step()
            assert torch.equal(found.detach(), loss.detach())
            assert [bits(p) for p in params] == [bits(p) for p in apart]


@rows(closure=False)
def test_a_closure_that_fails_changes_nothing(row):
    params = row.params()
    row.fill(params, 1)
    optimizer = row.ours(params)
    before = [bits(p) for p in params]

    def closure() -> Any:
        raise KeyError("no data")

    with pytest.raises(KeyError, match="no data"):
        optimizer.step(closure)
    assert [bits(p) for p in params] == before
    assert not optimizer.state


@rows(sparse=False, matrices=False)
def test_a_step_is_seen_by_autograd(row):
    """A graph that holds a parameter cannot be gone back through once a step has changed it."""
    for cls in (row.theirs, row.ours):
        p = torch.ones(3, requires_grad=True)
        optimizer = cls([p])
        for _ in range(3):
            loss = (p * p).sum()
            p.grad = torch.tensor([0.5, -1.0, 2.0])
            version = p._version
            row.step(optimizer)
            if row.closure:
                continue
            assert p._version > version
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                loss.backward()


@rows(sparse=True)
def test_a_sparse_step_is_seen_by_autograd(row):
    p = torch.ones((4, 2), requires_grad=True)
    optimizer = row.ours([p])
    loss = (p * p).sum()
    p.grad = torch.sparse_coo_tensor(
        torch.tensor([[1]]), torch.ones(1, 2), (4, 2), check_invariants=False
    )
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@rows(closure=False)
def test_a_parameter_without_gradient_is_not_marked_as_changed(row):
    params = row.params()
    optimizer = row.ours(params)
    row.fill(params, 1)
    params[-1].grad = None
    versions = [p._version for p in params]
    optimizer.step()
    assert params[-1]._version == versions[-1]
    assert all(p._version > v for p, v in zip(params[:-1], versions[:-1], strict=True))


@rows(sparse=False, closure=False)
def test_no_graph_is_made_by_a_step(row):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 3)
    assert all(p.is_leaf and p.grad_fn is None for p in params)
    for state in optimizer.state.values():
        for value in state.values():
            assert not isinstance(value, torch.Tensor) or not value.requires_grad
