"""ADOPT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ADOPT(Optimizer):
    """ADOPT (Taniguchi et al., 2024): the second moment of the step before divides the gradient.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        first step: v ← g², and nothing moves but by decay
        x = g/max(√v, ε)                limited to ±(t−1)^clip_exponent
        m ← β1·m + (1−β1)x              nesterov: u = β1·m + (1−β1)x, else u = m
        v ← β2·v + (1−β2)g²             after x
        θ ← θ − ηu

    As g and v are of different steps, this converges with any β2. `clip_exponent=None` is the first
    edition of the paper, without the limit. (The authors' code takes no decoupled decay at the
    first step.)

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: the least that is divided by.
        weight_decay: λ.
        clip_exponent: how fast the limit of x grows, or None for no limit.
        nesterov: look ahead along m, as optax offers.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.ADOPT(w, lr=0.25, betas=(0.5, 0.9999))
        >>> for _ in range(2):
        ...     opt.step(np.array([4.0, -0.125]))
        >>> w
        array([ 0.875, -1.875])
    """

    rule = "adopt"
    paper = "Taniguchi et al., 2024: ADOPT: Modified Adam can converge with any β2"
    _switches: ClassVar[tuple[str, ...]] = ("nesterov", "decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {"optax": {}, "paper": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.9999),
        eps: Scalar = 1e-6,
        weight_decay: Scalar = 0.0,
        *,
        clip_exponent: Scalar | None = 0.25,
        nesterov: bool = False,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "clip_exponent": clip_exponent,
            "nesterov": nesterov,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        exponent = values["clip_exponent"]
        clipped = exponent is not None
        found = super()._scalars(values)
        return found | {"clip_exponent": exponent if clipped else 0.0, "clipped": float(clipped)}
