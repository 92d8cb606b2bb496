"""The convergence plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .optimizers import CHOICES
from .training import Run

# Colours that people with any colour vision tell apart (Okabe & Ito, 2008), each with a dash
# pattern of its own, so that the lines can be told apart in grey as well.
STYLES: tuple[tuple[str, Any], ...] = (
    ("#0072B2", "-"),
    ("#D55E00", (0, (6, 2))),
    ("#009E73", (0, (2, 1.5))),
    ("#CC79A7", (0, (7, 2, 2, 2))),
    ("#E69F00", (0, (1, 1))),
)
_INK, _MUTED, _CONTEXT = "#222222", "#666666", "#D5D8DC"


def save(runs: Sequence[Run], path: Path) -> Path:
    """Draws training loss by epoch, one panel for each family, and writes it as PNG.

    Missing directories are made.

    Returns:
        The path of the file, absolute.

    Raises:
        OSError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    families = list(dict.fromkeys(run.choice.family for run in runs))
    figure = Figure(figsize=(max(4.2 * len(families), 6.4), 4.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        "Handwritten digits: training loss of a multilayer perceptron", fontsize=13, color=_INK
    )
    panels = figure.subplots(1, len(families), sharex=True, sharey=True, squeeze=False)[0]
    for panel, family in zip(panels, families, strict=True):
        _draw(panel, family, runs)
    others = " (grey: the optimizers of the other panels)" if len(families) > 1 else ""
    figure.supxlabel(f"epoch{others}", fontsize=10, color=_INK)
    panels[0].set_ylabel("training loss (cross-entropy, log scale)", color=_INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", facecolor="white")
    return path.resolve()


def _draw(panel: Any, family: str, runs: Sequence[Run]) -> None:
    """One family in colour, the others in grey behind it."""
    # A line keeps its style whichever other optimizers are there.
    members = [choice.name for choice in CHOICES.values() if choice.family == family]
    styles = dict(zip(members, STYLES, strict=False))
    for run in runs:
        epochs = range(len(run.losses))
        if run.choice.family != family:
            panel.plot(epochs, run.losses, color=_CONTEXT, linewidth=1, zorder=1)
            continue
        colour, dashes = styles[run.choice.name]
        label = f"{run.choice.label}, {run.choice.rate_text}"
        panel.plot(
            epochs, run.losses, color=colour, linestyle=dashes, linewidth=2, label=label, zorder=3
        )
    panel.set_yscale("log")
    panel.set_title(family, fontsize=11, color=_INK, loc="left")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.grid(True, which="major", color="#ECECEC", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(colors=_MUTED, which="both")
    for side, spine in panel.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#AAAAAA")
    panel.legend(
        title="optimizer, learning rate",
        fontsize=8.5,
        title_fontsize=8.5,
        alignment="left",
        frameon=False,
        loc="upper right",
        labelcolor=_INK,
        handlelength=3,
    )
