"""Whether a problem gives gradients that optimizers can use, before any training."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import _core
from ..gradient_check import as_pair
from ..optimizers import SGD
from ..optimizers.trees import copied, named_leaves
from ..problems import Problem
from ..problems.base import NO_BATCH
from ..rows import Rows
from ..typing import Tree

_DIRECTIONS = 3  # one alone may lie across the gradient

_HINT = "optcore.check_gradient(f, params) looks at gradients, f(params) being (loss, grads)"


def check_problem(problem: Problem, start: Tree, rng: np.random.Generator) -> None:
    """Asks for loss and gradients once, and holds these against parameters and loss.

    Gradients that do not look like those of the loss cause a UserWarning only: it may have a kink
    there, or be random.

    Raises:
        TypeError: `loss_and_grads` returns something else, or parameters or gradients are no arrays
            of floats.
        ValueError: there are no parameters or no batch, a gradient has another shape than its
            parameter, or shares its memory.
        KeyError: a gradient is missing or has no parameter.
    """
    params = copied(start)
    tree = _core.Tree(params, "initial")
    _core.check_params(
        tree.leaves, [f"initial/{path}" if path else "initial" for path in tree.paths]
    )
    batch = next(iter(problem.batches(rng)), _NOTHING)
    if batch is _NOTHING:
        raise ValueError(f"{problem.name}: {NO_BATCH}")
    with np.errstate(all="ignore"):
        given = problem.loss_and_grads(params, batch)
        loss, grads = as_pair(given, f"{problem.name}: loss_and_grads")
        _check_grads(problem, params, grads)
        _check_slope(problem, params, tree.leaves, batch, loss, grads)


_NOTHING = object()


def _check_grads(problem: Problem, params: Any, grads: Any) -> None:
    """Takes a step of length zero: what optimizers ask of gradients is theirs to say."""
    try:
        SGD(params, lr=0.0, nonfinite="skip").step(grads)
    except (KeyError, TypeError, ValueError) as error:
        raise type(error)(f"{problem.name}: {error.args[0]}; {_HINT}") from None


def _check_slope(
    problem: Problem, params: Any, leaves: list[Any], batch: Any, loss: float, grads: Any
) -> None:
    """Compares slopes along random directions with what the gradients say of them."""
    found = [
        np.array(g, np.float64)
        for g in named_leaves(grads, params, False, "grads")
        if g is not None and not isinstance(g, Rows)
    ]
    if len(found) != len(leaves) or not np.isfinite(loss):
        return
    if problem.loss_and_grads(params, batch)[0] != loss:
        return  # random: nothing can be said
    before = [p.copy() for p in leaves]

    def at(distance: float, ways: list[Any]) -> float:
        for p, start, way in zip(leaves, before, ways, strict=True):
            p[...] = start + distance * way
        return float(problem.loss_and_grads(params, batch)[0])

    eps = max(_spacing(p.dtype) for p in leaves)
    length = math.sqrt(sum(float(np.vdot(g, g)) for g in found))
    h = eps ** (1 / 3) * _usual_size(leaves)
    rng = np.random.default_rng(0)
    for _ in range(_DIRECTIONS):
        ways = [rng.standard_normal(p.shape) for p in leaves]
        said = sum(float(np.vdot(g, way)) for g, way in zip(found, ways, strict=True))
        for near in (h, h / 10):  # the first may reach over kinks
            measured = (at(near, ways) - at(-near, ways)) / (2 * near)
            noise = 10 * eps * abs(loss) / near
            if abs(measured - said) <= 0.2 * max(abs(measured), abs(said), length / 3) + noise:
                break
        else:
            warnings.warn(
                f"{problem.name}: the gradients do not look like those of the loss: along a random "
                f"direction it rises by {measured:.4g}, they say {said:.4g}; {_HINT}",
                stacklevel=4,
            )
            return


def _spacing(dtype: np.dtype[Any]) -> float:
    """How far 1 and the next larger number are apart; NumPy knows no bfloat16."""
    return 2.0**-7 if dtype.name == "bfloat16" else float(np.finfo(dtype).eps)


def _usual_size(leaves: list[Any]) -> float:
    """The root mean square of all numbers; 1 where they are zeros."""
    squares = sum(float(np.square(p.astype(np.float64)).sum()) for p in leaves)
    return math.sqrt(squares / sum(p.size for p in leaves)) if squares else 1.0
