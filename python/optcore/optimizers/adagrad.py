"""Adagrad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import finite, inside_or_beside

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan & Singer, 2011), as `torch.optim.Adagrad` has it.

    .. code-block:: text

        g ← g + λθ
        s ← s + g²
        θ ← θ − η/(1 + (t−1)·lr_decay) · g/(√s + ε)         eps_in_sqrt: g/√(s + ε)

    Dialects: "keras" and "optax" have `eps_in_sqrt`, other defaults, of which s starts from 0.1 is
    one, and optax `zero_at_zero`, Keras decoupled decay; "paper" (which leaves ε open) is as torch.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        lr_decay: how fast the rate falls with the step number t.
        weight_decay: λ, added to the gradient (L2).
        initial_accumulator_value: what s starts from.
        eps: ε, beside the root.
        eps_in_sqrt: ε inside the root instead.
        zero_at_zero: take no step where s is 0, even if ε is 0.
        decoupled_weight_decay: AdamW's decay, θ ← θ(1 − ηλ), instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `sum`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Adagrad(w, lr=0.5)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> w
        array([ 0.5, -1.5])
    """

    rule = "adagrad"
    paper = "Duchi, Hazan & Singer, 2011: Adaptive subgradient methods for online learning"
    _shown: ClassVar[Mapping[str, str]] = {"eps_in_sqrt": "eps"}
    _switches: ClassVar[tuple[str, ...]] = (
        "eps_in_sqrt",
        "zero_at_zero",
        "decoupled_weight_decay",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("initial_accumulator_value",)
    _dialects: ClassVar[Table] = {
        "keras": {
            "lr": 1e-3,
            "initial_accumulator_value": 0.1,
            "eps": 1e-7,
            "eps_in_sqrt": True,
            "decoupled_weight_decay": True,
        },
        "optax": {
            "initial_accumulator_value": 0.1,
            "eps": 1e-7,
            "eps_in_sqrt": True,
            "zero_at_zero": True,
        },
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        lr_decay: Scalar = 0.0,
        weight_decay: Scalar = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: Scalar = 1e-10,
        *,
        eps_in_sqrt: bool = False,
        zero_at_zero: bool = False,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "eps_in_sqrt": eps_in_sqrt,
            "zero_at_zero": zero_at_zero,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super()._scalars(values) | inside_or_beside(values)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        finite(values["initial_accumulator_value"], "initial_accumulator_value")

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"initial_accumulator_value": 0.0}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return float(values["initial_accumulator_value"])
