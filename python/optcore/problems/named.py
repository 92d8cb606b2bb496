"""Problems by name, with options."""

from __future__ import annotations

import inspect

from ..spelling import closest, parsed
from .base import Problem
from .builtin import PROBLEMS


def names() -> list[str]:
    """The names of the problems that are built in."""
    return list(PROBLEMS)


def named(text: str) -> Problem:
    """A problem that is built in, such as "digits-mlp", "quadratic:condition=1000,dimension=10".

    Args:
        text: a name, and after a colon options as `key=value` with commas between them; several
            numbers have slashes between them, as in "digits-mlp:hidden=64/32".

    Raises:
        ValueError: there is no such problem, or an option is unknown or out of range.

    Example:
        >>> named("quadratik")
        Traceback (most recent call last):
        ...
        ValueError: problem: expected one of quadratic, rosenbrock, beale, himmelblau, linear, \
digits-logistic, digits-mlp, digits-mlp-tanh, digits-mlp-dropout, breast-cancer-logistic, \
breast-cancer-mlp, breast-cancer-mlp-tanh, breast-cancer-mlp-dropout, diabetes-linear, \
diabetes-mlp, diabetes-mlp-tanh, diabetes-mlp-dropout, got 'quadratik'; did you mean quadratic?
    """
    name, options = parsed(text, "problem")
    key = closest(name, PROBLEMS, "problem")
    make, what = PROBLEMS[key], f"options of {key}"
    known = [*inspect.signature(make).parameters]
    if options and not known:
        raise ValueError(f"{what}: expected none, got {', '.join(options)}")
    return make(**{closest(option, known, what): value for option, value in options.items()})
