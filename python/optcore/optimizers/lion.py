"""Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Lion(Optimizer):
    """Lion (Chen et al., 2023): a step of one size along the sign of an interpolated momentum.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        c = β1·m + (1−β1)g              m ← β2·m + (1−β2)g
        θ ← θ − η·sign(c)

    All steps have the size η, so that rates are three to ten times smaller than Adam's, and decay
    as much larger. Where c is exactly 0 nothing moves (sign(0) = 0); DeepSpeed takes C's copysign
    there, which moves: `step_at_zero=True`.

    Dialects: "keras" has another rate, "optax" a decay of 1e-3.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1 for the step, β2 for the momentum; each may be a schedule.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        step_at_zero: where c is 0, step as if it were positive.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Lion(w, lr=0.25)
        >>> opt.step(np.array([4.0, -0.125]))
        >>> w
        array([ 0.75, -1.75])
    """

    rule = "lion"
    paper = "Chen et al., 2023: Symbolic discovery of optimization algorithms"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "step_at_zero", "maximize")
    _dialects: ClassVar[Table] = {
        "keras": {"lr": 1e-3},
        "optax": {"weight_decay": 1e-3},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-4,
        betas: tuple[Scalar, Scalar] = (0.9, 0.99),
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = True,
        step_at_zero: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "step_at_zero": step_at_zero,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
