"""The running average of the weights."""

from __future__ import annotations

import numpy as np

from .common import Array, quiet


@quiet
def average(e: Array, p: Array, decay: float) -> Array:
    """e ← δ·e + (1-δ)·θ, taken after a step.

    Source: Polyak & Juditsky, 1992, with weights that fall off exponentially.

    Args:
        e: the average so far, of the shape and type of p.
        p: θ, float32 or float64, any shape.
        decay: δ, from 0 to 1.

    Returns:
        The new average; the arguments are left as they are.

    >>> average(np.array([1.0]), np.array([5.0]), decay=0.75)
    array([2.])
    """
    T = p.dtype.type
    return np.asarray(e * T(decay) + T(1 - decay) * p)
