"""NovoGrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class NovoGrad(Optimizer):
    """NovoGrad (Ginsburg et al., 2019, algorithm 1): Adam with one second moment for a tensor.

    .. code-block:: text

        v ← β2·v + (1−β2)‖g‖²                               v ← ‖g‖² at the first step
        m ← β1·m + g/(√(v + eps_root) + ε) + λθ             decoupled_weight_decay: without λθ
        θ ← θ − ηm                                          and θ ← θ(1 − ηλ) first

    With `grad_averaging` what is added to m is multiplied by 1−β1, but for the first step's. Where
    all gradients so far were 0 and ε is 0, g/0 counts as 0.

    Dialects: "optax" has other betas and ε.

    ‖g‖² is a sum in float64 in a fixed order, so the bits depend on the tensor alone. A shard of a
    tensor has another norm than the tensor: sharded, this is another rule.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ, part of what m collects.
        grad_averaging: let m be an average, not a sum.
        eps_root: optax's ε inside the root.
        decoupled_weight_decay: AdamW's decay, outside m.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg` (m), and the float64 scalar `exp_norm_sq` (v).

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.NovoGrad(w, lr=0.5, eps=0.0)
        >>> opt.step(np.array([3.0, -4.0]))
        >>> w, float(opt.state[""]["exp_norm_sq"])
        (array([ 0.7, -1.6]), 25.0)
    """

    rule = "novograd"
    paper = "Ginsburg et al., 2019: Stochastic gradient methods with layer-wise adaptive moments"
    _switches: ClassVar[tuple[str, ...]] = ("grad_averaging", "decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {
        "optax": {"betas": (0.9, 0.25), "eps": 1e-6},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.95, 0.98),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        grad_averaging: bool = False,
        *,
        eps_root: Scalar = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
            "eps_root": eps_root,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
