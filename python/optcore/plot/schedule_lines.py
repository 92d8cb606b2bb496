"""Schedules over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..schedules import Schedule
from . import figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def schedules(
    schedules: Schedule | Sequence[Schedule] | Mapping[str, Schedule],
    n: int,
    ax: Axes | None = None,
    *,
    log: bool = False,
    xlabel: str = "step",
    ylabel: str = "learning rate",
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draws the values of schedules at steps 0 to n - 1.

    Args:
        schedules: one; several, which are called by their classes; or a mapping from names.
        n: how many steps, at least 1.
        ax: the axes to draw on; None makes a new figure.
        log: a logarithmic scale of values.
        xlabel: what is along x.
        ylabel: what is along y.
        title: above the axes.
        legend: whether there is one.

    Returns:
        The axes.

    Raises:
        TypeError, ValueError: an argument is of another kind.
        ModuleNotFoundError: matplotlib is not installed.

    Example:
        >>> import optcore as oc
        >>> from matplotlib.figure import Figure
        >>> from optcore.schedules import Cosine, Step
        >>> several = [Cosine(0.1, total=100), Step(0.1, step_size=30)]
        >>> ax = oc.plot.schedules(several, 100, Figure().subplots())
        >>> [line.get_label() for line in ax.get_lines()]
        ['Cosine', 'Step']
    """
    found = _by_name(schedules)
    values = {name: schedule.values(n) for name, schedule in found.items()}
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}; pass the number of steps")
    ax = figures.axes(ax, "optcore.plot.schedules")
    for i, (name, each) in enumerate(values.items()):
        ax.plot(range(n), each, label=name, **style.line(i))
    if log:
        ax.set_yscale("log", nonpositive="mask")
    style.dress(ax)
    style.words(ax, xlabel, ylabel, title)
    if legend:
        style.legend(ax)
    return ax


def _by_name(given: object) -> dict[str, Schedule]:
    if isinstance(given, Schedule):
        given = [given]
    if isinstance(given, Mapping):
        found = {str(name): each for name, each in given.items()}
    elif isinstance(given, (list, tuple)):
        kinds = [type(each).__name__ for each in given]
        # Two of a class are told apart by what they were made with.
        found = {
            kind if kinds.count(kind) == 1 else repr(each): each
            for kind, each in zip(kinds, given, strict=True)
        }
    else:
        found = {}
    wrong = [each for each in found.values() if not isinstance(each, Schedule)]
    if wrong or not found:
        raise TypeError(
            "schedules: expected a schedule, a list of them or a mapping from names, got "
            f"{(wrong or [given])[0]!r:.80}; a function of the step goes in as "
            "oc.schedules.Lambda(f)"
        )
    return found
