"""What was measured: races, and the contenders' times in them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OURS = "optcore"


@dataclass(frozen=True)
class Entry:
    """One contender's times in one race, of all its turns together.

    Attributes:
        who: its name.
        seconds: per step, one for each round.
        bytes: what a step has to move.
    """

    who: str
    seconds: tuple[float, ...]
    bytes: int

    @property
    def median(self) -> float:
        """Seconds per step."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The interquartile range over the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median

    @property
    def gigabytes_per_second(self) -> float:
        """The bytes that have to be moved, over the time it took."""
        return self.bytes / self.median / 1e9


@dataclass(frozen=True)
class Race:
    """All who took the same step."""

    title: str
    entries: Mapping[str, Entry]

    def ranked(self) -> list[Entry]:
        """The fastest first."""
        return sorted(self.entries.values(), key=lambda entry: entry.median)

    def ratio(self, who: str, to: str = OURS) -> float | None:
        """How many times as long a contender takes as another; None where one is missing."""
        if who not in self.entries or to not in self.entries:
            return None
        return self.entries[who].median / self.entries[to].median

    def fastest(self, family: str) -> float | None:
        """The least ratio of the contenders whose names begin so; None if there are none."""
        ratios = [self.ratio(who) for who in self.entries if who.startswith(family)]
        return min((ratio for ratio in ratios if ratio is not None), default=None)


def races(results: Mapping[str, Any]) -> list[Race]:
    """The races in a file of pytest-benchmark's, in the order in which they were run."""
    times: dict[str, dict[str, list[float]]] = {}
    moved: dict[str, int] = {}
    for benchmark in results["benchmarks"]:
        title, facts = benchmark["group"], benchmark["extra_info"]
        moved[title] = facts["bytes"]
        seconds = times.setdefault(title, {}).setdefault(facts["who"], [])
        seconds += benchmark["stats"]["data"]
    return [
        Race(title, {who: Entry(who, tuple(s), moved[title]) for who, s in entries.items()})
        for title, entries in times.items()
    ]
