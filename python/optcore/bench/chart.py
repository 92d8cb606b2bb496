"""The results as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..plot import figures, style
from .results import OURS, Race

# One colour per family; within a family the names beside the bars tell who is who.
_COLOURS = (
    ("optcore", style.BLUE),
    ("floor", style.NEUTRAL),
    ("no-step", style.NEUTRAL),
    ("numpy", style.ORANGE),
    ("numba", style.PURPLE),
    ("torch", style.VERMILLION),
    ("optax", style.GREEN),
    ("deepspeed", style.SKY),
)
_TICKS = ((4, (1, 1.2, 1.5, 2, 3, 5, 7)), (30, (1, 2, 5)))  # up to so large a span: within a decade
_COLUMNS, _BAR, _AROUND = 3, 0.21, 0.75  # inches: of a bar, of a panel's title and axis


def save(races: Sequence[Race], path: Path) -> Path:
    """Draws a panel for each race, with each contender's ratio to optcore, and writes it as PNG.

    Races without optcore have no ratios and are left out.

    Returns:
        The path of the file, absolute.

    Raises:
        ValueError: no race has optcore in it.
        OSError: it cannot be written.
    """
    shown = [race for race in races if OURS in race.entries]
    if not shown:
        raise ValueError("optcore itself was not timed, so there are no ratios")
    columns = min(_COLUMNS, len(shown))
    rows = [shown[i : i + columns] for i in range(0, len(shown), columns)]
    heights = [_AROUND + _BAR * max(len(race.entries) for race in row) for row in rows]
    figure = figures.hidden((5.2 * columns, sum(heights) + 0.7), dpi=110)
    figure.suptitle("Time in multiples of optcore's (log scale)", fontsize=14, color=style.INK)
    panels = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for panel in panels.flat[len(shown) :]:
        panel.set_axis_off()
    for panel, race in zip(panels.flat, shown, strict=False):
        _draw(panel, race)
    return figures.write(figure, path)


def _draw(panel: Any, race: Race) -> None:
    """Bars from 1, optcore's own time, to the right where slower and to the left where faster."""
    from matplotlib.ticker import LogLocator, NullLocator

    entries = race.ranked()
    ratios = [race.ratio(entry.who) or 1.0 for entry in entries]
    for y, (entry, ratio) in enumerate(zip(entries, ratios, strict=True)):
        panel.barh(y, ratio - 1, left=1, height=0.66, color=_colour(entry.who))
        panel.annotate(
            f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}",
            (max(ratio, 1), y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=style.INK,
            fontweight="bold" if entry.who == OURS else "normal",
        )
    panel.axvline(1, color=style.INK, linewidth=1)
    panel.plot(1, [entry.who for entry in entries].index(OURS), "o", color=_colour(OURS), zorder=3)
    left, most = min(0.8, 0.9 * min(ratios)), max(1.6, *ratios)
    right = most * (most / left) ** 0.14  # room for the number beside the longest bar
    panel.set_xscale("log")
    panel.set_xlim(left, right)
    steps = next((steps for span, steps in _TICKS if right < span * left), (1,))
    panel.xaxis.set_major_locator(LogLocator(subs=steps))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_ylim(len(entries) - 0.4, -0.6)
    panel.set_yticks(range(len(entries)), [entry.who for entry in entries], fontsize=8.5)
    for label, entry in zip(panel.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if entry.who == OURS else "normal")
    panel.set_title(race.title, fontsize=10, color=style.INK, loc="left")
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    style.dress(panel, grid="x")
    panel.tick_params(axis="x", which="both", labelsize=8)
    panel.tick_params(axis="y", length=0, labelcolor=style.INK, labelsize=8.5)
    panel.spines["left"].set_visible(False)


def _colour(who: str) -> str:
    """The family's."""
    return next((colour for name, colour in _COLOURS if who.startswith(name)), style.MUTED)
