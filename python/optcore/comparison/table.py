"""A comparison as a table, for terminals and for notebooks."""

from __future__ import annotations

import html as escape
import math
import textwrap
from typing import TYPE_CHECKING

from .._columns import columns
from .summary import Row

if TYPE_CHECKING:
    from .result import Result

WIDTH = 88


def text(result: Result) -> str:
    """The table with a heading, and what its columns mean."""
    heading, cells = _cells(result)
    if not cells:
        return f"{_title(result)}\n\nno run has begun"
    lines = columns([*heading, *cells], left=(0, 1), rule=len(heading))
    wrong = [f"{row.label}: {row.note}" for row in result.rows if row.note]
    notes = textwrap.wrap(_notes(result), WIDTH)
    return "\n".join([_title(result), "", *lines, "", *wrong, *[""] * bool(wrong), *notes])


def html(result: Result) -> str:
    """The same for notebooks."""
    heading, cells = _cells(result)
    names = [" ".join(filter(None, parts)) for parts in zip(*heading, strict=True)]

    def row(texts: list[str] | tuple[str, ...], tag: str) -> str:
        inside = "".join(f"<{tag}>{escape.escape(each)}</{tag}>" for each in texts)
        return f"<tr>{inside}</tr>"

    body = "".join(row(each, "td") for each in cells)
    return (
        f"<p>{escape.escape(_title(result))}</p><table><thead>{row(names, 'th')}</thead>"
        f"<tbody>{body}</tbody></table><p><small>{escape.escape(_notes(result))}</small></p>"
    )


def _title(result: Result) -> str:
    seeds = len(result.seeds)
    line = f"{result.problem}\n{result.total} steps, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    if result.interrupted:
        line += f"; interrupted: {len(result.runs)} of {result.planned} runs, the last one in part"
    return line


def _cells(result: Result) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The heading, two lines, and a row of texts for every optimizer; no empty columns."""
    rows = result.rows
    target = f"{result.target:g}" if result.target is not None else ""
    top = ["", "learning", "final", "lowest to", *_split(result.metric_name)[:1]]
    low = ["optimizer", "rate", "loss", "highest", *_split(result.metric_name)[1:]]
    if result.target is not None:
        top += ["steps to", "s to"]
        low += [target, target]
    top += ["step", "of", "train", "state"]
    low += ["µs", "time", "s", "KiB"]
    cells = [_row(row, result) for row in rows]
    heading = [tuple(top), tuple(low)]
    keep = [j for j in range(len(top)) if j == 0 or any(each[j] for each in cells)]
    return (
        [tuple(line[j] for j in keep) for line in heading],
        [tuple(line[j] for j in keep) for line in cells],
    )


def _split(name: str) -> list[str]:
    """A name over two lines; nothing for none.

    >>> _split("test accuracy"), _split("R²"), _split("")
    (['test', 'accuracy'], ['', 'R²'], [])
    """
    if not name:
        return []
    first, _, last = name.rpartition(" ")
    return [first, last]


def _row(row: Row, result: Result) -> list[str]:
    cells = [row.label, row.rate, _loss(row), _range(row)]
    if result.metric_name:
        cells.append(_metric(row, "accuracy" in result.metric_name))
    if result.target is not None:
        steps, seconds = row.steps_to_target, row.seconds_to_target
        reached = math.isfinite(steps)
        cells += [f"{steps:.0f}" if reached else "never", f"{seconds:.3g}" if reached else "never"]
    size = "" if row.state_bytes is None else f"{row.state_bytes / 1024:.3g}"
    return [
        *cells,
        _number(1e6 * row.step_seconds, ".1f"),
        _number(row.step_share, ".0%").replace("%", " %"),
        _number(row.seconds, ".3g"),
        size,
    ]


def _loss(row: Row) -> str:
    if row.done:
        return f"{row.loss:.3g}"
    return "diverged" if row.diverged else row.note.split()[0].strip(":")


def _range(row: Row) -> str:
    if row.done + row.diverged < 2 or not row.done:
        return ""
    highest = "diverged" if row.diverged else f"{row.loss_high:.2g}"
    return f"{row.loss_low:.2g} – {highest}"


def _metric(row: Row, is_share: bool) -> str:
    if math.isnan(row.metric):
        return "none"
    factor, digits, unit = (100, 1, " %") if is_share else (1, 3, "")
    spread = f" ± {factor * row.metric_spread:.{digits}f}" if row.done > 1 else ""
    return f"{factor * row.metric:.{digits}f}{spread}{unit}"


def _number(value: float, form: str) -> str:
    return "none" if math.isnan(value) else f"{value:{form}}"


def _notes(result: Result) -> str:
    """What the columns mean."""
    several = len(result.seeds) > 1
    parts = [f"final loss: {result.loss_name} at the end"]
    if several:
        parts[0] += ", the median over seeds"
        if result.metric_name:
            parts.append(f"{result.metric_name}: mean ± standard deviation")
    if result.target is not None:
        name = result.loss_name if result.target_of == "loss" else result.metric_name
        sign = "≤" if result.target_of == "loss" else "≥"
        parts.append(f"steps and seconds until {name} {sign} {result.target:g}")
    parts.append(
        "step: the optimizer's alone, the median; of time: the steps' share of training, in which "
        "evaluations do not count"
    )
    parts.append("state: what the optimizer keeps, at its peak")
    return "; ".join(parts) + "."
