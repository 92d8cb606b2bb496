"""Adam and AdamW on given arrays."""

from __future__ import annotations

from ..optimizers.adam import Adam
from .apply import Arrays, Steps, apply_


def adam_(
    p: Arrays,
    g: Arrays,
    exp_avg: Arrays,
    exp_avg_sq: Arrays,
    max_exp_avg_sq: Arrays | None = None,
    *,
    step: Steps,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    eps_root: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of Adam.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.Adam`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        exp_avg, exp_avg_sq: state arrays, each of the shape, dtype and layout of `p`,
            updated in place.
        max_exp_avg_sq: one more of them, only with amsgrad.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, m, v = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
        >>> oc.ops.adam_(w, np.array([4.0, -0.25]), m, v, step=1, lr=0.25, weight_decay=0.0)
        >>> np.round(w, 6)
        array([ 0.75, -1.75])
    """
    values = {
        "lr": lr,
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "eps_root": eps_root,
        "decoupled_weight_decay": decoupled_weight_decay,
        "maximize": maximize,
    }
    apply_(
        Adam,
        p,
        g,
        {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq, "max_exp_avg_sq": max_exp_avg_sq},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )


def adamw_(
    p: Arrays,
    g: Arrays,
    exp_avg: Arrays,
    exp_avg_sq: Arrays,
    max_exp_avg_sq: Arrays | None = None,
    *,
    step: Steps,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    eps_root: float = 0.0,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of AdamW.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.AdamW`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        exp_avg, exp_avg_sq: state arrays, each of the shape, dtype and layout of `p`,
            updated in place.
        max_exp_avg_sq: one more of them, only with amsgrad.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, m, v = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
        >>> oc.ops.adamw_(w, np.array([4.0, -0.25]), m, v, step=1, lr=0.25, weight_decay=0.0)
        >>> np.round(w, 6)
        array([ 0.75, -1.75])
    """
    values = {
        "lr": lr,
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "eps_root": eps_root,
        "decoupled_weight_decay": True,
        "maximize": maximize,
    }
    apply_(
        Adam,
        p,
        g,
        {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq, "max_exp_avg_sq": max_exp_avg_sq},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
