"""How pictures look: one style, as SVG, with the same bytes in every build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#9A9A9A", "#333333"
"""From Okabe and Ito's palette, which colour-blind readers can tell apart."""

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "optcore",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def figure(width: float, height: float) -> Figure:
    """An empty figure."""
    with rc_context(_STYLE):
        made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(made)
    return made


def plain(ax: Axes) -> None:
    """Axes with a light grid and without a box."""
    ax.grid(True, color="#ECECEC", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def save(made: Figure, path: Path) -> None:
    """Writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(_STYLE):
        made.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
