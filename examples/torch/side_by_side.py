"""Trains a model twice, side by side: with an optimizer of optcore and with one of torch.optim.

Both start from the same weights and see the same batches and the same dropout masks. They take
turns epoch by epoch, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable

import torch
from torch import nn

from report import Progress, table
from training import Data, Loss, Side, Trainer, batched, evaluated


def options(description: str | None, epochs: int) -> argparse.ArgumentParser:
    """The options that every example has.

    Args:
        description: the docstring of the example; its first line is shown.
        epochs: how many there are at most, unless the user says otherwise.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument(
        "--epochs", type=at_least(1), default=epochs, help="at most (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and dropout")
    parser.add_argument("--quick", action="store_true", help="a few seconds: three epochs")
    return parser


def at_least(low: int) -> Callable[[str], int]:
    """What reads a whole number from the command line."""

    def read(text: str) -> int:
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"expected {low} or more, got {value}")
        return value

    read.__name__ = "whole number"  # argparse names it
    return read


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
    model = made(make, chosen.seed)
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
    progress = Progress(epochs(chosen))
    train(sides, data, loss, chosen, batch_size, progress)
    progress.close()
    for side in sides:
        side.stopping.restore()
    print(f"\n{table(sides, data, loss, first_loss)}")


def epochs(chosen: argparse.Namespace) -> int:
    """How many epochs there are at most."""
    most: int = chosen.epochs
    return min(most, 3) if chosen.quick else most


def made(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A model with the weights of this seed."""
    torch.manual_seed(seed)
    return make()


def train(
    sides: list[Side],
    data: Data,
    loss: Loss,
    chosen: argparse.Namespace,
    batch_size: int = 32,
    progress: Progress | None = None,
) -> None:
    """Trains all sides in turns on the same batches, until they stop or the epochs are over."""
    for epoch in range(epochs(chosen)):
        seed = 1000 * chosen.seed + epoch
        batches = batched(data.train, batch_size, seed)
        for side in sides if epoch % 2 else sides[::-1]:
            if not side.stopped:
                torch.manual_seed(seed)  # the same dropout masks
                side.epoch(batches, data.valid, loss)
        if progress is not None:
            progress.show(sides)
        if all(side.stopped for side in sides):
            break
