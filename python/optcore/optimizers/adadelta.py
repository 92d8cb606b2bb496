"""Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adadelta(Optimizer):
    """Adadelta (Zeiler, 2012), with a rate as `torch.optim.Adadelta` has it.

    .. code-block:: text

        g ← g + λθ
        s ← ρs + (1−ρ)g²
        u = √(d + ε)/√(s + ε) · g
        d ← ρd + (1−ρ)u²
        θ ← θ − ηu

    Dialects: "keras" has decoupled decay and other defaults, "optax" is as torch, "paper" has
    ρ = 0.95.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η; the paper has 1.
        rho: ρ, the decay of both averages.
        eps: ε, inside both roots.
        weight_decay: λ, added to the gradient (L2).
        decoupled_weight_decay: AdamW's decay, θ ← θ(1 − ηλ), instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `square_avg`, `acc_delta`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Adadelta(w, lr=1.0, rho=0.75, eps=1.0)
        >>> opt.step(np.array([0.0, 0.0]))
        >>> w
        array([ 1., -2.])
    """

    rule = "adadelta"
    paper = "Zeiler, 2012: ADADELTA: An adaptive learning rate method"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {
        "keras": {"lr": 1e-3, "rho": 0.95, "eps": 1e-7, "decoupled_weight_decay": True},
        "optax": {},
        "paper": {"rho": 0.95},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        rho: Scalar = 0.9,
        eps: Scalar = 1e-6,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
