"""Schedules as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..demo.plot import STYLES
from ..schedules import Schedule


def save(schedules: Mapping[str, Schedule], steps: int, path: Path) -> Path:
    """Draws the first values of schedules over each other, and writes them as PNG.

    Missing directories are made.

    Returns:
        The path of the file, absolute.

    Raises:
        OSError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    for i, (label, schedule) in enumerate(schedules.items()):
        colour, dashes = STYLES[i % len(STYLES)]
        schedule.plot(steps, ax, label=label, color=colour, linestyle=dashes, linewidth=2)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    ax.grid(True, color="#ECECEC", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", facecolor="white")
    return path.resolve()
