"""The options that an optimizer takes, so that a misspelt one is told what was meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..optimizers.common import Common
from ..spelling import closest

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def known(make: Callable[..., Any]) -> list[str] | None:
    """The names of all options of a class or function; None where it takes any, or does not tell.

    >>> from optcore import LBFGS
    >>> known(LBFGS)[:3]
    ['lr', 'max_iter', 'max_eval']
    """
    try:
        parameters = list(inspect.signature(make).parameters.values())
    except (TypeError, ValueError):
        return None
    names = [each.name for each in parameters[1:] if each.kind in _NAMED]
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        if parameters[-1].name != "common":  # as all of optcore's call what is common to them
            return None
        names += Common.__annotations__
    return names


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
