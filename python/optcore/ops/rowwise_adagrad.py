"""Adagrad with one accumulator per row, on given arrays."""

from __future__ import annotations

from ..optimizers.rowwise_adagrad import RowwiseAdagrad
from .apply import Arrays, Steps, apply_


def rowwise_adagrad_(
    p: Arrays,
    g: Arrays,
    sum: Arrays,
    *,
    step: Steps,
    lr: float = 1e-2,
    weight_decay: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of row-wise Adagrad.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.RowwiseAdagrad`.

    Args:
        p: the parameter, float32 or float64, C-contiguous and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        sum: one number per row: C-contiguous, of the dtype of `p` and of its shape with all axes
            but the first of length 1; updated in place.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> table, s = np.zeros((2, 2)), np.zeros((2, 1))
        >>> g = np.array([[1.0, 7.0], [0.0, 0.0]])
        >>> oc.ops.rowwise_adagrad_(table, g, s, step=1, lr=5.0)
        >>> table[0], s[:, 0]
        (array([-1., -7.]), array([25.,  0.]))
    """
    values = {
        "lr": lr,
        "weight_decay": weight_decay,
        "eps": eps,
        "initial_accumulator_value": 0.0,
        "maximize": maximize,
    }
    apply_(
        RowwiseAdagrad,
        p,
        g,
        {"sum": sum},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
