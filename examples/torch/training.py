"""A training loop with early stopping, and the data for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor, nn

import optcore as oc
from optcore.typing import Array

Loss = Callable[[Tensor, Tensor], Tensor]


class Examples(NamedTuple):
    """What goes into a model, and what should come out: one row for each example."""

    X: Tensor
    y: Tensor


class Data(NamedTuple):
    """Examples to learn from, to stop early by, and to test on at the very end."""

    train: Examples
    valid: Examples
    test: Examples


class Trainer(NamedTuple):
    """An optimizer and, if its rate changes, what changes it after each epoch."""

    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None


def split(X: Tensor, y: Tensor, seed: int = 0) -> Data:
    """Three fifths to learn from, a fifth to stop early by, a fifth to test on, at random."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    fifth = len(y) // 5
    parts = order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]
    return Data(*(Examples(X[rows], y[rows]) for rows in parts))


def batched(examples: Examples, size: int, seed: int) -> list[Examples]:
    """All examples once, in random order, in batches of one size; what is left over is left out.

    BatchNorm needs more than one example, which the last batch might not have.
    """
    order = torch.randperm(len(examples.y), generator=torch.Generator().manual_seed(seed))
    size = min(size, len(order))
    rows = order[: len(order) // size * size].split(size)
    return [Examples(examples.X[chosen], examples.y[chosen]) for chosen in rows]


def views(model: nn.Module) -> dict[str, Array]:
    """The model's weights and running statistics as NumPy arrays on the same memory.

    What is written into them is in the model, so that `optcore.EarlyStopping` can keep and restore
    them. What is counted in whole numbers, such as the batches that BatchNorm has seen, is no part.
    """
    state = model.state_dict()
    return {name: value.numpy() for name, value in state.items() if value.is_floating_point()}


class Side:
    """One of the two: a model, what trains it, and how that goes."""

    def __init__(self, name: str, model: nn.Module, trainer: Trainer, patience: int):
        self.name, self.model = name, model
        self.optimizer, self.schedule = trainer
        self.stopping = oc.EarlyStopping(views(model), patience=patience)
        self.stopped = False
        self.losses: list[float] = []  # on the validation part, after each epoch
        self.seconds = 0.0
        self.step_seconds: list[float] = []

    def train(self, batches: Sequence[Examples], loss: Loss) -> None:
        """The training loop: for every batch loss, gradients and a step."""
        self.model.train()
        for X, y in batches:
            self.optimizer.zero_grad()
            loss(self.model(X), y).backward()
            before = perf_counter()
            self.optimizer.step()
            self.step_seconds.append(perf_counter() - before)

    def epoch(self, batches: Sequence[Examples], valid: Examples, loss: Loss) -> None:
        """Trains on all batches, and then looks whether it is time to stop."""
        before = perf_counter()
        self.train(batches, loss)
        if self.schedule is not None:
            self.schedule.step()
        self.losses.append(evaluated(self.model, valid, loss)[0])
        self.stopped = self.stopping.step(self.losses[-1])
        self.seconds += perf_counter() - before


@torch.no_grad()
def evaluated(model: nn.Module, examples: Examples, loss: Loss) -> tuple[float, float]:
    """Loss and accuracy: the share of outputs that are right.

    A model with one output says yes where it is positive; one with more has one for each class.
    """
    model.eval()
    outputs = torch.cat([model(X) for X in examples.X.split(500)])
    answers = outputs > 0 if outputs.shape[1] == 1 else outputs.argmax(1)
    return loss(outputs, examples.y).item(), (answers == examples.y).double().mean().item()
