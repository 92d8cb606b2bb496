"""Pictures of the site's own: on axes that need no display, with the same bytes in every build."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optcore.plot import style


def axes(width: float, height: float) -> Axes:
    """Empty axes of a new figure, its size in inches."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=style.PAPER)
    FigureCanvasAgg(figure)
    return figure.subplots()


def figure_of(ax: Axes) -> Figure:
    """The figure that axes are on."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def save(ax: Axes, path: Path, dpi: float = 120) -> None:
    """Writes the whole figure, so that pictures of one size stay so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure_of(ax).savefig(path, dpi=dpi, facecolor=style.PAPER)
