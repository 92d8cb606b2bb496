"""Sophia's estimates of the Hessian, as an op."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..optimizers.sophia import Sophia
from ..typing import Scalar, Tree
from .op import op


class Estimates(Sophia):
    """Sophia's average of estimates, as if it were a rule: only `hessian` changes."""

    def __init__(self, params: Tree, betas: tuple[Scalar, Scalar] = (0.965, 0.99)):
        super().__init__(params, betas=betas)

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [True]

    @classmethod
    def maskable(cls) -> bool:
        """There is no direction."""
        return False


sophia_hessian_ = op(
    Estimates,
    "sophia_hessian_",
    lr=0.0,
    rho=0.0,
    eps=0.0,
    weight_decay=0.0,
    decoupled_weight_decay=False,
    bias_correction=False,
    maximize=False,
)
sophia_hessian_.__doc__ = """Takes an estimate of the Hessian's diagonal into `hessian`.

As `optcore.Sophia.update_hessian`: h ← β2·h + (1−β2)·g. The arrays are those of `sophia_`, of which
the others stay as they are.

Args:
    p: the parameter, or a list of them.
    g: the estimate, of the same shape; None skips it.
    exp_avg, hessian: the state of `sophia_`; or lists.
    step: the number of the next step; nothing depends on it.
    betas: of which β2 is the second.

Raises:
    TypeError, ValueError: an argument does not fit; nothing has been written then.
"""
