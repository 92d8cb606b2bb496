"""torch's list of optimizers, beside the classes of optcore.torch of the same names.

`ROWS` is the list in the wheel that PyTorch's own suite takes what it tests from, with our classes
in it. The tests of the torch door say in their own words what that suite checks;
`tests/conformance.py` runs the suite.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from torch_db import database

torch = pytest.importorskip("torch")
ot = importlib.import_module("optcore.torch")

Params = list[Any]


class Row:
    """One optimizer of torch's list: our class, torch's, and what goes with both."""

    def __init__(self, info: Any):
        self.info = info
        self.name: str = info.optim_cls.__name__
        self.theirs = info.optim_cls
        self.ours = getattr(ot, self.name)
        self.sparse: bool = info.only_supports_sparse_grads
        self.closure: bool = info.step_requires_closure
        self.groups = not self.closure
        self.matrices = self.name == "Muon"

    def __repr__(self) -> str:
        return self.name

    def configurations(self, dtype: Any = None) -> list[Any]:
        """Each time afresh, as torch's tests write in them."""
        return [c.kwargs for c in self.info.optim_inputs_func(device="cpu", dtype=dtype)]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        if self.matrices:
            return ((7, 3), (4, 9))
        if self.sparse:
            return ((7, 3), (9,))
        return ((), (5,), (7, 3), (2, 3, 4))

    def params(self, seed: int = 0, dtype: Any = None) -> Params:
        random = torch.Generator().manual_seed(seed)
        drawn = (torch.randn(s, generator=random, dtype=torch.float64) for s in self.shapes)
        return [torch.nn.Parameter(p.to(dtype or torch.float32)) for p in drawn]

    def fill(self, params: Params, seed: int, spread: tuple[float, float] = (-2.0, 2.0)) -> None:
        """Sets gradients of many magnitudes; sparse ones name half of the rows."""
        random = torch.Generator().manual_seed(seed)
        for p in params:
            low, high = spread
            size = 10 ** (low + (high - low) * torch.rand(p.shape, generator=random))
            g = (torch.randn(p.shape, generator=random) * size).to(p.dtype)
            if self.sparse:
                rows = torch.randperm(p.shape[0], generator=random)[: (p.shape[0] + 1) // 2]
                p.grad = torch.sparse_coo_tensor(
                    rows[None], g[rows], p.shape, check_invariants=False
                ).coalesce()
            else:
                p.grad = g

    def step(self, optimizer: Any) -> Any:
        """One step on the gradients as they are."""
        return optimizer.step(lambda: torch.tensor(1.0)) if self.closure else optimizer.step()

    def run(self, optimizer: Any, params: Params, first: int, last: int) -> None:
        """Steps `first` to `last`, on gradients that follow from their numbers."""
        for t in range(first, last + 1):
            self.fill(params, t)
            self.step(optimizer)


ROWS = [Row(info) for info in database() if hasattr(ot, info.name)]
NAMED = {row.name: row for row in ROWS}


def rows(**wanted: bool) -> Callable[[Any], Any]:
    """Hands a test every row with these properties: `@rows(closure=False)`."""
    chosen = [r for r in ROWS if all(getattr(r, k) == v for k, v in wanted.items())]
    return pytest.mark.parametrize("row", chosen, ids=repr)


def copies(params: Params) -> Params:
    """Parameters of their own memory, of the same values and layout."""
    return [p.detach().clone().requires_grad_(p.requires_grad) for p in params]


def bits(tensor: Any) -> bytes:
    """What is compared when equal means equal, NaN and signs of zero too."""
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.resolve_conj().resolve_neg().contiguous()
    if tensor.numel() == 0:
        return str((tuple(tensor.shape), tensor.dtype)).encode()
    return bytes(tensor.reshape(-1).view(torch.uint8).numpy())


def same(ours: Any, theirs: Any) -> bool:
    """Equal bits, types and keys, however deep."""
    if isinstance(theirs, torch.Tensor):
        return (
            isinstance(ours, torch.Tensor)
            and (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
            and bits(ours) == bits(theirs)
        )
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], v) for k, v in theirs.items())
    if isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


def memory(params: Sequence[Any]) -> list[bytes]:
    """All bytes that lie under the parameters, those between their elements too."""
    return [bytes(p.detach().untyped_storage()) for p in params]


def state_tensors(optimizer: Any) -> Iterator[tuple[int, str, Any]]:
    """Parameter number, name and value of everything in the state."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for i, p in enumerate(params):
        for name, value in optimizer.state.get(p, {}).items():
            yield i, name, value
