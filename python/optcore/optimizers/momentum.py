"""Momentum in the forms that SGD does not cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .hyper import one_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Momentum(Optimizer):
    """Momentum with the rate inside the buffer, or as an average of gradients.

    .. code-block:: text

        form="velocity"   v ← μv − ηg        θ ← θ + v          nesterov: θ ← θ + μv − ηg
        form="average"    v ← μv + (1−μ)g    θ ← θ − ηv         nesterov: θ ← θ − η((1−μ)g + μv)

    `velocity` is how Sutskever et al. (2013) and Keras write it: a change of the rate reaches the
    buffer's old part only with later steps. Heavy ball as v ← μv + ηg, θ ← θ − v is the same with
    the sign of v turned. `average` starts from 0 and corrects no bias. For v ← μv + g,
    θ ← θ − ηv, use `SGD`. Nesterov's step is in the form of Bengio et al. (2013).

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ.
        form: "velocity" or "average".
        nesterov: look ahead along the buffer.
        weight_decay: λ, added to the gradient (L2).
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `velocity`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Momentum(w, lr=0.1, momentum=0.5, form="velocity")
        >>> opt.step(np.array([1.0, 1.0]))
        >>> opt.step(np.array([1.0, 1.0]))
        >>> w
        array([ 0.75, -2.25])
    """

    rule = "momentum"
    paper = "Sutskever et al., 2013: On the importance of initialization and momentum"
    _switches: ClassVar[tuple[str, ...]] = ("nesterov", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("form", "nesterov")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        momentum: Scalar = 0.9,
        form: str = "velocity",
        nesterov: bool = False,
        weight_decay: Scalar = 0.0,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "form": form,
            "nesterov": nesterov,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in ("lr", "weight_decay", "momentum")}

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [values["form"] == "average", values["nesterov"]]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        one_of(values["form"], ("velocity", "average"), "form")
