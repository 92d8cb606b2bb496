"""What a step tells about itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ParameterStats:
    """Norms over one parameter, or over all that were stepped; zeros after a refused step.

    Attributes:
        grad_norm: √Σg², unscaled and before clipping.
        update_norm: √Σ(θ' − θ)², of the parameters as they are stored.
        param_norm: √Σθ², before the step.
        largest_update: max |θ' − θ|.
    """

    grad_norm: float
    update_norm: float
    param_norm: float
    largest_update: float

    @property
    def update_ratio(self) -> float:
        """`update_norm / param_norm`: the step, measured by the weights; 1e-3 is usual."""
        if self.param_norm == 0:
            return math.inf if self.update_norm > 0 else 0.0
        return self.update_norm / self.param_norm


@dataclass(frozen=True)
class StepStats(ParameterStats):
    """The statistics of the last step, of an optimizer made with `stats=True`.

    Sums run in float64 over fixed blocks, in the pass of the step itself.

    Attributes:
        first_nonfinite: path and index of the first gradient element that was infinite or NaN.
        parameters: the same norms for each parameter, by path.
    """

    first_nonfinite: tuple[str, tuple[int, ...]] | None
    parameters: Mapping[str, ParameterStats]

    @classmethod
    def of(
        cls,
        paths: list[str],
        sums: list[tuple[float, float, float, float]],
        grad_norm: float,
        first_nonfinite: tuple[str, tuple[int, ...]] | None,
    ) -> StepStats:
        """From what the core gives for each parameter: √Σg², Σ(θ'−θ)², Σθ², max |θ'−θ|."""
        parameters = {
            path: ParameterStats(norm, math.sqrt(update), math.sqrt(param), largest)
            for path, (norm, update, param, largest) in zip(paths, sums, strict=True)
        }
        return cls(
            grad_norm,
            math.sqrt(sum(each[1] for each in sums)),
            math.sqrt(sum(each[2] for each in sums)),
            max(each[3] for each in sums),
            first_nonfinite,
            MappingProxyType(parameters),
        )
