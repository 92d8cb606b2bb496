"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .hyper import is_on

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012; centered: Graves, 2013), as `torch.optim.RMSprop` has it.

    .. code-block:: text

        g ← g + λθ
        s ← αs + (1−α)g²
        centered: a ← αa + (1−α)g, and s − a² in the place of s below
        u = g/(√s + ε)                  eps_in_sqrt: g/√(s + ε), TensorFlow's and Keras's form
        momentum: b ← μb + u, and b in the place of u
        θ ← θ − ηu

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
    _switches: ClassVar[tuple[str, ...]] = ("centered", "eps_in_sqrt", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("centered",)

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
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        names = ("lr", "weight_decay", "alpha", "momentum")
        inside = values["eps_in_sqrt"]
        return {name: values[name] for name in names} | {
            "eps": 0.0 if inside else values["eps"],
            "eps_in_sqrt": values["eps"] if inside else 0.0,
        }

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [values["centered"], is_on(values["momentum"])]
