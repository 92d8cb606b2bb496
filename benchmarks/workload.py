"""What is timed: one AdamW step of a model, in a number format, with what goes around the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import rivals
from shapes import MODELS, Shapes

LR, BETAS, EPS, DECAY = 1e-3, (0.9, 0.999), 1e-8, 1e-2

FLOAT32, BFLOAT16, EIGHT_BIT = "float32", "all bfloat16", "8-bit moments"
_BYTES = {  # of a parameter and a gradient, of a moment; the latter with its share of the scale
    FLOAT32: (4, 4),
    BFLOAT16: (2, 2),
    EIGHT_BIT: (4, 1 + 4 / 256),
}


@dataclass(frozen=True)
class Workload:
    """One group of the table: all contenders take the same step.

    Attributes:
        model: a name in `shapes.MODELS`.
        threads: threads for everyone who lets them be chosen.
        format: of parameters, gradients and moments.
        clip: the norm to which gradients are clipped; None does not.
        ema: the decay of an exponential moving average of the parameters; None keeps none.
    """

    model: str
    threads: int = 2
    format: str = FLOAT32
    clip: float | None = None
    ema: float | None = None

    @property
    def title(self) -> str:
        """The name of the group."""
        parts = ["clip"] * (self.clip is not None) + ["AdamW"] + ["EMA"] * (self.ema is not None)
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{' + '.join(parts)}, {self.format}, {self.model}, {threads}"

    @property
    def shapes(self) -> Shapes:
        """One shape for each tensor."""
        return MODELS[self.model]

    @property
    def tensors(self) -> int:
        """How many tensors."""
        return len(self.shapes)

    @property
    def elements(self) -> int:
        """How many parameters in all tensors together."""
        return sum(map(math.prod, self.shapes))

    @property
    def mean_size(self) -> float:
        """Parameters per tensor."""
        return self.elements / self.tensors

    @property
    def bare(self) -> bool:
        """Whether it is the optimizer's step and nothing around it."""
        return self.clip is None and self.ema is None

    @property
    def bytes(self) -> int:
        """What has to be read and written per step: p and moments both, g once, the average both.

        Clipping reads g once more, as the norm has to be known before the first step is taken.
        """
        p, m = _BYTES[self.format]
        per_element = 2 * p + p + 2 * 2 * m
        per_element += p * (self.clip is not None) + 2 * 4 * (self.ema is not None)
        return round(per_element * self.elements)

    @property
    def small(self) -> bool:
        """Whether all contenders' buffers may stay in memory side by side."""
        return self.elements < 1 << 22

    def laps(self, who: str) -> int:
        """How many turns a contender gets.

        With large models each turn begins with new arrays, as their place in memory decides on
        their speed; but the largest take long to set up.
        """
        if self.small:
            return 3
        if rivals.CONTENDERS[who].slow:
            return 1
        return 4 if self.elements < 1 << 26 else 2

    @property
    def quick(self) -> bool:
        """Whether `--quick` runs it."""
        return self.elements <= 1 << 24

    def with_threads(self, threads: int) -> Workload:
        """The same on another number of threads."""
        return replace(self, threads=threads)

    def contenders(self, quick: bool) -> list[str]:
        """Who takes part."""
        return rivals.contenders(self, quick)

    def prepare(self, who: str) -> Callable[[], None]:
        """A contender's step, warmed up and checked against the others'."""
        import race  # which loads the peers, so not before it has to

        return race.prepare(self, who)
