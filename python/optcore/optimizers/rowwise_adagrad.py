"""Adagrad with one accumulator per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Array, Scalar, Tree
from .base import Optimizer
from .common import Common
from .hyper import finite
from .slots import Slot, contiguous

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RowwiseAdagrad(Optimizer):
    """Adagrad with one accumulator per row, as embedding tables are trained (FBGEMM, torchrec).

    .. code-block:: text

        g ← g + λθ
        s ← s + mean of g² over the row
        θ ← θ − η · g/(√s + ε)

    A row is what lies under one index of the first axis; of a vector, each element is one. The
    state of a table of n rows is n numbers. Gradients are arrays or `Rows`; with `Rows` only the
    rows that are named change.

    The mean is a float64 sum over blocks in a fixed order, so the bits depend on the row alone.
    Parameters are float32 or float64 and C-contiguous; others are a TypeError or ValueError.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        weight_decay: λ, added to the gradient (L2).
        initial_accumulator_value: what s starts from.
        eps: ε, beside the root.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, threads: see `Optimizer`.

    State: `sum`, of shape (rows, 1, ...).

    Example:
        >>> import numpy as np, optcore as oc
        >>> table = np.zeros((3, 2))
        >>> opt = oc.RowwiseAdagrad({"table": table}, lr=5.0)
        >>> opt.step({"table": oc.Rows([1], np.array([[1.0, 7.0]]))})
        >>> table
        array([[ 0.,  0.],
               [-1., -7.],
               [ 0.,  0.]])
        >>> opt.state["table"]["sum"].ravel()
        array([ 0., 25.,  0.])
    """

    rule = "rowwise_adagrad"
    paper = "Duchi, Hazan & Singer, 2011, with one accumulator per row as in FBGEMM"
    _fixed: ClassVar[tuple[str, ...]] = ("initial_accumulator_value",)

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        weight_decay: Scalar = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: Scalar = 1e-10,
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        finite(values["initial_accumulator_value"], "initial_accumulator_value")

    @classmethod
    def bytes_moved(cls, state: list[str]) -> int | None:
        """One number per row: it depends on their length."""
        return None

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        return {"initial_accumulator_value": 0.0}

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        return float(values["initial_accumulator_value"])

    def _slots_of(self, group: int, param: Array, where: str) -> dict[str, Slot]:
        wanted = self.groups[group]._values["state_dtype"]
        if wanted not in (None, "param", str(param.dtype)):
            raise TypeError(
                f"state_dtype: expected None for {where}, got {wanted!r}; the accumulators of "
                "RowwiseAdagrad are few, and kept in the parameter's own type"
            )
        shape = (*param.shape[:1], *(1 for _ in param.shape[1:]))
        return {"sum": contiguous(param, shape, param.dtype)}
