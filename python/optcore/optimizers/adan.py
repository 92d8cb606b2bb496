"""Adan."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adan(Optimizer):
    """Adan (Xie et al., 2022): Adam on gradients that look ahead along their own change.

    .. code-block:: text

        d = g − g'                      g' the gradient of the step before; d = 0 at the first step
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)d
        n ← β3·n + (1−β3)(g + β2·d)²
        u = (m̂ + β2·v̂)/(√(n̂ + eps_root) + ε)      each divided by 1−βᵗ of its own β
        θ ← (θ − ηu)/(1 + ηλ)           decoupled_weight_decay: θ ← θ(1 − ηλ) − ηu

    The paper's β is 1 − β here, as in its authors' code. g' is the gradient as the rule sees it,
    scaled and clipped.

    Dialects: "optax" has `decoupled_weight_decay`, `complement_beta2` and an `eps_root`.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2, β3; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay in the place of the proximal one; the authors' code
            calls it no_prox, and optax has it.
        eps_root: optax's ε inside the root.
        complement_beta2: 1−β2 in the place of the β2 beside d and v̂, as in optax 0.2; its docs and
            the paper have β2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg` (m), `exp_avg_sq` (n), `exp_avg_diff` (v), `previous_grad`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Adan(w, lr=0.25, eps=0.0)
        >>> opt.step(np.array([4.0, -0.125]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    rule = "adan"
    paper = "Xie et al., 2022: Adan: Adaptive Nesterov momentum algorithm"
    _switches: ClassVar[tuple[str, ...]] = (
        "complement_beta2",
        "decoupled_weight_decay",
        "maximize",
    )
    _dialects: ClassVar[Table] = {
        "optax": {"decoupled_weight_decay": True, "eps_root": 1e-8, "complement_beta2": True},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar, Scalar] = (0.98, 0.92, 0.99),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = False,
        eps_root: Scalar = 0.0,
        complement_beta2: bool = False,
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
            "complement_beta2": complement_beta2,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
