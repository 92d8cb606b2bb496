"""SGD on given arrays."""

from __future__ import annotations

from ..optimizers.sgd import SGD
from .apply import Arrays, Steps, apply_


def sgd_(
    p: Arrays,
    g: Arrays,
    momentum_buffer: Arrays | None = None,
    *,
    step: Steps,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of stochastic gradient descent.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.SGD`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        momentum_buffer: the buffer, zeros at first, where momentum is not 0; else None.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0, -2.0])
        >>> oc.ops.sgd_(w, np.array([1.0, 1.0]), step=1, lr=0.5)
        >>> w
        array([ 0.5, -2.5])
    """
    values = {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    apply_(
        SGD,
        p,
        g,
        {"momentum_buffer": momentum_buffer},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
