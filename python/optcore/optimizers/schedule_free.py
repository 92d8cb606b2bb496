"""Schedule-free SGD, AdamW and RAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..typing import Array, Scalar, Tree
from . import dialects, storage
from .common import Common
from .modes import TwoModes

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ScheduleFree(TwoModes):
    """What the schedule-free optimizers share: the parameter arrays hold y, and in eval mode x."""

    _mirrors: ClassVar[tuple[str, ...]] = ("z",)

    def _evaluated(self, path: str, param: Array) -> Array:
        """x = y + (1 − 1/β)·(z − y), with the β that y was made with."""
        state = self._state[path]
        y = storage.widened(param, state)
        beta = float(state["interpolation"])
        if beta == 0:  # before the first step
            return y
        z = state["z"].astype(y.dtype)
        with np.errstate(all="ignore"):
            return np.asarray(y + y.dtype.type(1 - 1 / beta) * (z - y))


class ScheduleFreeSGD(ScheduleFree):
    """Schedule-free SGD (Defazio et al., "The Road Less Scheduled", 2024).

    .. code-block:: text

        g at y, the parameter           g ← g + λy         η ← η·min(1, t/warmup_steps)
        z ← z − ηg                    c = w/Σw with w = t^r·(the largest η so far)^weight_lr_power
        x ← (1−c)x + c·z                y ← βx + (1−β)z

    No schedule of the rate is needed, and no length of training fixed beforehand: x, the average of
    all z, is the model to use. The arrays hold y; `eval` puts x into them, `train` y again, and a
    step in eval mode is an error. x is not kept, as it follows from y and z. Unlike in the package
    `schedulefree`, the optimizer begins in train mode. With `r=0.0, weight_lr_power=0.0` x is the
    plain average, c = 1/t. The rate may follow a schedule all the same.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η; larger than of SGD, 1 to 50 times.
        momentum: β in (0, 1): how far y lies from z towards x.
        weight_decay: λ, at y.
        warmup_steps: the rate grows linearly to η over so many steps.
        r: the power of the step number in the weights of the average.
        weight_lr_power: the power of the largest rate so far in them.
        decoupled_weight_decay: θ ← θ(1 − ηλ) instead, on y alone, with η before the warm-up.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `z`, which begins as a copy of the parameter; and the float64 scalars `weight_sum`, Σw,
    `lr_max`, the largest η, and `interpolation`, the β of the last step.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.ScheduleFreeSGD(w, lr=0.5, momentum=0.5)
        >>> for _ in range(2):
        ...     opt.step(w.copy())  # of ½w²
        >>> w
        array([ 0.3125, -0.625 ])
        >>> with opt.eval():
        ...     print(w)
        [ 0.375 -0.75 ]
    """

    _dialects: ClassVar[dialects.Table] = {"optax": {}}
    rule = "schedule_free_sgd"
    paper = "Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        momentum: Scalar = 0.9,
        weight_decay: Scalar = 0.0,
        warmup_steps: Scalar = 0,
        r: Scalar = 0.0,
        weight_lr_power: Scalar = 2.0,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)


class ScheduleFreeAdamW(ScheduleFree):
    """Schedule-free AdamW (Defazio et al., "The Road Less Scheduled", 2024, algorithm 1).

    .. code-block:: text

        g at y, the parameter           η ← η·min(1, t/warmup_steps)
        v ← β2·v + (1−β2)g²             u = g/(√(v/(1−β2ᵗ)) + ε) + λy
        z ← z − ηu                    c = w/Σw with w = t^r·(the largest η so far)^weight_lr_power
        x ← (1−c)x + c·z                y ← β1·x + (1−β1)z

    The arrays hold y; `eval` puts x into them, `train` y again, and a step in eval mode is an
    error: see `ScheduleFreeSGD`. Keras has `weight_lr_power=0.0` and `decoupled_weight_decay=True`.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η; larger than of AdamW, 1 to 10 times.
        betas: β1 in (0, 1), how far y lies from z towards x, and β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ, at y.
        warmup_steps: the rate grows linearly to η over so many steps.
        r: the power of the step number in the weights of the average.
        weight_lr_power: the power of the largest rate so far in them.
        decoupled_weight_decay: θ ← θ(1 − ηλ) instead, on y alone, with η before the warm-up.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `z`, which begins as a copy of the parameter, and `exp_avg_sq`; and the float64 scalars
    `weight_sum`, Σw, `lr_max`, the largest η, and `interpolation`, the β1 of the last step.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.ScheduleFreeAdamW(w, lr=0.25, eps=0.0)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> np.round(w, 12)
        array([ 0.75, -1.75])
    """

    _dialects: ClassVar[dialects.Table] = {
        "keras": {"weight_lr_power": 0.0, "decoupled_weight_decay": True},
        "optax": {},
    }
    rule = "schedule_free_adamw"
    paper = "Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled"
    _switches: ClassVar[tuple[str, ...]] = ("decoupled_weight_decay", "maximize")

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 0.0025,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        warmup_steps: Scalar = 0,
        r: Scalar = 0.0,
        weight_lr_power: Scalar = 2.0,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)


class ScheduleFreeRAdam(ScheduleFree):
    """Schedule-free RAdam: RAdam's rectified rate makes a warm-up unnecessary.

    .. code-block:: text

        ρ∞ = 2/(1−β2) − 1,  ρ = ρ∞ − 2tβ2ᵗ/(1−β2ᵗ)
        ρ > 4     η ← η·√[(ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)],  u = g/(√(v/(1−β2ᵗ)) + ε) + λy
        ρ ≤ 4     nothing but v ← β2·v + (1−β2)g²; without silent_sgd_phase u = g + λy
        then z, x and y as `ScheduleFreeAdamW`

    The arrays hold y; `eval` puts x into them, `train` y again, and a step in eval mode is an
    error: see `ScheduleFreeSGD`. With β2 = 0.999 the first phase is 5 steps long.

    Sources: Defazio et al., 2024, as the package `schedulefree` has it; RAdam: Liu, Jiang, He,
    Chen, Liu, Gao & Han, 2020.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: the learning rate η.
        betas: β1 in (0, 1), how far y lies from z towards x, and β2; each may be a schedule.
        eps: ε, beside the root.
        weight_decay: λ, at y.
        r: the power of the step number in the weights of the average.
        weight_lr_power: the power of the largest rate so far in them.
        silent_sgd_phase: rest while ρ ≤ 4.
        decoupled_weight_decay: θ ← θ(1 − ηλ) instead, on y alone, with η as given.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `z`, which begins as a copy of the parameter, and `exp_avg_sq`; and the float64 scalars
    `weight_sum`, Σw, `lr_max`, the largest η, and `interpolation`, the β1 of the last step.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> opt = oc.ScheduleFreeRAdam(w, lr=0.25, silent_sgd_phase=False)
        >>> opt.step(np.array([4.0, -0.25]))
        >>> w
        array([ 0.    , -1.9375])
    """

    rule = "schedule_free_radam"
    paper = "Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled"
    _switches: ClassVar[tuple[str, ...]] = (
        "silent_sgd_phase",
        "decoupled_weight_decay",
        "maximize",
    )

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 0.0025,
        betas: tuple[Scalar, Scalar] = (0.9, 0.999),
        eps: Scalar = 1e-8,
        weight_decay: Scalar = 0.0,
        r: Scalar = 0.0,
        weight_lr_power: Scalar = 2.0,
        silent_sgd_phase: bool = True,
        *,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "r": r,
            "weight_lr_power": weight_lr_power,
            "silent_sgd_phase": silent_sgd_phase,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)
