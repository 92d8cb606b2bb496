"""LAMB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LAMB(Optimizer):
    """LAMB (You et al., 2020, algorithm 2): Adam with a trust ratio for each tensor.

    .. code-block:: text

        m ← β1·m + (1−β1)g              v ← β2·v + (1−β2)g²
        m̂ = m/(1−β1ᵗ)                   v̂ = v/(1−β2ᵗ)
        u = m̂/(√(v̂ + eps_root) + ε) + λθ
        θ ← θ − η·(‖θ‖/‖u‖)·u           η alone where either norm is 0

    The norms are sums in float64 in a fixed order, so the bits depend on the tensor alone. A shard
    of a tensor has another norm than the tensor: sharded, this is another rule.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ, part of u and so of the trust ratio.
        decoupled_weight_decay: θ ← θ(1 − ηλ) first instead, as Keras has it.
        eps_root: optax's ε inside the root.
        bias_correction: False takes m and v as they are, as the paper's third version does.
        clamp: the limit of ‖θ‖ in the trust ratio, or None; 10 in some implementations.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([3.0, 4.0])
        >>> opt = oc.LAMB(w, lr=0.1, eps=0.0)
        >>> opt.step(np.array([2.0, -2.0]))
        >>> np.round(w, 3)
        array([2.646, 4.354])
    """

    rule = "lamb"
    paper = "You et al., 2020: Large batch optimization for deep learning"
    _dialects: ClassVar[Table] = {
        "keras": {"eps": 1e-7, "decoupled_weight_decay": True},
        "optax": {},
        "paper": {},
    }
    _switches: ClassVar[tuple[str, ...]] = (
        "decoupled_weight_decay",
        "bias_correction",
        "maximize",
    )

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-6,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = False,
        eps_root: Scalar = 0.0,
        bias_correction: bool = True,
        clamp: Scalar | None = None,
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
            "bias_correction": bias_correction,
            "clamp": clamp,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        clamp = values["clamp"]
        return super()._scalars(values) | {"clamp": 0.0 if clamp is None else clamp}
