"""Schedules as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..plot import figures, style
from ..plot import schedules as draw
from ..schedules import Schedule


def save(schedules: Mapping[str, Schedule], steps: int, path: Path) -> Path:
    """Draws the first values of schedules over each other, and writes them as PNG.

    Missing directories are made.

    Returns:
        The path of the file, absolute.

    Raises:
        OSError: it cannot be written.
    """
    figure = figures.hidden(style.SIZE)
    draw(schedules, steps, figure.subplots(), ylabel="value")
    return figures.write(figure, path)
