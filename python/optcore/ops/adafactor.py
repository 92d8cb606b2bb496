"""Adafactor on given arrays."""

from __future__ import annotations

from ..optimizers.adafactor import Adafactor
from .apply import Arrays, Steps, apply_


def adafactor_(
    p: Arrays,
    g: Arrays,
    row_var: Arrays,
    col_var: Arrays | None = None,
    *,
    step: Steps,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    beta2: float | None = None,
    eps_mode: str = "clamp",
    relative_step: bool = True,
    scale_parameter: bool = True,
    normalize: bool = True,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of Adafactor.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.Adafactor`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        row_var, col_var: for a matrix (n, m), arrays (n, 1) and (1, m), C-contiguous, in place. For
            a vector or scalar pass one array like `p`, its `variance`, as `row_var`.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> W, row, col = np.ones((4, 3)), np.zeros((4, 1)), np.zeros((1, 3))
        >>> oc.ops.adafactor_(W, np.full((4, 3), 0.5), row, col, step=1)
        >>> np.round(W[0], 12)
        array([0.99, 0.99, 0.99])
    """
    values = {
        "lr": lr,
        "beta2_decay": beta2_decay,
        "eps": eps,
        "d": d,
        "weight_decay": weight_decay,
        "beta2": beta2,
        "eps_mode": eps_mode,
        "relative_step": relative_step,
        "scale_parameter": scale_parameter,
        "normalize": normalize,
        "maximize": maximize,
    }
    apply_(
        Adafactor,
        p,
        g,
        {"row_var": row_var, "col_var": col_var},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
