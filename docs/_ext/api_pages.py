"""Reference pages: what is public, in one list per part of the package."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import unittest.mock
from pathlib import Path
from types import ModuleType

import files
import optcore as oc
import optcore.commands
import optcore.torch
import rst


def write(root: Path) -> None:
    """Writes the lists that the pages in api/ include."""
    folder = root / "_generated" / "api"
    rules = {rule["name"] for rule in oc.rules()}
    links = [f":doc:`{name} </rules/{name.lower()}>`" for name in oc.__all__ if name in rules]
    rest = [
        name
        for name in oc.__all__
        if name not in rules and not isinstance(getattr(oc, name), (ModuleType, str))
    ]
    first = ["Optimizer", "EMA", "Rows", "EarlyStopping", "NonFiniteError", "Wrapper"]
    classes = first + [
        name for name in rest if inspect.isclass(getattr(oc, name)) and name not in first
    ]
    functions = [name for name in rest if name not in classes]
    files.put(folder / "rules.rst", ", ".join(links) + ".\n")
    files.put(folder / "classes.rst", described("optcore", classes, ":members:"))
    text = described("optcore", functions) + described("optcore.embedding", ["NotInstalledError"])
    files.put(folder / "functions.rst", text)
    files.put(folder / "ops.rst", described("optcore.ops", oc.ops.__all__))
    files.put(folder / "reference.rst", described("optcore.reference", oc.reference.__all__))
    own = ["TorchOptimizer", "LRScheduler", "LBFGS", "SparseAdam"]
    more = [name for name in optcore.torch.__all__ if name not in own]
    files.put(folder / "torch_first.rst", described("optcore.torch", own, ":members:"))
    files.put(folder / "commands.md", commands())
    _more_modules(root)
    files.put(folder / "torch_rules.rst", described("optcore.torch", more))


def _more_modules(root: Path) -> None:
    """A page for each other public module, so that a new one is on the site by itself.

    And for the modules of what functions of the package return. What the package itself has is not
    described a second time.
    """
    public = [name for name in oc.__all__ if isinstance(getattr(oc, name), ModuleType)]
    for name in [*public, "gradient_check", "range_test"]:
        if name in ("ops", "reference", "schedules"):
            continue  # they have pages that say more
        module = importlib.import_module(f"optcore.{name}")
        above = [n for n in module.__all__ if getattr(oc, n, None) is getattr(module, n)]
        own = [n for n in module.__all__ if n not in above]
        text = rst.heading(module.__name__, "=")
        text += rst.block(f"automodule:: {module.__name__}", "", [":no-members:"])
        if above:
            text += f"In `optcore` itself: {', '.join(f'`optcore.{n}`' for n in above)}.\n\n"
        text += described(module.__name__, own, ":members:")
        files.put(root / "api" / f"{name}.rst", text)


def commands() -> str:
    """What each command of the command line says of itself."""
    text = ""
    with unittest.mock.patch.dict(os.environ, {"COLUMNS": "88", "NO_COLOR": "1"}):
        for command in optcore.commands.ALL:
            subparsers = argparse.ArgumentParser(prog="optcore").add_subparsers()
            command.add_parser(subparsers)
            ((name, parser),) = subparsers.choices.items()
            text += f"## optcore {name}\n\n```text\n{parser.format_help().rstrip()}\n```\n\n"
    return text


def described(module: str, names: list[str], *options: str) -> str:
    """What autodoc makes of these names."""
    text = f".. py:currentmodule:: {module}\n\n"
    for name in names:
        thing = getattr(importlib.import_module(module), name)
        if inspect.isclass(thing):
            kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
            text += rst.block(f"{kind}:: {module}.{name}", "", options)
        elif callable(thing):
            text += rst.block(f"autofunction:: {module}.{name}", "")
        else:  # a table: its keys say what is in it
            keys = ", ".join(rst.code(key) for key in thing)
            text += rst.block(f"py:data:: {name}", f"With the entries {keys}.")
    return text
