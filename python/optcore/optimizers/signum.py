"""signSGD and Signum."""

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


class Signum(Optimizer):
    """Signum (Bernstein et al., 2018, algorithm 2): the sign of an average of gradients.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        m ← μ·m + (1−μ)g
        θ ← θ − η·sign(m)               sign(0) = 0

    m needs no correction of its start, as only its sign counts. Without momentum this is `SignSGD`,
    with no state.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ; may be a schedule.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `momentum_buffer`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Signum(w, lr=0.25)
        >>> opt.step(np.array([4.0, -0.125]))
        >>> w
        array([ 0.75, -1.75])
    """

    rule = "signum"
    paper = "Bernstein et al., 2018: signSGD: Compressed optimisation for non-convex problems"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {"optax": {}, "paper": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        momentum: Scalar = 0.9,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = True,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [is_on(values["momentum"])]


class SignSGD(Optimizer):
    """signSGD (Bernstein et al., 2018, algorithm 1): `Signum` without momentum.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        θ ← θ − η·sign(g)               sign(0) = 0

    Only the signs of gradients count, not their sizes; a gradient of 0 moves nothing.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: none.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0, 3.0])
        >>> opt = oc.SignSGD(w, lr=0.25)
        >>> opt.step(np.array([4.0, -0.125, 0.0]))
        >>> w
        array([ 0.75, -1.75,  3.  ])
    """

    rule = "signum"
    paper = "Bernstein et al., 2018: signSGD: Compressed optimisation for non-convex problems"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _dialects: ClassVar[Table] = {"optax": {}, "paper": {}}

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        weight_decay: Scalar = 0.0,
        *,
        decoupled_weight_decay: bool = True,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super()._scalars(values) | {"momentum": 0.0}

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [False]

    @classmethod
    def slot_names(cls) -> tuple[list[str], list[str]]:
        """None, as there is no momentum."""
        return [], []
