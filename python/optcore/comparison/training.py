"""Trains one optimizer on one problem, and watches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any

import numpy as np

from .. import _core
from ..optimizers import LBFGS
from ..optimizers.modes import TwoModes
from ..optimizers.trees import copied
from ..problems import Problem
from ..problems.base import NO_BATCH
from ..typing import Tree
from ..wrappers import SAM, Wrapper
from .entries import Entry
from .run import DIVERGED, FAILED, INTERRUPTED, Run

MOST_NUMBERS = 3  # of which a path is kept
RUNAWAY = 1e6  # times the first loss: there is no way back from there
WORSE = 10.0  # times the first loss: that is no result

Tick = Callable[[Run], None]


class Training:
    """One run, from the shared start to its end.

    Args:
        problem: what to train.
        entry: the optimizer.
        start: the parameters of this seed, which are copied.
        seed: decides on the batches.
        total: the number of steps.
        tick: called after every evaluation.
    """

    def __init__(
        self, problem: Problem, entry: Entry, start: Tree, seed: int, total: int, tick: Tick
    ):
        self._problem, self._total, self._seed, self._tick = problem, total, seed, tick
        self._entry, self._params = entry, copied(start)
        self._leaves = _core.Tree(self._params, "params").leaves
        self.run = Run(entry.label, seed)
        self._optimizer: Any = None
        self._step: Callable[[Tree], Any] | None = None
        self._modes: TwoModes | None = None
        self._path: list[Any] = []
        self._keeps_path = sum(leaf.size for leaf in self._leaves) <= MOST_NUMBERS
        self._limit = math.inf
        self._clock = 0.0

    def train(self) -> Run:
        """Takes all steps.

        Divergence and an optimizer's errors end up in the run; of Ctrl-C the run takes note too,
        and passes it on.
        """
        run = self.run
        try:
            with np.errstate(all="ignore"):
                self._make()
                self._all_steps()
        except KeyboardInterrupt:
            run.status, run.message = INTERRUPTED, f"interrupted at step {len(run.step_seconds)}"
            raise
        except FloatingPointError:
            self._diverged()
        except Exception as error:
            run.status, run.message = FAILED, f"{type(error).__name__}: {error}"
        finally:
            self._close()
        return run

    def _make(self) -> None:
        """The optimizer, and how to step and evaluate it."""
        made, self.run.rate = self._entry.made(self._params, self._total, self._problem.rates)
        layers = list(_layers(made))
        asks = any(isinstance(layer, (LBFGS, SAM)) for layer in layers)
        self._optimizer, self._step = made, None if asks else made.step
        self._modes = next((layer for layer in layers if isinstance(layer, TwoModes)), None)

    # The loop. ---------------------------------------------------------------------------------

    def _all_steps(self) -> None:
        self._evaluate()
        first = self.run.final_loss
        scale = abs(first) or 1.0
        self._limit = first + RUNAWAY * max(scale, 1.0)
        if not math.isfinite(first):
            raise FloatingPointError("the first loss")
        epoch = 0
        while len(self.run.step_seconds) < self._total:
            taken = len(self.run.step_seconds)
            within = self._epoch(epoch)
            epoch += 1
            if len(self.run.step_seconds) == taken:
                raise ValueError(NO_BATCH)
            self._measure_state()
            self._evaluate()
            self._tick(self.run)
            if not (within and self.run.final_loss < self._limit):  # also where it is NaN
                return self._diverged()
        if self.run.final_loss > first + WORSE * scale:
            self._diverged()

    def _epoch(self, epoch: int) -> bool:
        """The steps of an epoch. False where a loss left all bounds."""
        times, losses = self.run.step_seconds, self.run.batch_losses
        step, params, limit = self._step, self._params, self._limit
        loss_and_grads = self._problem.loss_and_grads
        left = self._total - len(times)
        began = perf_counter()
        try:
            for batch in self._batches(epoch):
                if step is None:
                    loss = self._closure_step(batch)
                else:
                    loss, grads = loss_and_grads(params, batch)
                    before = perf_counter()
                    step(grads)
                    times.append(perf_counter() - before)
                losses.append(float(loss))
                left -= 1
                if not loss < limit:  # also where it is NaN
                    return False
                if not left:
                    break
            return True
        finally:
            self._clock += perf_counter() - began

    def _batches(self, epoch: int) -> Iterable[Any]:
        # A full batch needs no random numbers, and making a generator costs as much as a step.
        if epoch == 0 or not self._problem.full_batch:
            self._rng = np.random.default_rng([self._seed, epoch])
        return self._problem.batches(self._rng)

    def _closure_step(self, batch: Any) -> float:
        """A step of an optimizer that asks for loss and gradients itself."""
        inside = 0.0

        def closure() -> tuple[float, Tree]:
            nonlocal inside
            began = perf_counter()
            found = self._problem.loss_and_grads(self._params, batch)
            inside += perf_counter() - began
            return found

        before = perf_counter()
        loss = self._optimizer.step(closure=closure)
        self.run.step_seconds.append(perf_counter() - before - inside)
        return float(loss)

    # What is seen on the way. ------------------------------------------------------------------

    def _evaluate(self) -> None:
        """Loss, metric and place, at the parameters that are meant for evaluation."""
        run, problem = self.run, self._problem
        with self._evaluating():
            loss = float(problem.loss(self._params))
            metric = problem.metric(self._params) if problem.metric_name else None
            if self._keeps_path:
                self._path.append(np.concatenate([leaf.ravel() for leaf in self._leaves]))
        run.steps.append(len(run.step_seconds))
        run.seconds.append(self._clock)
        run.losses.append(loss)
        run.metrics.append(math.nan if metric is None else float(metric))

    def _evaluating(self) -> AbstractContextManager[None]:
        return nullcontext() if self._modes is None else self._modes.eval()

    def _measure_state(self) -> None:
        found = state_bytes(getattr(self._optimizer, "state", None))
        if found is not None:
            self.run.state_bytes = max(found, self.run.state_bytes or 0)

    def _diverged(self) -> None:
        self.run.status = DIVERGED
        self.run.message = f"diverged at step {max(1, len(self.run.step_seconds))}"

    def _close(self) -> None:
        """What is left when training has ended, however it has."""
        run, lists = self.run, (self.run.steps, self.run.seconds, self.run.losses, self.run.metrics)
        run.total_seconds = self._clock
        # Ctrl-C may have come in the middle of an evaluation.
        seen = min(len(each) for each in lists)
        for each in lists:
            del each[seen:]
        if self._path:
            run.path = np.array(self._path[:seen])
        try:
            with self._evaluating():
                run.params = copied(self._params)
        except RuntimeError:  # it was stopped where there is no way to evaluate
            run.params = copied(self._params)
        if self._problem.full_batch:
            run.batch_losses = []


def _layers(optimizer: Any) -> Iterator[Any]:
    """An optimizer and what it is wrapped around."""
    while isinstance(optimizer, Wrapper):
        yield optimizer
        optimizer = optimizer.optimizer
    yield optimizer


def state_bytes(state: Any) -> int | None:
    """The memory of all arrays in a state; None where there is nothing to look into.

    >>> state_bytes({"W": {"exp_avg": np.zeros((2, 3), np.float32)}})
    24
    """
    if not isinstance(state, Mapping):
        return None
    total = 0
    seen: set[int] = set()
    rest: list[Any] = [state]
    while rest:
        each = rest.pop()
        if isinstance(each, Mapping):
            rest += each.values()
        elif isinstance(each, (list, tuple)):
            rest += each
        elif isinstance(each, np.ndarray) and id(each) not in seen:
            seen.add(id(each))
            total += each.nbytes
    return total
