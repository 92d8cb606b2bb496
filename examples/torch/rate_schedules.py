"""Four optimizers, each with a schedule of its learning rate.

SGD, SGD with momentum, RMSprop and Adam learn what `dropout.py` learns, at rates that are high on
purpose. One `LRScheduler` takes every schedule of optcore; torch has a class for each, and some are
put together. A third model is trained at the constant rate, to show what the schedule changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.optim import lr_scheduler

import optcore as oc
import optcore.torch as ot
from dropout import patients
from optcore.schedules import Exponential, InverseTime, Schedule, Step, WarmupCosine
from side_by_side import epochs, made, options, train
from training import Data, Loss, Side, Trainer, evaluated


class Contest(NamedTuple):
    """An optimizer and its schedule, in both libraries."""

    name: str
    kind: str
    options: dict[str, float]
    schedule: Schedule
    torch_schedule: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]

    def with_optcore(self, model: nn.Module) -> Trainer:
        """A class of optcore.torch, and optcore's schedule."""
        optimizer = getattr(ot, self.kind)(model.parameters(), **self.options)
        return Trainer(optimizer, ot.LRScheduler(optimizer, self.schedule))

    def with_torch(self, model: nn.Module) -> Trainer:
        """The class of torch.optim, and torch's schedule."""
        optimizer = getattr(torch.optim, self.kind)(model.parameters(), **self.options)
        return Trainer(optimizer, self.torch_schedule(optimizer))

    def constant(self, model: nn.Module) -> Trainer:
        """Without a schedule."""
        return Trainer(getattr(ot, self.kind)(model.parameters(), **self.options))


def contests(total: int) -> list[Contest]:
    """The four. The last two schedules are made for so many epochs."""
    warmup = total // 5

    def warmup_cosine(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        rise = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warmup)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, total - warmup)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])

    return [
        Contest(
            "SGD",
            "SGD",
            {"lr": 0.5},
            InverseTime(0.5, decay=0.1),
            lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + 0.1 * t)),
        ),
        Contest(
            "momentum",
            "SGD",
            {"lr": 0.1, "momentum": 0.9},
            Step(0.1, step_size=5, gamma=0.3),
            lambda optimizer: lr_scheduler.StepLR(optimizer, 5, 0.3),
        ),
        Contest(
            "RMSprop",
            "RMSprop",
            {"lr": 0.02},
            Exponential(0.02, gamma=0.85),
            lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.85),
        ),
        Contest(
            "Adam",
            "Adam",
            {"lr": 0.02},
            WarmupCosine(0.02, warmup=warmup, total=total, start=0.002),
            warmup_cosine,
        ),
    ]


def net() -> nn.Module:
    """10-20-1."""
    return nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))


def row(contest: Contest, sides: list[Side], data: Data, loss: Loss) -> str:
    """The losses at the end, and how far the weights of the two libraries are apart."""
    learnt, tested = ([evaluated(s.model, part, loss)[0] for s in sides] for part in data[::2])
    pairs = zip(sides[0].model.parameters(), sides[1].model.parameters(), strict=True)
    apart = max((a - b).abs().max().item() for a, b in pairs)
    return (
        f"{contest.name:9}  {type(contest.schedule).__name__:12}"
        f"  {learnt[0]:9.6f}  {learnt[1]:11.6f}  {learnt[2]:8.4f}"
        f"  {tested[0]:9.4f}  {tested[2]:8.4f}  {apart:7.0e}"
    )


def draw(found: list[tuple[Contest, list[Side]]], total: int, path: Path) -> None:
    """The rates, and the validation losses with and without a schedule."""
    from matplotlib import pyplot as plt  # the table does without

    figure = plt.figure(figsize=(11, 5.4), layout="constrained")
    places = figure.add_gridspec(2, 3, width_ratios=(1.3, 1, 1))
    rates = {contest.name: contest.schedule for contest, _ in found}
    ax = figure.add_subplot(places[:, 0])
    oc.plot.schedules(rates, total, ax, xlabel="epoch", log=True)
    for k, (contest, sides) in enumerate(found):
        ax = figure.add_subplot(places[k // 2, 1 + k % 2])
        shown = {"scheduled": sides[0].losses, "constant": sides[2].losses}
        oc.plot.curves(shown, ax, log=False, xlabel="epoch", title=contest.name, legend=k == 0)
        ax.set_ylabel("validation loss")
    print(f"\nthe picture is in {oc.plot.save(ax, path, dpi=110)}")


if __name__ == "__main__":
    parser = options(__doc__, epochs=25)
    parser.add_argument("--picture", type=Path, help="where to draw rates and losses, a PNG")
    chosen = parser.parse_args()
    total, data, loss = max(chosen.epochs, 5), patients(), nn.BCEWithLogitsLoss()
    print(
        "                         training loss                      test loss            weights\n"
        "optimizer  schedule        optcore  torch.optim  constant  scheduled  constant    apart\n"
        "---------  ------------  ---------  -----------  --------  ---------  --------  -------"
    )
    found = []
    for contest in contests(total):
        sides = []
        for prepare in (contest.with_optcore, contest.with_torch, contest.constant):
            model = made(net, chosen.seed)
            sides.append(Side("", model, prepare(model), patience=epochs(chosen) + 1))
        train(sides, data, loss, chosen, batch_size=16)
        found.append((contest, sides))
        print(row(contest, sides, data, loss), flush=True)
    if chosen.picture:
        draw(found, total, chosen.picture)
