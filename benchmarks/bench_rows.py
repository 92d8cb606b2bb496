"""Sparse rows: a step on the rows of an embedding table that a batch has touched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import cycle

with contextlib.suppress(ImportError):
    import torch  # noqa: F401  (first, see race.py)

import numpy as np
from arrays import Array
from workload import LR

import optcore as oc

ROWS, WIDTH, COUNT, REPEATS = 1_000_000, 64, 8192, 819
BATCHES = 8  # that take turns, as rows of the same batch would stay in a cache
STATE = {"Adam": 2, "Adagrad": 1}
EPS = 1e-15  # so small that it makes no difference where SparseAdam adds it


@dataclass(frozen=True)
class Table:
    """One step on an embedding table, by a rule."""

    rule: str
    threads: int = 2
    small: bool = False
    quick: bool = True

    @property
    def title(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{self.rule}, {COUNT} rows of {ROWS}x{WIDTH}, {threads}"

    @property
    def elements(self) -> int:
        return (COUNT - REPEATS) * WIDTH

    @property
    def bytes(self) -> int:
        return 4 * (self.elements * (2 + 2 * STATE[self.rule]) + COUNT * WIDTH)

    def with_threads(self, threads: int) -> Table:
        return replace(self, threads=threads)

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", *["torch-sparse"] * (find_spec("torch") is not None)]

    def laps(self, who: str) -> int:
        return 3

    def prepare(self, who: str) -> Callable[[], None]:
        """A contender's step, after one with every batch has led where optcore's leads."""
        batches = [batch(np.random.default_rng(k)) for k in range(BATCHES)]
        table, step = made(self, who, batches)
        for _ in batches:
            step()
        if who != "optcore":
            touched = np.unique(np.concatenate([indices for indices, _ in batches]))
            ours, our_step = made(self, "optcore", batches)
            for _ in batches:
                our_step()
            np.testing.assert_allclose(table[touched], ours[touched], atol=LR / 100, err_msg=who)
        return step


def batch(rng: np.random.Generator) -> tuple[Array, Array]:
    """Indices, a tenth of them repeated, in any order, and the values of their rows."""
    once = rng.permutation(ROWS)[: COUNT - REPEATS]
    indices = rng.permutation(np.concatenate([once, rng.choice(once, REPEATS)]))
    return indices, rng.standard_normal((COUNT, WIDTH), np.float32)


def made(
    race: Table, who: str, batches: list[tuple[Array, Array]]
) -> tuple[Array, Callable[[], None]]:
    """A new table, and a contender's step on it."""
    table = np.full((ROWS, WIDTH), 0.5, np.float32)
    if who == "torch-sparse":
        from rivals.torch_sparse import TorchSparse

        return table, TorchSparse(race.rule, table, batches, EPS, race.threads).step
    kind = {"Adam": oc.Adam, "Adagrad": oc.Adagrad}[race.rule]
    optimizer = kind(table, lr=LR, eps=EPS, threads=race.threads)
    rows = cycle([oc.Rows(*each) for each in batches])
    return table, lambda: optimizer.step(next(rows))


RACES = [Table("Adam"), Table("Adagrad")]


def test_rows(turn, heat):
    """The batches, one after another."""
    turn(heat)
