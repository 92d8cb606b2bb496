"""Writes scikit-learn's 1797 handwritten digits for mlp.cpp: python digits.py digits.bin

The file holds four 32-bit whole numbers (rows for training, rows for testing, pixels, classes),
then all pixels as float32 in [0, 1] row by row, then all labels as 32-bit whole numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TESTED = 360


def write(path: Path) -> None:
    """Shuffles the digits, always in the same way, and writes them."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    header = [len(labels) - TESTED, TESTED, pixels.shape[1], 10]
    with path.open("wb") as file:
        file.write(np.array(header, "<i4").tobytes())
        file.write((pixels[order] / 16).astype("<f4").tobytes())
        file.write(labels[order].astype("<i4").tobytes())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
