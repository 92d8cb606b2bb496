"""Adamax and AdamaxW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import pair

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adamax(Optimizer):
    """Adamax (Kingma & Ba, 2015), as `torch.optim.Adamax` has it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              m̂ = m/(1−β1ᵗ)
        n ← max(β2·n, |g| + ε)
        θ ← θ − η·m̂/n                   eps_in_max=False: ε beside n here, Keras's form

    Dialects: "keras" has that, decoupled decay and other defaults; "optax" is torch's form; "paper"
    has no ε.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε.
        weight_decay: λ.
        eps_in_max: ε inside the maximum instead of beside it.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_inf`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Adamax(w, lr=0.25, eps=0.0)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    rule = "adamax"
    paper = "Kingma & Ba, 2015: Adam: A method for stochastic optimization"
    _shown: ClassVar[Mapping[str, str]] = {"eps_in_max": "eps"}
    _switches: ClassVar[tuple[str, ...]] = ("eps_in_max", "decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {
        "keras": {"lr": 1e-3, "eps": 1e-7, "eps_in_max": False, "decoupled_weight_decay": True},
        "optax": {},
        "paper": {"eps": 0.0},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 2e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        *,
        eps_in_max: bool = True,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "eps_in_max": eps_in_max,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        beta1, beta2 = pair(values["betas"], "betas")
        inside = values["eps_in_max"]
        return {name: values[name] for name in ("lr", "weight_decay")} | {
            "beta1": beta1,
            "beta2": beta2,
            "eps": 0.0 if inside else values["eps"],
            "eps_in_max": values["eps"] if inside else 0.0,
        }


class AdamaxW(Adamax):
    """AdamaxW: Adamax with the decoupled decay of Loshchilov & Hutter (2019).

    .. code-block:: text

        θ ← θ(1 − ηλ), then Adamax's step on the plain gradient

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε.
        weight_decay: λ.
        eps_in_max: ε inside the maximum instead of beside it.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_inf`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.AdamaxW(w, lr=0.25, eps=0.0, weight_decay=0.5)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.625, -1.5  ])
    """

    paper = "Loshchilov & Hutter, 2019: Decoupled weight decay regularization"
    _dialects: ClassVar[Table] = {"optax": {"weight_decay": 1e-4}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 2e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 1e-2,
        *,
        eps_in_max: bool = True,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            eps_in_max=eps_in_max,
            decoupled_weight_decay=True,
            maximize=maximize,
            **common,
        )
