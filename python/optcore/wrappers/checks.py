"""Options of wrappers, checked."""

from __future__ import annotations

import numbers
from typing import Any

from ..optimizers.hyper import as_float


def whole(value: Any, name: str, least: int) -> int:
    """A whole number of at least so much.

    >>> whole(5, "k", 1)
    5
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: expected an int, got {value!r}; pass e.g. {max(least, 5)}")
    if value < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}; pass e.g. 5")
    return int(value)


def number(value: Any, name: str, most: float, example: float) -> float:
    """A number in [0, most] that is finite.

    >>> number(0.5, "alpha", 1.0, 0.5)
    0.5
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}; pass e.g. {example}")
    given = as_float(value, name)
    if not 0 <= given <= most or given == float("inf"):
        limits = "a finite number, 0 or more" if most == float("inf") else f"0 to {most:g}"
        raise ValueError(f"{name}: expected {limits}, got {given}; pass e.g. {example}")
    return given


def scale(value: Any) -> float:
    """What gradients are divided by: a finite number above 0.

    >>> scale(1024)
    1024.0
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"grad_scale: expected a number, got {value!r}; pass what the loss was multiplied by"
        )
    given = as_float(value, "grad_scale")
    if not 0 < given < float("inf"):
        raise ValueError(
            f"grad_scale: expected a finite number above 0, got {given}; "
            "pass what the loss was multiplied by"
        )
    return given
