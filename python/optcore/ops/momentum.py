"""Momentum on given arrays."""

from __future__ import annotations

from ..optimizers.momentum import Momentum
from .apply import Arrays, Steps, apply_


def momentum_(
    p: Arrays,
    g: Arrays,
    velocity: Arrays,
    *,
    step: Steps = 1,
    lr: float = 1e-3,
    momentum: float = 0.9,
    form: str = "velocity",
    nesterov: bool = False,
    weight_decay: float = 0.0,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of momentum, in velocity or average form.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.Momentum`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        velocity: state arrays, each of the shape, dtype and layout of `p`, updated in place.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, v = np.array([1.0, -2.0]), np.zeros(2)
        >>> oc.ops.momentum_(w, np.array([1.0, 1.0]), v, lr=0.5)
        >>> v
        array([-0.5, -0.5])
    """
    values = {
        "lr": lr,
        "momentum": momentum,
        "form": form,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    apply_(
        Momentum,
        p,
        g,
        {"velocity": velocity},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
