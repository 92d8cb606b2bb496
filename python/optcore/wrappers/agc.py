"""Adaptive gradient clipping."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..optimizers import Optimizer
from ..typing import Array
from . import checks, units
from .base import Wrapper
from .parameter import Parameter
from .transform import GradientTransform

SMALLEST = 1e-6
"""A gradient's norm is divided by no less than this."""


class AGC(GradientTransform):
    """Adaptive gradient clipping (Brock, De, Smith & Simonyan, 2021), unit by unit.

    .. code-block:: text

        limit = clip · max(‖θ‖, eps)
        g ← g · limit/max(‖g‖, 1e-6)        where ‖g‖ > limit

    The norms are those of a unit, one output of a layer: all elements of one index of `axis`. A
    vector is one unit, and so is a number. They are taken in float64 in a fixed order. Clipping
    comes before the optimizer's own `clip_norm`.

    Args:
        optimizer: an optimizer or a wrapper.
        clip: how large a gradient may be, measured by its parameter (the paper's λ).
        eps: what a parameter's norm counts for at least, so that zeros can be left.
        axis: the axis of the outputs. 0 is right for weights of shape (out, in) as torch has
            them; -1 for (in, out), as in `x @ W`, and for convolutions (height, width, in, out),
            as optax has it (but for three axes, where its norm runs over the first alone).
        exclude: paths of parameters that are not clipped; the paper leaves out the last layer.

    Raises:
        TypeError, ValueError: an option of another type or out of range, or an axis that a matrix
            lacks.
        KeyError: a path that no parameter has.

    Example:
        >>> import numpy as np, optcore as oc
        >>> W = np.array([[3.0, 4.0], [6.0, 8.0]])
        >>> opt = oc.AGC(oc.SGD(W, lr=1.0), clip=0.1)
        >>> opt.step(np.array([[0.0, 2.0], [0.0, 1.0]]))
        >>> W
        array([[3. , 3.5],
               [6. , 7. ]])
    """

    kind = "agc"

    def __init__(
        self,
        optimizer: Optimizer | Wrapper,
        clip: float = 0.01,
        eps: float = 1e-3,
        axis: int = 0,
        exclude: Collection[str] = (),
    ):
        super().__init__(optimizer, {"clip": clip, "eps": eps, "axis": axis, "exclude": exclude})

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        limits = {
            "clip": checks.number(options["clip"], "clip", float("inf"), 0.01),
            "eps": checks.number(options["eps"], "eps", float("inf"), 1e-3),
        }
        return {**super()._checked(options), **limits}

    def _changes(self, parameter: Parameter) -> bool:
        return parameter.array.size > 0

    def _change(self, parameter: Parameter, grad: Array, scale: float, out: Array) -> None:
        axis = self._options["axis"]
        norm = np.sqrt(units.sums(grad, axis, squared=True)) / scale
        size = np.sqrt(units.sums(parameter.array, axis, squared=True))
        limit = self._options["clip"] * np.maximum(size, self._options["eps"])
        factor = np.where(norm > limit, limit / np.maximum(norm, SMALLEST), 1.0)
        np.multiply(grad, units.spread(factor, grad, axis), out=out)
