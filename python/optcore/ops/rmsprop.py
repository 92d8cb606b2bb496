"""RMSprop on given arrays."""

from __future__ import annotations

from ..optimizers.rmsprop import RMSprop
from .apply import Arrays, Steps, apply_


def rmsprop_(
    p: Arrays,
    g: Arrays,
    square_avg: Arrays,
    grad_avg: Arrays | None = None,
    momentum_buffer: Arrays | None = None,
    *,
    step: Steps = 1,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    eps_in_sqrt: bool = False,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of RMSprop.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.RMSprop`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        square_avg: a state array of the shape, dtype and layout of `p`, updated in place.
        grad_avg: another, only if centered.
        momentum_buffer: another, only with momentum.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, s = np.array([1.0, -2.0]), np.zeros(2)
        >>> oc.ops.rmsprop_(w, np.array([4.0, -0.25]), s, lr=0.1, alpha=0.75, eps=0.0)
        >>> w
        array([ 0.8, -1.8])
    """
    values = {
        "lr": lr,
        "alpha": alpha,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "centered": centered,
        "eps_in_sqrt": eps_in_sqrt,
        "maximize": maximize,
    }
    apply_(
        RMSprop,
        p,
        g,
        {"square_avg": square_avg, "grad_avg": grad_avg, "momentum_buffer": momentum_buffer},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
