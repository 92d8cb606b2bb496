"""L-BFGS behind the torch door: its closure, its one group, its state, beside torch's.

Both sum in another order, and each iteration works on what the last one rounded: the distance grows
from 10⁻¹⁶ on. So the loss is well conditioned, and the bound is for a few steps of twenty
iterations.
"""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from torch_db import database
from torch_list import bits, copies, memory, ot, torch

INFO = next(info for info in database() if info.name == "LBFGS")
CONFIGURED = range(len(INFO.optim_inputs_func(device="cpu")))
FAR = 1e-7


def configuration(which: int) -> dict[str, Any]:
    options: dict[str, Any] = INFO.optim_inputs_func(device="cpu")[which].kwargs
    return options


class Bowl:
    """A smooth convex loss that is no quadratic, over parameters of two shapes."""

    def __init__(self, cls: Any, params: Any = None, dtype: Any = torch.float64, **options: Any):
        random = torch.Generator().manual_seed(0)
        drawn = [torch.randn(s, generator=random, dtype=torch.float64) for s in ((4, 3), (5,))]
        self.target = [d.to(dtype) for d in drawn]
        self.params = params or [torch.zeros_like(t).requires_grad_() for t in self.target]
        self.optimizer = cls(self.params, **options)
        self.calls = 0

    def loss(self) -> Any:
        found = []
        for p, t in zip(self.params, self.target, strict=True):
            weight = torch.linspace(1, 3, p.numel(), dtype=p.dtype).reshape(p.shape)
            found.append((weight * (p - t).square()).sum() + 0.1 * torch.cosh(p).sum())
        return torch.stack(found).sum()

    def closure(self) -> Any:
        self.calls += 1
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        return loss

    def step(self) -> Any:
        return self.optimizer.step(self.closure)


def distance(ours: list[Any], theirs: list[Any]) -> float:
    return max(float((a - b).detach().abs().max()) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("which", CONFIGURED)
def test_torch_s_way_down(which):
    ours = Bowl(ot.LBFGS, **configuration(which))
    theirs = Bowl(torch.optim.LBFGS, **configuration(which))
    for _ in range(3):
        first, second = ours.step(), theirs.step()
        assert first.item() == pytest.approx(second.item(), rel=1e-9)
        assert distance(ours.params, theirs.params) <= FAR
    assert ours.loss().item() <= first.item()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_it_ends_in_the_minimum(dtype, search):
    """As far as the loss of that type can tell."""
    exact = Bowl(torch.optim.LBFGS, line_search_fn="strong_wolfe")
    bowl = Bowl(ot.LBFGS, dtype=dtype, line_search_fn=search)
    for _ in range(5):
        bowl.step()
        exact.step()
    rounding = 1e-6 if dtype == torch.float32 else 1e-10
    assert bowl.loss().item() == pytest.approx(exact.loss().item(), rel=rounding)
    assert distance([p.double() for p in bowl.params], exact.params) <= 10 * rounding**0.5


def test_a_step_needs_a_closure():
    with pytest.raises(TypeError, match="closure"):
        Bowl(ot.LBFGS).optimizer.step()


def test_one_group_only():
    params = [torch.zeros(3), torch.zeros(2), torch.zeros(1)]
    with pytest.raises(ValueError, match=r"LBFGS doesn't support per-parameter options"):
        ot.LBFGS([{"params": params[:2]}, {"params": params[2:]}])


def test_the_loss_of_the_first_evaluation_is_returned():
    bowl = Bowl(ot.LBFGS)
    before = bowl.loss().detach().clone()
    assert torch.equal(torch.as_tensor(bowl.step()).detach(), before)
    assert bowl.calls > 1


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize("which", CONFIGURED)
def test_state_dicts_both_ways(first, which):
    """Two steps in one, one in the other, beside three in the first."""
    options = {**configuration(which), "max_iter": 4}
    classes = {"ours": ot.LBFGS, "theirs": torch.optim.LBFGS}
    one = Bowl(classes.pop(first), **options)
    one.step()
    one.step()
    [second] = classes.values()
    other = Bowl(second, params=copies(one.params), **options)
    other.optimizer.load_state_dict(copy.deepcopy(one.optimizer.state_dict()))
    one.step()
    other.step()
    assert distance(one.params, other.params) <= FAR


@pytest.mark.parametrize("how", ["state dict", "file", "deepcopy"])
def test_copies_go_on_alike(how):
    bowl = Bowl(ot.LBFGS, max_iter=4)
    bowl.step()
    bowl.step()
    if how == "deepcopy":
        other = copy.deepcopy(bowl)
    else:
        other = Bowl(ot.LBFGS, params=copies(bowl.params), max_iter=4)
        state_dict = copy.deepcopy(bowl.optimizer.state_dict())
        if how == "file":
            file = io.BytesIO()
            torch.save(state_dict, file)
            file.seek(0)
            state_dict = torch.load(file, weights_only=True)
        other.optimizer.load_state_dict(state_dict)
    bowl.step()
    other.step()
    assert [bits(p) for p in bowl.params] == [bits(p) for p in other.params]


def test_a_closure_that_fails_changes_nothing():
    bowl = Bowl(ot.LBFGS)
    before = memory(bowl.params)
    calls = 0

    def closure() -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyError("no data")
        return bowl.closure()

    with pytest.raises(KeyError, match="no data"):
        bowl.optimizer.step(closure)
    assert memory(bowl.params) == before
