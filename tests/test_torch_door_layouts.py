"""Layouts of torch tensors: what is stepped in place, and what is refused with nothing changed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from torch_list import ROWS, bits, memory, ot, rows, same, torch

SHAPE = (4, 3, 6, 5)
dense_rows = rows(sparse=False, closure=False, matrices=False)


def drawn(shape: tuple[int, ...], seed: int) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def channels_last(t: Any) -> Any:
    return t.clone(memory_format=torch.channels_last)


def transposed(t: Any) -> Any:
    return t.transpose(0, -1).contiguous().transpose(0, -1)


def sliced(t: Any) -> Any:
    """Every second element of a larger tensor."""
    wide = torch.full((*t.shape[:-1], 2 * t.shape[-1]), float("nan"))
    wide[..., ::2] = t
    return wide[..., ::2]


def expanded(t: Any) -> Any:
    """One row for all: a stride of zero."""
    return t[:1].expand(t.shape)


def reversed_axes(t: Any) -> Any:
    return t.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "contiguous": lambda t: t.clone(),
    "channels last": channels_last,
    "transposed": transposed,
    "reversed": reversed_axes,
}
READ: dict[str, Callable[[Any], Any]] = {**LAYOUTS, "sliced": sliced, "expanded": expanded}


def stepped(row: Any, param: Any, grad: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A parameter after three steps, and the optimizer."""
    p = param.requires_grad_()
    optimizer = row.ours([p])
    for t in range(1, 4):
        p.grad = grad(drawn(SHAPE, t))
        optimizer.step()
    return p, optimizer


@dense_rows
@pytest.mark.parametrize("layout", LAYOUTS)
def test_parameter_and_gradient_of_one_layout(row, layout):
    """Stepped where they lie, as if they were contiguous; state lies as its parameter does."""
    lay = LAYOUTS[layout]
    param = lay(drawn(SHAPE, 0))
    strides, place = param.stride(), param.data_ptr()
    p, optimizer = stepped(row, param, lay)
    assert (p.stride(), p.data_ptr()) == (strides, place)
    q, plain = stepped(row, drawn(SHAPE, 0), torch.clone)
    close(row, p, q)
    for name, value in plain.state[q].items():
        if isinstance(value, torch.Tensor) and value.shape == p.shape:
            assert optimizer.state[p][name].shape == p.shape
            close(row, optimizer.state[p][name], value)


def close(row: Any, ours: Any, plain: Any) -> None:
    """Equal to the bit, but for a rule that sums in the order of memory."""
    if row.name == "Adafactor":
        torch.testing.assert_close(ours, plain, rtol=1e-6, atol=1e-7)
    else:
        assert bits(ours) == bits(plain)


@dense_rows
@pytest.mark.parametrize("grad", READ)
def test_a_gradient_of_another_layout(row, grad):
    def plain(g: Any) -> Any:
        return (expanded(g) if grad == "expanded" else g).clone(
            memory_format=torch.contiguous_format
        )

    q, _ = stepped(row, drawn(SHAPE, 0), plain)
    for lay in LAYOUTS.values():
        p, _ = stepped(row, lay(drawn(SHAPE, 0)), READ[grad])
        close(row, p, q)


@dense_rows
def test_a_gradient_whose_layout_changes_between_steps(row):
    layouts = iter(READ[k] for k in ("contiguous", "channels last", "sliced"))
    p, _ = stepped(row, drawn(SHAPE, 0), lambda g: next(layouts)(g))
    q, _ = stepped(row, drawn(SHAPE, 0), torch.clone)
    close(row, p, q)


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "sliced"])
def test_matrices_of_other_layouts(layout):
    lay = {"contiguous": torch.clone, "transposed": lambda t: t.T.contiguous().T, "sliced": sliced}
    found = []
    for param, grad in ((torch.clone, torch.clone), (torch.clone, lay[layout])):
        p = param(drawn((6, 4), 0)).requires_grad_()
        optimizer = ot.Muon([p])
        for t in range(1, 4):
            p.grad = grad(drawn((6, 4), t))
            optimizer.step()
        found.append(p)
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


@dense_rows
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)], ids=str)
def test_tensors_without_elements(row, shape):
    """As in torch: they take part, and change nothing for the others."""
    empty, p, q = torch.empty(shape).requires_grad_(), drawn((3, 4), 0), drawn((3, 4), 0)
    both, one = row.ours([empty, p.requires_grad_()]), row.ours([q.requires_grad_()])
    for t in range(1, 4):
        empty.grad = torch.empty(shape)
        p.grad = q.grad = drawn((3, 4), t)
        both.step()
        one.step()
    assert bits(p) == bits(q)
    assert empty.shape == shape


# Refused, with nothing changed. ------------------------------------------------------------------


class Trial:
    """A good parameter beside a bad one: after the error all is as before, and goes on."""

    def __init__(self, row: Any, started: bool = True):
        self.row = row
        self.good = drawn((3, 4), 0).requires_grad_()
        self.bad = drawn((3, 4), 1).requires_grad_()
        self.optimizer = row.ours([self.good, self.bad])
        if started:
            self.grads(1)
            self.optimizer.step()

    def grads(self, t: int) -> None:
        self.good.grad, self.bad.grad = drawn((3, 4), 10 + t), drawn((3, 4), 20 + t)

    def refused(self, error: Any, match: str) -> None:
        params = [self.good, self.bad]
        before = memory(params), self.optimizer.state_dict()
        kept = [
            {n: v.clone() if isinstance(v, torch.Tensor) else v for n, v in s.items()}
            for s in before[1]["state"].values()
        ]
        with pytest.raises(error, match=match):
            self.optimizer.step()
        assert memory(params) == before[0]
        assert same(list(self.optimizer.state_dict()["state"].values()), kept)

    def goes_on(self) -> None:
        """The next step is the one that follows the last good one."""
        other = Trial(self.row)
        other.grads(2)
        other.optimizer.step()
        self.grads(2)
        self.optimizer.step()
        assert bits(self.good) == bits(other.good)
        assert bits(self.bad) == bits(other.bad)


@dense_rows
@pytest.mark.parametrize("started", [True, False], ids=["mid-run", "at first"])
def test_a_gradient_of_another_shape(row, started):
    trial = Trial(row, started)
    trial.grads(2)
    trial.bad.grad.data = drawn((2, 6), 5)
    trial.refused((ValueError, RuntimeError), "shape|size")
    if started:
        trial.goes_on()


@dense_rows
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_a_gradient_of_another_type(row, dtype):
    trial = Trial(row)
    trial.grads(2)
    trial.bad.grad.data = drawn((3, 4), 5).to(dtype)
    trial.refused(TypeError, str(dtype))
    trial.goes_on()


@dense_rows
@pytest.mark.parametrize("layout", ["sparse_csr", "sparse_csc", "sparse_coo"])
def test_sparse_parameters(row, layout):
    """torch itself sees to it that a dense parameter has no gradient in compressed storage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says once that these layouts are in beta
        p = torch.eye(3).to_sparse(layout=getattr(torch, layout)).requires_grad_()
    with pytest.raises((TypeError, ValueError, RuntimeError), match=layout):
        row.ours([drawn((3, 4), 0), p])


@dense_rows
@pytest.mark.parametrize("started", [True, False], ids=["mid-run", "at first"])
def test_a_parameter_without_memory(row, started):
    """Meta tensors may be given to the constructor, as models are loaded that way, not stepped."""
    p = torch.empty((3, 4), device="meta").requires_grad_()
    good = drawn((3, 4), 0).requires_grad_()
    optimizer = row.ours([good, p])
    good.grad, p.grad = drawn((3, 4), 1), torch.empty((3, 4), device="meta")
    before = bits(good)
    with pytest.raises((ValueError, RuntimeError), match=r"meta|`fused=True` requires"):
        optimizer.step()
    assert bits(good) == before
    assert not optimizer.state


def made_and_stepped(row: Any, params: list[Any]) -> None:
    """Where an error is right in the constructor as well as in the first step."""
    optimizer = row.ours(params)
    for p in params:
        p.grad = torch.ones(p.shape, dtype=p.dtype)
    optimizer.step()


@dense_rows
def test_parameters_that_share_memory(row):
    whole = drawn((5, 4), 0)
    before = memory([whole])
    first, second = whole[:3].requires_grad_(), whole[2:].requires_grad_()
    with pytest.raises(ValueError, match=r"share|overlap"):
        made_and_stepped(row, [first, second])
    assert memory([whole]) == before


@dense_rows
def test_neighbours_in_one_piece_of_memory_share_nothing(row):
    whole, apart = drawn((5, 4), 0), drawn((5, 4), 0)
    parts = [whole[:3].requires_grad_(), whole[3:].requires_grad_()]
    others = [apart[:3].clone().requires_grad_(), apart[3:].clone().requires_grad_()]
    for params in (parts, others):
        optimizer = row.ours(params)
        for t in range(1, 4):
            for i, p in enumerate(params):
                p.grad = drawn(tuple(p.shape), 10 * i + t)
            optimizer.step()
    assert [bits(p) for p in parts] == [bits(p) for p in others]


@dense_rows
def test_a_gradient_in_the_memory_of_a_parameter(row):
    p = drawn((3, 4), 0).requires_grad_()
    optimizer = row.ours([p])
    p.grad = p.detach()
    before = memory([p])
    with pytest.raises(ValueError, match=r"share|overlap"):
        optimizer.step()
    assert memory([p]) == before
    assert not optimizer.state


@dense_rows
def test_a_parameter_that_overlaps_itself(row):
    row_ = drawn((1, 4), 0)
    p = row_.expand(3, 4).requires_grad_()
    before = memory([row_])
    with pytest.raises((ValueError, RuntimeError), match=r"dense|overlap|expanded"):
        made_and_stepped(row, [p])
    assert memory([row_]) == before


@dense_rows
@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool], ids=str)
def test_parameters_that_are_no_numbers_to_step(row, dtype):
    p = torch.ones(3).to(dtype)
    before = memory([p])
    with pytest.raises((TypeError, ValueError, RuntimeError), match=str(dtype).split(".")[1]):
        made_and_stepped(row, [p])
    assert memory([p]) == before


def test_dense_rows_are_most_of_the_list():
    assert sum(not (r.sparse or r.closure or r.matrices) for r in ROWS) >= 12
