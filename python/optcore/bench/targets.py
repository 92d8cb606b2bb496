"""What optcore wants to reach beside others. For information: nothing fails by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .results import OURS, Race


@dataclass(frozen=True)
class Target:
    """A ratio of medians.

    Attributes:
        race: the workload, by its title.
        against: the contender; "torch" is the fastest of its implementations.
        wanted: how many times as long as optcore it should take, at least.
        at_most: the ratio is optcore's time over theirs instead, and should be no more.
    """

    race: str
    against: str
    wanted: float
    at_most: bool = False


@dataclass(frozen=True)
class Outcome:
    """A target and the ratio that was measured, None where one of the two did not run."""

    target: Target
    measured: float | None

    @property
    def met(self) -> bool:
        """Whether the ratio is on the right side, to the two decimals that are shown."""
        if self.measured is None:
            return False
        shown = round(self.measured, 2)
        return shown <= self.target.wanted if self.target.at_most else shown >= self.target.wanted


def _floor(race: str) -> Target:
    return Target(race, "floor", 1.05, at_most=True)


def _door(rule: str, model: str, wanted: float) -> Target:
    return Target(f"optcore.torch {rule}, {model}, 2 threads", "torch", wanted)


TARGETS = (
    _floor("AdamW, float32, 16M, 1 thread"),
    _floor("AdamW, float32, 16M, 2 threads"),
    Target("AdamW, float32, 16M, 1 thread", "torch-fused", 1.2),
    Target("AdamW, float32, 16M, 2 threads", "torch-fused", 1.0),
    Target("AdamW, float32, 256k, 2 threads", "torch-fused", 2.5),
    Target("AdamW, float32, 200x1000, 2 threads", "torch-fused", 20),
    Target("AdamW, float32, 1000x16, 2 threads", "torch-fused", 60),
    Target("AdamW, float32, ten, 2 threads", "torch-fused", 50),
    Target("AdamW, float32, GPT-2, 2 threads", "torch-fused", 1.0),
    Target("AdamW, float32, ResNet-50, 2 threads", "torch-fused", 1.1),
    Target("clip + AdamW, float32, 16M, 2 threads", "torch-fused", 1.3),
    Target("clip + AdamW + EMA, float32, 16M, 2 threads", "torch-fused", 1.35),
    Target("AdamW, all bfloat16, 16M, 1 thread", "torch-fused", 1.8),
    Target("AdamW, all bfloat16, 16M, 2 threads", "torch-fused", 1.5),
    Target("AdamW, all bfloat16, 16M, 2 threads", "optcore-float32", 1.5),
    Target("AdamW, 8-bit moments, 16M, 2 threads", "optcore-float32", 1.1),
    *(
        Target(f"{rule}, float32, 16M, 2 threads", "torch", 5.0)
        for rule in ("RMSprop", "Adadelta", "NAdam", "RAdam", "Adamax")
    ),
    Target("Adafactor, float32, 4096x4096, 2 threads", "torch", 5.0),
    Target("Adam, 8192 rows of 1000000x64, 2 threads", "torch-sparse", 8),
    Target("Adagrad, 8192 rows of 1000000x64, 2 threads", "torch-sparse", 5),
    Target("WarmupCosine, one step", "torch-scheduler", 10),
    Target("WarmupCosine, 1000000 steps", "numpy", 1.0),
    Target("NumPy loop, MLP 784-512-512-10, batch 64", "numpy", 1.8),
    Target("compare, digits-mlp, 8 optimizers, 3 seeds", "numpy", 1.5),
    Target("fit, digits, batches of 200, float64, 1 thread", "sklearn-mlp", 1.5),
    _door("AdamW", "200x1000", 6),
    _door("AdamW", "1000x16", 5),
    _door("AdamW", "ResNet-50", 1.0),
    _door("AdamW", "GPT-2", 1.0),
    *(_door(rule, "ResNet-50", 4) for rule in ("NAdam", "RMSprop", "Adadelta", "RAdam")),
)


def outcomes(races: Iterable[Race], targets: Iterable[Target] = TARGETS) -> Iterator[Outcome]:
    """How each target came out."""
    by_title = {race.title: race for race in races}
    for target in targets:
        race = by_title.get(target.race)
        measured = None
        if race and target.at_most:
            measured = race.ratio(OURS, to=target.against)
        elif race and target.against == "torch":
            measured = race.fastest("torch-")
        elif race:
            measured = race.ratio(target.against)
        yield Outcome(target, measured)
