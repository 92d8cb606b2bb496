"""Adadelta on given arrays."""

from __future__ import annotations

from ..optimizers.adadelta import Adadelta
from .apply import Arrays, Steps, apply_


def adadelta_(
    p: Arrays,
    g: Arrays,
    square_avg: Arrays,
    acc_delta: Arrays,
    *,
    step: Steps = 1,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of Adadelta.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.Adadelta`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        square_avg, acc_delta: state arrays, each of the shape, dtype and layout of `p`,
            updated in place.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, s, d = np.array([1.0]), np.zeros(1), np.zeros(1)
        >>> oc.ops.adadelta_(w, np.array([2.0]), s, d, rho=0.75, eps=0.0)
        >>> w, s
        (array([1.]), array([1.]))
    """
    values = {
        "lr": lr,
        "rho": rho,
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    apply_(
        Adadelta,
        p,
        g,
        {"square_avg": square_avg, "acc_delta": acc_delta},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
