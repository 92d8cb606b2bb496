"""FTRL, whose formula divides by the rate."""

from __future__ import annotations

from .optimizer import TorchOptimizer


class TorchFTRL(TorchOptimizer):
    """What FTRL has beside its step: with a rate of 0 in all groups a step only makes state.

    `torch.distributed.checkpoint` takes such a step to make state, and it is not to move anything.
    """

    def _step(self) -> None:
        if any(group["lr"] != 0 for group in self.param_groups):
            super()._step()
            return
        with self._in_torch_words():
            self._engine_fitting()
