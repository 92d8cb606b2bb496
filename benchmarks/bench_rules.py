"""Every rule's step at 16M float32 parameters, beside its byte floor and torch's implementations.

Each class runs with its defaults, SGD with momentum; so does torch's. Rules that work on matrices
run on one of 4096 x 4096.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec

import rivals.rules

import optcore as oc

ELEMENTS = 1 << 24
MATRIX = (4096, 4096)

# The implementations of torch.optim that there are on the CPU, by class.
_BOTH = ("torch-loop", "torch-foreach")
_FUSED = (*_BOTH, "torch-fused")
TORCH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("SGD", "Adam", "AdamW", "Adagrad"), _FUSED),
    **dict.fromkeys(("RMSprop", "Adadelta", "NAdam", "RAdam", "Adamax", "ASGD", "Rprop"), _BOTH),
    "Adafactor": _BOTH,
}


@dataclass(frozen=True)
class RuleRace:
    """One rule's step over one large array."""

    rule: str
    bytes_per_element: int
    elementwise: bool = True
    threads: int = 2
    elements: int = ELEMENTS
    small: bool = False
    quick: bool = False

    @property
    def title(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{self.rule}, float32, {'16M' if self.elementwise else '4096x4096'}, {threads}"

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.elements,) if self.elementwise else MATRIX

    @property
    def bytes(self) -> int:
        return self.bytes_per_element * self.elements

    def with_threads(self, threads: int) -> RuleRace:
        return replace(self, threads=threads)

    def contenders(self, quick: bool) -> list[str]:
        peers = TORCH.get(self.rule, ()) if find_spec("torch") else ()
        return ["optcore", *(["floor"] if self.elementwise else []), *peers]

    def laps(self, who: str) -> int:
        return 1 if who in _BOTH else 4

    def prepare(self, who: str) -> Callable[[], object]:
        return rivals.rules.prepare(self.rule, self.shape, self.threads, who)


RACES = [
    RuleRace(rule["name"], rule["bytes"])
    for rule in oc.rules()
    if rule["kind"] == "elementwise" and rule["bytes"]
] + [RuleRace("Adafactor", 4 * 6, elementwise=False)]


def test_rules(turn, heat):
    """One step of the whole array."""
    turn(heat)
