"""Norms and clipping of gradients, apart from a step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _core
from .optimizers.hyper import thread_count
from .typing import Array, Tree


def global_norm(grads: Tree, *, threads: int | None = None) -> float:
    """The Euclidean norm of all arrays of a tree taken together: √Σg².

    Sums run in float64 over fixed blocks, so the bits depend on the arrays alone.

    Args:
        grads: any nesting of dict, list and tuple of real float arrays; None is skipped.
        threads: as for a step.

    Example:
        >>> import numpy as np, optcore as oc
        >>> oc.global_norm({"W": np.array([[3.0]]), "b": np.array([4.0])})
        5.0
    """
    return _core.global_norm(_arrays(grads), thread_count(threads))


def clip_grad_norm_(grads: Tree, max_norm: float, *, threads: int | None = None) -> float:
    """Scales all arrays of a tree in place by min(1, max_norm/(norm + 1e-6)), as torch does.

    An optimizer's own `clip_norm=` does the same inside its step, without writing the gradients.

    Args:
        grads: any nesting of dict, list and tuple of writable float arrays; None is skipped.
        max_norm: the limit, 0 or more.
        threads: as for a step.

    Returns:
        The norm before clipping.

    Example:
        >>> import numpy as np, optcore as oc
        >>> grads = [np.array([3.0, 4.0])]
        >>> oc.clip_grad_norm_(grads, 1.0)
        5.0
        >>> np.round(grads[0], 5)
        array([0.6, 0.8])
    """
    arrays = _arrays(grads)
    limit = float(max_norm)
    if math.isnan(limit) or limit < 0:
        raise ValueError(f"max_norm: expected a number, 0 or more, got {max_norm}; pass e.g. 1.0")
    for array in arrays:
        if not array.flags.writeable:
            raise ValueError("grads: expected writable arrays, got a read-only one; pass copies")
    norm = _core.global_norm(arrays, thread_count(threads))
    factor = _core.clip_factor(norm, limit)
    for array in arrays:
        np.multiply(array, array.dtype.type(factor), out=array)
    return norm


def _arrays(grads: Any) -> list[Array]:
    """The arrays of a tree, in tree order."""
    tree = _core.Tree(grads, "grads")
    found = []
    for path, leaf in zip(tree.paths, tree.leaves, strict=True):
        if leaf is None:
            continue
        if not isinstance(leaf, np.ndarray):
            name = f"grads/{path}" if path else "grads"
            raise TypeError(f"{name}: expected a float array, got {leaf!r}; pass a NumPy array")
        found.append(leaf)
    return found
