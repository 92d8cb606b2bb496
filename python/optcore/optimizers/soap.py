"""SOAP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..reference.soap import preconditioned_axes, soap_direction
from ..typing import Scalar, Tree
from . import ranges
from .common import Common
from .directed import DirectedOptimizer
from .hyper import pair

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SOAP(DirectedOptimizer):
    """SOAP (Vyas et al., 2024): Adam in the eigenbasis of Shampoo's preconditioners.

    .. code-block:: text

        step 1         Lᵢ = (1−β)GᵢGᵢᵀ, Qᵢ = its eigenvectors; θ stays as it is
        step t = s+1   m ← β₁m + (1−β₁)G,  v ← β₂v + (1−β₂)(QᵀG)²
                       θ ← (θ − η·√(1−β₂ˢ)/(1−β₁ˢ) · Q(Qᵀm/(√v + ε)))·(1 − ηλ)
                       Lᵢ ← βLᵢ + (1−β)GᵢGᵢᵀ
        s = f, 2f, …   Qᵢ ← the Q of QR = LᵢQᵢ, columns by falling eigenvalue

    Gᵢ is G unfolded along axis i; QᵀG turns G along all its axes. This is what the authors' code
    does. The signs of eigenvectors cancel; where an eigenvalue is repeated, as the zeros after the
    first gradient of a matrix that is much longer than wide, the basis is LAPACK's choice.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β₁, β₂; each may be a schedule.
        shampoo_beta: β; None takes β₂.
        eps: ε, beside the root.
        weight_decay: λ, decoupled, after the step.
        precondition_frequency: f.
        max_precond_dim: axes longer than this are not turned.
        precondition_1d: turn vectors as well; without, a vector has Adam's step.
        correct_bias: the factors 1−βˢ; else 1.
        normalize_gradient: divide the direction by its root mean square.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`; for each axis that is turned `gg_0`, ... (Lᵢ) and `q_0`, ...
    (Qᵢ), n × n.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.zeros((2, 2))
        >>> opt = oc.SOAP(w, lr=0.5, weight_decay=0.0)
        >>> for _ in range(2):
        ...     opt.step(np.array([[4.0, 2.0], [2.0, 4.0]]))
        >>> w.round(3) + 0.0
        array([[-0.5,  0. ],
               [ 0. , -0.5]])
    """

    paper = "Vyas et al., 2024: SOAP: Improving and stabilizing Shampoo using Adam"
    direction = staticmethod(soap_direction)
    _state_slots: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        ("exp_avg", "exp_avg_sq"),
        (),
    )
    _uses: ClassVar[tuple[str, ...]] = (
        "lr",
        "betas",
        "shampoo_beta",
        "eps",
        "weight_decay",
        "precondition_frequency",
        "max_precond_dim",
        "precondition_1d",
        "correct_bias",
        "normalize_gradient",
    )
    _switches: ClassVar[tuple[str, ...]] = (
        "precondition_1d",
        "correct_bias",
        "normalize_gradient",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("max_precond_dim", "precondition_1d")
    _whole: ClassVar[Mapping[str, int]] = {"precondition_frequency": 1, "max_precond_dim": 0}
    _ranges: ClassVar[Mapping[str, ranges.Range]] = {
        "betas[0]": ranges.BELOW_ONE,
        "betas[1]": ranges.BELOW_ONE,
        "shampoo_beta": ranges.BELOW_ONE,
        "eps": ranges.NON_NEGATIVE,
        "weight_decay": ranges.NON_NEGATIVE,
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 3e-3,
        betas: tuple[Scalar, Scalar] = (0.95, 0.95),
        shampoo_beta: Scalar | None = None,
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 1e-2,
        precondition_frequency: int = 10,
        *,
        max_precond_dim: int = 10000,
        precondition_1d: bool = False,
        correct_bias: bool = True,
        normalize_gradient: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "shampoo_beta": shampoo_beta,
            "eps": eps,
            "weight_decay": weight_decay,
            "precondition_frequency": precondition_frequency,
            "max_precond_dim": max_precond_dim,
            "precondition_1d": precondition_1d,
            "correct_bias": correct_bias,
            "normalize_gradient": normalize_gradient,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        pair(values["betas"], "betas")

    @classmethod
    def _core_decay(cls, values: Mapping[str, Any]) -> Any:
        return 0.0  # the direction has it, as the first step decays nothing

    @classmethod
    def _coupled(cls, values: Mapping[str, Any]) -> bool:
        return False

    @classmethod
    def shapes(
        cls, values: Mapping[str, Any], shape: tuple[int, ...]
    ) -> dict[str, tuple[int, ...] | None]:
        """Two moments, and two matrices for each axis that is turned."""
        wanted: dict[str, tuple[int, ...] | None] = {"exp_avg": None, "exp_avg_sq": None}
        limit, vectors = values["max_precond_dim"], values["precondition_1d"]
        for axis in preconditioned_axes(shape, limit, vectors):
            wanted[f"gg_{axis}"] = wanted[f"q_{axis}"] = (shape[axis], shape[axis])
        return wanted
