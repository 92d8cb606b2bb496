"""Skip-gram with negative sampling (Mikolov et al., 2013), whose gradients are rows of two tables.

.. code-block:: text

    loss of a pair = −log σ(u·v) − Σ over k negatives of log σ(−u·v')

u is the vector of a word in the table "centre", v that of a word near it in the table "context",
and v' those of words drawn at random. A batch touches the rows of the words in it, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import optcore as oc

Array = NDArray[Any]


class Text:
    """A text as numbers of words, from which batches are drawn.

    Args:
        words: the text, word by word.
        window: how far away a word still counts as near; each word draws its own, up to this.
        negatives: how many random words there are to one that is near.
        common: words whose share of the text is above this are left out at random.
    """

    def __init__(self, words: list[str], window: int = 4, negatives: int = 5, common: float = 1e-3):
        vocabulary, self._words, counts = np.unique(words, return_inverse=True, return_counts=True)
        self.vocabulary: list[str] = vocabulary.tolist()
        self._window, self._negatives = window, negatives
        self._kept = np.minimum(1.0, np.sqrt(common * len(words) / counts))
        self._noise = np.cumsum(counts**0.75) / np.sum(counts**0.75)

    def row(self, word: str) -> int:
        """Which row of the tables is that word's."""
        return self.vocabulary.index(word)

    def batches(self, rng: np.random.Generator, size: int = 64) -> Iterator[tuple[Array, Array]]:
        """The pairs of one epoch: centres (size,), and their targets (size, 1 + negatives).

        The first target of a centre is the word near it, the others are the negatives.
        """
        words = self._words[rng.random(len(self._words)) < self._kept[self._words]]
        reach = rng.integers(1, self._window + 1, len(words))
        pairs = []
        for apart in range(1, self._window + 1):
            left, right = words[:-apart], words[apart:]
            pairs.append(np.stack([left, right])[:, reach[:-apart] >= apart])
            pairs.append(np.stack([right, left])[:, reach[apart:] >= apart])
        centres, near = rng.permutation(np.concatenate(pairs, axis=1), axis=1)
        for start in range(0, len(centres), size):
            batch = centres[start : start + size]
            noise = np.searchsorted(self._noise, rng.random((len(batch), self._negatives)))
            yield batch, np.column_stack([near[start : start + size], noise])


def start(words: int, width: int, rng: np.random.Generator) -> dict[str, Array]:
    """The two tables, as word2vec starts them."""
    return {
        "centre": (rng.random((words, width)) - 0.5) / width,
        "context": np.zeros((words, width)),
    }


def loss_and_rows(
    params: dict[str, Array], centres: Array, targets: Array
) -> tuple[float, dict[str, oc.Rows]]:
    """The loss of a batch, summed over its pairs, and its gradients: the rows that it touches."""
    u, v = params["centre"][centres], params["context"][targets]
    sign = np.where(np.arange(targets.shape[1]) == 0, 1.0, -1.0)  # the first is near, others not
    scores = sign * (v @ u[..., None])[..., 0]
    loss = float(np.sum(np.logaddexp(0.0, -scores)))
    slopes = -sign / (1.0 + np.exp(scores))
    by_target = (slopes[..., None] * u[:, None, :]).reshape(-1, u.shape[1])
    return loss, {
        "centre": oc.Rows(centres, (slopes[:, None, :] @ v)[:, 0]),
        "context": oc.Rows(targets.ravel(), by_target),  # a word may be there several times
    }


def dense(rows: oc.Rows, table: Array) -> Array:
    """The same gradient as an array of the table's size, zero where no row is named."""
    whole = np.zeros_like(table)
    np.add.at(whole, rows.indices, rows.values)
    return whole
