"""AdEMAMix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AdEMAMix(Optimizer):
    """AdEMAMix (Pagliardini et al., 2024): Adam with a second, slow average of gradients.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)g²
        s ← β3ₜ·s + (1−β3ₜ)g            no correction of its start
        θ ← θ − η(m̂ + αₜ·s)/(√(v̂ + eps_root) + ε)      m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)

    The slow average makes the first thousands of steps unstable where β3 is near 1. With
    `t_alpha_beta3` = T, αₜ = α·min(t/T, 1), and β3ₜ goes from β1 to β3 in the same time:
    log β3ₜ = log β1·log β3/((1−r)·log β3 + r·log β1), r = min(t/T, 1).

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2, β3; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        alpha: α, the weight of the slow average; may be a schedule.
        t_alpha_beta3: T, the steps of the warm-up, or None for none.
        eps_root: optax's ε inside the root.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg` (m), `exp_avg_sq` (v), `exp_avg_slow` (s).

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.AdEMAMix(w, lr=0.25, betas=(0.5, 0.75, 0.875), alpha=4.0, eps=0.0)
        >>> opt.step(np.array([4.0, -0.125]))
        >>> w
        array([ 0.625, -1.625])
    """

    rule = "ademamix"
    paper = "Pagliardini et al., 2024: The AdEMAMix optimizer: Better, faster, older"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {"optax": {}, "paper": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar, Scalar] = (0.9, 0.999, 0.9999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        alpha: Scalar = 5.0,
        t_alpha_beta3: Scalar | None = None,
        *,
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
            "alpha": alpha,
            "t_alpha_beta3": t_alpha_beta3,
            "eps_root": eps_root,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        steps = values["t_alpha_beta3"]
        return super()._scalars(values) | {"t_alpha_beta3": 0.0 if steps is None else steps}
