"""Dropout: a small network that is kept from learning its few noisy examples by heart.

Ten numbers about a diabetic tell whether the illness will have grown by more than the median a year
later, from the data of Efron, Hastie, Johnstone & Tibshirani (2004) that scikit-learn carries.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_diabetes
from torch import Tensor, nn

import optcore.torch as ot
from optcore.schedules import Exponential
from side_by_side import compare, options
from training import Data, Trainer, split

RATE, GAMMA = 0.02, 0.95


class DropoutNet(nn.Module):
    """10-20-1, whose hidden numbers are dropped at random (Srivastava et al., 2014)."""

    def __init__(self, rate: float = 0.5):
        super().__init__()
        self.hidden = nn.Linear(10, 20)
        self.dropout = nn.Dropout(rate)
        self.out = nn.Linear(20, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One number for each row: positive means yes."""
        y: Tensor = self.out(self.dropout(torch.relu(self.hidden(x))))
        return y


def with_optcore(model: nn.Module) -> Trainer:
    """Adam, its rate times 0.95 after each epoch."""
    optimizer = ot.Adam(model.parameters(), lr=RATE)
    return Trainer(optimizer, ot.LRScheduler(optimizer, Exponential(RATE, gamma=GAMMA)))


def with_torch(model: nn.Module) -> Trainer:
    """The same."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    return Trainer(optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, GAMMA))


def patients() -> Data:
    """Ten numbers, each scaled to mean 0 and variance 1, and whether the illness grew."""
    X, y = (torch.from_numpy(array).float() for array in load_diabetes(return_X_y=True))
    return split((X - X.mean(0)) / X.std(0), (y > y.median()).float()[:, None])


if __name__ == "__main__":
    compare(
        DropoutNet,
        patients(),
        nn.BCEWithLogitsLoss(),
        optcore=with_optcore,
        torch_optim=with_torch,
        chosen=options(__doc__, epochs=60).parse_args(),
        patience=10,
    )
