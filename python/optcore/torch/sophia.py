"""Sophia, which takes estimates of the Hessian beside its steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from .optimizer import TorchOptimizer


class TorchSophia(TorchOptimizer):
    """What Sophia has beside its step."""

    @property
    def _together(self) -> bool:
        return True  # an estimate may come before the first gradient

    def update_hessian(self, hessian: Iterable[torch.Tensor | None]) -> None:
        """Takes an estimate of the Hessian's diagonal into h; parameters and momentum stay.

        Args:
            hessian: a tensor for each parameter of all groups, in order, or None.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        given = dict(zip(params, hessian, strict=True))
        engine = self._engine_fitting()
        if engine is not None:
            engine.update_hessian(given)
