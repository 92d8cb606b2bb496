"""Convergence by problem size: small multiples."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import figures, style
from .convergence import check, draw, what_is_shown
from .series import Series, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PANEL = (2.9, 2.6)  # inches
_LEGEND = 0.45


def grid(
    results: Mapping[Any, Any],
    axes: NDArray[Any] | None = None,
    *,
    columns: int = 3,
    x: Any = None,
    log: bool = True,
    band: tuple[float, float] | None = (0.0, 1.0),
    target: float | None = None,
    sharey: bool = False,
    xlabel: str = "step",
    ylabel: str = "loss",
    title: str | None = None,
    legend: bool = True,
) -> NDArray[Any]:
    """Draws convergence curves for each of several problem sizes, a panel for each.

    An optimizer has the same colour in every panel, and one legend serves them all.

    Args:
        results: a mapping from sizes, or other titles of panels, to what `curves` takes. Numbers
            are shown as "size 1000".
        axes: an array of axes to draw on, as many as there are sizes; None makes a new figure.
        columns: of panels, in a new figure.
        x: where the points are, as `curves` has it.
        log: a logarithmic scale of losses.
        band: two quantiles of the seeds, or None.
        target: a loss to be reached, as a thin line.
        sharey: one scale of losses for all panels.
        xlabel: what is along x.
        ylabel: what is along y.
        title: above the figure.
        legend: whether there is one.

    Returns:
        The axes, in an array (sizes,).

    Raises:
        TypeError, ValueError: an argument is of another kind, or there is nothing to draw.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import optcore as oc
        >>> from matplotlib.figure import Figure
        >>> losses = {10: {"Adam": [3.0, 1.0]}, 100: {"Adam": [9.0, 2.0]}}
        >>> axes = oc.plot.grid(losses, Figure().subplots(1, 2))
        >>> [ax.get_title(loc="left") for ax in axes]
        ['size 10', 'size 100']
    """
    found = _checked(results, x)
    for series in found.values():
        check(series, log, band, target)
    figures.need("optcore.plot.grid")
    rows = math.ceil(len(found) / _whole(columns))
    columns = math.ceil(len(found) / rows)
    given = axes is not None
    if axes is None:
        size = (max(_PANEL[0] * columns, 4.8), _PANEL[1] * rows + _LEGEND)
        every = figures.shown(rows, columns, size, sharey=sharey).ravel()
        for ax in every[len(found) :]:
            ax.set_axis_off()
        axes = every[: len(found)]
    panels = _panels(axes, len(found))
    every_series = [each for series in found.values() for each in series]
    order = dict.fromkeys(each.name for each in every_series)
    together = every_series if sharey else None
    for k, (ax, (name, series)) in enumerate(zip(panels, found.items(), strict=True)):
        draw(ax, series, order, log, band, target, together)
        first, last = k % columns == 0, k + columns >= len(found)
        unit = f"{ylabel} (log scale)" if log else ylabel
        style.words(ax, xlabel if last else None, unit if first else None, name)
    if title is not None:
        panels[0].figure.suptitle(title, color=style.INK, fontsize=13)
    if legend:
        _legend(panels, order, what_is_shown(every_series, band), given)
    return panels


def _checked(results: Any, x: Any) -> dict[str, list[Series]]:
    if not isinstance(results, Mapping) or not results:
        raise TypeError(
            "results: expected a mapping from sizes to what optcore.plot.curves takes, got "
            f"{results!r:.80}; pass e.g. {{10: {{'Adam': losses}}, 100: {{'Adam': losses}}}}"
        )
    return {
        f"size {size:,}" if isinstance(size, numbers.Integral) else str(size): read(
            each, x, f"results[{size!r}]"
        )
        for size, each in results.items()
    }


def _whole(columns: Any) -> int:
    if not isinstance(columns, int) or columns < 1:
        raise ValueError(f"columns: expected a whole number above 0, got {columns!r}; pass e.g. 3")
    return columns


def _panels(axes: Any, count: int) -> NDArray[Any]:
    """The axes in an array, one for each size."""
    from matplotlib.axes import Axes

    panels = np.array(axes, dtype=object).ravel()
    if len(panels) != count or not all(isinstance(ax, Axes) for ax in panels):
        raise ValueError(
            f"axes: expected {count} matplotlib Axes, one for each size, got {axes!r:.80}; pass "
            f"what plt.subplots(1, {count}) returns second"
        )
    return panels


def _legend(panels: NDArray[Any], order: Iterable[str], title: str | None, inside: bool) -> None:
    """One for all panels: below them in a figure of our own, else in the first."""
    entries: dict[str, Any] = {}
    for ax in panels:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(_name(label, order), handle)
    if inside:
        style.legend(panels[0], title, handles=list(entries.values()), labels=list(entries))
        return
    panels[0].figure.legend(
        list(entries.values()),
        list(entries),
        title=title,
        loc="outside lower center",
        ncols=min(len(entries), 5),
        **style.ENTRIES,
    ).get_title().set_color(style.INK)


def _name(label: str, order: Iterable[str]) -> str:
    """The name within a label, which may go on with how many seeds diverged in that panel."""
    fits = [name for name in order if label == name or label.startswith(f"{name} (")]
    return max(fits, key=len, default=label)
