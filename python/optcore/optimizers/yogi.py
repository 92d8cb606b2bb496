"""Yogi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import finite

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Yogi(Optimizer):
    """Yogi (Zaheer et al., 2018), as optax has it.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        m ← β1·m + (1−β1)g              v ← v − (1−β2)·sign(v − g²)·g²
        m̂ = m/(1−β1ᵗ)                   v̂ = v/(1−β2ᵗ)
        θ ← θ − η·m̂/(√(v̂ + eps_root) + ε)

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        initial_accumulator_value: what m and v start from.
        eps_root: added to v̂, inside the root.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Yogi(w, lr=0.25, eps=0.0, initial_accumulator_value=0.0)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    rule = "yogi"
    paper = "Zaheer et al., 2018: Adaptive methods for nonconvex optimization"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("initial_accumulator_value",)
    _dialects: ClassVar[Table] = {"optax": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-3,
        weight_decay: Scalar = 0.0,
        initial_accumulator_value: float = 1e-6,
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
            "initial_accumulator_value": initial_accumulator_value,
            "eps_root": eps_root,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        finite(values["initial_accumulator_value"], "initial_accumulator_value")

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"initial_accumulator_value": 1e-6}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return float(values["initial_accumulator_value"])
