"""Patches of two photographs, to tell one from the other: small colour images for a classifier.

scikit-learn ships the photographs, china.jpg (a temple and the sky) and flower.jpg (a dahlia);
reading them takes Pillow.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_sample_images

from optcore.problems import Data
from optcore.typing import Array

NAMES = ("china", "flower")
SIDE, STRIDE, BORDER = 64, 32, 400
"""Pixels: of a patch, between patches, and the column that parts training from testing."""


def patches(side: int = SIDE) -> Data:
    """264 patches to learn from and 144 to test on, as rows of side·side·3 numbers from 0 to 1.

    The label is 1 for the flower. Patches for learning lie left of column 400, those for testing
    right of it, so that no pixel is in both; within a part neighbours overlap by half.

    Args:
        side: pixels along a side, a divisor of 64: smaller patches are means over squares.
    """
    images = load_sample_images().images

    def part(columns: slice) -> tuple[Array, Array]:
        found = [shrunk(cut(image[:, columns]), side) for image in images]
        labels = np.repeat(np.arange(len(images)), [len(rows) for rows in found])
        return np.concatenate(found).reshape(len(labels), -1), labels

    return Data(*part(slice(0, BORDER)), *part(slice(BORDER, None)))


def cut(image: Array) -> Array:
    """All patches of an image, a step of STRIDE apart, as (patches, 64, 64, 3) from 0 to 1."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE), axis=(0, 1))
    chosen = windows[::STRIDE, ::STRIDE].reshape(-1, 3, SIDE, SIDE)
    return np.asarray(chosen.transpose(0, 2, 3, 1), np.float32) / 255


def shrunk(images: Array, side: int) -> Array:
    """The means over squares of pixels, so that `side` of them are left along a side."""
    square = SIDE // side
    blocks = images.reshape(len(images), side, square, side, square, 3)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)
