"""A problem from what a user has: an object with two methods, or a pair of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..optimizers.trees import copied
from ..typing import Tree
from .base import Problem

_FACTS = ("name", "loss_name", "metric_name", "epochs", "target", "rates")


class Own(Problem):
    """An object with `initial(seed)` and `loss_and_grads`, and what else of `Problem` it has.

    Without `batches` its `loss_and_grads` takes the parameters alone.
    """

    def __init__(self, thing: Any):
        self._thing = thing
        self._batches: Callable[..., Iterable[Any]] | None = getattr(thing, "batches", None)
        self.name = type(thing).__name__
        for fact in _FACTS:
            if hasattr(thing, fact):
                setattr(self, fact, getattr(thing, fact))
        if hasattr(thing, "metric") and not self.metric_name:
            self.metric_name = "metric"

    def initial(self, seed: int) -> Tree:
        """What the object starts from."""
        tree: Tree = self._thing.initial(seed)
        return tree

    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """The object's batches, else one of everything."""
        return (None,) if self._batches is None else self._batches(rng)

    def loss_and_grads(self, params: Any, batch: Any) -> tuple[float, Tree]:
        """As the object works them out."""
        given = (params,) if self._batches is None else (params, batch)
        found: tuple[float, Tree] = self._thing.loss_and_grads(*given)
        return found

    def loss(self, params: Any) -> float:
        """The object's loss over everything, else the mean over its batches."""
        if hasattr(self._thing, "loss"):
            return float(self._thing.loss(params))
        return super().loss(params)

    def metric(self, params: Any) -> float | None:
        """The object's metric, if it has one."""
        value = self._thing.metric(params) if hasattr(self._thing, "metric") else None
        return None if value is None else float(value)

    @property
    def full_batch(self) -> bool:
        """Whether there are no batches."""
        return self._batches is None


class Pair:
    """A start and a function of the parameters that gives loss and gradients.

    The start is an array, a tree of arrays, or a function of the seed that makes one.

    >>> pair = Pair(np.array([3.0]), lambda x: (float(x @ x), 2 * x))
    >>> pair.initial(seed=0), pair.loss_and_grads(pair.initial(0))
    (array([3.]), (9.0, array([6.])))
    """

    def __init__(
        self,
        start: Tree | Callable[[int], Tree],
        loss_and_grads: Callable[[Any], tuple[float, Tree]],
    ):
        self._start, self.loss_and_grads = start, loss_and_grads
        name = getattr(loss_and_grads, "__name__", "")
        self.name = "function" if name in ("", "<lambda>") else name

    def initial(self, seed: int) -> Tree:
        """A new copy of the start."""
        tree: Tree = copied(self._start(seed) if callable(self._start) else self._start)
        return tree


def as_problem(thing: Any) -> Problem:
    """A problem from one, from an object with the two methods, or from a pair of functions.

    Raises:
        TypeError: it is none of these.

    >>> as_problem((np.ones(2), lambda x: (float(x @ x), 2 * x))).loss(np.ones(2))
    2.0
    """
    if isinstance(thing, Problem):
        return thing
    if isinstance(thing, tuple) and len(thing) == 2 and callable(thing[1]):
        thing = Pair(*thing)
    if isinstance(thing, type):
        raise TypeError(
            f"problem: expected an object, got the class {thing.__name__}; make one: "
            f"{thing.__name__}()"
        )
    missing = [name for name in ("initial", "loss_and_grads") if not hasattr(thing, name)]
    if missing:
        raise TypeError(
            "problem: expected a name, a Problem, an object with initial(seed) and "
            "loss_and_grads(params), or a pair (start, loss_and_grads), got "
            f"{thing!r:.80} without {' and '.join(missing)}"
        )
    return Own(thing)
