"""A schedule as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(schedule: Schedule, n: int, ax: Axes | None, line: dict[str, Any]) -> Axes:
    """Draws a schedule's first n values. See `Schedule.plot`."""
    values = schedule.values(n)
    if ax is None:
        try:
            from matplotlib import pyplot
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "Schedule.plot needs matplotlib: pip install 'optcore[plot]'", name=error.name
            ) from None
        _, ax = pyplot.subplots(layout="constrained")
        ax.set_xlabel("step")
        ax.set_ylabel("value")
    ax.plot(np.arange(n), values, **line)
    return ax
