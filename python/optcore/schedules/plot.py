"""A schedule as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..plot import figures, style
from .base import Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(schedule: Schedule, n: int, ax: Axes | None, line: dict[str, Any]) -> Axes:
    """Draws a schedule's first n values. See `Schedule.plot`."""
    values = schedule.values(n)
    if ax is None:
        ax = figures.axes(None, "Schedule.plot")
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        style.dress(ax)
        style.words(ax, "step", "value")
        line = style.line(0) | normalize_kwargs(line, Line2D)
    ax.plot(np.arange(n), values, **line)
    return ax
