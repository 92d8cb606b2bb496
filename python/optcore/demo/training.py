"""Training loops, and how long they and the steps in them take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import numpy as np

from ..optimizers.trees import copied
from ..problems.data import Data, batches
from ..problems.network import Network, Params, arrays
from ..typing import Array
from .optimizers import DEFAULT_EPOCHS, Choice

Step = Callable[[Params], None]
"""Takes the gradients and updates the parameters."""


@dataclass(frozen=True)
class Setting:
    """What all optimizers have in common."""

    hidden: tuple[int, ...] = (128, 64)
    epochs: int = DEFAULT_EPOCHS
    batch_size: int = 32
    seed: int = 0

    def sizes(self, data: Data) -> tuple[int, ...]:
        """The widths of the network's layers."""
        return (data.X.shape[1], *self.hidden, data.outputs)

    def steps(self, data: Data) -> int:
        """Mini-batches in one epoch."""
        return -(-len(data.y) // self.batch_size)


@dataclass
class Times:
    """Seconds, as measured."""

    epochs: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)


@dataclass
class Run:
    """One optimizer's training: the loss before it and after each epoch, accuracy, times."""

    choice: Choice
    losses: list[float] = field(default_factory=list)
    accuracy: float = float("nan")
    here: Times = field(default_factory=Times)
    plain: Times = field(default_factory=Times)

    @property
    def epoch(self) -> float:
        """Seconds of an epoch with optcore's step: the median."""
        return median(self.here.epochs)

    @property
    def step(self) -> float:
        """Seconds of a step of optcore: the median."""
        return median(self.here.steps)

    @property
    def plain_step(self) -> float:
        """Seconds of the same step in plain NumPy: the median; NaN where it was not run."""
        return median(self.plain.steps) if self.plain.steps else float("nan")


def train_epoch(
    network: Network,
    params: Params,
    examples: Iterable[tuple[Array, Array]],
    step: Step,
    times: Times,
) -> None:
    """The training loop: for every mini-batch loss, gradients and a step.

    Args:
        network: what computes loss and gradients.
        params: its weights and biases, updated in place by `step`.
        examples: mini-batches.
        step: such as `opt.step`, or `plain_step(...)`.
        times: where the time of the whole epoch and of every step in it is added.
    """
    start = perf_counter()
    for X, y in examples:
        _, grads = network.loss_and_grads(params, X, y)
        before = perf_counter()
        step(grads)
        times.steps.append(perf_counter() - before)
    times.epochs.append(perf_counter() - start)


def compiled_step(choice: Choice, params: Params, total: int) -> Step:
    """optcore's step on these parameters, its rate made for so many steps in all."""
    return choice.compiled(params, total).step


def plain_step(choice: Choice, params: Params, total: int) -> Step:
    """The same step in plain NumPy. The rates are worked out beforehand, in no one's time."""
    optimizer = choice.plain(arrays(params))
    rates = iter(choice.rate(total).values(total).tolist())
    return lambda grads: optimizer.step(arrays(grads), next(rates))


def train(
    choice: Choice,
    data: Data,
    setting: Setting,
    *,
    compare: bool = True,
    progress: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Trains a network with one optimizer, and a second one with its counterpart in plain NumPy.

    Both start from the same weights and see the same mini-batches. They take turns epoch by epoch,
    so that whatever else the machine does meets both.

    Args:
        choice: the optimizer.
        data: what to learn and what to test on.
        setting: the network and how long to train it.
        compare: whether to train the second network.
        progress: called after every epoch.
    """
    network = Network(setting.sizes(data))
    params = network.initial(setting.seed)
    total = setting.epochs * setting.steps(data)
    twin = copied(params)
    step, other_step = compiled_step(choice, params, total), plain_step(choice, twin, total)

    run = Run(choice, [network.loss(params, data.X, data.y)])
    for epoch in range(setting.epochs):
        order = [setting.seed, epoch]
        examples = list(batches(data.X, data.y, setting.batch_size, np.random.default_rng(order)))
        train_epoch(network, params, examples, step, run.here)
        if compare:
            train_epoch(network, twin, examples, other_step, run.plain)
        run.losses.append(network.loss(params, data.X, data.y))
        progress(run)
    run.accuracy = network.score(params, data.X_test, data.y_test)
    return run
