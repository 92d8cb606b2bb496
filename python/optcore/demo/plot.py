"""The convergence plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..plot import figures, style
from .optimizers import CHOICES
from .training import Run


def save(runs: Sequence[Run], path: Path) -> Path:
    """Draws training loss by epoch, one panel for each family, and writes it as PNG.

    Missing directories are made.

    Returns:
        The path of the file, absolute.

    Raises:
        OSError: it cannot be written.
    """
    families = list(dict.fromkeys(run.choice.family for run in runs))
    figure = figures.hidden((max(4.2 * len(families), 6.4), 4.8))
    figure.suptitle(
        "Handwritten digits: training loss of a multilayer perceptron",
        fontsize=13,
        color=style.INK,
    )
    panels = figure.subplots(1, len(families), sharex=True, sharey=True, squeeze=False)[0]
    for panel, family in zip(panels, families, strict=True):
        _draw(panel, family, runs)
    others = " (grey: the optimizers of the other panels)" if len(families) > 1 else ""
    figure.supxlabel(f"epoch{others}", fontsize=10, color=style.INK)
    panels[0].set_ylabel("training loss (cross-entropy, log scale)", color=style.INK)
    return figures.write(figure, path)


def _draw(panel: Any, family: str, runs: Sequence[Run]) -> None:
    """One family in colour, the others in grey behind it."""
    # A line keeps its style whichever other optimizers are there.
    members = [choice.name for choice in CHOICES.values() if choice.family == family]
    for run in runs:
        epochs = range(len(run.losses))
        if run.choice.family != family:
            panel.plot(epochs, run.losses, color=style.CONTEXT, linewidth=1, zorder=1)
            continue
        label = f"{run.choice.label}, {run.choice.rate_text}"
        line = style.line(members.index(run.choice.name))
        panel.plot(epochs, run.losses, label=label, zorder=3, **line)
    panel.set_yscale("log")
    panel.xaxis.get_major_locator().set_params(integer=True)
    style.dress(panel)
    style.words(panel, title=family)
    style.legend(panel, "optimizer, learning rate", fontsize=8.5, loc="upper right")
