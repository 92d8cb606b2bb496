"""Torch optimizers with a train and an eval mode."""

from __future__ import annotations

from typing import Any

import torch

from . import tensors
from .optimizer import TorchOptimizer


class TwoModes(TorchOptimizer):
    """An optimizer that steps in train mode; in eval mode the parameters are those to evaluate.

    It begins in train mode. In eval mode a step is a `RuntimeError`, and the parameters of train
    mode are kept in the state, as `y`: a checkpoint of model and optimizer may be taken in either
    mode, and `train` gives them back to the bit.
    """

    @property
    def training(self) -> bool:
        """Whether the optimizer is in train mode."""
        return not any("y" in state for state in self.state.values())

    def eval(self) -> None:
        """To eval mode; nothing if it is in that mode."""
        if not self.training:
            return
        with torch.no_grad():
            engine = self._engine_fitting()
            for param, array in engine.evaluated() if engine else ():
                self.state[param]["y"] = param.detach().clone()
                param.copy_(tensors.tensor_of(array, param))

    def train(self) -> None:
        """Back to train mode, with the parameters that it left; nothing if it is in that mode."""
        with torch.no_grad():
            for param, state in self.state.items():
                if "y" in state:
                    param.copy_(state.pop("y"))

    def step(self, closure: Any = None) -> Any:
        """See `TorchOptimizer.step`; a `RuntimeError` in eval mode."""
        if not self.training:
            raise RuntimeError(
                "step: expected train mode, but the optimizer is in eval mode, in which the "
                "parameters are those to evaluate; call train() first"
            )
        return super().step(closure)
