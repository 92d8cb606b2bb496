"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import finite, inside_or_beside, is_on

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012; centered: Graves, 2013), as `torch.optim.RMSprop` has it.

    .. code-block:: text

        g ← g + λθ
        s ← αs + (1−α)g²
        centered: a ← αa + (1−α)g, and s − a² in the place of s below
        u = g/(√s + ε)                  eps_in_sqrt: g/√(s + ε), TensorFlow's and Keras's form
        momentum: b ← μb + u, and b in the place of u; nesterov: u + μb
        θ ← θ − ηu

    With `rate_in_buffer` b takes ηu, and θ ← θ − b: the same until the rate changes. With
    `bias_correction` s/(1−αᵗ) and a/(1−αᵗ) stand in the places of s and a below.

    Dialects: "keras" and "optax" have `eps_in_sqrt`, `rate_in_buffer` and other defaults, Keras
    decoupled decay too; "paper" (a lecture, without ε or momentum) has α = 0.9.

    Where rounding makes s − a² negative the root is taken of 0; torch gives NaN there.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        alpha: α, the decay of the averages.
        eps: ε.
        weight_decay: λ, added to the gradient (L2).
        momentum: μ; 0 keeps no buffer.
        centered: divide by the standard deviation instead of the root mean square.
        eps_in_sqrt: ε inside the root instead of beside it.
        nesterov: Nesterov's momentum, as optax has it; needs `momentum`.
        rate_in_buffer: multiply what enters the buffer by η, not what leaves it.
        bias_correction: correct the averages for their start at 0.
        initial_accumulator_value: what s starts from; 1 in TensorFlow's first version.
        decoupled_weight_decay: AdamW's decay, θ ← θ(1 − ηλ), instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `square_avg`; `grad_avg` if centered; `momentum_buffer` with momentum.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.RMSprop(w, lr=0.1, alpha=0.75, eps=0.0)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> w
        array([ 0.8, -1.8])
    """

    rule = "rmsprop"
    paper = "Tieleman & Hinton, 2012: Lecture 6.5, RMSProp"
    _shown: ClassVar[Mapping[str, str]] = {"eps_in_sqrt": "eps"}
    _switches: ClassVar[tuple[str, ...]] = (
        "centered",
        "eps_in_sqrt",
        "nesterov",
        "rate_in_buffer",
        "bias_correction",
        "decoupled_weight_decay",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("centered", "initial_accumulator_value")
    _dialects: ClassVar[Table] = {
        "keras": {
            "lr": 1e-3,
            "alpha": 0.9,
            "eps": 1e-7,
            "eps_in_sqrt": True,
            "rate_in_buffer": True,
            "decoupled_weight_decay": True,
        },
        "optax": {"alpha": 0.9, "eps_in_sqrt": True, "rate_in_buffer": True},
        "paper": {"alpha": 0.9},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        alpha: Scalar = 0.99,
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        momentum: Scalar = 0.0,
        centered: bool = False,
        *,
        eps_in_sqrt: bool = False,
        nesterov: bool = False,
        rate_in_buffer: bool = False,
        bias_correction: bool = False,
        initial_accumulator_value: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "eps_in_sqrt": eps_in_sqrt,
            "nesterov": nesterov,
            "rate_in_buffer": rate_in_buffer,
            "bias_correction": bias_correction,
            "initial_accumulator_value": initial_accumulator_value,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super()._scalars(values) | inside_or_beside(values)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [values["centered"], is_on(values["momentum"])]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        finite(values["initial_accumulator_value"], "initial_accumulator_value")
        if values["nesterov"] and not is_on(values["momentum"]):
            raise ValueError(
                "Nesterov momentum requires a momentum: got "
                f"momentum={values['momentum']}; pass e.g. momentum=0.9"
            )
        if values["bias_correction"] and values["alpha"] == 1:
            raise ValueError(
                "bias_correction: expected alpha below 1, got alpha=1, which would divide by 0; "
                "pass e.g. alpha=0.99"
            )

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"initial_accumulator_value": 0.0}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return float(values["initial_accumulator_value"]) if slot == "square_avg" else 0.0
