"""The options that an optimizer takes, so that a misspelt one is told what was meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..optimizers.signature import keywords_of
from ..spelling import closest


def known(make: Callable[..., Any]) -> list[str] | None:
    """The names of all options of a class or function; None where it takes any, or does not tell.

    >>> from optcore import LBFGS
    >>> known(LBFGS)[:3]
    ['lr', 'max_iter', 'max_eval']
    """
    try:
        names = keywords_of(make)
    except (TypeError, ValueError):
        return None
    return names if names is None else names[1:]


def checked(make: Callable[..., Any], label: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, by the names that they are known by.

    Raises:
        ValueError: there is none of that name; near ones are in the message.
    """
    names = known(make)
    if not names:
        return dict(options)
    if "lr" in names:
        names.append("schedule")
    return {closest(name, names, f"options of {label}"): each for name, each in options.items()}
