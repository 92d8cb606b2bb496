"""NAdam on given arrays."""

from __future__ import annotations

from ..optimizers.nadam import NAdam
from .apply import Arrays, Steps, apply_


def nadam_(
    p: Arrays,
    g: Arrays,
    exp_avg: Arrays,
    exp_avg_sq: Arrays,
    mu_product: Arrays,
    *,
    step: Steps,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float | None = 4e-3,
    decoupled_weight_decay: bool = False,
    lookahead: bool = True,
    double_correction: bool = False,
    maximize: bool = False,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    threads: int | None = None,
) -> None:
    """One step of NAdam.

    Steps `p` in place, and with it its state. The formula, its source and the hyperparameters are
    those of `optcore.NAdam`.

    Args:
        p: the parameter, float32 or float64, dense and writable; or a list of them.
        g: the gradient, of the same shape and any real float type; None skips it.
        exp_avg, exp_avg_sq: state arrays, each of the shape, dtype and layout of `p`,
            updated in place.
        mu_product: a float64 array of one value that starts at 1, updated in place.
        step: the number of this step, from 1; with lists, one number for all or a list.

    Raises:
        TypeError, ValueError: an argument does not fit; nothing has been written then.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w, m, v, product = np.array([1.0]), np.zeros(1), np.zeros(1), np.ones(())
        >>> oc.ops.nadam_(w, np.array([4.0]), m, v, product, step=1, momentum_decay=None)
        >>> product
        array(0.9)
    """
    values = {
        "lr": lr,
        "betas": betas,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum_decay": momentum_decay,
        "decoupled_weight_decay": decoupled_weight_decay,
        "lookahead": lookahead,
        "double_correction": double_correction,
        "maximize": maximize,
    }
    apply_(
        NAdam,
        p,
        g,
        {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq, "mu_product": mu_product},
        step,
        values,
        clip_norm=clip_norm,
        clip_value=clip_value,
        threads=threads,
    )
