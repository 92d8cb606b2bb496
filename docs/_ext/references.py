"""`Name` between single backticks: a link where it names something of ours, else plain code."""

from __future__ import annotations

import builtins
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import optcore as oc

_AMONG = (
    "optcore",
    "optcore.schedules",
    "optcore.torch",
    "optcore.ops",
    "optcore.comparison",
    "optcore.problems",
    "optcore.plot",
    "optcore.reference",
)
"""Where a name is looked for, in this order, after the module at hand."""

_OPTIONS = frozenset(name for rule in oc.rules() for name in rule["options"])
"""Names of options, some of which are functions of `optcore.reference` as well."""


def role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Any,
    options: Any = None,
    content: Any = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """The default role."""
    env: BuildEnvironment = inliner.document.settings.env
    node = addnodes.pending_xref(
        rawtext,
        nodes.literal(text, text, classes=["xref"]),
        refdomain="",
        reftype="code_or_link",
        reftarget=text.strip(),
        refdoc=env.docname,
        module=env.ref_context.get("py:module", ""),
        owner=env.ref_context.get("py:class", ""),
    )
    return [node], []


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """The link, or the code alone; for Python's own classes as well, which are not on this site."""
    target = node["reftarget"]
    known = env.domains.python_domain.objects
    if node["reftype"] == "code_or_link":
        wanted = target.removesuffix("()").removeprefix("oc.").removeprefix("~")
        names = [wanted, *_candidates(node, wanted)]
        found = next((name for name in names if name in known), None)
        return _link(app, env, node, shown, found) if found else nodes.literal(target, target)
    if node["refdomain"] != "py":
        return None
    if hasattr(builtins, target):
        return shown
    ends = [name for name in known if name.endswith(f".{target}")]
    return _link(app, env, node, shown, ends[0]) if len(ends) == 1 else None


def _link(
    app: Sphinx,
    env: BuildEnvironment,
    node: addnodes.pending_xref,
    shown: nodes.TextElement,
    name: str,
) -> nodes.Element:
    entry = env.domains.python_domain.objects[name]
    if entry.docname == node["refdoc"] and entry.node_id == _enclosing(node):
        return shown
    uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
    link = nodes.reference("", "", internal=True, refuri=f"{uri}#{entry.node_id}", reftitle=name)
    link += shown
    return link


def _candidates(node: addnodes.pending_xref, wanted: str) -> list[str]:
    if wanted in _OPTIONS or not all(part.isidentifier() for part in wanted.split(".")):
        return []
    owner = [f"{node['module']}.{node['owner']}"] if node.get("owner") else []
    places = [*owner, *([node["module"]] if node["module"] else []), *_AMONG]
    return [f"{place}.{wanted}" for place in places]


def _enclosing(node: nodes.Node) -> str:
    """The anchor of the description that a node is in, so that nothing links to itself."""
    while node is not None:
        if isinstance(node, addnodes.desc):
            ids = node[0].get("ids", [])
            return str(ids[0]) if ids else ""
        node = node.parent
    return ""


def setup(app: Sphinx) -> None:
    """Makes it known to Sphinx."""
    app.add_role("code_or_link", role)
    app.connect("missing-reference", resolve)
