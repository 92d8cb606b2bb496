"""What the C interface knows of the optimizer classes and schedules, written from the classes.

A hyperparameter, its default and the start of a state array are written in one place, the Python
class. `python -m optcore.presets`, run in the source tree, writes down what C and C++ need of that:
`cpp/capi/presets.def`, `cpp/capi/schedule_defaults.def` and
`cpp/include/optcore/hyperparameters.hpp`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _core, optimizers, schedules
from .optimizers.base import _RULES, Optimizer
from .schedules import saving

ROOT = Path(__file__).parents[2] / "cpp"
"""The folder of the C++ sources, beside the package in the source tree."""

_WRITTEN = "// Written by `python -m optcore.presets`.\n"

_CORE_SWITCHES = ("decoupled_weight_decay", "maximize", "cautious", "cautious_weight_decay")

_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {"Momentum": {"average": ("form", "average")}}
"""By class, options that are on where a value is some word."""

_CONSTANT: Mapping[str, Mapping[str, float]] = {"SignSGD": {"momentum": 0.0}}
"""By class, what is no value of it, as it is what makes the class."""


@dataclass(frozen=True)
class Value:
    """A named value of a class, as C knows it.

    Attributes:
        kind: "number", "switch" or "option".
        default: what it is if nothing is set.
        fixed: whether it has to stay once there is state.
    """

    name: str
    kind: str
    default: float
    fixed: bool = False


@dataclass(frozen=True)
class Preset:
    """A class, as C knows it.

    Attributes:
        options: for each option of the rule the value that decides it, or None: it is off.
        starts: by state array the number it starts from, or the value that says it.
        mirrors: the state arrays that start as a copy of the parameter.
        shared: the values that have to be the same in all groups.
        constant: hyperparameters of the rule that are no value of the class.
    """

    kind: type[Optimizer]
    values: list[Value]
    options: list[str | None]
    starts: dict[str, float | str]
    mirrors: tuple[str, ...]
    shared: list[str]
    constant: Mapping[str, float]

    @property
    def name(self) -> str:
        """The name of the optimizer in C.

        >>> from optcore import AdamW, ScheduleFreeSGD
        >>> preset(AdamW).name, preset(ScheduleFreeSGD).name
        ('adamw', 'schedule_free_sgd')
        """
        return name_of(self.kind)


def name_of(kind: type) -> str:
    """The name of a class in C: that of its op, if it has one."""
    from . import ops

    plain = kind.__name__.lower()
    names = {name.rstrip("_").replace("_", ""): name.rstrip("_") for name in ops.__all__}
    return names.get(plain, plain)


def classes() -> list[Any]:
    """All optimizer classes, by name."""
    names = sorted(set(optimizers.__all__) - {"EMA", "Optimizer"}, key=str.lower)
    return [getattr(optimizers, name) for name in names]


def available(kind: Any) -> bool:
    """Whether the core alone can step this class."""
    return kind.described()["rule"] in _RULES


def preset(kind: type[Optimizer]) -> Preset:
    """What C has to know of a class."""
    values = dict(_made(kind).groups[0]._values)
    scalars = kind._scalars(values)
    constant = _CONSTANT.get(kind.__name__, {})
    words = _WORDS.get(kind.__name__, {})
    options = [
        _deciding(kind, values, bit, name, words) for bit, name in enumerate(kind.option_names())
    ]
    shown_fixed = {name for name in kind.fixed_names() if name in values}
    listed = []
    for name in kind.hypers():
        if name not in constant:
            plain = name in kind._switches and name not in kind._shown
            kind_of = "switch" if plain else "number"
            fixed = name in shown_fixed
            listed.append(Value(name, kind_of, float(scalars.get(name, 0.0)), fixed))
    on = kind._options(values)
    for bit, option in enumerate(options):
        if option is not None and option not in scalars:
            listed.append(Value(option, "option", float(on[bit]), True))
    for name in _CORE_SWITCHES:
        if name in values:
            listed.append(Value(name, "switch", float(values[name])))
    known = {each.name for each in listed} | {"state_dtype"}
    known |= {word for word, _ in words.values()}
    for name in sorted(shown_fixed - known):
        listed.append(Value(name, "number", float(values[name]), True))
    return Preset(
        kind,
        listed,
        options,
        _starts(kind, values),
        kind._mirrors,
        [n for n in kind.hypers() if _shown(kind, n) in kind._of_all_groups],
        constant,
    )


def _made(kind: Any) -> Optimizer:
    """An optimizer of that class with its defaults."""
    made: Optimizer = kind(np.zeros((2, 2)))
    return made


def _shown(kind: type[Optimizer], name: str) -> str:
    """The value of the class that one of the core's scalars belongs to."""
    return kind._shown_name(name).partition("[")[0]


def _deciding(
    kind: type[Optimizer],
    values: Mapping[str, Any],
    bit: int,
    option: str,
    words: Mapping[str, tuple[str, str]],
) -> str | None:
    """The value that decides whether an option of the rule is on; None if it is always off."""
    if option in words:
        return option
    before = kind._options(values)[bit]
    for name in [option, *values]:
        if name in values:
            other = not values[name] if isinstance(values[name], bool) else 0.5
            for changed in (other, 0.0):
                if not isinstance(values[name], bool | float):
                    continue
                if kind._options({**values, name: changed})[bit] != before:
                    return name
    if before:
        raise TypeError(f"{kind.__name__}: nothing decides the option {option}, which is on")
    return None


def _starts(kind: type[Optimizer], values: Mapping[str, Any]) -> dict[str, float | str]:
    """What state arrays start from, where that is not 0."""
    slots = {name for variant in _RULES[kind.rule]["slots"] for name in variant}
    found: dict[str, float | str] = {}
    for slot in sorted(slots | set(kind.scalar_names())):
        start = kind._initial(slot, values)
        by = [
            name
            for name, value in values.items()
            if isinstance(value, float)
            and kind._initial(slot, {**values, name: value + 1.0}) != start
        ]
        if by:
            found[slot] = by[0]
        elif start:
            found[slot] = start
    return found


# Files. ------------------------------------------------------------------------------------------


def files() -> dict[Path, str]:
    """The files as they have to be today."""
    return {
        ROOT / "capi" / "presets.def": _presets(),
        ROOT / "capi" / "schedule_defaults.def": _schedule_defaults(),
        ROOT / "include" / "optcore" / "hyperparameters.hpp": _structs(),
    }


_KINDS = {"number": "number", "switch": "on_off", "option": "option"}


def _number(value: float) -> str:
    """A double as C++ reads it.

    >>> _number(0.001), _number(1.0), _number(float("inf")), _number(float("-inf"))
    ('0.001', '1.0', 'kInfinity', '-kInfinity')
    """
    return repr(value).replace("inf", "kInfinity")


def _presets() -> str:
    lines = [_WRITTEN]
    for kind in classes():
        said = kind.described()
        head = f'"{name_of(kind)}", "{kind.__name__}", "{said["rule"]}", "{said["kind"]}"'
        if not available(kind):
            lines.append(f"OPTCORE_UNAVAILABLE({head})\n")
            continue
        own = preset(kind)
        lines.append(f"OPTCORE_PRESET({head})\n")
        for each in own.values:
            lines.append(
                f'OPTCORE_VALUE("{each.name}", {_KINDS[each.kind]}, {_number(each.default)}, '
                f"{int(each.fixed)})\n"
            )
        lines += [f'OPTCORE_CONSTANT("{k}", {_number(v)})\n' for k, v in own.constant.items()]
        for option in own.options:
            lines.append(
                f'OPTCORE_DECIDED_BY("{option}")\n' if option else "OPTCORE_ALWAYS_OFF()\n"
            )
        for slot, start in own.starts.items():
            if isinstance(start, str):
                lines.append(f'OPTCORE_STARTS_AS("{slot}", "{start}")\n')
            else:
                lines.append(f'OPTCORE_STARTS_AT("{slot}", {_number(start)})\n')
        lines += [f'OPTCORE_MIRROR("{slot}")\n' for slot in own.mirrors]
        lines += [f'OPTCORE_SHARED("{name}")\n' for name in own.shared]
    return "".join(lines)


def _defaults() -> Iterator[tuple[str, str, Any]]:
    """The defaults of all schedules: the schedule, the parameter, the default."""
    for family, parameters in _core.schedule_families().items():
        python = "exponential" if family == "exponential_decay" else family
        found = {f.name: f.default for f in saving.parameters(saving.FAMILIES[python])}
        if family == "clipped":
            found |= {"low": -np.inf, "high": np.inf}
        for parameter in parameters:
            default = found[parameter]
            if default is not MISSING and default is not None:
                yield family, parameter, default


def _schedule_defaults() -> str:
    lines = [_WRITTEN]
    for family, parameter, default in _defaults():
        where = f'"{family}", "{parameter}"'
        if isinstance(default, str):
            lines.append(f'OPTCORE_WORD({where}, "{default}")\n')
        elif isinstance(default, schedules.Constant):
            lines.append(f"OPTCORE_DEFAULT({where}, {_number(default.value)})\n")
        else:
            lines.append(f"OPTCORE_DEFAULT({where}, {_number(float(default))})\n")
    lines.append('OPTCORE_SAME("cyclic", "down", "up")\n')
    return "".join(lines)


_HEAD = """\
/**
 * @file hyperparameters.hpp
 * @brief The hyperparameters of every optimizer as plain structs, with their defaults.
 *
 * Included by optcore.hpp.
 */
// Written by `python -m optcore.presets`.
#ifndef OPTCORE_HYPERPARAMETERS_HPP
#define OPTCORE_HYPERPARAMETERS_HPP

#include "values.hpp"

namespace optcore {
inline namespace v1 {
"""


def _structs() -> str:
    text = _HEAD
    for kind in classes():
        if available(kind):
            text += "\n" + _struct(preset(kind))
    return f"{text}\n}} // namespace v1\n}} // namespace optcore\n\n#endif\n"


def _struct(own: Preset) -> str:
    lines = [f"/** {own.kind.__name__}.", f" *  {own.kind.paper} */"]
    lines.append(f"struct {own.kind.__name__} {{")
    lines.append(f'    static constexpr const char *name = "{own.name}";')
    for each in own.values:
        number = each.kind == "number"
        default = _number(each.default) if number else ("true" if each.default else "false")
        kind = "bool" if not number else "double" if each.fixed else "Value"
        lines.append(f"    {kind} {each.name} = {default};")
    lines.append("    template <class Visit>")
    lines.append("    void each(Visit visit) const {")
    lines += [f'        visit("{each.name}", {each.name});' for each in own.values]
    lines += ["    }", "};", ""]
    return "\n".join(line for line in lines if line or line == lines[-1])


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
