"""Rprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..schedules import Schedule
from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .hyper import pair

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Rprop(Optimizer):
    """Rprop (Riedmiller & Braun, 1993), as `torch.optim.Rprop` has it. For full batches.

    .. code-block:: text

        g·g' > 0:  s ← η⁺·s
        g·g' < 0:  s ← η⁻·s, and g ← 0
        then       s ← s, but within step_sizes
                   θ ← θ − sign(g)·s        g' ← g

    g' is the gradient of the step before. Where the sign turns, the element rests for a step. Where
    g·g' is 0 or NaN, s stays; where g is 0, θ does. A NaN in g makes θ NaN; torch ignores it.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the first step size, of a schedule its first value. Later ones follow from the gradients
            alone; setting it later has no effect, as in torch.
        etas: η⁻, between 0 and 1, and η⁺, above 1.
        step_sizes: the least and the greatest step size.
        weight_decay: λ, added to the gradient (L2).
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `prev`, g'; `step_size`, s, which starts at `lr`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Rprop(w, lr=0.25)
        >>> for _ in range(3):
        ...     opt.step(2 * w)
        >>> np.round(w, 12)
        array([ 0.09, -1.09])
    """

    rule = "rprop"
    paper = "Riedmiller & Braun, 1993: A direct adaptive method for faster backpropagation"
    _shown: ClassVar[Mapping[str, str]] = {
        "eta_minus": "etas[0]",
        "eta_plus": "etas[1]",
        "step_size_min": "step_sizes[0]",
        "step_size_max": "step_sizes[1]",
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        etas: tuple[Scalar, Scalar] = (0.5, 1.2),
        step_sizes: tuple[Scalar, Scalar] = (1e-6, 50.0),
        weight_decay: Scalar = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _normalized(cls, values: dict[str, Any]) -> dict[str, Any]:
        etas = pair(values["etas"], "etas", (0.5, 1.2))
        if all(isinstance(each, (int, float)) for each in etas) and not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(
                f"Invalid eta values: {etas[0]}, {etas[1]} (they have to lie in (0, 1) and above "
                "1, such as (0.5, 1.2))"
            )
        return super()._normalized(values)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        eta_minus, eta_plus = pair(values["etas"], "etas", (0.5, 1.2))
        least, most = pair(values["step_sizes"], "step_sizes", (1e-6, 50.0))
        return {name: values[name] for name in ("lr", "weight_decay")} | {
            "eta_minus": eta_minus,
            "eta_plus": eta_plus,
            "step_size_min": least,
            "step_size_max": most,
        }

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        least, most = values["step_sizes"]
        scheduled = any(isinstance(x, Schedule) or callable(x) for x in (least, most))
        if not scheduled and least > most:
            raise ValueError(
                f"Invalid step_sizes values: {least}, {most} (the first has to be the smaller)"
            )

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"lr": 1e-2}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        if slot != "step_size":
            return 0.0
        lr = values["lr"]
        return float(lr(0) if isinstance(lr, Schedule) else lr)
