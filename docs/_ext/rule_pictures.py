"""A rule's path through the valley, and how fast it descends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

import pictures
import valley

_X = np.linspace(-3.1, 3.1, 160)
_Y = np.linspace(-1.7, 2.9, 120)


def draw(name: str, folder: Path) -> None:
    """Writes the two pictures of a rule, which stand side by side where there is room."""
    run = valley.best(name)
    for suffix, panel in (("path", _path), ("loss", _descent)):
        made = pictures.figure(3.7, 2.8)
        panel(made.subplots(), name, run)
        pictures.save(made, folder / f"{name.lower()}_{suffix}.svg")


def caption(name: str) -> str:
    """What the picture shows, in reStructuredText."""
    rate = valley.best(name).rate
    at = "at its default rate" if rate is None else f"at a rate of {rate:.2g}"
    return (
        f"A hundred steps from the cross to the star, {at}. :ref:`How it is made "
        "<how-the-pictures-are-made>`."
    )


def _path(ax: Axes, name: str, run: valley.Run) -> None:
    grid = np.stack(np.meshgrid(_X, _Y), axis=-1)
    heights = np.sqrt(valley.loss(grid))
    ax.contour(_X, _Y, heights, levels=np.arange(0.4, 12, 0.8), colors="#D5DBE0", linewidths=0.8)
    ax.plot(*run.points.T, "-", color=pictures.BLUE, linewidth=1.2)
    ax.plot(*run.points.T, "o", color=pictures.BLUE, markersize=2.6)
    ax.plot(*valley.START, "x", color=pictures.INK, markersize=8, markeredgewidth=2)
    ax.plot(*valley.LOWEST, "*", color=pictures.ORANGE, markersize=13, markeredgecolor="white")
    ax.set(xlim=(_X[0], _X[-1]), ylim=(_Y[0], _Y[-1]), xticks=[], yticks=[], aspect="equal")
    for side in ax.spines.values():
        side.set_color("#D5DBE0")


def _descent(ax: Axes, name: str, run: valley.Run) -> None:
    steps = np.arange(valley.STEPS + 1)
    if name != "SGD":
        plain = np.maximum(valley.best("SGD").losses, 1e-30)
        ax.semilogy(steps, plain, color=pictures.GREY, linewidth=1.4, label="SGD")
    ax.semilogy(
        steps, np.maximum(run.losses, 1e-30), color=pictures.BLUE, linewidth=1.8, label=name
    )
    ax.set_ylim(max(run.losses.min() / 3, 1e-16), run.losses.max() * 3)
    ax.set(xlabel="step", ylabel="loss", xlim=(0, valley.STEPS))
    pictures.plain(ax)
    ax.legend(frameon=False, loc="lower left", fontsize=9)
