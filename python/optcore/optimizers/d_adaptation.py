"""Prodigy and D-Adaptation: optimizers that find their own rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..typing import Scalar, Tree
from .base import Optimizer
from .common import Common
from .hyper import source

if TYPE_CHECKING:
    from typing_extensions import Unpack


class DistanceEstimate(Optimizer):
    """What the three share: one estimate d for all parameters, of all groups.

    What the estimate is made with has to be the same in all groups.
    """

    _of_all_groups: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Tree, values: Mapping[str, Any], **common: Any):
        super().__init__(params, values, **common)
        for name in self._of_all_groups:
            for i, group in enumerate(self.groups[1:], 1):
                if group.schedule(name) != self.groups[0].schedule(name):
                    raise ValueError(
                        f"groups[{i}]/{name}: expected {self.groups[0].schedule(name)!r}, as in "
                        f"groups[0], got {group.schedule(name)!r}; all groups share one estimate "
                        "of d, so set it for the whole optimizer"
                    )

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        if not isinstance(source(values["d0"], "d0"), float):
            raise TypeError(
                f"d0: expected a number, got {values['d0']!r}; it is the first d, pass e.g. 1e-6"
            )

    @property
    def d(self) -> float:
        """The present estimate of the distance from the start to the solution."""
        d = float(self._state[self._paths[0]]["d"])
        return d if d > 0 else float(self.groups[0]["d0"])


class Prodigy(DistanceEstimate):
    """Prodigy (Mishchenko & Defazio, 2023): Adam that finds its own rate. Leave lr at 1.

    .. code-block:: text

        δ = dη                          use_bias_correction: times √(1−β2ᵏ)/(1−β1ᵏ)
        r ← β3·r + Σ (d/d0)δ·g·(θ0 − θ) s ← β3·s + (d/d0)δ·g     safeguard_warmup: d for δ
        m ← β1·m + (1−β1)d·g            v ← β2·v + (1−β2)d²g²
        d' = max(d so far, d_coef·r/Σ|s|), at most growth_rate·d
        θ ← θ(1 − δλ) − δ·m/(√v + d'ε)  decouple=False: g ← g + λθ instead

    d estimates the distance from the start θ0 to the solution, from below. The sums are over all
    parameters of all groups, so all share one d, which `opt.d` shows; steps are counted for all of
    them together (k). A step with a rate of 0, or before the first gradient that is not zero,
    changes nothing. For a schedule of the rate pass one that begins at 1.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: η, a factor for the rate that is found.
        betas: β1, β2; each may be a schedule.
        beta3: the decay of the sums, or None for √β2.
        eps: ε, beside the root.
        weight_decay: λ.
        decouple: AdamW's decay, times d; False for L2.
        use_bias_correction: Adam's, off by default.
        safeguard_warmup: leave the rate out of s, for a schedule that begins low.
        d0: the first d, far below the distance.
        d_coef: scales the estimate; the way to tune this rule, from 0.5 to 2.
        growth_rate: the most that d may grow by in one step; 1.02 makes a kind of warm-up.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`, `s`, and `p0`, which begins as a copy of the parameter; and the
    float64 scalars `d`, `d_max`, `d_numerator` (r) and `k`, the same for all parameters.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.Prodigy(w)
        >>> for _ in range(200):
        ...     opt.step(w.copy())  # of ½w²
        >>> bool(abs(w).max() < 0.1), 0.1 < opt.d < 10
        (True, True)
    """

    rule = "prodigy"
    paper = "Mishchenko & Defazio, 2023: Prodigy: An expeditiously adaptive parameter-free learner"
    _mirrors: ClassVar[tuple[str, ...]] = ("p0",)
    _shown: ClassVar[Mapping[str, str]] = {"beta_s": "beta3", "root_of_beta2": "beta3"}
    _switches: ClassVar[tuple[str, ...]] = (
        "decouple",
        "use_bias_correction",
        "safeguard_warmup",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("d0",)
    _of_all_groups: ClassVar[tuple[str, ...]] = ("betas", "beta3", "d0", "d_coef", "growth_rate")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        beta3: Scalar | None = None,
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        decouple: bool = True,
        use_bias_correction: bool = False,
        safeguard_warmup: bool = False,
        d0: float = 1e-6,
        d_coef: Scalar = 1.0,
        growth_rate: Scalar = float("inf"),
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "beta3": beta3,
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple": decouple,
            "use_bias_correction": use_bias_correction,
            "safeguard_warmup": safeguard_warmup,
            "d0": d0,
            "d_coef": d_coef,
            "growth_rate": growth_rate,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        beta3 = values["beta3"]
        return super()._scalars(values) | {
            "beta_s": 0.0 if beta3 is None else beta3,
            "root_of_beta2": float(beta3 is None),
        }


class DAdaptAdam(DistanceEstimate):
    """Adam with D-Adaptation (Defazio & Mishchenko, 2023, algorithm 5). Leave lr at 1.

    .. code-block:: text

        δ = dη                          use_bias_correction: times √(1−β2ᵏ)/(1−β1ᵏ)
        r ← q·r + (1−q)·Σ lδ·g·s/(√v + ε)               with q = √β2, l = layer_scale
        m ← β1·m + (1−β1)lδ·g           v ← β2·v + (1−β2)g²      s ← q·s + (1−q)δ·g
        θ ← θ(1 − δλ) − m/(√v + ε)      decouple=False: g ← g + λθ instead
        d ← max(d, min(r/((1−q)·Σ l|s|), growth_rate·d))

    d estimates the distance from the start to the solution, from below; see `Prodigy` for what all
    parameters share.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: η, a factor for the rate that is found.
        betas: β1, β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ.
        decouple: AdamW's decay, times d, instead of L2.
        use_bias_correction: Adam's, off by default.
        d0: the first d, far below the distance.
        growth_rate: the most that d may grow by in one step.
        layer_scale: l, a factor for the rate of a group.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `exp_avg`, `exp_avg_sq`, `s`; and the float64 scalars `d`, `numerator_weighted` (r) and
    `k`, the same for all parameters.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.DAdaptAdam(w)
        >>> for _ in range(200):
        ...     opt.step(w.copy())  # of ½w²
        >>> bool(abs(w).max() < 0.1), 0.01 < opt.d < 10
        (True, True)
    """

    rule = "dadapt_adam"
    paper = "Defazio & Mishchenko, 2023: Learning-rate-free learning by D-Adaptation"
    _switches: ClassVar[tuple[str, ...]] = ("decouple", "use_bias_correction", "maximize")
    _fixed: ClassVar[tuple[str, ...]] = ("d0",)
    _of_all_groups: ClassVar[tuple[str, ...]] = ("betas", "d0", "growth_rate")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        decouple: bool = False,
        use_bias_correction: bool = False,
        d0: float = 1e-6,
        growth_rate: Scalar = float("inf"),
        *,
        layer_scale: Scalar = 1.0,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple": decouple,
            "use_bias_correction": use_bias_correction,
            "d0": d0,
            "growth_rate": growth_rate,
            "layer_scale": layer_scale,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)


class DAdaptSGD(DistanceEstimate):
    """SGD with D-Adaptation (Defazio & Mishchenko, 2023, algorithm 4). Leave lr at 1.

    .. code-block:: text

        g ← g + λθ                      δ = dη/‖g of the first step‖
        r ← r + Σ δ·g·s                 s ← s + δ·g
        θ ← μθ + (1−μ)(θ0 − s)          d ← max(d, min(2r/‖s‖, growth_rate·d))

    d estimates the distance from the start θ0 to the solution, from below; see `Prodigy` for what
    all parameters share.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: η, a factor for the rate that is found.
        momentum: μ in [0, 1).
        weight_decay: λ, L2.
        d0: the first d, far below the distance.
        growth_rate: the most that d may grow by in one step.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `s`, and `x0`, which begins as a copy of the parameter; and the float64 scalars `d`,
    `numerator_weighted` (r) and `g0_norm`, the same for all parameters.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.DAdaptSGD(w)
        >>> for _ in range(200):
        ...     opt.step(w.copy())  # of ½w²
        >>> bool(abs(w).max() < 0.1), 0.1 < opt.d < 10
        (True, True)
    """

    rule = "dadapt_sgd"
    paper = "Defazio & Mishchenko, 2023: Learning-rate-free learning by D-Adaptation"
    _mirrors: ClassVar[tuple[str, ...]] = ("x0",)
    _fixed: ClassVar[tuple[str, ...]] = ("d0",)
    _of_all_groups: ClassVar[tuple[str, ...]] = ("d0", "growth_rate")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        momentum: Scalar = 0.0,
        weight_decay: Scalar = 0.0,
        d0: float = 1e-6,
        growth_rate: Scalar = float("inf"),
        *,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "d0": d0,
            "growth_rate": growth_rate,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
