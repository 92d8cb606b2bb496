"""What a class says of itself in its signature."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from .common import Common


def defaults_of(kind: type) -> dict[str, Any]:
    """The hyperparameters in a class's signature, and their defaults."""
    return {
        each.name: each.default
        for each in inspect.signature(kind).parameters.values()
        if each.name not in ("params", "common")
    }


def keywords_of(make: Callable[..., Any]) -> list[str] | None:
    """The names of all arguments of a class or function; None where it takes any.

    >>> keywords_of(lambda params, lr, *, eps=1e-8: None), keywords_of(lambda params, **more: None)
    (['params', 'lr', 'eps'], None)
    """
    parameters = inspect.signature(make).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for more in parameters:
        if more.kind is more.VAR_KEYWORD:
            # Other keywords, those of a class that a user derives, may be what its base takes.
            common = more.annotation == "Unpack[Common]"
            return [*names, *Common.__annotations__] if common else None
    return names


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
