"""The order of the races: all contenders take a turn in a workload, then all take another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol


class Race(Protocol):
    """What a workload has to tell."""

    title: str
    elements: int
    bytes: int
    threads: int
    small: bool
    quick: bool

    def with_threads(self, threads: int) -> Race: ...
    def contenders(self, quick: bool) -> list[str]: ...
    def laps(self, who: str) -> int: ...
    def prepare(self, who: str) -> Callable[[], object]: ...


@dataclass(frozen=True)
class Heat:
    """One turn of one contender."""

    race: Race
    who: str
    lap: int

    def __str__(self) -> str:
        return f"{self.race.title}: {self.who}, lap {self.lap}"


def heats(races: Iterable[Race], threads: list[int], quick: bool) -> Iterator[Heat]:
    """All turns, in order. The machine's mood changes with time; several laps share it out fairly.

    Args:
        races: the workloads.
        threads: run each on these numbers of threads; empty leaves it at its own.
        quick: one lap, without what takes long to set up.
    """
    chosen = [race.with_threads(n) for race in races for n in threads] or races
    for race in dict.fromkeys(chosen):
        if quick and not race.quick:
            continue
        laps = {who: 1 if quick else race.laps(who) for who in race.contenders(quick)}
        for lap in range(1, 1 + max(laps.values(), default=0)):
            for who, last in laps.items():
                if lap <= last:
                    yield Heat(race, who, lap)
