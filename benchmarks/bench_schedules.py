"""Schedules: the rate of one step as a training loop asks for it, and a million of them at once."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count

with contextlib.suppress(ImportError):
    import torch  # (first, see race.py)

import numpy as np

from optcore.schedules import WarmupCosine

PEAK, WARMUP, TOTAL = 3e-3, 1000, 1_000_000
CHECKED = 100  # steps over which a contender has to agree before it is timed


@dataclass(frozen=True)
class OneStep:
    """The rate of the next step."""

    title: str = "WarmupCosine, one step"
    elements: int = 1
    bytes: int = 8
    threads: int = 1
    small: bool = True
    quick: bool = True

    def with_threads(self, threads: int) -> OneStep:
        return self  # there is nothing to share out

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", *["torch-scheduler"] * (find_spec("torch") is not None)]

    def laps(self, who: str) -> int:
        return 3

    def prepare(self, who: str) -> Callable[[], object]:
        """A contender's step, after its first ones agree with the formula."""
        take = torch_rates() if who == "torch-scheduler" else our_rates()
        rates = [take() for _ in range(CHECKED)]
        np.testing.assert_allclose(rates, written_out(np.arange(CHECKED)), rtol=1e-9, err_msg=who)
        return take


@dataclass(frozen=True)
class ManySteps:
    """The rates of a whole run as an array."""

    title: str = "WarmupCosine, 1000000 steps"
    elements: int = TOTAL
    bytes: int = 16 * TOTAL
    threads: int = 1
    small: bool = True
    quick: bool = True

    def with_threads(self, threads: int) -> ManySteps:
        return self  # one loop on one thread, on either side

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", "numpy"]

    def laps(self, who: str) -> int:
        return 3

    def prepare(self, who: str) -> Callable[[], object]:
        """A contender's whole run, after it agrees with the formula."""
        steps = np.arange(TOTAL)
        values = written_out if who == "numpy" else WarmupCosine(PEAK, WARMUP, TOTAL)
        np.testing.assert_allclose(
            values(steps), written_out(steps), rtol=1e-9, atol=1e-15, err_msg=who
        )
        return lambda: values(steps)


def written_out(k: np.ndarray) -> np.ndarray:
    """The expression as one writes it in NumPy."""
    falling = 0.5 * PEAK * (1 + np.cos(np.pi * (k - WARMUP) / (TOTAL - WARMUP)))
    return np.where(k < WARMUP, PEAK * k / WARMUP, falling)


def our_rates() -> Callable[[], float]:
    """The schedule at each step in turn."""
    return map(WarmupCosine(PEAK, WARMUP, TOTAL), count()).__next__


def torch_rates() -> Callable[[], float]:
    """The rate of this step, and torch's scheduler on to the next.

    LambdaLR with plain arithmetic is the quickest that torch has for this shape; LinearLR and
    CosineAnnealingLR within SequentialLR take longer.
    """
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=PEAK)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    optimizer.step()  # the scheduler looks whether there was one
    group = optimizer.param_groups[0]

    def rate() -> float:
        now: float = group["lr"]
        scheduler.step()
        return now

    return rate


def factor(k: int) -> float:
    """What the peak is multiplied by at a step."""
    if k < WARMUP:
        return k / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (k - WARMUP) / (TOTAL - WARMUP)))


RACES = [OneStep(), ManySteps()]


def test_schedules(turn, heat):
    """A step, or all of them."""
    turn(heat)
