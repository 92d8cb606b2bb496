"""RAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RAdam(Optimizer):
    """RAdam (Liu et al., 2020), as `torch.optim.RAdam` has it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)g²
        m̂ = m/(1−β1ᵗ)                   v̂ = v/(1−β2ᵗ)
        ρ∞ = 2/(1−β2) − 1               ρ = ρ∞ − 2t·β2ᵗ/(1−β2ᵗ)
        r = √[(ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)]
        ρ > threshold:  θ ← θ − η·r·m̂·√(1−β2ᵗ)/(√v + ε)
        else:           θ ← θ − η·m̂

    Dialects: "optax" has `threshold_inclusive` (ρ ≥ threshold) and no `eps_hat`:
    θ ← θ − η·r·m̂/(√(v̂ + eps_root) + ε); "paper" has ρ > 4 and no ε.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay instead of L2.
        eps_root: added to v̂, inside the root.
        threshold: what ρ has to exceed before v is divided by; 4 or more, as r is real from there.
        threshold_inclusive: it suffices that ρ reaches the threshold.
        eps_hat: ε beside √v, before the bias correction, instead of beside √v̂.
        nesterov: β1·m/(1−β1ᵗ⁺¹) + (1−β1)g/(1−β1ᵗ) in the place of m̂.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.RAdam(w, lr=0.25)
        >>> opt.step(np.array([4.0, -0.25]))  # the first steps go without the denominator
        >>> np.round(w, 12)
        array([ 0.    , -1.9375])
    """

    rule = "radam"
    paper = "Liu et al., 2020: On the variance of the adaptive learning rate and beyond"
    _switches: ClassVar[tuple[str, ...]] = (
        "decoupled_weight_decay",
        "threshold_inclusive",
        "eps_hat",
        "nesterov",
        "maximize",
    )
    _dialects: ClassVar[Table] = {
        "optax": {"threshold_inclusive": True, "eps_hat": False},
        "paper": {"eps": 0.0, "threshold": 4.0},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        eps_root: Scalar = 0.0,
        threshold: Scalar = 5.0,
        threshold_inclusive: bool = False,
        eps_hat: bool = True,
        nesterov: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_root": eps_root,
            "threshold": threshold,
            "threshold_inclusive": threshold_inclusive,
            "eps_hat": eps_hat,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
