"""MARS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class MARS(Optimizer):
    """MARS with AdamW (Yuan et al., 2024), in its approximate form.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        c = g + γ·β1/(1−β1)·(g − g')    g' the gradient of the step before, 0 at first
        c ← c/max(‖c‖, 1)               the norm over the tensor
        m ← β1·m + (1−β1)c              v ← β2·v + (1−β2)c²
        θ ← θ − η·m̂/(√(v̂ + eps_root) + ε)            m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)

    The exact form takes, for g', a second gradient of this step's data at the last parameters. The
    authors step vectors (biases, scales of norms) with AdamW at a rate of their own: give those
    their own optimizer. amsgrad: the largest v so far in the place of v in v̂.

    The norm is a sum in float64 in a fixed order, so the bits depend on the tensor alone. A shard
    of a tensor has another norm than the tensor: sharded, this is another rule.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        gamma: γ, how much of the change of the gradient is added.
        amsgrad: keep the maximum of v.
        eps_root: ε inside the root.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`, `last_grad`; `max_exp_avg_sq` with amsgrad.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.MARS(w, lr=0.25, eps=0.0)
        >>> opt.step(np.array([3.0, -4.0]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    rule = "mars"
    paper = "Yuan et al., 2024: MARS: Unleashing the power of variance reduction"
    _switches: ClassVar[tuple[str, ...]] = ("amsgrad", "decoupled_weight_decay", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("amsgrad",)
    _dialects: ClassVar[Table] = {"paper": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 3e-3,
        betas: tuple[Scalar, Scalar] = (0.95, 0.99),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        gamma: Scalar = 0.025,
        *,
        amsgrad: bool = False,
        eps_root: Scalar = 0.0,
        decoupled_weight_decay: bool = True,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "gamma": gamma,
            "amsgrad": amsgrad,
            "eps_root": eps_root,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
