"""SM3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..reference.sm3 import sm3_direction
from ..typing import Scalar, Tree
from . import ranges
from .common import Common
from .dialects import Table
from .directed import DirectedOptimizer
from .hyper import is_on

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SM3(DirectedOptimizer):
    """SM3 (Anil, Gupta, Koren & Singer, 2019, SM3-II): Adagrad with a vector for every axis.

    .. code-block:: text

        ν = min over axes of their accumulators + g²      (β ≠ 0: β·min + (1−β)g²)
        accumulator of axis k ← max of ν over all other axes
        b ← μb + (1−μ)·g/√(ν + ε)                         (0/0 = 0)
        θ ← θ − ηb

    A matrix of m × n needs m + n numbers beside the momentum. The paper advises to let the rate
    rise over the first steps.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ; 0 keeps no buffer.
        beta: β; 0 sums up, as the paper does, others forget, as optax's b2 does. (With beta,
            pytorch_optimizer never lowers an accumulator.)
        eps: ε, inside the root; optax has 1e-8.
        weight_decay: λ, added to the gradient (L2).
        decoupled_weight_decay: θ ← θ(1 − ηλ) instead.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `accumulator_0`, `accumulator_1`, ..., a vector for each axis (a number for a number);
    `momentum_buffer`, with momentum.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.zeros((2, 2))
        >>> opt = oc.SM3(w, lr=1.0, momentum=0.0)
        >>> opt.step(np.array([[3.0, 4.0], [0.0, 1.0]]))
        >>> w
        array([[-1., -1.],
               [ 0., -1.]])
        >>> opt.state[""]["accumulator_0"]
        array([16.,  1.])
    """

    paper = "Anil, Gupta, Koren & Singer, 2019: Memory-efficient adaptive optimization"
    bits = True
    _dialects: ClassVar[Table] = {"optax": {"eps": 1e-8}, "paper": {}}
    direction = staticmethod(sm3_direction)
    _state_slots: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = ((), ("momentum_buffer",))
    _uses: ClassVar[tuple[str, ...]] = ("momentum", "beta", "eps")
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _ranges: ClassVar[Mapping[str, ranges.Range]] = {
        "momentum": ranges.BELOW_ONE,
        "beta": ranges.BELOW_ONE,
        "eps": ranges.NON_NEGATIVE,
        "weight_decay": ranges.NON_NEGATIVE,
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 0.1,
        momentum: Scalar = 0.9,
        beta: Scalar = 0.0,
        eps: Scalar = 1e-30,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "beta": beta,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [is_on(values["momentum"])]

    @classmethod
    def shapes(
        cls, values: Mapping[str, Any], shape: tuple[int, ...]
    ) -> dict[str, tuple[int, ...] | None]:
        """A vector for each axis, and the momentum buffer."""
        wanted: dict[str, tuple[int, ...] | None] = {
            f"accumulator_{axis}": shape[axis : axis + 1] for axis in range(max(len(shape), 1))
        }
        return wanted | ({"momentum_buffer": None} if is_on(values["momentum"]) else {})
