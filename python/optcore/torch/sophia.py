"""Sophia, which takes estimates of the Hessian beside its steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from . import tensors
from .optimizer import TorchOptimizer


class TorchSophia(TorchOptimizer):
    """What Sophia has beside its step."""

    @property
    def _together(self) -> bool:
        return True  # an estimate may come before the first gradient

    def update_hessian(self, hessian: Iterable[torch.Tensor | None]) -> None:
        """Takes an estimate of the Hessian's diagonal into h; parameters and momentum stay.

        Args:
            hessian: a dense tensor of its shape for each parameter of all groups, in order, or
                None. What is not finite is handled as `nonfinite` says.

        Raises:
            TypeError, ValueError, NonFiniteError: nothing has changed then.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        given = _checked(hessian, params)
        with self._in_torch_words(estimates=True):
            engine = self._engine_fitting()
            if engine is not None:
                engine.update_hessian(given)


def _checked(hessian: Any, params: list[torch.Tensor]) -> dict[torch.Tensor, Any]:
    """Estimates by parameter, or an error that says which one will not do."""
    if isinstance(hessian, torch.Tensor) or not isinstance(hessian, Iterable):
        raise TypeError(
            f"hessian: expected a list with a tensor or None for each parameter, got "
            f"{type(hessian).__name__}; pass e.g. [estimate_of[p] for p in model.parameters()]"
        )
    estimates = list(hessian)
    if len(estimates) != len(params):
        raise ValueError(
            f"hessian: expected {len(params)} estimates, one for each parameter of all groups, got "
            f"{len(estimates)}; pass None where there is none"
        )
    for i, (estimate, param) in enumerate(zip(estimates, params, strict=True)):
        if estimate is None:
            continue
        if not isinstance(estimate, torch.Tensor):
            raise TypeError(
                f"hessian[{i}]: expected a tensor or None, got {estimate!r}; pass e.g. "
                "torch.full_like(param, value)"
            )
        if estimate.layout != torch.strided:
            raise TypeError(
                f"hessian[{i}]: expected a dense tensor, got the layout {estimate.layout}; "
                "convert it with .to_dense()"
            )
        if estimate.dtype not in tensors.STEPPED:
            raise TypeError(
                f"hessian[{i}]: expected real or complex floats, got {estimate.dtype}; convert it "
                "with .float()"
            )
        if estimate.shape != param.shape:
            raise ValueError(
                f"hessian[{i}]: expected shape {tuple(param.shape)}, as its parameter, got "
                f"{tuple(estimate.shape)}; sum over the batch first"
            )
    return dict(zip(params, estimates, strict=True))
