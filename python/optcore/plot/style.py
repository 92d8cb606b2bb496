"""How every picture of optcore looks: colours, dashes, inks, axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that people with any colour vision tell apart (Okabe & Ito, 2008), with a wine red (Tol,
# 2021) in the place of their yellow, which is lost on white.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, WINE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#882255",
)
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, WINE)

# Each colour has a dash pattern of its own, so that lines can be told apart in grey as well.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (2, 1.5)),
    (0, (7, 2, 2, 2)),
    (0, (1, 1)),
    (0, (10, 3)),
    (0, (8, 2, 2, 2, 2, 2)),
    (0, (3, 3)),
)

# On paths, where dashes would hide the way, the shape of the head does that.
HEADS = ("o", "s", "^", "D", "v", "P", "X", "p")

INK, MUTED, NEUTRAL = "#222222", "#666666", "#999999"  # words, numbers, what is no contender
PAPER = "#FFFFFF"
CONTEXT, RULES, FRAME = "#D5D8DC", "#ECECEC", "#AAAAAA"  # lines behind, grid, spines
HILLS = ("#FFFFFF", "#E3E9F0", "#BCC9D6")  # low ground to high, pale enough for paths on top
CONTOUR = "#8FA1B3"

SIZE = (7.2, 4.2)  # inches; at 150 dots an inch it is sharp at the width of a README
DPI = 150
WIDTH = 2.0  # of a line, in points


def style(i: int) -> tuple[str, Any]:
    """Colour and dashes of the i-th line; the first 64 pairs differ.

    >>> style(0), style(8)
    (('#0072B2', '-'), ('#0072B2', (0, (6, 2))))
    """
    turn, place = divmod(i, len(COLOURS))
    return COLOURS[place], DASHES[(place + turn) % len(DASHES)]


def line(i: int) -> dict[str, Any]:
    """The same as options of matplotlib's plot."""
    colour, dashes = style(i)
    return {"color": colour, "linestyle": dashes, "linewidth": WIDTH}


def dress(ax: Axes, grid: Literal["x", "y", "both"] | None = "both") -> None:
    """Takes off what distracts: two spines, dark rules and ticks.

    Args:
        ax: the axes.
        grid: the axis with rules, "x", "y" or "both"; None for none.
    """
    if grid is not None:
        ax.grid(True, axis=grid, which="major", color=RULES, linewidth=0.8)
    ax.set_facecolor(PAPER)  # whatever style the user has set: the inks are for white
    ax.set_axisbelow(True)
    ax.tick_params(colors=MUTED, which="both", labelsize=9)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FRAME)


def words(
    ax: Axes, xlabel: str | None = None, ylabel: str | None = None, title: str | None = None
) -> None:
    """Labels and title in ink; None leaves what is there."""
    if xlabel is not None:
        ax.set_xlabel(xlabel, color=INK, fontsize=10)
    if ylabel is not None:
        ax.set_ylabel(ylabel, color=INK, fontsize=10)
    if title is not None:
        ax.set_title(title, color=INK, fontsize=11, loc="left")


OUTSIDE = 5  # so many entries still fit into the axes

ENTRIES: dict[str, Any] = {
    "fontsize": 9,
    "title_fontsize": 8.5,
    "frameon": False,
    "facecolor": PAPER,
    "labelcolor": INK,
    "handlelength": 3,
}


def legend(ax: Axes, title: str | None = None, **options: Any) -> None:
    """A legend in the axes or, if it is long, to the right of them. No entries, no legend."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    if len(handles) > OUTSIDE:
        options = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), **options}
    given = {"handles": handles, "labels": labels, **ENTRIES, "alignment": "left", **options}
    ax.legend(title=title, **given).get_title().set_color(INK)
