"""Hyperparameters as they are given: numbers, schedules, functions of the step."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _core
from ..schedules import Lambda, Schedule


def source(value: object, name: str) -> float | Schedule:
    """A number as a float, a schedule as it is, a function as a `Lambda`; else a TypeError."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return as_float(value, name)
    if callable(value) and not isinstance(value, type):
        return Lambda(value)
    raise TypeError(
        f"{name}: expected a number, a schedule or a function of the step, "
        f"got {value!r} ({type(value).__name__}); pass e.g. 1e-3 or oc.schedules.Cosine(1e-3, 1000)"
    )


def as_float(value: Any, name: str) -> float:
    """A real number as a float; one beyond all floats is a ValueError."""
    try:
        return float(value)
    except OverflowError:
        raise ValueError(
            f"{name}: expected a number that fits a float, got one beyond 1.8e308; take a smaller"
        ) from None


def settled(value: Any, name: str) -> Any:
    """A group's value as it is kept: numbers as floats, functions as schedules."""
    if isinstance(value, (tuple, list)):
        return tuple(settled(item, f"{name}[{i}]") for i, item in enumerate(value))
    if isinstance(value, np.bool_):
        return bool(value)
    plain = value is None or isinstance(value, (bool, str, Mapping))
    return value if plain else source(value, name)


def switch(value: object, name: str) -> None:
    """A TypeError unless this is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {value!r}; pass a bool")


_WORDS = ("no", "one", "two", "three", "four")


def several(value: Any, name: str, count: int, example: object = None) -> tuple[Any, ...]:
    """That many values, or a TypeError; its example are betas, if there is no other."""
    if not isinstance(value, (tuple, list)) or len(value) != count:
        example = example or (0.9, 0.999, 0.99, 0.999)[:count]
        raise TypeError(
            f"{name}: expected {_WORDS[count]} values, got {value!r}; pass e.g. {example}"
        )
    return tuple(value)


def pair(value: Any, name: str, example: object = None) -> tuple[Any, Any]:
    """Two values, or a TypeError."""
    first, second = several(value, name, 2, example)
    return first, second


def inside_or_beside(values: Mapping[str, Any]) -> dict[str, Any]:
    """ε as the core has it, inside the root or beside it, from `eps` and `eps_in_sqrt`.

    >>> inside_or_beside({"eps": 1e-7, "eps_in_sqrt": True})
    {'eps': 0.0, 'eps_in_sqrt': 1e-07}
    """
    eps, inside = values["eps"], values["eps_in_sqrt"]
    return {"eps": 0.0 if inside else eps, "eps_in_sqrt": eps if inside else 0.0}


def one_of(value: object, names: tuple[str, ...], name: str) -> str:
    """One of a few words, or a ValueError that lists them."""
    if value not in names:
        raise ValueError(f"{name}: expected one of {', '.join(names)}, got {value!r}; pick one")
    return str(value)


def native(value: float | Schedule) -> Any:
    """What the core evaluates: a float, a C++ schedule, or a Python function."""
    if isinstance(value, Schedule):
        return value if value._native is None else value._native
    return value


def check(rule: str, name: str, value: object, shown: str) -> None:
    """A ValueError, in torch's words, where a number is out of range. Schedules come later.

    `name` is the core's name of the hyperparameter, `shown` the one that the user knows.
    """
    given = source(value, shown)
    if isinstance(given, float) and (error := _core.hyper_error(rule, name, given, shown)):
        raise ValueError(error)


def is_on(value: object) -> bool:
    """Whether a rule needs what this coefficient multiplies: it is scheduled, or not zero."""
    return isinstance(value, Schedule) or callable(value) or value != 0


def finite(value: object, name: str) -> float:
    """A finite number of 0 or more, in torch's words if it is not."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}; pass e.g. 0.0")
    number = as_float(value, name)
    if not 0.0 <= number < float("inf"):
        raise ValueError(
            f"Invalid {name} value: {number} ({name} has to be a finite number, 0 or more)"
        )
    return number


def limit(value: object, name: str, off: float) -> float:
    """A limit for clipping: a number above 0, or None, which the core knows as `off`."""
    if value is None:
        return off
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number or None, got {value!r}; pass e.g. 1.0")
    number = as_float(value, name)
    if not number > 0:
        raise ValueError(f"{name}: expected a number above 0, got {value}; None turns it off")
    return number


NO_NORM = float("nan")
NO_LIMIT = float("inf")
MOST_THREADS = 1024


def thread_count(value: object) -> int:
    """A number of threads: None for the default, else 1 or more."""
    if value is None:
        return 0
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(f"threads: expected an int or None, got {value!r}; pass e.g. 2")
    if not 1 <= int(value) <= MOST_THREADS:
        raise ValueError(
            f"threads: expected 1 to {MOST_THREADS}, got {value}; None takes the default"
        )
    return int(value)


def seed(value: object) -> int:
    """A seed of 64 bits."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(f"seed: expected an int, got {value!r}; pass e.g. 0")
    if not 0 <= int(value) < 2**64:
        raise ValueError(f"seed: expected 0 to 2**64 - 1, got {value}; pass e.g. 0")
    return int(value)
