"""Batch normalization: a small network that learns at a high rate.

Ten measurements of a tumour tell whether it is benign: the means in the Wisconsin breast cancer
data that scikit-learn carries (Street, Wolberg & Mangasarian, 1993).
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer
from torch import Tensor, nn

import optcore.torch as ot
from optcore.schedules import InverseTime
from side_by_side import compare, options
from training import Data, Trainer, split

RATE, DECAY = 0.5, 0.1


class BatchNormNet(nn.Module):
    """10-20-1, normalized before the ReLU (Ioffe & Szegedy, 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(10, 20)
        self.norm = nn.BatchNorm1d(20)
        self.out = nn.Linear(20, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One number for each row: positive means yes."""
        y: Tensor = self.out(torch.relu(self.norm(self.hidden(x))))
        return y


def with_optcore(model: nn.Module) -> Trainer:
    """Plain SGD, its rate divided by 1 + 0.1·epoch."""
    optimizer = ot.SGD(model.parameters(), lr=RATE)
    return Trainer(optimizer, ot.LRScheduler(optimizer, InverseTime(RATE, decay=DECAY)))


def with_torch(model: nn.Module) -> Trainer:
    """The same; the schedule has to be written out."""
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + DECAY * epoch))
    return Trainer(optimizer, schedule)


def tumours() -> Data:
    """The ten means, each scaled to mean 0 and variance 1, and whether the tumour is benign."""
    X, y = load_breast_cancer(return_X_y=True)
    X = torch.from_numpy(X[:, :10]).float()
    return split((X - X.mean(0)) / X.std(0), torch.from_numpy(y).float()[:, None])


if __name__ == "__main__":
    compare(
        BatchNormNet,
        tumours(),
        nn.BCEWithLogitsLoss(),
        optcore=with_optcore,
        torch_optim=with_torch,
        chosen=options(__doc__, epochs=60).parse_args(),
        patience=10,
    )
