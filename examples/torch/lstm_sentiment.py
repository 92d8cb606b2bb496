"""An LSTM that reads whether a sentence about a film is kind.

The sentences come from the grammar of `sentences.py`; those of the test are none that it learns
from. Gradients of recurrent networks can explode (Pascanu, Mikolov & Bengio, 2013), so their norm
is held to 1: with optcore in the step itself, with torch in a pass before it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import optcore.torch as ot
from sentences import sentences
from side_by_side import compare, options
from training import Data, Trainer, split

RATE, NORM = 1e-3, 1.0
WORDS = 10_000  # what the embedding has room for, as for real text; the grammar has some hundred


class SentimentLSTM(nn.Module):
    """The last hidden state of an LSTM over word vectors, with dropout before and after it."""

    def __init__(self, words: int = WORDS, width: int = 100, hidden: int = 128):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, text: Tensor) -> Tensor:
        """Two numbers for each row of word numbers: the second is the larger for a kind one."""
        _, (last, _) = self.lstm(self.dropout(self.embedding(text)))
        y: Tensor = self.out(self.dropout(last[-1]))
        return y


def with_optcore(model: nn.Module) -> Trainer:
    """RMSprop, clipped in the same pass."""
    return Trainer(ot.RMSprop(model.parameters(), lr=RATE, clip_norm=NORM))


def with_torch(model: nn.Module) -> Trainer:
    """The same; the clipping is hooked in so that it counts as part of step()."""
    optimizer = torch.optim.RMSprop(model.parameters(), lr=RATE)

    def clip(*_: object) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), NORM)

    optimizer.register_step_pre_hook(clip)
    return Trainer(optimizer)


def numbered(texts: list[str]) -> Tensor:
    """A number for each word, in rows of one length; 0 fills up on the left, before the text."""
    words = sorted({word for text in texts for word in text.split()})
    number = {word: i for i, word in enumerate(words, start=1)}
    rows = [[number[word] for word in text.split()] for text in texts]
    longest = max(map(len, rows))
    return torch.tensor([[0] * (longest - len(row)) + row for row in rows])


def film_reviews(count: int) -> Data:
    """So many sentences, and 1 for the kind ones."""
    texts, kind = zip(*sentences(count), strict=True)
    return split(numbered(list(texts)), torch.tensor(kind).long())


if __name__ == "__main__":
    chosen = options(__doc__, epochs=10).parse_args()
    compare(
        SentimentLSTM,
        film_reviews(400 if chosen.quick else 2000),
        nn.CrossEntropyLoss(),
        optcore=with_optcore,
        torch_optim=with_torch,
        chosen=chosen,
    )
