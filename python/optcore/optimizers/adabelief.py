"""AdaBelief."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AdaBelief(Optimizer):
    """AdaBelief (Zhuang et al., 2020), as optax and the authors' code have it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)(g−m)² + eps_root
        m̂ = m/(1−β1ᵗ)                   v̂ = v/(1−β2ᵗ)
        θ ← θ − η·m̂/(√v̂ + ε)

    amsgrad: the largest v so far in the place of v in v̂. eps_root is added to the state itself, in
    every step. The authors' code decouples the decay by default, and has one value for both ε.

    Dialects: "optax" is this form; "paper" has larger ε.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        amsgrad: keep the maximum of v.
        eps_root: the ε inside v.
        nesterov: β1·m/(1−β1ᵗ⁺¹) + (1−β1)g/(1−β1ᵗ) in the place of m̂, as optax has it.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_var`; `max_exp_avg_var` with amsgrad.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.AdaBelief(w, lr=0.25, betas=(0.5, 0.999))
        >>> opt.step(np.array([4.0, -0.25]))  # |g − m| is half of |g| here
        >>> np.round(w, 12)
        array([ 0.5, -1.5])
    """

    rule = "adabelief"
    paper = "Zhuang et al., 2020: AdaBelief optimizer: Adapting stepsizes by the belief"
    _switches: ClassVar[tuple[str, ...]] = (
        "amsgrad",
        "nesterov",
        "decoupled_weight_decay",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("amsgrad",)
    _dialects: ClassVar[Table] = {"optax": {}, "paper": {"eps": 1e-8, "eps_root": 1e-8}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-16,
        weight_decay: Scalar = 0.0,
        amsgrad: bool = False,
        *,
        eps_root: Scalar = 1e-16,
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
            "amsgrad": amsgrad,
            "eps_root": eps_root,
            "nesterov": nesterov,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
