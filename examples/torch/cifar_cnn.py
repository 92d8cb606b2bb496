"""A convolutional network on CIFAR-10 or, where that is not to be had, on handwritten digits.

CIFAR-10 (Krizhevsky, 2009) comes through torchvision, which loads 170 MB at the first run; a few
thousand of its 60,000 pictures are used unless you ask for more. The digits are those that
scikit-learn carries, enlarged from 8 by 8 pixels to CIFAR's 32 by 32 and three colours.
"""

from __future__ import annotations

import socket
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

import optcore.torch as ot
from optcore.schedules import Cosine
from side_by_side import at_least, compare, options
from training import Data, Examples, Trainer, split

RATE = 1e-3


class SmallCNN(nn.Module):
    """Two convolutions, each halved by pooling, and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classes = nn.Sequential(
            nn.Linear(64 * 8 * 8, 512), nn.ReLU(), nn.Dropout(0.25), nn.Linear(512, 10)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Ten numbers for each picture: the largest is the answer."""
        y: Tensor = self.classes(self.features(pictures))
        return y


def with_optcore(model: nn.Module, epochs: int) -> Trainer:
    """Adam, its rate along half a cosine down to 0."""
    optimizer = ot.Adam(model.parameters(), lr=RATE)
    return Trainer(optimizer, ot.LRScheduler(optimizer, Cosine(RATE, total=epochs)))


def with_torch(model: nn.Module, epochs: int) -> Trainer:
    """The same."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    return Trainer(optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs))


def cifar10(folder: Path, images: int) -> Data:
    """Pixels from -1 to 1. A fifth of the images is from CIFAR-10's own test part.

    Raises:
        ImportError, OSError, RuntimeError: no torchvision that works, no network, a broken file.
    """
    from torchvision import datasets, transforms

    pixels = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])

    def read(train: bool, start: int, stop: int) -> Examples:
        pictures = datasets.CIFAR10(folder, train=train, download=True, transform=pixels)
        loader = DataLoader(Subset(pictures, range(start, stop)), batch_size=stop - start)
        return Examples(*next(iter(loader)))

    fifth = min(images, 50_000) // 5
    return Data(read(True, 0, 3 * fifth), read(True, 3 * fifth, 4 * fifth), read(False, 0, fifth))


def digits(images: int) -> Data:
    """Pixels from -1 to 1, between those of the original on straight lines."""
    X, y = load_digits(return_X_y=True)
    small = torch.from_numpy(X[:images]).float().view(-1, 1, 8, 8) / 8 - 1
    large = nn.functional.interpolate(small, (32, 32), mode="bilinear").expand(-1, 3, -1, -1)
    return split(large.contiguous(), torch.from_numpy(y[:images]))


def pictures(folder: Path, images: int, only_digits: bool) -> Data:
    """CIFAR-10 if it is to be had; what is taken is said."""
    if only_digits:
        print("handwritten digits, as asked for")
        return digits(images)
    try:
        data = cifar10(folder, images)
    except (ImportError, OSError, RuntimeError) as error:
        print(f"handwritten digits instead of CIFAR-10: {error}")
        return digits(images)
    print(f"CIFAR-10 from {folder}")
    return data


if __name__ == "__main__":
    parser = options(__doc__, epochs=8)
    parser.add_argument(
        "--images", type=at_least(50), default=2000, help="at most (default: %(default)s)"
    )
    parser.add_argument("--digits", action="store_true", help="do not look for CIFAR-10")
    folder = Path.home() / ".cache" / "cifar10"
    parser.add_argument("--folder", type=Path, default=folder, help="where CIFAR-10 is kept")
    chosen = parser.parse_args()
    socket.setdefaulttimeout(10)  # a network that swallows everything would keep us for minutes
    if chosen.quick:
        chosen.images, chosen.digits = min(chosen.images, 300), True
    compare(
        SmallCNN,
        pictures(chosen.folder, chosen.images, chosen.digits),
        nn.CrossEntropyLoss(),
        optcore=lambda model: with_optcore(model, chosen.epochs),
        torch_optim=lambda model: with_torch(model, chosen.epochs),
        chosen=chosen,
        batch_size=64,
    )
