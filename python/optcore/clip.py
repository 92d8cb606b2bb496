"""Norms and clipping of gradients, apart from a step."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from . import _core
from .optimizers.hyper import as_float, thread_count
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
    return _norm(_arrays(grads, numbers=True), threads)


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
    named = _arrays(grads)
    limit = _limit(max_norm)
    for name, array in named.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name}: expected a float array, got {array!r}; pass a NumPy array")
        if not array.flags.writeable:
            raise ValueError(f"{name}: expected a writable array, got a read-only one; pass a copy")
    norm = _norm(named, threads)
    factor = _core.clip_factor(norm, limit)
    with np.errstate(all="ignore"):  # half of the arrays scaled would be worse than a warning lost
        for array in named.values():
            np.multiply(array, array.dtype.type(factor), out=array)
    return norm


def _limit(max_norm: Any) -> float:
    if not isinstance(max_norm, Real) or isinstance(max_norm, bool):
        raise TypeError(f"max_norm: expected a number, got {max_norm!r}; pass e.g. 1.0")
    limit = as_float(max_norm, "max_norm")
    if not limit >= 0:
        raise ValueError(f"max_norm: expected a number, 0 or more, got {max_norm}; pass e.g. 1.0")
    return limit


def _norm(named: dict[str, Array], threads: int | None) -> float:
    return _core.global_norm(list(named.values()), list(named), thread_count(threads))


def _arrays(grads: Any, *, numbers: bool = False) -> dict[str, Array]:
    """The arrays of a tree by their names in messages, in tree order; numbers too, if wanted."""
    tree = _core.Tree(grads, "grads")
    found = {}
    for path, leaf in zip(tree.paths, tree.leaves, strict=True):
        if leaf is not None:
            numeric = numbers and isinstance(leaf, (float, np.generic))
            found[f"grads/{path}" if path else "grads"] = np.asarray(leaf) if numeric else leaf
    return found
