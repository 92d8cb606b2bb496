"""Trains a model twice, side by side: with an optimizer of optcore and with one of torch.optim.

Both start from the same weights and see the same batches and the same dropout masks. They take
turns epoch by epoch, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Callable, Sequence
from statistics import median
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


def options(description: str | None, epochs: int) -> argparse.ArgumentParser:
    """The options that every example has.

    Args:
        description: the docstring of the example; its first line is shown.
        epochs: how many there are at most, unless the user says otherwise.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=epochs, help="at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and dropout")
    parser.add_argument("--quick", action="store_true", help="a few seconds: three epochs")
    return parser


def split(X: Tensor, y: Tensor, seed: int = 0) -> Data:
    """Three fifths to learn from, a fifth to stop early by, a fifth to test on, at random."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    fifth = len(y) // 5
    parts = order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]
    return Data(*(Examples(X[rows], y[rows]) for rows in parts))


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


def batched(examples: Examples, size: int, seed: int) -> list[Examples]:
    """All examples once, in random order, in batches of one size; what is left over is left out.

    BatchNorm needs more than one example, which the last batch might not have.
    """
    order = torch.randperm(len(examples.y), generator=torch.Generator().manual_seed(seed))
    rows = order[: len(order) // size * size].split(size)
    return [Examples(examples.X[chosen], examples.y[chosen]) for chosen in rows]


def compare(
    make: Callable[[], nn.Module],
    data: Data,
    loss: Loss,
    *,
    optcore: Callable[[nn.Module], Trainer],
    torch_optim: Callable[[nn.Module], Trainer],
    chosen: argparse.Namespace,
    batch_size: int = 32,
    patience: int = 5,
) -> None:
    """Trains the model with both, shows how far they are, and prints a table.

    Args:
        make: makes the model.
        data: the three parts of the data.
        loss: from the model's outputs and the right answers.
        optcore: makes the optimizer of `optcore.torch` for a model, with its schedule.
        torch_optim: the same with `torch.optim`.
        chosen: what the user chose: epochs, seed and quick.
        batch_size: examples in a step.
        patience: how many epochs without progress on the validation part there may be.
    """
    epochs = min(chosen.epochs, 3) if chosen.quick else chosen.epochs
    torch.manual_seed(chosen.seed)
    model = make()
    makers = {"optcore": optcore, "torch.optim": torch_optim}
    for prepare in makers.values():  # what is loaded at the first step is in nobody's time
        twin = copy.deepcopy(model)
        Side("", twin, prepare(twin), 1).train(batched(data.train, batch_size, 0)[:1], loss)
    sides = []
    for name, prepare in makers.items():
        twin = copy.deepcopy(model)
        sides.append(Side(name, twin, prepare(twin), patience))

    print(
        f"{sum(p.numel() for p in model.parameters())} parameters in "
        f"{len(list(model.parameters()))} tensors; {len(data.train.y)} examples to learn from, "
        f"{len(data.valid.y)} to stop by, {len(data.test.y)} to test on\n"
    )
    first_loss, _ = evaluated(model, data.train, loss)
    progress = Progress(epochs)
    for epoch in range(epochs):
        seed = 1000 * chosen.seed + epoch
        batches = batched(data.train, batch_size, seed)
        for side in sides if epoch % 2 else sides[::-1]:
            if not side.stopped:
                torch.manual_seed(seed)  # the same dropout masks
                side.epoch(batches, data.valid, loss)
        progress.show(sides)
        if all(side.stopped for side in sides):
            break
    progress.close()
    for side in sides:
        side.stopping.restore()
    print(f"\n{table(sides, data, loss, first_loss)}")


class Progress:
    """A bar on a terminal with tqdm, about ten lines elsewhere."""

    def __init__(self, epochs: int):
        self._epochs, self._every, self._done = epochs, max(1, epochs // 10), 0
        self._bar = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True)

    def show(self, sides: Sequence[Side]) -> None:
        """Another epoch is over."""
        self._done += 1
        losses = ", ".join(f"{side.name} {side.losses[-1]:.4f}" for side in sides)
        if self._bar is not None:
            self._bar.set_postfix_str(f"validation loss: {losses}", refresh=False)
            self._bar.update()
        elif self._done % self._every == 0 or all(side.stopped for side in sides):
            print(f"epoch {self._done:3} of {self._epochs}, validation loss: {losses}", flush=True)

    def close(self) -> None:
        """All epochs are over."""
        if self._bar is not None:
            self._bar.close()


def table(sides: Sequence[Side], data: Data, loss: Loss, first_loss: float) -> str:
    """A row for each side, and what the columns mean."""
    lines = [
        "               training loss        test    epochs        seconds     µs a",
        "               before      after    acc.  run best    all  in step    step",
        "-----------  --------  ---------  ------  --- ----  -----  -------  ------",
    ]
    for side in sides:
        after, _ = evaluated(side.model, data.train, loss)
        _, accuracy = evaluated(side.model, data.test, loss)
        best = (side.stopping.best_step or 0) + 1
        lines.append(
            f"{side.name:11}  {first_loss:8.6f}  {after:9.7f}  {100 * accuracy:4.1f} %  "
            f"{len(side.losses):3} {best:4}  {side.seconds:5.2f}  {sum(side.step_seconds):7.3f}  "
            f"{1e6 * median(side.step_seconds):6.0f}"
        )
    ours, theirs = sides
    pairs = zip(ours.model.parameters(), theirs.model.parameters(), strict=True)
    apart = max((a - b).abs().max().item() for a, b in pairs)
    lines += [
        "",
        f"torch.optim takes {median(theirs.step_seconds) / median(ours.step_seconds):.1f} times as "
        f"long for a step, by the medians, and {theirs.seconds / ours.seconds:.2f} times in all.",
        f"The two models' weights are {apart:.0e} apart, at most. Loss after, accuracy and weights",
        "are those of the best epoch, which early stopping restores.",
    ]
    return "\n".join(lines)
