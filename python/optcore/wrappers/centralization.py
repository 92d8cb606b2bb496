"""Gradient centralization."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..optimizers import Optimizer
from ..typing import Array
from . import units
from .base import Wrapper
from .parameter import Parameter
from .transform import GradientTransform


class GradientCentralization(GradientTransform):
    """Gradient centralization (Yong, Huang, Hua & Zhang, 2020).

    .. code-block:: text

        g ← g − mean of g over its unit        for arrays of two axes and more

    A unit is one output of a layer: all elements of one index of `axis`. Vectors and numbers stay
    as they are. The means are taken in float64 in a fixed order.

    Args:
        optimizer: an optimizer or a wrapper.
        axis: the axis of the outputs. 0 is right for weights of shape (out, in) as torch has
            them; -1 for (in, out), as in `x @ W`, and for convolutions (height, width, in, out).
        exclude: paths of parameters whose gradients stay as they are.

    Raises:
        TypeError, ValueError: an option of another type, or an axis that a matrix lacks.
        KeyError: a path that no parameter has.

    Example:
        >>> import numpy as np, optcore as oc
        >>> W = np.zeros((2, 3))
        >>> opt = oc.GradientCentralization(oc.SGD(W, lr=1.0))
        >>> opt.step(np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]]))
        >>> W
        array([[ 1.,  0., -1.],
               [ 0.,  0.,  0.]])
    """

    kind = "gradient_centralization"

    def __init__(
        self, optimizer: Optimizer | Wrapper, axis: int = 0, exclude: Collection[str] = ()
    ):
        super().__init__(optimizer, {"axis": axis, "exclude": exclude})

    def _changes(self, parameter: Parameter) -> bool:
        return parameter.array.ndim >= 2 and parameter.array.size > 0

    def _change(self, parameter: Parameter, grad: Array, scale: float, out: Array) -> None:
        axis = self._options["axis"]
        mean = units.sums(grad, axis) / (grad.size // grad.shape[axis])
        np.subtract(grad, units.spread(mean, grad, axis), out=out)
