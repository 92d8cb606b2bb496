"""Schedules by name, their parameters as options of the command line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from typing import Any

from ..schedules import Schedule, Warmup
from ..schedules.saving import FAMILIES, parameters

# What a parameter is read with, by its annotation. Schedules of schedules have other ones.
_READERS: dict[str, Callable[[str], Any]] = {
    "float": float,
    "float | None": float,
    "int": int,
    "int | None": int,
    "bool": bool,
    "str": str,
    "Sequence[int]": lambda text: [int(item) for item in text.split(",")],
    "Sequence[float]": lambda text: [float(item) for item in text.split(",")],
}

# Parameters that mean the same: who has one of them takes the option of another.
_ALIKE = (("peak", "initial", "value"), ("end", "floor"))

# --steps is how many steps are shown.
_RENAMED = {("steps", "int"): "decay_steps", ("steps", "Sequence[int]"): "points"}


class OptionError(ValueError):
    """Options that make no schedule; the message says why."""


def families() -> dict[str, type[Schedule]]:
    """The schedules that options can describe, by name.

    >>> list(families())[:3]
    ['constant', 'cosine', 'cosine-restarts']
    """
    found = {name.replace("_", "-"): family for name, family in FAMILIES.items()}
    return {name: found[name] for name in sorted(found) if _fields(found[name])}


def options() -> dict[str, bool]:
    """The names of all options, and whether each is a switch.

    >>> options()["peak"], options()["cycle"]
    (False, True)
    """
    every = [f for family in families().values() for f in _fields(family)]
    return {_option(f): f.type == "bool" for f in sorted(every, key=_option)}


def made(name: str, given: Mapping[str, Any]) -> tuple[Schedule, set[str]]:
    """The schedule of that name, and which of the options it took.

    `name` may also be what `to_dict` gave, as JSON. A schedule without a warmup of its own gets a
    linear one where `warmup` is given; `total`, if it has one, includes it.

    >>> made("cosine", {"peak": "0.1", "gamma": "0.5", "total": "10"})[0]
    Cosine(initial=0.1, total=10, floor=0.0)
    """
    if name.lstrip().startswith("{"):
        return _from_json(name), set()
    family = _family(name)
    texts, used = _matched(family, given)
    fields = {f.name: f for f in _fields(family)}
    values = {key: _read(key, fields[key], text) for key, text in texts.items()}
    warmup = None
    if "warmup" in given and "warmup" not in fields:
        warmup = _warmup(given, values)
        used |= {"warmup"} | ({"start"} if "start" in given else set())
    missing = [f for f in fields.values() if f.default is MISSING and f.name not in values]
    if missing:
        raise OptionError(
            f"{name}: expected {', '.join(map(_shown, fields.values()))}; "
            f"add {' and '.join(map(_shown, missing))}"
        )
    try:
        schedule = family(**values)
        return (warmup.then(schedule) if warmup else schedule), used
    except (TypeError, ValueError) as error:
        raise OptionError(str(error)) from None


def _fields(family: type[Schedule]) -> list[Field[Any]]:
    """The parameters that can be options, none if there is a required one that cannot."""
    every = parameters(family)
    plain = [f for f in every if str(f.type) in _READERS]
    odd = [f for f in every if f not in plain and f.default is MISSING]
    return [] if odd else plain


def _option(field: Field[Any]) -> str:
    return _RENAMED.get((field.name, str(field.type)), field.name)


def _shown(field: Field[Any]) -> str:
    """A parameter as the option that gives it."""
    alike = next((names for names in _ALIKE if field.name in names), (_option(field),))
    return "--" + alike[0].replace("_", "-")


def _family(name: str) -> type[Schedule]:
    known = families()
    plain = {key.replace("-", ""): key for key in known}
    asked = "".join(c for c in name.lower() if c not in "-_ ")
    if asked in plain:
        return known[plain[asked]]
    near = [plain[key] for key in difflib.get_close_matches(asked, plain, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else "pick one, or pass to_dict() as JSON"
    raise OptionError(f"expected one of {', '.join(known)}, got {name!r}; {hint}")


def _matched(family: type[Schedule], given: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The options that a schedule takes, by its own names; and these options."""
    taken: dict[str, Any] = {}
    used: set[str] = set()
    own = {_option(f) for f in _fields(family)}
    for field in _fields(family):
        option = _option(field)
        alike = next((names for names in _ALIKE if option in names), ())
        others = [name for name in alike if name in given and name not in own]
        found = [option] if option in given else others[:1]
        if found:
            taken[field.name] = given[found[0]]
            used |= set(found)
    return taken, used


def _read(name: str, field: Field[Any], text: Any) -> Any:
    if isinstance(text, bool):
        return text
    try:
        return _READERS[str(field.type)](text)
    except ValueError:
        kind = str(field.type).removesuffix(" | None")
        wanted = {"int": "a whole number", "float": "a number"}.get(
            kind, "whole numbers" if kind == "Sequence[int]" else "numbers"
        )
        how = "" if kind in ("int", "float") else ", with commas between them"
        raise OptionError(f"{_shown(field)}: expected {wanted}{how}, got {text!r}") from None


def _warmup(given: Mapping[str, Any], values: dict[str, Any]) -> Warmup:
    """The warmup before a schedule that has none; its steps come off the total."""
    fields = {f.name: f for f in _fields(Warmup)}
    steps = _read("warmup", fields["warmup"], given["warmup"])
    start = _read("start", fields["start"], given.get("start", "0"))
    if "total" in values:
        if not 0 <= steps < values["total"]:
            raise OptionError(
                f"--warmup: expected 0 to --total - 1 = {values['total'] - 1}, got {steps}; "
                "--total includes it"
            )
        values["total"] -= steps
    try:
        return Warmup(steps, start=start)
    except (TypeError, ValueError) as error:
        raise OptionError(str(error)) from None


def _from_json(text: str) -> Schedule:
    try:
        return Schedule.from_dict(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(f"NAME: expected to_dict() as JSON, got {text!r:.80}: {error}") from None
