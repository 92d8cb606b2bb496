"""Averaged SGD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .storage import scale_of
from .trees import rebuilt

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ASGD(Optimizer):
    """Averaged SGD (Polyak & Juditsky, 1992), as `torch.optim.ASGD` has it.

    .. code-block:: text

        g ← g + λθ
        θ ← θ(1 − λ'η) − ηg             a ← a + μ(θ − a)
        then, for the next step         η = lr/(1 + λ'·lr·t)^α,  μ = 1/max(1, t − t0)

    In the first step η = lr and μ = 1, so that a is θ itself until t0. λ' is `lambd`. As η is
    worked out at the end of a step, a new `lr` reaches the step after the next.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate that η starts from.
        lambd: λ', the decay of the parameter and of the rate.
        alpha: the power α of the rate's decay.
        t0: the step at which averaging begins; any number, negative ones included.
        weight_decay: λ, added to the gradient (L2).
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `ax`, the average a; the float64 scalars `eta` and `mu`, for the next step.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.ASGD(w, lr=0.5, lambd=0.0, t0=0)
        >>> for _ in range(3):
        ...     opt.step(np.array([1.0, -2.0]))
        >>> w, opt.averaged_params
        (array([-0.5,  1. ]), array([-0.25,  0.5 ]))
    """

    rule = "asgd"
    paper = "Polyak & Juditsky, 1992: Acceleration of stochastic approximation by averaging"

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        lambd: Scalar = 1e-4,
        alpha: Scalar = 0.75,
        t0: Scalar = 1e6,
        weight_decay: Scalar = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @property
    def averaged_params(self) -> Any:
        """The averages a, nested as the parameters are: the optimizer's own arrays.

        They are 0 before the first step. Kept in 8 bits they are no arrays to look at: a TypeError.
        """
        for path in self._paths:
            if scale_of("ax") in self._state[path]:
                raise TypeError(
                    f"averaged_params: expected ax of {path!r} in float32 or bfloat16, got 8-bit "
                    "codes; pass state_dtype='float32' or 'bfloat16'"
                )
        averages = [self._state[path]["ax"] for path in self._paths]
        return rebuilt(self._params, self._grouped, averages)

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return 1.0 if slot == "mu" else 0.0
