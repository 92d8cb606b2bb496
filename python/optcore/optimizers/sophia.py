"""Sophia."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .. import _core
from ..errors import NonFiniteError
from ..typing import Scalar, Tree
from . import hyper, storage
from .base import Optimizer, StepOptions, _split_groups
from .common import Common
from .dialects import Table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Sophia(Optimizer):
    """Sophia (Liu et al., 2023): momentum over curvature, each element limited to one rate.

    .. code-block:: text

        θ ← θ(1 − ηλ)                   decoupled_weight_decay=False: g ← g + λθ instead
        m ← β1·m + (1−β1)g
        u = m/max(ρ·h, ε)               limited to ±1
        θ ← θ − ηu
        h ← β2·h + (1−β2)ĥ              in update_hessian(ĥ)

    ĥ is an estimate of the Hessian's diagonal, which only the caller can make: Hutchinson's
    v ⊙ (Hv) for a random v, or the Gauss-Newton-Bartlett estimate, the batch size times g ⊙ g of
    labels drawn from the model. Every ten steps are enough. Until the first h is 0, and every
    element takes a full step along the sign of m; as where the curvature is negative.

    Dialects: "optax" corrects the bias of m and has other defaults.

    pytorch_optimizer's SophiaH limits m/max(h, ε') to ±p: for its steps pass lr·p for lr,
    `rho=p` and p·ε' for `eps`.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η, the largest step of an element.
        betas: β1 of the momentum, β2 of the Hessian; each may be a schedule.
        rho: ρ; the larger, the more elements are below the limit.
        eps: the least that is divided by.
        weight_decay: λ.
        decoupled_weight_decay: AdamW's decay; False adds λθ to the gradient.
        bias_correction: divide m by 1−β1ᵗ in u, as optax does.
        maximize: step along the gradient instead of against it. Estimates are taken as they are:
            pass those of what is minimised, the negative objective.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg` (m), `hessian` (h).

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Sophia(w, lr=0.5, betas=(0.5, 0.0), rho=1.0, weight_decay=0.0)
        >>> opt.update_hessian(np.array([4.0, 0.25]))
        >>> opt.step(np.array([4.0, -1.0]))
        >>> w
        array([ 0.75, -1.5 ])
    """

    rule = "sophia"
    paper = "Liu et al., 2023: Sophia: A scalable stochastic second-order optimizer"
    _switches: ClassVar[tuple[str, ...]] = (
        "decoupled_weight_decay",
        "bias_correction",
        "maximize",
    )
    _dialects: ClassVar[Table] = {
        "optax": {"rho": 0.01, "eps": 1e-8, "weight_decay": 1e-4, "bias_correction": True},
        "paper": {},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-4,
        betas: tuple[Scalar, Scalar] = (0.965, 0.99),
        rho: Scalar = 0.04,
        eps: Scalar = 1e-12,
        weight_decay: Scalar = 0.1,
        *,
        decoupled_weight_decay: bool = True,
        bias_correction: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "bias_correction": bias_correction,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
        self._hessians = self._second_stepper()

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return [False]

    def update_hessian(self, hessian: Tree) -> None:
        """Takes an estimate of the Hessian's diagonal into h; parameters and momentum stay.

        Args:
            hessian: arrays like the gradients, nested as the parameters are; None in the place of
                one leaves its h alone. Scheduled betas have the value of the next step. What is
                not finite is handled as `nonfinite` says: "skip" leaves every h as it is.

        Raises:
            KeyError, TypeError, ValueError, NonFiniteError, RuntimeError: as for `step`; nothing
                has changed then.

        Example:
            >>> import numpy as np, optcore as oc
            >>> opt = oc.Sophia({"w": np.ones(2)}, betas=(0.9, 0.75))
            >>> opt.update_hessian({"w": np.array([4.0, -8.0])})
            >>> opt.state["w"]["hessian"]
            array([ 1., -2.])
        """
        self._stepper.hold()  # no step meanwhile
        try:
            self._tell_hessians()
            updated = self._hessian_step(hessian, 1.0)
        finally:
            self._stepper.let_go()
        if not updated and self._step_options.nonfinite == "raise":
            tensor, element = self._hessians.nonfinite
            where = storage.index_of(self._arrays[tensor], element)
            raise NonFiniteError(self._paths[tensor], where)

    def _second_stepper(self) -> _core.Stepper:
        """The core's view of the same parameters and state, for estimates in place of gradients."""
        trees, _, grouped = _split_groups(self._params)
        stepper = _core.Stepper(self.rule, trees, grouped, "hessian")
        leaves = [(g, i) for g, tree in enumerate(trees) for i in range(len(tree.paths))]
        for (g, i), path in zip(leaves, self._paths, strict=True):
            slots = [storage.as_slot(self._state[path], name) for name in ("exp_avg", "hessian")]
            stepper.add(g, i, slots, [], "nearest", None, None, None)
        stepper.finish()
        self._hessian_step = stepper.step_call()
        return stepper

    def _tell_hessians(self) -> None:
        """Hands on what the groups and the options say now."""
        for i, group in enumerate(self.groups):
            self._hessians.set_variant(i, 1, False, False, False, False)
            scalars = self._scalars(group._values) | {"weight_decay": 0.0}
            for name, value in scalars.items():
                self._hessians.set_hyper(i, name, hyper.native(hyper.source(value, name)))
        self._hessians.set_steps(self.step_count, self._stepper.param_steps)
        options = self._step_options
        StepOptions(
            None, None, options.nonfinite, False, False, options.seed, options.threads
        ).tell(self._hessians)
