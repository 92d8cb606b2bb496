"""Schedules as plain data. See `Schedule.to_dict` and `Schedule.from_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _core

if TYPE_CHECKING:
    from .base import Schedule

_S = TypeVar("_S", bound="Schedule")

FUNCTION = "lambda"  # what stands in saved data for a Python function
FAMILIES: dict[str, type[Schedule]] = {}  # the other classes, by what stands for them


def parameters(family: type[Schedule]) -> tuple[Field[Any], ...]:
    """The constructor's parameters."""
    return fields(family)  # type: ignore[arg-type]  # every concrete schedule is a dataclass


def to_data(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule's name and arguments, with no objects of ours in them."""
    return {"schedule": name, **{k: _plain(v) for k, v in arguments.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def from_data(cls: type[_S], data: Mapping[str, Any]) -> tuple[type[_S], dict[str, Any]]:
    """The class that was saved, which has to be one of `cls`, and its saved arguments."""
    if not isinstance(data, Mapping):
        raise TypeError(
            f"data: expected a dict, got {type(data).__name__}; pass what to_dict() returned"
        )
    name = data.get("schedule")
    if name == FUNCTION:
        raise ValueError(
            "data['schedule']: expected plain data, got 'lambda', a Python function; "
            "make it again with Lambda(f)"
        )
    family = FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        known = [one for one in _core.schedule_families() if one in FAMILIES]
        raise ValueError(
            f"data['schedule']: expected one of {', '.join(known)}, got {name!r}; "
            "pass what to_dict() returned"
        )
    if not issubclass(family, cls):
        raise TypeError(
            f"data: expected a {cls.__name__}, got a {family.__name__}; "
            "use Schedule.from_dict for any of them"
        )
    arguments = {k: v for k, v in data.items() if k != "schedule"}
    _check_names(family, arguments)
    return family, arguments


def _check_names(family: type[Schedule], arguments: dict[str, Any]) -> None:
    known = parameters(family)
    names = ", ".join(f.name for f in known)
    for name in arguments:
        if name not in {f.name for f in known}:
            raise ValueError(
                f"{family.__name__}: expected {names}, got {name!r} as well; leave it out"
            )
    for f in known:
        if f.default is MISSING and f.name not in arguments:
            raise ValueError(f"{family.__name__}: expected {names}, got no {f.name!r}; add it")
