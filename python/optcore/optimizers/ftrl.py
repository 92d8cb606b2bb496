"""FTRL-Proximal."""

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


class FTRL(Optimizer):
    """FTRL-Proximal (McMahan et al., 2013): sparse weights by L1, as a step on sums over all steps.

    .. code-block:: text

        g ← g + λθ                      decoupled_weight_decay: θ ← θ(1 − ηλ) instead
        n' = n + g²                     σ = (√n' − √n)/η
        z ← z + (g + l2_shrinkage·θ) − σθ,  n ← n'
        θ ← 0                           where |z| ≤ l1, else
        θ ← (sign(z)·l1 − z)/((beta + √n)/η + l2)

    θ follows from z and n alone: where it starts counts only through the first steps. l2 and
    l2_shrinkage are the paper's λ2, of a penalty ½λ2‖θ‖²; Keras and TensorFlow leave the ½ out, so
    twice their numbers belong here. Their `learning_rate_power` is −0.5, as in the paper: any
    other would need a power of every element.

    Dialects: "keras" has decoupled decay; "paper" has an n that starts from 0, and a beta of 1.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η; a rate below 1e-12 counts as that.
        l1: the L1 penalty.
        l2: the L2 penalty within the solution.
        l2_shrinkage: an L2 penalty within the gradient that n does not see.
        beta: what is added to √n.
        initial_accumulator_value: what n starts from; the paper has 0.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `z`, `n`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([0.0, 0.0])
        >>> opt = oc.FTRL(w, lr=0.5, l1=1.0, initial_accumulator_value=0.0)
        >>> opt.step(np.array([4.0, -0.125]))
        >>> w
        array([-0.375,  0.   ])
    """

    rule = "ftrl"
    paper = "McMahan et al., 2013: Ad click prediction: a view from the trenches"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("initial_accumulator_value",)
    _dialects: ClassVar[Table] = {
        "keras": {"decoupled_weight_decay": True},
        "paper": {"initial_accumulator_value": 0.0, "beta": 1.0},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        l1: Scalar = 0.0,
        l2: Scalar = 0.0,
        l2_shrinkage: Scalar = 0.0,
        beta: Scalar = 0.0,
        initial_accumulator_value: float = 0.1,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "l1": l1,
            "l2": l2,
            "l2_shrinkage": l2_shrinkage,
            "beta": beta,
            "initial_accumulator_value": initial_accumulator_value,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        finite(values["initial_accumulator_value"], "initial_accumulator_value")

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"initial_accumulator_value": 0.1}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return float(values["initial_accumulator_value"]) if slot == "n" else 0.0
