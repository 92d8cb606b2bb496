"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import switch

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015), as `torch.optim.Adam` has it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)g²
        m̂ = m/(1−β1ᵗ)                   v̂ = v/(1−β2ᵗ)
        θ ← θ − η·m̂/(√(v̂ + eps_root) + ε)

    amsgrad (Reddi, Kale & Kumar, 2018): the largest v so far in the place of v in v̂. For ε inside
    the root, as some texts print it, pass `eps=0.0, eps_root=1e-8`.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        amsgrad: keep the maximum of v.
        eps_root: optax's ε inside the root.
        eps_hat: ε as in the paper's faster form.
        bias_correction: False takes m for m̂ and v for v̂; two values, for m and v, one of them.
        correct_before_max: with amsgrad, the largest v̂ so far instead of the largest v.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`; `max_exp_avg_sq` with amsgrad.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Adam(w, lr=0.25, eps=0.0)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    rule = "adam"
    paper = "Kingma & Ba, 2015: Adam: A method for stochastic optimization"
    _shown: ClassVar[Mapping[str, str]] = {
        "correct_m": "bias_correction",
        "correct_v": "bias_correction",
    }
    _switches: ClassVar[tuple[str, ...]] = (
        "amsgrad",
        "eps_hat",
        "correct_before_max",
        "decoupled_weight_decay",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("amsgrad",)
    _dialects: ClassVar[Table] = {
        "keras": {"eps": 1e-7, "eps_hat": True, "decoupled_weight_decay": True},
        "optax": {"correct_before_max": True},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        amsgrad: bool = False,
        *,
        eps_root: Scalar = 0.0,
        eps_hat: bool = False,
        bias_correction: bool | tuple[bool, bool] = True,
        correct_before_max: bool = False,
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
            "eps_hat": eps_hat,
            "bias_correction": bias_correction,
            "correct_before_max": correct_before_max,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        of_m, of_v = _corrections(values["bias_correction"])
        return super()._scalars(values) | {"correct_m": float(of_m), "correct_v": float(of_v)}


def _corrections(value: Any) -> tuple[bool, bool]:
    """Whether m and v are corrected, from one switch or two."""
    both = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
    for each in both:
        switch(each, "bias_correction")
    return both[0], both[1]


class AdamW(Adam):
    """AdamW (Loshchilov & Hutter, 2019), as `torch.optim.AdamW` has it: Adam, with decoupled decay.

    .. code-block:: text

        θ ← θ(1 − ηλ), then Adam's step on the plain gradient

    Dialects: as `Adam`, and λ = 0.004 in "keras", 1e-4 in "optax". The "paper" has another λ, which
    is not multiplied by the rate α but only by its schedule: pass `weight_decay=λ/α` for it.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        amsgrad: keep the maximum of v.
        eps_root: optax's ε inside the root.
        eps_hat: ε as in the paper's faster form.
        bias_correction: False takes m for m̂ and v for v̂; two values, for m and v, one of them.
        correct_before_max: with amsgrad, the largest v̂ so far instead of the largest v.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`; `max_exp_avg_sq` with amsgrad.

    Example:
        >>> import numpy as np, optcore as oc
        >>> params = {"W": np.array([[1.0, -2.0]]), "b": np.array([0.5])}
        >>> opt = oc.AdamW(params, lr=0.25, eps=0.0, weight_decay=0.0)
        >>> opt.step({"W": np.array([[4.0, -0.25]]), "b": None})
        >>> np.round(params["W"], 12), params["b"]
        (array([[ 0.75, -1.75]]), array([0.5]))
    """

    paper = "Loshchilov & Hutter, 2019: Decoupled weight decay regularization"
    _dialects: ClassVar[Table] = {
        "keras": {"eps": 1e-7, "weight_decay": 4e-3, "eps_hat": True},
        "optax": {"weight_decay": 1e-4, "correct_before_max": True},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 1e-2,
        amsgrad: bool = False,
        *,
        eps_root: Scalar = 0.0,
        eps_hat: bool = False,
        bias_correction: bool | tuple[bool, bool] = True,
        correct_before_max: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            eps_root=eps_root,
            eps_hat=eps_hat,
            bias_correction=bias_correction,
            correct_before_max=correct_before_max,
            decoupled_weight_decay=True,
            maximize=maximize,
            **common,
        )
