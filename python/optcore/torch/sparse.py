"""What torch's classes make of sparse gradients, where it is not what a row alone would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .optimizer import TorchOptimizer


class TorchSGD(TorchOptimizer):
    """What SGD has beside its step."""

    def _takes_whole(self, group: Mapping[str, Any]) -> bool:
        return bool(group["momentum"] != 0)  # torch's buffers decay everywhere


class TorchSparseAdam(TorchOptimizer):
    """What SparseAdam has beside Adam's step on the rows that a gradient names."""

    _example = ("torch.nn.Embedding(3, 2, sparse=True)", "torch.tensor([1])")

    def _check_param(self, param: torch.Tensor, group: int, index: int) -> None:
        if param.layout != torch.strided:
            raise ValueError(
                f"Sparse params at indices {[[group, index]]}: SparseAdam requires dense "
                "parameter tensors; convert it with .to_dense(), its gradient is what is sparse"
            )
        if param.is_complex():
            raise ValueError(
                f"Complex params at indices {[[group, index]]}: SparseAdam does not support "
                "complex parameters; step torch.view_as_real of it, or take Adam"
            )
        super()._check_param(param, group, index)

    def step(self, closure: Any = None) -> Any:
        """See `TorchOptimizer.step`; a `RuntimeError` if a gradient is dense.

        What a gradient does not name stays as it is, parameter and state: whole rows, or single
        elements where its `sparse_dim` is larger than 1.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        given = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        if any(p.grad.layout != torch.sparse_coo for p in given):
            raise RuntimeError(
                "SparseAdam does not support dense gradients, please consider Adam instead: "
                "expected sparse COO gradients, as nn.Embedding(sparse=True) makes them"
            )
        with torch.no_grad():
            # Only rows can be stepped by themselves; of elements, all others are put back.
            resting = [(p, _resting(p.grad)) for p in given if p.grad.sparse_dim() > 1]
            before = [(p, at, _values(self._like(p), at)) for p, at in resting]
            super().step()
            for param, at, kept in before:
                for name, tensor in self._like(param).items():
                    tensor[at] = kept.get(name, 0)
        return loss

    def _like(self, param: torch.Tensor) -> dict[str, torch.Tensor]:
        """A parameter and its state of the same shape, by name."""
        state = {
            name: value
            for name, value in self.state.get(param, {}).items()
            if isinstance(value, torch.Tensor) and value.shape == param.shape and name != "step"
        }
        return {"": param, **state}


def _resting(grad: torch.Tensor) -> torch.Tensor:
    """Where a sparse gradient names no element: a mask."""
    mask = torch.ones(grad.shape, dtype=torch.bool)
    mask[tuple(grad._indices())] = False
    return mask


def _values(tensors: dict[str, torch.Tensor], at: torch.Tensor) -> dict[str, Any]:
    return {name: tensor[at] for name, tensor in tensors.items()}
