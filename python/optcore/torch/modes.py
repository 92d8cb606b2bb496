"""Torch optimizers with a train and an eval mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from . import tensors
from .optimizer import TorchOptimizer


class TwoModes(TorchOptimizer):
    """An optimizer that steps in train mode; in eval mode the parameters are those to evaluate.

    It begins in train mode. The mode is `train_mode` of its groups, and so part of every state
    dict. In eval mode a step is a `RuntimeError`, and the parameters of train mode are kept in the
    state, as `y`, from which `train` gives them back to the bit: a checkpoint of model and
    optimizer may be taken in either mode. `torch.distributed.checkpoint` loads only what a new
    optimizer has, which is no `y`; `train` then works y out from what there is, up to rounding.
    """

    _always: ClassVar[Mapping[str, Any]] = {"train_mode": True}

    @property
    def training(self) -> bool:
        """Whether the optimizer is in train mode."""
        return all(group.get("train_mode", True) for group in self.param_groups)

    def eval(self) -> None:
        """To eval mode; nothing if it is in that mode.

        Raises:
            RuntimeError: inside a block of `averaged()`.
        """
        if not self.training:
            return
        self._check_present("eval")
        with torch.no_grad(), self._in_torch_words():
            engine = self._engine_fitting()
            for param, array in engine.evaluated() if engine else ():
                self.state[param]["y"] = param.detach().clone()
                param.copy_(tensors.tensor_of(array, param))
        self._tell(train_mode=False)

    def train(self) -> None:
        """Back to train mode, with the parameters that it left; nothing if it is in that mode."""
        if self.training:
            return
        with torch.no_grad():
            for param, state in self.state.items():
                if "y" in state:
                    param.copy_(state.pop("y"))
                elif (beta := float(state.get("interpolation", 0.0))) != 0:
                    param.copy_(_between(state["z"], param, beta))
        self._tell(train_mode=True)

    def _tell(self, train_mode: bool) -> None:
        for group in self.param_groups:
            group["train_mode"] = train_mode

    def _check_present(self, what: str) -> None:
        super()._check_present(what)
        if not self.training:
            raise RuntimeError(
                f"{what}: expected train mode, but the optimizer is in eval mode, in which the "
                "parameters are those to evaluate; call train() first"
            )


def _between(z: torch.Tensor, x: torch.Tensor, beta: float) -> torch.Tensor:
    """y = z + β(x − z), in float32 at least."""
    wide = torch.promote_types(x.dtype, torch.float32)
    z, x = z.to(wide), x.to(wide)
    return z + beta * (x - z)
