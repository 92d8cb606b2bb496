"""NAdam and NAdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class NAdam(Optimizer):
    """NAdam (Dozat, 2016), as `torch.optim.NAdam` has it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)g²
        μ = β1(1 − ½·0.96^(tψ)),  μ' the same at t+1,  P = μ₁·μ₂·…·μ_t
        u = μ'·m/(1 − P·μ') + (1−μ)g/(1−P)
        θ ← θ − η·u/(√(v/(1−β2ᵗ) + eps_root) + ε)

    Dialects: "keras" has ψ = 1, decoupled decay and other defaults; "optax" has no schedule;
    "paper" has `scheduled_average` and `beta2_in_v_hat`, which all others leave out.

    With `momentum_decay=None` there is no schedule: μ = μ' = β1 and P = β1ᵗ, optax's form. With
    `lookahead=False` m is divided by 1−P, as texts that speak of m̂ have it; with
    `double_correction=True` m is divided by 1−β1ᵗ once more. Some texts correct m twice in this
    way; it is an option only to reproduce their results.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        momentum_decay: ψ, or None for a constant momentum.
        decoupled_weight_decay: AdamW's decay instead of L2.
        lookahead: correct the bias of m as at the next step.
        double_correction: correct the bias of m twice.
        eps_root: optax's ε inside the root.
        scheduled_average: average with μ instead of β1, m ← μm + (1−μ)g, as published.
        beta2_in_v_hat: β2·v/(1−β2ᵗ) in the root, as published.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`, and the float64 scalar `mu_product`, P.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.NAdam(w, lr=0.25, betas=(0.5, 0.999), eps=0.0, momentum_decay=None,
        ...                lookahead=False)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.625, -1.625])
    """

    rule = "nadam"
    paper = "Dozat, 2016: Incorporating Nesterov momentum into Adam"
    _switches: ClassVar[tuple[str, ...]] = (
        "decoupled_weight_decay",
        "lookahead",
        "double_correction",
        "scheduled_average",
        "beta2_in_v_hat",
        "maximize",
    )
    _dialects: ClassVar[Table] = {
        "keras": {"lr": 1e-3, "eps": 1e-7, "momentum_decay": 1.0, "decoupled_weight_decay": True},
        "optax": {"momentum_decay": None},
        "paper": {"scheduled_average": True, "beta2_in_v_hat": True},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 2e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        momentum_decay: Scalar | None = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        lookahead: bool = True,
        double_correction: bool = False,
        eps_root: Scalar = 0.0,
        scheduled_average: bool = False,
        beta2_in_v_hat: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "lookahead": lookahead,
            "double_correction": double_correction,
            "eps_root": eps_root,
            "scheduled_average": scheduled_average,
            "beta2_in_v_hat": beta2_in_v_hat,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        psi = values["momentum_decay"]
        return super()._scalars(values) | {
            "momentum_decay": 0.0 if psi is None else psi,
            "momentum_schedule": float(psi is not None),
        }

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return 1.0 if slot == "mu_product" else 0.0


class NAdamW(NAdam):
    """NAdamW: NAdam with the decoupled decay of Loshchilov & Hutter (2019), as optax has it.

    .. code-block:: text

        θ ← θ(1 − ηλ), then NAdam's step on the plain gradient, of constant momentum:
        u = β1·m/(1 − β1ᵗ⁺¹) + (1−β1)g/(1 − β1ᵗ)
        θ ← θ − η·u/(√(v/(1−β2ᵗ) + eps_root) + ε)

    With `lookahead=False` m is divided by 1 − β1ᵗ, timm's form.

    Dialect: "optax" has a smaller λ.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        momentum_decay: ψ of NAdam's momentum schedule, or None for a constant momentum.
        lookahead: correct the bias of m as at the next step.
        eps_root: optax's ε inside the root.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`, and the float64 scalar `mu_product`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.NAdamW(w, lr=0.25, betas=(0.5, 0.999), eps=0.0, weight_decay=0.5,
        ...                 lookahead=False)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.5  , -1.375])
    """

    paper = "Loshchilov & Hutter, 2019: Decoupled weight decay regularization"
    _dialects: ClassVar[Table] = {"optax": {"weight_decay": 1e-4}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 1e-2,
        momentum_decay: Scalar | None = None,
        *,
        lookahead: bool = True,
        eps_root: Scalar = 0.0,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            momentum_decay,
            True,
            lookahead=lookahead,
            eps_root=eps_root,
            maximize=maximize,
            **common,
        )
