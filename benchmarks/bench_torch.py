"""The PyTorch door: a whole `opt.step()` of a torch optimizer, beside torch.optim's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec

import rivals
from bench_rules import TORCH
from shapes import MODELS

import optcore as oc

BYTES = {rule["name"]: rule["bytes"] for rule in oc.rules()}


@dataclass(frozen=True)
class TorchRace:
    """One step of a torch optimizer over the shapes of a model."""

    rule: str
    model: str
    threads: int = 2
    quick: bool = False

    @property
    def title(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"optcore.torch {self.rule}, {self.model}, {threads}"

    @property
    def elements(self) -> int:
        return sum(math.prod(shape) for shape in MODELS[self.model])

    @property
    def small(self) -> bool:
        return self.elements < 1 << 20

    @property
    def bytes(self) -> int:
        return BYTES[self.rule] * self.elements

    def with_threads(self, threads: int) -> TorchRace:
        return replace(self, threads=threads)

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", *(TORCH[self.rule] if find_spec("torch") else ())]

    def laps(self, who: str) -> int:
        return 4 if self.small else 1

    def prepare(self, who: str) -> Callable[[], object]:
        if not find_spec("torch"):
            raise rivals.AbsentError("needs torch")
        from rivals import torch_door

        return torch_door.prepare(self.rule, MODELS[self.model], self.threads, who)


RACES = [
    *(TorchRace("AdamW", model, quick=True) for model in ("ten", "200x1000", "1000x16")),
    *(TorchRace("AdamW", model) for model in ("ResNet-50", "GPT-2")),
    *(TorchRace(rule, "ResNet-50") for rule in ("NAdam", "RMSprop", "Adadelta", "RAdam", "SGD")),
]


def test_torch(turn, heat):
    """One step of all parameters."""
    turn(heat)
