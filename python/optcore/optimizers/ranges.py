"""Where the hyperparameters of rules that the core does not know may lie."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import hyper


@dataclass(frozen=True)
class Range:
    """Which finite numbers a hyperparameter may be.

    Attributes:
        wanted: the range in words.
        holds: whether a finite number lies in it.
        words: how torch's message begins, where it has one.
    """

    wanted: str
    holds: Callable[[float], bool]
    words: str | None = None

    def error(self, name: str, value: float) -> str:
        """The message for a number out of range, empty for one in it.

        >>> NON_NEGATIVE.error("eps", 0.5), NON_NEGATIVE.error("eps", -1.0)
        ('', 'Invalid eps value: -1.0 (eps has to be a finite number, 0 or more)')
        """
        if math.isfinite(value) and self.holds(value):
            return ""
        words = self.words or f"Invalid {name} value: "
        return f"{words}{value} ({name} has to be {self.wanted})"

    def check(self, name: str, value: object) -> None:
        """A ValueError where a number is out of range, a TypeError where it is none.

        Schedules are checked when they have given a number.
        """
        given = hyper.source(value, name)
        if isinstance(given, float) and (error := self.error(name, given)):
            raise ValueError(error)


FINITE = Range("a finite number", lambda x: True)
NON_NEGATIVE = Range("a finite number, 0 or more", lambda x: x >= 0)
POSITIVE = Range("a finite number above 0", lambda x: x > 0)
BELOW_ONE = Range("a number in [0, 1)", lambda x: 0 <= x < 1)


def in_words(limits: Range, words: str) -> Range:
    """The same range, with other words for a number outside.

    >>> in_words(POSITIVE, "too small: ").error("eps", 0.0)
    'too small: 0.0 (eps has to be a finite number above 0)'
    """
    return replace(limits, words=words)


def numbers_in(name: str, value: Any) -> dict[str, Any]:
    """The numbers of a value by their names: of a tuple each, of None none.

    >>> numbers_in("betas", (0.9, 0.99)), numbers_in("eps", 0.5), numbers_in("beta2", None)
    ({'betas[0]': 0.9, 'betas[1]': 0.99}, {'eps': 0.5}, {})
    """
    if value is None:
        return {}
    if isinstance(value, (tuple, list)):
        return {f"{name}[{i}]": item for i, item in enumerate(value)}
    return {name: value}


def whole(value: object, name: str, least: int) -> int:
    """A whole number of at least so much; else a TypeError or ValueError.

    >>> whole(5.0, "ns_steps", 0)
    5
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected an int, got {value!r}; pass e.g. {least + 1}")
    number = hyper.as_float(value, name)
    if not (number.is_integer() and number >= least):
        raise ValueError(
            f"{name}: expected a whole number, {least} or more, got {value}; pass e.g. {least + 1}"
        )
    return int(number)
