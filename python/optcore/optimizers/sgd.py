"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import is_on

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak, 1964) as `torch.optim.SGD` has it.

    .. code-block:: text

        g ← g + λθ
        plain      u = g
        momentum   b ← μb + (1−τ)g  (b ← g at the first step),  u = b
        nesterov   the same b,                                  u = g + μb
        θ ← θ − ηu

    With `rate_in_buffer` the buffer takes η(1−τ)g, and θ ← θ − b, or θ − (ηg + μb): the same until
    the rate changes. Keras writes that with −b for b.

    Dialects: "keras" has `rate_in_buffer`, decoupled decay and another rate; "optax" is as torch;
    "paper" (Sutskever et al., 2013) has `rate_in_buffer`.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ; 0 keeps no buffer.
        dampening: τ.
        weight_decay: λ, added to the gradient (L2).
        nesterov: Nesterov's momentum; needs `momentum` and no `dampening`.
        dampen_first: dampen the first step as all others, as MLX has it.
        rate_in_buffer: multiply what enters the buffer by η, not what leaves it.
        decoupled_weight_decay: AdamW's decay, θ ← θ(1 − ηλ), instead of L2.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `momentum_buffer`, with momentum.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.SGD(w, lr=0.1, momentum=0.9)
        >>> opt.step(np.array([1.0, 1.0]))
        >>> w
        array([ 0.9, -2.1])
    """

    rule = "sgd"
    paper = "Robbins & Monro, 1951: A stochastic approximation method; Polyak, 1964"
    _switches: ClassVar[tuple[str, ...]] = (
        "nesterov",
        "dampen_first",
        "rate_in_buffer",
        "decoupled_weight_decay",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("nesterov",)
    _dialects: ClassVar[Table] = {
        "keras": {"lr": 1e-2, "rate_in_buffer": True, "decoupled_weight_decay": True},
        "optax": {},
        "paper": {"rate_in_buffer": True},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        momentum: Scalar = 0.0,
        dampening: Scalar = 0.0,
        weight_decay: Scalar = 0.0,
        nesterov: bool = False,
        *,
        dampen_first: bool = False,
        rate_in_buffer: bool = False,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "dampen_first": dampen_first,
            "rate_in_buffer": rate_in_buffer,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [is_on(values["momentum"]), values["nesterov"]]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        if values["nesterov"] and (not is_on(values["momentum"]) or is_on(values["dampening"])):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening: got "
                f"momentum={values['momentum']}, dampening={values['dampening']}; "
                "pass e.g. momentum=0.9, dampening=0.0"
            )
