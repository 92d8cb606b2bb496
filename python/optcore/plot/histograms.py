"""How large updates are, measured by the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..optimizers.stats import StepStats
from . import figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_USUAL = 1e-3
_PER_DECADE = 8  # bars


def update_ratios(
    stats: Any,
    ax: Axes | None = None,
    *,
    by_parameter: bool = False,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draws a histogram of ‖θ' − θ‖ / ‖θ‖, the update-to-weight ratio, on a logarithmic scale.

    Each parameter counts once for each step. A dotted line is at 1e-3, which is usual; far above it
    training is rough, far below it hardly moves. Zeros and infinities (a parameter that does not
    move, or that was all zeros) have no place on the scale; the legend counts them.

    Args:
        stats: `opt.stats`, or a list of them from several steps; or a mapping from names to these,
            which get a colour each.
        ax: the axes to draw on; None makes a new figure.
        by_parameter: a colour for each parameter, instead of one for all.
        title: above the axes.
        legend: whether there is one.

    Returns:
        The axes.

    Raises:
        TypeError, ValueError: an argument is of another kind, or no ratio can be drawn.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import numpy as np, optcore as oc
        >>> from matplotlib.figure import Figure
        >>> params = {"W": np.ones((3, 3)), "b": np.ones(3)}
        >>> opt, seen = oc.Adam(params, stats=True), []
        >>> for _ in range(5):
        ...     opt.step({"W": np.ones((3, 3)), "b": np.ones(3)})
        ...     seen.append(opt.stats)
        >>> ax = oc.plot.update_ratios(seen, Figure().subplots(), by_parameter=True)
        >>> ax.get_legend_handles_labels()[1]
        ['W', 'b', '1e-3, usual']
    """
    found = _by_name(stats, by_parameter)
    shown = {name: each[np.isfinite(each) & (each > 0)] for name, each in found.items()}
    every = np.log10(np.concatenate(list(shown.values())))
    if not every.size:
        raise ValueError(
            "stats: expected a ratio that is neither zero nor infinite, got none; take the "
            "statistics of steps that move the parameters"
        )
    ax = figures.axes(ax, "optcore.plot.update_ratios")
    from matplotlib.ticker import MaxNLocator

    low, high = np.floor(2 * every.min()) / 2, np.ceil(2 * every.max()) / 2
    high = max(high, low + 1.0)
    bins = 10.0 ** np.linspace(low, high, round((high - low) * _PER_DECADE) + 1)
    for i, (name, ratios) in enumerate(shown.items()):
        colour, dashes = style.style(i)
        missing = len(found[name]) - len(ratios)
        counts = np.histogram(ratios, bins)[0].astype(np.float64)
        counts[counts == 0] = np.nan  # no line along the floor
        label = name + (f" ({missing} zero or infinite)" if missing else "")
        ax.stairs(counts, bins, fill=True, color=colour, alpha=0.25, zorder=2)
        ax.stairs(
            counts, bins, color=colour, linestyle=dashes, linewidth=1.6, label=label, zorder=3
        )
    ax.axvline(_USUAL, color=style.INK, linewidth=1, linestyle=":", label="1e-3, usual", zorder=4)
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    style.dress(ax, grid="y")
    style.words(ax, "update / weight (norms, log scale)", "parameters × steps", title)
    if legend:
        style.legend(ax)
    return ax


def _by_name(stats: Any, by_parameter: bool) -> dict[str, NDArray[np.float64]]:
    """The ratios of each colour."""
    if not isinstance(stats, Mapping):
        stats = {"": stats}
    found: dict[str, list[float]] = {}
    for name, given in stats.items():
        for step in _steps(given, f"stats[{name!r}]" if name else "stats"):
            for path, each in step.parameters.items():
                parts = [str(name), path if by_parameter else ""]
                label = ", ".join(part for part in parts if part) or "all parameters"
                found.setdefault(label, []).append(each.update_ratio)
    if not found:
        raise ValueError("stats: expected at least one step, got none; pass [opt.stats]")
    return {label: np.array(ratios) for label, ratios in found.items()}


def _steps(given: Any, where: str) -> list[StepStats]:
    several = [given] if isinstance(given, StepStats) else given
    wrong = not isinstance(several, Iterable)
    several = [] if wrong else list(several)
    if wrong or not all(isinstance(each, StepStats) for each in several):
        raise TypeError(
            f"{where}: expected opt.stats or a list of them, got {given!r:.80}; make the optimizer "
            "with stats=True and collect opt.stats after each step"
        )
    return several
