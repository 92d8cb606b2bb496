"""One page for each rule, and the table of all, written from the classes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import dialect_tables
import docstrings
import files
import optcore as oc
import rst
import rule_pictures
import state_bytes
from optcore import Optimizer

KINDS = {
    "elementwise": "each element by itself; a part of a tensor steps as it does in the whole",
    "per_tensor": "by tensor; it needs a fact about all of it, so a part of it steps otherwise",
    "global": "by model; it needs a fact about all tensors",
}


def write(root: Path) -> None:
    """Writes the pages, their pictures, and the overview."""
    rules = oc.rules()
    for rule in rules:
        rule_pictures.draw(rule["name"], root / "_generated" / "rules")
        files.put(root / "rules" / f"{slug(rule)}.rst", page(rule))
    files.keep_only(root / "rules", {f"{slug(rule)}.rst" for rule in rules})
    files.put(root / "_generated" / "rules.rst", overview(rules))


def slug(rule: dict[str, Any]) -> str:
    """A rule's name in the address of its page."""
    return str(rule["name"]).lower()


def describe(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings for autodoc. What stands on a rule's page is left out elsewhere."""
    rules = {rule["name"]: rule for rule in oc.rules()}
    module = name.rpartition(".")[0]
    source = getattr(thing, "_kind", thing).__name__ if what == "class" else ""
    if module not in ("optcore", "optcore.torch") or source not in rules:
        lines[:] = docstrings.restructured("\n".join(lines))
        return
    lines[:] = [*docstrings.parts(thing).summary.splitlines(), ""]
    if module == "optcore.torch":
        lines += [f"Formula, options and state: :doc:`/rules/{slug(rules[source])}`.", ""]


def page(rule: dict[str, Any]) -> str:
    """The page of one rule."""
    name = rule["name"]
    kind = getattr(oc, name)
    doc = docstrings.parts(kind)
    text = rst.heading(name, "=")
    text += rst.block(f"autoclass:: optcore.{name}", "")
    if doc.formula:
        text += rst.heading("Formula", "-") + rst.block("code-block:: text", doc.formula)
    text += f"Source: {rule['paper']}.\n\n{doc.prose}\n\n"
    text += rst.heading("In a narrow valley", "-") + _picture(rule)
    text += rst.heading("Options", "-") + _options(rule, doc)
    text += rst.heading("State and cost", "-") + _cost(rule, doc)
    text += rst.heading("Dialects", "-") + dialect_tables.of_rule(rule)
    text += rst.heading("Example", "-") + f"{doc.sections['Example']}\n\n"
    if methods := _methods(kind):
        text += rst.heading("Besides what every optimizer has", "-") + methods
    return text + rst.heading("The same rule elsewhere", "-") + _elsewhere(rule)


def _methods(kind: type) -> str:
    text = ""
    for name in own_members(kind):
        directive = "autoproperty" if isinstance(getattr(kind, name), property) else "automethod"
        text += rst.block(f"{directive}:: optcore.{kind.__name__}.{name}", "")
    return text


def own_members(kind: type) -> list[str]:
    """What a rule has for its users that `Optimizer` has not: `eval` of the schedule-free ones."""
    found: dict[str, None] = {}
    alone = not issubclass(kind, Optimizer)
    for base in kind.__mro__[: 1 if alone else kind.__mro__.index(Optimizer)]:
        for name, member in vars(base).items():
            used = inspect.isfunction(member) or isinstance(member, property)
            if used and not name.startswith("_") and (alone or not hasattr(Optimizer, name)):
                found[name] = None
    return list(found)


def _picture(rule: dict[str, Any]) -> str:
    shown = {
        "path": f"The path of {rule['name']} through a narrow valley",
        "loss": f"The loss of {rule['name']} by step, beside that of SGD",
    }
    images = "".join(
        rst.block(
            f"image:: /_generated/rules/{slug(rule)}_{suffix}.png",
            "",
            [f":alt: {alt}", ":class: picture"],
        )
        for suffix, alt in shown.items()
    )
    caption = rst.block("rst-class:: caption", "") + rule_pictures.caption(rule["name"]) + "\n\n"
    return rst.block("container:: pair", images) + caption


def _options(rule: dict[str, Any], doc: docstrings.Parts) -> str:
    said = doc.arguments
    rows = [
        [f"``{name}``", rst.code(default), said[name]] for name, default in rule["options"].items()
    ]
    more = ""
    if issubclass(getattr(oc, rule["name"]), Optimizer):
        more = (
            "Besides, every optimizer takes clipping, averages, number formats and threads by "
            "keyword: see `Optimizer`. Any number may be a schedule.\n\n"
        )
    if "Raises" in doc.sections:
        more += "Raises: " + " ".join(doc.sections["Raises"].split()) + "\n\n"
    return rst.table(["Option", "Default", ""], rows, "options") + more


def _cost(rule: dict[str, Any], doc: docstrings.Parts) -> str:
    name = rule["name"]
    sizes = [state_bytes.shown(state_bytes.per_element(name, f)) for f in state_bytes.FORMATS]
    rows = [
        ["Looks at", KINDS[rule["kind"]]],
        ["Same bits everywhere", "yes" if rule["bits"] else "no: to a tolerance"],
        ["State", doc.sections.get("State") or _names([*rule["state"], *rule["scalars"]])],
    ]
    if rule["bytes"] is not None:
        rows.append(["Memory moved by a step", f"{rule['bytes']} bytes for each float32 element"])
    if name != "LBFGS":
        default = state_bytes.shown(state_bytes.per_element(name))
        said = f"{default} bytes of state for each float32 element"
        others = list(zip(state_bytes.FORMATS, sizes, strict=True))[1:]
        kept = [f'{n} with ``state_dtype="{f}"``' for f, n in others if n != "–"]
        rows.append(["Memory kept", ", ".join([said, *(kept if rule["state"] else [])])])
    rows = [[head, " ".join(cell.split())] for head, cell in rows]
    return rst.table(None, rows, "facts")


def _names(state: list[str]) -> str:
    return ", ".join(f"``{name}``" for name in state) or "none"


def _elsewhere(rule: dict[str, Any]) -> str:
    rows = []
    for op in oc.ops.__all__:
        if f"`optcore.{rule['name']}`" in (getattr(oc.ops, op).__doc__ or ""):
            rows.append(["on arrays, without an object", f"`optcore.ops.{op}`"])
    plain = reference_name(rule["name"])
    if plain:
        rows.append(["in plain NumPy, to read", f"`optcore.reference.{plain}`"])
    rows.append(["for PyTorch", f"`optcore.torch.{rule['name']}`"])
    return "".join(f"- {where}: {name}\n" for where, name in rows) + "\n"


def reference_name(name: str) -> str | None:
    """The function of `optcore.reference` for a class, if there is one."""
    wanted = name.lower()
    for each in oc.reference.__all__:
        if each.replace("_", "") == wanted:
            return str(each)
    return None


def overview(rules: list[dict[str, Any]]) -> str:
    """The table of all rules."""
    rows = []
    for rule in rules:
        name = rule["name"]
        summary = docstrings.parts(getattr(oc, name)).summary
        rows.append(
            [
                f":doc:`{name} </rules/{slug(rule)}>`",
                " ".join(summary.split()),
                str(rule["bytes"] or "–"),
                state_bytes.shown(state_bytes.per_element(name)),
            ]
        )
    return rst.table(["Rule", "", "Bytes moved", "State"], rows, "rules")
