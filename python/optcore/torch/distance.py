"""Prodigy and D-Adaptation, which show the distance that they estimate."""

from __future__ import annotations

from .optimizer import TorchOptimizer


class TorchDistance(TorchOptimizer):
    """What the optimizers that find their own rate have beside their step."""

    @property
    def d(self) -> float:
        """The present estimate of the distance from the start to the solution."""
        estimates = (float(state["d"]) for state in self.state.values() if "d" in state)
        return next(estimates, 0.0) or float(self.param_groups[0]["d0"])
