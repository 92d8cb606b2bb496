"""Adagrad on given arrays."""

from __future__ import annotations

from ..optimizers.adagrad import Adagrad
from .apply import Arrays, Steps, apply_


def adagrad_(
    p: Arrays,
    g: Arrays,
    sum: Arrays,
    *,
    step: Steps,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of Adagrad.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.Adagrad`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        sum: state arrays, each of the shape, dtype and layout of `p`, updated in place.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, s = np.array([1.0, -2.0]), np.zeros(2)
        >>> oc.ops.adagrad_(w, np.array([4.0, -0.25]), s, step=1, lr=0.5)
        >>> w, s
        (array([ 0.5, -1.5]), array([16.    ,  0.0625]))
    """
    values = {
        "lr": lr,
        "lr_decay": lr_decay,
        "weight_decay": weight_decay,
        "eps": eps,
        "initial_accumulator_value": 0.0,
        "maximize": maximize,
    }
    apply_(
        Adagrad,
        p,
        g,
        {"sum": sum},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
