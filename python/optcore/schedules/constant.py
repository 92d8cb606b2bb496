"""A schedule that does not change."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same value at every step: s(k) = value.

    Raises:
        TypeError, ValueError: value is no finite number.

    >>> Constant(0.1)(7)
    0.1
    """

    _name = "constant"
    value: float
