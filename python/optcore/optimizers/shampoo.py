"""Shampoo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..reference.shampoo import shampoo_direction
from ..typing import Scalar, Tree
from . import ranges
from .common import Common
from .directed import DirectedOptimizer
from .hyper import is_on, one_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Shampoo(DirectedOptimizer):
    """Shampoo (Gupta, Koren & Singer, 2018): a matrix for every axis of a parameter.

    .. code-block:: text

        Lᵢ ← Lᵢ + GᵢGᵢᵀ        (beta2: β₂Lᵢ + (1−β₂)GᵢGᵢᵀ)
        θ ← θ − η · G ×₁ (L₁ + εI)^(−1/2k) ×₂ … ×ₖ (Lₖ + εI)^(−1/2k)

    Gᵢ is G unfolded along axis i, k the number of axes; for a matrix this is
    (L + εI)^(−¼) G (R + εI)^(−¼), for a vector full-matrix Adagrad. Roots come from the eigenvalues
    that LAPACK finds (`np.linalg.eigh`), which takes about 10 n³ operations for an axis of n.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        momentum: μ; not 0, b ← μb + (1−μ)G takes the place of G in the last line, as in the paper.
        beta2: β₂; None sums up.
        eps: ε, above 0.
        weight_decay: λ, added to the gradient (L2).
        precondition_frequency: k; roots are worked out anew at steps 1, 1 + k, 1 + 2k, ...
        max_precond_dim: axes longer than this keep only the diagonal of Lᵢ.
        graft: the length of a step: None, its own; "sgd", that of SGD's; "adagrad", that of
            Adagrad's (Agarwal et al., 2020).
        decoupled_weight_decay: θ ← θ(1 − ηλ) instead.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: for each axis `pre_cond_0`, ... (Lᵢ, n × n) and `inv_pre_cond_0`, ... (its root), of axes
    longer than `max_precond_dim` only the former, of n; `momentum_buffer` with momentum;
    `graft_sum` with graft="adagrad".

    pytorch_optimizer's Shampoo differs in that it mixes the last finished update into the gradient
    as momentum, and works out no root before step k.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.zeros((2, 2))
        >>> opt = oc.Shampoo(w, lr=1.0)
        >>> opt.step(np.diag([100.0, 1.0]))
        >>> np.abs(w).round(3)
        array([[1., 0.],
               [0., 1.]])
    """

    paper = "Gupta, Koren & Singer, 2018: Shampoo: Preconditioned stochastic tensor optimization"
    direction = staticmethod(shampoo_direction)
    _state_slots: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        (),
        ("momentum_buffer", "graft_sum"),
    )
    _uses: ClassVar[tuple[str, ...]] = (
        "momentum",
        "beta2",
        "eps",
        "precondition_frequency",
        "max_precond_dim",
        "graft",
    )
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("max_precond_dim", "graft")
    _whole: ClassVar[Mapping[str, int]] = {"precondition_frequency": 1, "max_precond_dim": 0}
    _ranges: ClassVar[Mapping[str, ranges.Range]] = {
        "momentum": ranges.BELOW_ONE,
        "beta2": ranges.BELOW_ONE,
        "eps": ranges.POSITIVE,
        "weight_decay": ranges.NON_NEGATIVE,
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 0.1,
        momentum: Scalar = 0.0,
        beta2: Scalar | None = None,
        eps: Scalar = 1e-6,
        weight_decay: Scalar = 0.0,
        precondition_frequency: int = 1,
        *,
        max_precond_dim: int = 8192,
        graft: str | None = None,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "beta2": beta2,
            "eps": eps,
            "weight_decay": weight_decay,
            "precondition_frequency": precondition_frequency,
            "max_precond_dim": max_precond_dim,
            "graft": graft,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        if values["graft"] is not None:
            one_of(values["graft"], ("sgd", "adagrad"), "graft")

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [is_on(values["momentum"])]

    @classmethod
    def shapes(
        cls, values: Mapping[str, Any], shape: tuple[int, ...]
    ) -> dict[str, tuple[int, ...] | None]:
        """Two matrices for each axis, or a vector; what momentum and grafting need."""
        wanted: dict[str, tuple[int, ...] | None] = {}
        for axis, n in enumerate(shape or (1,)):
            if n > values["max_precond_dim"]:
                wanted[f"pre_cond_{axis}"] = (n,)
            else:
                wanted[f"pre_cond_{axis}"] = wanted[f"inv_pre_cond_{axis}"] = (n, n)
        if is_on(values["momentum"]):
            wanted["momentum_buffer"] = None
        if values["graft"] == "adagrad":
            wanted["graft_sum"] = None
        return wanted
