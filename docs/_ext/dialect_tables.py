"""What each dialect has otherwise, from the classes' own tables."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import files
import optcore as oc
import rst

OTHERS = ("keras", "optax", "paper")


def table_of(kind: type) -> dict[str, dict[str, Any]]:
    """By dialect, the arguments that differ from the class's defaults, inherited ones included."""
    parameters = inspect.signature(kind).parameters
    found: dict[str, dict[str, Any]] = {}
    for dialect, differing in getattr(kind, "_dialects", {}).items():
        found[dialect] = {k: v for k, v in differing.items() if k in parameters}
    return found


def of_rule(rule: dict[str, Any]) -> str:
    """The section of a rule's page."""
    table = table_of(getattr(oc, rule["name"]))
    if not table:
        return "There is one form of it only.\n\n"
    others = [name for name in OTHERS if name in table]
    names = [name for name in rule["options"] if any(name in table[each] for each in others)]
    said = "``dialect=`` fills in what is left out. "
    if not names:
        listed = ", ".join(f'``"{each}"``' for each in others)
        return said + f'There are {listed} besides ``"torch"``, and all of them are the same.\n\n'
    rows = [
        [f"``{name}``", rst.code(rule["options"][name])]
        + [_cell(table[each], name) for each in others]
        for name in names
    ]
    said += "A dash is the default; what is not in the table is the same in all.\n\n"
    return said + rst.table(["", "torch (default)", *others], rows, "dialects")


def _cell(differing: dict[str, Any], name: str) -> str:
    return rst.code(differing[name]) if name in differing else "–"


def of_framework(dialect: str) -> str:
    """For each rule that the framework has, what its dialect fills in."""
    rows = []
    for rule in oc.rules():
        table = table_of(getattr(oc, rule["name"]))
        if dialect in table:
            filled = ", ".join(f"``{k}={v!r}``" for k, v in table[dialect].items())
            page = f":doc:`{rule['name']} </rules/{rule['name'].lower()}>`"
            rows.append([page, filled or "nothing: it is the same"])
    return rst.table(["Class", f'What ``dialect="{dialect}"`` fills in'], rows, "dialects")


def write(root: Path) -> None:
    """Writes the tables of Keras and optax."""
    for dialect in ("keras", "optax"):
        files.put(root / "_generated" / f"dialect_{dialect}.rst", of_framework(dialect))
