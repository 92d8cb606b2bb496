"""Small pieces of reStructuredText."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence


def heading(text: str, mark: str) -> str:
    """A heading."""
    return f"{text}\n{mark * len(text)}\n\n"


def block(directive: str, body: str, options: Iterable[str] = ()) -> str:
    """A directive with its content."""
    lines = [f"   {each}\n" for each in options]
    content = f"\n{textwrap.indent(body.rstrip(), '   ')}\n" if body else ""
    return f".. {directive}\n{''.join(lines)}{content}\n"


def table(head: Sequence[str] | None, rows: Iterable[Sequence[str]], name: str = "") -> str:
    """A table of cells in reStructuredText, each of one line."""
    options = [f":header-rows: {1 if head else 0}"] + ([f":class: {name}"] if name else [])
    lines = []
    for row in [*([head] if head else []), *rows]:
        lines += [f"{'* -' if i == 0 else '  -'} {cell}".rstrip() for i, cell in enumerate(row)]
    return block("list-table::", "\n".join(lines), options)


def code(value: object) -> str:
    """A Python value as it is typed."""
    return f"``{value!r}``"
