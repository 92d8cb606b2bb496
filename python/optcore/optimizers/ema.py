"""The running average of the parameters."""

from __future__ import annotations

from dataclasses import dataclass

from ..schedules import Schedule
from ..typing import Scalar, Tree
from . import hyper


@dataclass(frozen=True)
class EMA:
    """An exponential moving average of the parameters, kept in the same pass as the step.

    .. code-block:: text

        after step 1       e ← θ
        after step k > 1   e ← d·e + (1−d)·θ

    This is what `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(d)` averages.
    Every parameter is averaged in every step, also one without a gradient. The average is float32
    (float64 for float64 parameters), and `opt.state[path]["ema"]` holds it.

    Args:
        decay: d in [0, 1], or a schedule: the step number k = 0, 1, ... gives d of that step. A
            common one is `lambda k: min((1 + k) / (10 + k), 0.9999)`.
        weights: arrays of your own for the average, nested as the parameters; they are set to the
            parameters when the optimizer is made. None makes new ones.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0])
        >>> opt = oc.SGD(w, lr=1.0, ema=oc.EMA(0.5))
        >>> for _ in range(2):
        ...     opt.step(np.array([1.0]))
        >>> w, opt.ema_params
        (array([-1.]), array([-0.5]))
    """

    decay: Scalar = 0.999
    weights: Tree | None = None

    def __post_init__(self) -> None:
        decay = self.source
        if isinstance(decay, float) and not 0 <= decay <= 1:
            raise ValueError(f"decay: expected a number in [0, 1], got {decay}; pass e.g. 0.999")

    @property
    def source(self) -> float | Schedule:
        """The decay as a float or a schedule."""
        return hyper.source(self.decay, "decay")
