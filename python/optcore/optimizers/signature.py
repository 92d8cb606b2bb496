"""What a class says of itself in its signature."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any


def defaults_of(kind: type) -> dict[str, Any]:
    """The hyperparameters in a class's signature, and their defaults."""
    return {
        each.name: each.default
        for each in inspect.signature(kind).parameters.values()
        if each.name not in ("params", "common")
    }


def refuse_unknown(given: Iterable[str], known: Iterable[str], who: str) -> None:
    """A TypeError that lists near names, if one of the given ones is not known.

    >>> refuse_unknown(["lr", "weight_deacy"], ["lr", "eps", "weight_decay"], "AdamW")
    Traceback (most recent call last):
    TypeError: AdamW: got an unexpected keyword argument 'weight_deacy'; did you mean weight_decay?
    """
    names = list(known)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it takes {', '.join(names)}"
            raise TypeError(f"{who}: got an unexpected keyword argument {name!r}; {hint}")
