"""The results as text, for a terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from .._columns import columns
from .results import Entry, Race
from .suite import Turn
from .targets import Outcome

WIDTH = 100

_NOTES = """\
median: of all rounds, per step. spread: interquartile range over the median. x optcore: the
median over optcore's; above 1 is slower. GB/s: the bytes that the step has to read and write, over
the median; those that stay in a cache count as well."""


def table(races: Iterable[Race]) -> str:
    """One block for each race, the fastest contender first, and what the columns mean."""
    lines = [_line("contender", "median", "spread", "x optcore", "GB/s")]
    for race in races:
        lines += ["", race.title]
        lines += [_entry(race, entry) for entry in race.ranked()]
    return "\n".join([*lines, "", _NOTES])


def targets(outcomes: Sequence[Outcome]) -> str:
    """One line for each target that was measured."""
    measured = [outcome for outcome in outcomes if outcome.measured is not None]
    if not measured:
        return "None of these workloads has a target."
    rows = [("target", "against", "wanted", "measured", "met"), *map(_outcome, measured)]
    lines = columns(rows, left=(0, 1, 4), rule=1)
    left = len(outcomes) - len(measured)
    if left:
        lines.append(f"({left} more were not measured)")
    lines.append("floor: optcore's median over the floor's. Others: their median over optcore's.")
    return "\n".join(lines)


def missing(rivals: Mapping[str, Mapping[str, Any]]) -> str:
    """Who is not in the table for want of a package, in a line; empty if all are."""
    packages = [name for name, version in rivals["versions"].items() if version is None]
    lines = [f"not installed: {', '.join(packages)}"] if packages else []
    lines += [f"{who} could not run: {reason}" for who, reason in rivals["absent"].items()]
    return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in lines)


def listing(turns: Iterable[Turn]) -> str:
    """The races of a choice, each with its contenders."""
    lines = []
    for race, members in groupby(turns, key=lambda turn: turn.race):
        names = ", ".join(dict.fromkeys(turn.who for turn in members))
        indent = "    "
        lines += [
            race,
            textwrap.fill(names, WIDTH, initial_indent=indent, subsequent_indent=indent),
        ]
    return "\n".join(lines)


def _outcome(outcome: Outcome) -> tuple[str, ...]:
    target = outcome.target
    bound = "up to" if target.at_most else "from"
    return (
        target.race,
        target.against,
        f"{bound} {target.wanted:.2f}",
        f"{outcome.measured:.2f}",
        "yes" if outcome.met else "no",
    )


def _entry(race: Race, entry: Entry) -> str:
    ratio = race.ratio(entry.who)
    return _line(
        entry.who,
        _seconds(entry.median),
        f"{100 * entry.spread:.1f} %",
        "" if ratio is None else f"{ratio:.2f}",
        f"{entry.gigabytes_per_second:.1f}",
    )


def _line(who: str, median: str, spread: str, ratio: str, speed: str) -> str:
    return f"  {who:18}{median:>12}{spread:>10}{ratio:>13}{speed:>10}".rstrip()


def _seconds(seconds: float) -> str:
    """With three to four digits and a unit.

    >>> _seconds(9.87e-7), _seconds(0.0123456)
    ('0.99 µs', '12.35 ms')
    """
    if seconds < 1e-3:
        return f"{1e6 * seconds:.2f} µs"
    return f"{1e3 * seconds:.2f} ms" if seconds < 1 else f"{seconds:.2f} s "
