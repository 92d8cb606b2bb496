"""What the examples share: a small model, data made on the spot, and the group of processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn

CLASSES, FEATURES = 4, 20


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """Joins the group that torchrun has started, and says (rank, number of processes).

    Without torchrun it is a group of one, so that every example runs as a plain script too.
    """
    alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    if "RANK" not in os.environ:
        os.environ.update(alone)
    dist.init_process_group("gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


def network() -> nn.Sequential:
    """A perceptron; the seed gives every process the same weights."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CLASSES)
    )


def data(n: int = 2048) -> tuple[torch.Tensor, torch.Tensor]:
    """Clouds of points around the corners of a simplex, one for each class."""
    rng = torch.Generator().manual_seed(1)
    y = torch.arange(n) % CLASSES
    X = torch.randn(n, FEATURES, generator=rng) + 2 * torch.eye(CLASSES, FEATURES)[y]
    return X, y


def batches(
    steps: int, rank: int, world: int, batch: int = 120
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """This process's share of each mini-batch; shares are equal, so their mean is the batch's."""
    X, y = data()
    rng = torch.Generator().manual_seed(2)
    for _ in range(steps):
        chosen = torch.randint(len(X), (batch,), generator=rng)[rank::world]
        yield X[chosen], y[chosen]


def accuracy(model: nn.Module) -> float:
    """The share of points that are put into their class."""
    X, y = data()
    with torch.no_grad():
        return float((model(X).argmax(1) == y).float().mean())
