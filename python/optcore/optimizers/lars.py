"""LARS."""

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


class LARS(Optimizer):
    """LARS (You, Gitman & Ginsburg, 2017): SGD with a trust ratio for each tensor.

    .. code-block:: text

        r = trust_coefficient·‖θ‖/(‖g‖ + λ‖θ‖ + eps)      1 where either norm is 0
        b ← μ·b + (1−τ)·r·(g + λθ)                        b ← r·(g + λθ) at the first step
        θ ← θ − ηb                                        nesterov: θ ← θ − η(r·(g + λθ) + μb)

    This is timm's form. `joint_norm` has ‖g + λθ‖ + eps below the line, and `rate_in_buffer`
    multiplies the ratio, not the step, by η, so that a change of the rate reaches the buffer's old
    part with later steps only. The dialect "optax" has both, "paper" the second. Implementations
    usually leave ratio and decay out for vectors (biases, scales of norms): give those their own
    `SGD`.

    The norms are sums in float64 in a fixed order, so the bits depend on the tensor alone. A shard
    of a tensor has another norm than the tensor: sharded, this is another rule.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ; may be a schedule.
        dampening: τ, from the second step on.
        weight_decay: λ.
        nesterov: look ahead along the buffer.
        trust_coefficient: how long a step is, as a part of ‖θ‖, at a rate of 1.
        eps: what is added to the norms below the line.
        joint_norm: the norm of the sum g + λθ in the place of the sum of norms.
        rate_in_buffer: collect steps, not gradients.
        trust_clip: limit r to min(r/η, 1), as LARC does.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `momentum_buffer`; nothing without momentum.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([3.0, 4.0])
        >>> opt = oc.LARS(w, lr=1.0, trust_coefficient=0.5, eps=0.0)
        >>> opt.step(np.array([0.0, -2.0]))
        >>> w
        array([3. , 6.5])
    """

    rule = "lars"
    paper = "You, Gitman & Ginsburg, 2017: Large batch training of convolutional networks"
    _switches: ClassVar[tuple[str, ...]] = (
        "nesterov",
        "joint_norm",
        "rate_in_buffer",
        "trust_clip",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("nesterov",)
    _dialects: ClassVar[Table] = {
        "optax": {"eps": 0.0, "joint_norm": True, "rate_in_buffer": True},
        "paper": {"eps": 0.0, "rate_in_buffer": True},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        momentum: Scalar = 0.9,
        dampening: Scalar = 0.0,
        weight_decay: Scalar = 0.0,
        nesterov: bool = False,
        *,
        trust_coefficient: Scalar = 1e-3,
        eps: Scalar = 1e-8,
        joint_norm: bool = False,
        rate_in_buffer: bool = False,
        trust_clip: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "trust_coefficient": trust_coefficient,
            "eps": eps,
            "joint_norm": joint_norm,
            "rate_in_buffer": rate_in_buffer,
            "trust_clip": trust_clip,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [is_on(values["momentum"]), values["nesterov"]]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        if values["nesterov"] and not is_on(values["momentum"]):
            raise ValueError(
                f"Nesterov momentum requires a momentum: got momentum={values['momentum']}; "
                "pass e.g. momentum=0.9"
            )
