"""Convergence curves: the loss by step, one colour for each optimizer, seeds as bands."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import figures, style
from .series import Series, is_comparison, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HIGHEST = 1e3  # times the highest start: a run that ends above has diverged as well
_DEEPEST = 1e-16  # of the highest value: what is below is rounding, not convergence


def curves(
    results: Any,
    ax: Axes | None = None,
    *,
    x: Any = None,
    log: bool = True,
    band: tuple[float, float] | None = (0.0, 1.0),
    target: float | None = None,
    xlabel: str = "step",
    ylabel: str | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draws how losses fall: the median over seeds as a line, their spread as a band.

    A run that is infinite or NaN counts as worse than any other from there on. A line ends, in a
    cross, where the median is not finite, and the legend says how many seeds have diverged. A run
    that is shorter than the others counts as long as it lasts.

    Args:
        results: what `optcore.compare` returns; or a mapping from names to losses, (points,) or
            (seeds, points), or a list of runs of any lengths.
        ax: the axes to draw on; None makes a new figure.
        x: where the points are, (points,), or a mapping from names; None counts them from 0, or is
            the steps of a comparison.
        log: a logarithmic scale of losses. What is not above 0 has no place on it.
        band: two quantiles of the seeds; (0, 1) is from the least to the greatest. None for none.
        target: a loss to be reached, as a thin line; None is that of a comparison, if it has one.
        xlabel: what is along x.
        ylabel: what is along y; None is "loss", or what a comparison calls it.
        title: above the axes; None is the name of a comparison's problem.
        legend: whether there is one.

    Returns:
        The axes.

    Raises:
        TypeError, ValueError: an argument is of another kind, or there is nothing to draw.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import numpy as np, optcore as oc
        >>> from matplotlib.figure import Figure
        >>> seeds = np.array([[4.0, 2.0, 1.0], [4.0, 1.0, 0.5], [4.0, 3.0, 2.0]])
        >>> ax = oc.plot.curves({"Adam": seeds, "SGD": [4.0, 3.5, 3.0]}, Figure().subplots())
        >>> [line.get_label() for line in ax.get_lines()], ax.get_yscale()
        (['Adam', 'SGD'], 'log')
    """
    found = read(results, x)
    check(found, log, band, target)
    if is_comparison(results):
        title = str(results.problem).partition(":")[0] if title is None else title
        if target is None and results.target_of == "loss":
            target = results.target
    ylabel = ylabel or getattr(results, "loss_name", "loss")
    ax = figures.axes(ax, "optcore.plot.curves")
    draw(ax, found, dict.fromkeys(each.name for each in found), log, band, target)
    style.words(ax, xlabel, f"{ylabel} (log scale)" if log else ylabel, title)
    if legend:
        style.legend(ax, what_is_shown(found, band))
    return ax


def draw(
    ax: Axes,
    found: list[Series],
    order: Iterable[str],
    log: bool,
    band: Any,
    target: float | None,
    together: list[Series] | None = None,
) -> None:
    """The lines and bands of `curves`.

    Args:
        order: all names; their places give the colours.
        together: all series of axes that share a scale.
    """
    places = {name: i for i, name in enumerate(order)}
    for each in found:
        _draw(ax, each, places[each.name], band)
    if target is not None:
        ax.axhline(
            float(target), color=style.MUTED, linewidth=1, zorder=1, label=f"target {target:g}"
        )
    if log:
        ax.set_yscale("log", nonpositive="mask")
    _in_view(ax, together or found, log, target)
    style.dress(ax)


def check(found: list[Series], log: bool, band: Any, target: Any) -> None:
    """Raises an error unless this can be drawn so."""
    if target is not None and not isinstance(target, numbers.Real):
        raise TypeError(f"target: expected a number or None, got {target!r}; pass e.g. 0.01")
    if log and not any((each.runs > 0).any() for each in found):
        raise ValueError(
            "log: expected a loss above 0 for a logarithmic scale, got none; pass log=False"
        )
    if band is None:
        return
    fits = isinstance(band, Sequence) and len(band) == 2
    if not fits or not all(isinstance(q, numbers.Real) for q in band):
        raise TypeError(f"band: expected two quantiles or None, got {band!r}; pass e.g. (0, 1)")
    if not 0 <= band[0] < band[1] <= 1:
        raise ValueError(f"band: expected 0 <= low < high <= 1, got {band!r}; pass e.g. (0, 1)")


def _draw(ax: Axes, each: Series, i: int, band: tuple[float, float] | None) -> None:
    median = each.median()
    colour, dashes = style.style(i)
    label = each.name
    if each.diverged:
        seeds = len(each.runs)
        label += " (diverged)" if seeds == 1 else f" ({each.diverged} of {seeds} diverged)"
    drawn = np.where(np.isfinite(median), median, np.nan)
    ax.plot(
        each.x, drawn, color=colour, linestyle=dashes, linewidth=style.WIDTH, label=label, zorder=3
    )
    if band is not None and len(each.runs) > 1:
        bottom, top = each.band(*band)
        ax.fill_between(each.x, bottom, top, color=colour, alpha=0.18, linewidth=0, zorder=2)
    last = np.flatnonzero(np.isfinite(drawn))
    if len(last) and np.isinf(median[last[-1] + 1 :]).any():
        ax.plot(each.x[last[-1]], drawn[last[-1]], "x", color=colour, markersize=8, mew=2, zorder=4)


def _in_view(ax: Axes, found: list[Series], log: bool, target: float | None) -> None:
    """Cuts off what would take most of the height and says nothing.

    That is how far diverging runs went, and on a logarithmic scale what is below rounding.
    """
    starts = np.concatenate([each.runs[:, 0] for each in found])
    settled = [
        run
        for each in found
        for run, end in zip(each.runs, each.ends(), strict=True)
        if np.isfinite(end)
    ]
    every = np.concatenate([starts, *settled])
    seen = every[np.isfinite(every) & ((every > 0) | (not log))]
    if not seen.size:
        return
    lost = any(each.diverged for each in found)
    highest = starts[np.isfinite(starts)].max(initial=-np.inf)
    if seen.max() > _HIGHEST * highest > 0:
        seen, lost = seen[seen <= _HIGHEST * highest], True
    low, high = seen.min(), seen.max()
    if target is not None and (target > 0 or not log):
        low, high = min(low, target), max(high, target)
    if log and low < _DEEPEST * high:
        low, lost = _DEEPEST * high, True
    if lost:
        room = max(1.5, (high / low) ** 0.06) if log else 0.06 * (high - low) or 1.0
        ax.set_ylim(*((low / room, high * room) if log else (low - room, high + room)))


def what_is_shown(found: list[Series], band: Any) -> str | None:
    """The legend's title: what line and band stand for."""
    seeds = {len(each.runs) for each in found} - {1}
    if not seeds:
        return None
    count = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    line = f"median of {count} seeds"
    if band is None:
        return line
    whole = tuple(band) == (0, 1)
    return f"{line}; band: " + ("all" if whole else f"{band[0]:.0%} to {band[1]:.0%}")
