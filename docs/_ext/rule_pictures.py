"""A rule's path through the valley, and how fast it descends."""

from __future__ import annotations

from pathlib import Path

import optcore as oc
import pictures
import valley

_SIZE = (4.8, 3.6)


def draw(name: str, folder: Path) -> None:
    """Writes the two pictures of a rule, which stand side by side where there is room."""
    run = valley.best(name)
    ax = oc.plot.path_2d(
        valley.Valley(), {name: run.path}, pictures.axes(*_SIZE), title="", legend=False
    )
    ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
    pictures.save(ax, folder / f"{name.lower()}_path.png")
    losses = {name: run.losses, "SGD": valley.best("SGD").losses}
    ax = oc.plot.curves(losses, pictures.axes(*_SIZE))
    pictures.save(ax, folder / f"{name.lower()}_loss.png")


def caption(name: str) -> str:
    """What the picture shows, in reStructuredText."""
    alone = name in valley.WITHOUT_RATE
    at = "at its default rate" if alone else f"at a rate of {float(valley.best(name).rate):.2g}"
    return (
        f"A hundred steps from the ring to the star, {at}. :ref:`How it is made "
        "<how-the-pictures-are-made>`."
    )
