"""The types of `optcore.ops`, written from the signatures of its functions.

The functions are made from the optimizer classes as the package is imported, where type checkers
cannot look. `python -m optcore.ops.stub` writes down what they would find.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

from .. import ops

PATH = Path(__file__).with_name("__init__.pyi")

_HEAD = """\
# Written by `python -m optcore.ops.stub`.
from .apply import Arrays, Gradients, State, Steps

"""


def text() -> str:
    """The stub as it has to be today."""
    names = "".join(f'    "{name}",\n' for name in ops.__all__)
    functions = "".join(definition(name, getattr(ops, name)) for name in ops.__all__)
    return f"{_HEAD}__all__ = [\n{names}]\n\n{functions}"


def definition(name: str, function: Any) -> str:
    """A function without its body.

    >>> def f(p: Arrays, *, step: Steps, form: str = "sum") -> None: ...
    >>> print(definition("f", f), end="")
    def f(
        p: Arrays,
        *,
        step: Steps,
        form: str = "sum",
    ) -> None: ...
    """
    return f"def {name}(\n{parameters(inspect.signature(function))}) -> None: ...\n"


def parameters(signature: inspect.Signature, indent: int = 4) -> str:
    """The parameters of a signature, a line each."""
    lines, keyword_only, before = "", False, " " * indent
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            lines, keyword_only = f"{lines}{before}*,\n", True
        stars = "**" if each.kind is each.VAR_KEYWORD else ""
        default = "" if each.default is each.empty else f" = {_source(each.default)}"
        line = f"{before}{stars}{each.name}: {each.annotation}{default},\n"
        lines += line if len(line) <= 100 else line.replace(default, " = ...")
    return lines


def _source(value: Any) -> str:
    """A default as one writes it, or dots where that takes more than a literal.

    >>> _source("sum"), _source((0.9, None)), _source(float("inf"))
    ('"sum"', '(0.9, None)', '...')
    """
    if isinstance(value, str):
        return f'"{value}"'
    try:
        ast.literal_eval(repr(value))
    except ValueError:
        return "..."
    return repr(value)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
