"""One step of L-BFGS: a run of iterations on the parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .. import _core
from ..errors import NonFiniteError
from ..schedules import Schedule
from ..typing import Array
from .curvature import LEAST_CURVATURE, Pair, difference, largest, two_loops
from .flat import Flat
from .line_search import Trial, strong_wolfe


@dataclass(frozen=True)
class Options:
    """The hyperparameters, each checked."""

    lr: float | Schedule
    max_iter: int
    max_eval: int | None
    tolerance_grad: float
    tolerance_change: float
    history_size: int
    line_search_fn: str | None
    maximize: bool

    @classmethod
    def names(cls) -> list[str]:
        """The names of all of them."""
        return [field.name for field in fields(cls)]

    @property
    def most_evals(self) -> int:
        """How often a step may call the closure."""
        if self.max_eval is not None:
            return self.max_eval
        # torch's default leaves a search of few iterations without a single trial.
        return max(self.max_iter * 5 // 4, 25 if self.line_search_fn else 1)


@dataclass(frozen=True)
class Progress:
    """What a step hands on to the next. A step makes a new one, so an error leaves the old one."""

    step: int = 0
    evals: int = 0
    iterations: int = 0
    pairs: tuple[Pair, ...] = ()
    scale: float = 1.0
    direction: Array | None = None
    """The last iteration's direction, the step along it, gradient and loss where it began."""
    length: float = 0.0
    grad: Array | None = None
    loss: float = 0.0


class Objective:
    """The user's closure as a function that is minimized over one vector.

    Args:
        closure: evaluates the loss at the parameters as they are; gives it, and what reads its
            gradient into a new vector.
        flat: the parameters.
        names: what they are called in errors.
        sign: 1, or -1 to maximize.
        strict: whether a loss or gradient that is not finite is an error.
    """

    def __init__(
        self,
        closure: Callable[[], tuple[Any, Callable[[], Array]]],
        flat: Flat,
        names: Sequence[str],
        sign: float,
        *,
        strict: bool = True,
    ):
        self.evals = 0
        self._strict = strict
        self.first_loss: Any = None
        self._closure, self._flat, self._names, self._sign = closure, flat, names, sign

    def evaluate(self, *, searching: bool = False) -> tuple[float, Array | None]:
        """Loss and gradient at the parameters as they are.

        While `searching`, an infinite loss is a point outside the domain, without a gradient.
        """
        loss, gradient = self._closure()
        if self.evals == 0:
            self.first_loss = loss
        self.evals += 1
        value = self._sign * _as_float(loss)
        if searching and value == math.inf:
            return value, None
        if self._strict and not math.isfinite(value):
            raise FloatingPointError(
                f"closure: expected a finite loss, got {loss}; lower lr, or pass "
                "line_search_fn='strong_wolfe', which goes back from an infinite one"
            )
        return value, self._checked(gradient())

    def _checked(self, grad: Array) -> Array:
        if self._strict and not (finite := np.isfinite(grad)).all():
            param, index = self._flat.place_of(int(np.argmin(finite)))
            raise NonFiniteError(self._names[param], index, mend="lower lr, or scale the loss down")
        return -grad if self._sign < 0 else grad


def descend(
    objective: Objective, flat: Flat, options: Options, past: Progress, threads: int
) -> Progress:
    """Runs up to `max_iter` iterations from the parameters as they are; they move along."""
    loss, grad = objective.evaluate()
    assert grad is not None
    run = _Run(objective, flat, options, past, threads)
    if largest(grad) > options.tolerance_grad:
        run.iterate(loss, grad)
    return replace(run.progress, step=past.step + 1, evals=past.evals + objective.evals)


class _Run:
    def __init__(
        self,
        objective: Objective,
        flat: Flat,
        options: Options,
        past: Progress,
        threads: int,
    ):
        self.progress = past
        self._objective, self._flat = objective, flat
        self._options, self._threads = options, threads
        rate = options.lr
        self._lr = checked_rate(rate(past.step)) if isinstance(rate, Schedule) else rate
        self._x = flat.read()

    def iterate(self, loss: float, grad: Array) -> None:
        """Iterates until one of torch's conditions holds."""
        options, most = self._options, self._options.most_evals
        for iteration in range(1, options.max_iter + 1):
            first = self.progress.iterations == 0
            progress = self._with_direction(loss, grad)
            d = progress.direction
            assert d is not None
            length = min(1.0, 1.0 / self._one_norm(grad)) * self._lr if first else self._lr
            slope = self._dot(grad, d)
            downhill = slope < 0 and slope <= -options.tolerance_change  # False for NaN
            if not downhill or length == 0:
                self.progress = replace(progress, length=0.0)
                return
            before = loss
            start = Trial(0.0, loss, slope, grad)
            last = iteration == options.max_iter
            if options.line_search_fn:
                found = self._search(start, d, length)
                length, loss = found.step, found.loss
                assert found.grad is not None
                grad = found.grad
            self._x = self._moved(length, d)
            self.progress = replace(progress, length=length)
            if not options.line_search_fn and not last and self._objective.evals < most:
                loss, found_grad = self._objective.evaluate()
                assert found_grad is not None
                grad = found_grad
            if (
                last
                or self._objective.evals >= most
                or largest(grad) <= options.tolerance_grad
                or length * largest(d) <= options.tolerance_change
                or abs(loss - before) < options.tolerance_change
            ):
                return

    def _with_direction(self, loss: float, grad: Array) -> Progress:
        """The history with the last iteration in it, and the direction that it gives."""
        old, threads = self.progress, self._threads
        pairs, scale = old.pairs, old.scale
        if old.grad is not None and old.direction is not None:
            y = difference(grad, old.grad, threads)
            s = old.direction.copy()
            _core.scale(old.length, s, threads)
            ys, yy = self._dot(y, s), self._dot(y, y)
            if LEAST_CURVATURE < ys < math.inf and 0 < yy < math.inf:
                oldest = max(0, len(pairs) + 1 - self._options.history_size)
                pairs, scale = (*pairs[oldest:], Pair(s, y, 1.0 / ys)), ys / yy
        return replace(
            old,
            iterations=old.iterations + 1,
            pairs=pairs,
            scale=scale,
            direction=two_loops(grad, pairs, scale, threads),
            grad=grad,
            loss=loss,
        )

    def _search(self, start: Trial, d: Array, first_step: float) -> Trial:
        def at(step: float) -> Trial:
            self._moved(step, d)
            loss, grad = self._objective.evaluate(searching=True)
            slope = math.inf if grad is None else self._dot(grad, d)
            return Trial(step, loss, slope, grad)

        return strong_wolfe(
            at,
            start,
            first_step,
            most_trials=self._options.most_evals - self._objective.evals,
            narrowest=self._options.tolerance_change / largest(d),
        ).trial

    def _moved(self, length: float, d: Array) -> Array:
        """Sets the parameters to x + length·d; that point."""
        point: Array = self._x.copy()
        _core.axpy(length, d, point, self._threads)
        self._flat.write(point)
        return point

    def _dot(self, a: Array, b: Array) -> float:
        return _core.dot(a, b, self._threads)

    def _one_norm(self, x: Array) -> float:
        return self._dot(x, np.sign(x))


def checked_rate(value: float) -> float:
    """A learning rate, or a ValueError in torch's words."""
    if not 0 <= value < math.inf:
        raise ValueError(
            f"Invalid learning rate: {value} (lr has to be a finite number, 0 or more)"
        )
    return value


def _as_float(loss: Any) -> float:
    try:
        return float(loss)
    except (TypeError, ValueError):
        raise TypeError(
            f"closure: expected a number as the loss, got {type(loss).__name__}; "
            "return a number, e.g. float(loss)"
        ) from None
