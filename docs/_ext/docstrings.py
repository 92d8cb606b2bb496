"""The package's docstrings as reStructuredText: text, formula, arguments, state, example.

They are plain text with code between backticks. A line that is indented without a heading before it
is a formula. Stars, bars and underscores outside of backticks stand for themselves.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r"(Args|Attributes|Raises|Returns|State|Example):(.*)")
_ENTRY = re.compile(r"([\w.]+(?:, [\w.]+)*): (.*)")
_FIELD = {"Args": "param", "Attributes": "ivar", "Raises": "raises"}
_SPECIAL = re.compile(r"(``.+?``|`[^`]*`)|([*|\\])|((?<=\w)_(?!\w))", re.S)


@dataclass(frozen=True)
class Parts:
    """A docstring's sections, each as reStructuredText.

    Attributes:
        summary: the first paragraph.
        formula: what stands in its first block of code, and nothing if there is none.
        prose: the paragraphs after that.
        sections: by heading what follows it.
    """

    summary: str
    formula: str
    prose: str
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, str]:
        """What is said of each argument."""
        entries = _entries(self.sections.get("Args", ""))
        return {name: text for names, text in entries for name in names.split(", ")}


def parts(thing: object) -> Parts:
    """The parts of a thing's docstring."""
    before, sections = _sections(inspect.getdoc(thing) or "")
    summary, _, rest = before.partition("\n\n")
    formula, prose = "", []
    for kind, text in _blocks(rest):
        if kind == "code" and not formula:
            formula = text
        else:
            prose.append(_shown(kind, text))
    tamed = {name: tame(text) for name, text in sections.items()}
    return Parts(_escaped(summary), formula, "\n\n".join(prose), tamed)


def restructured(docstring: str) -> list[str]:
    """A whole docstring as Sphinx takes it, with fields for arguments and the rest."""
    before, sections = _sections(docstring)
    text = [tame(before)]
    fields = []
    for name, body in sections.items():
        if name == "Example":
            text.append(f".. rubric:: Example\n\n{tame(body)}")
        elif name == "State":
            text.append(f"State: {tame(body)}")
        elif name == "Returns":
            fields.append(_field("returns", tame(body)))
        else:
            for names, said in _entries(tame(body)):
                fields += [_field(f"{_FIELD[name]} {each}", said) for each in names.split(", ")]
    return "\n\n".join([*text[:1], "\n".join(fields), *text[1:], ""]).splitlines()


def tame(text: str) -> str:
    """Text of a docstring as reStructuredText."""
    return "\n\n".join(_shown(kind, block) for kind, block in _blocks(text))


def _sections(docstring: str) -> tuple[str, dict[str, str]]:
    """What precedes the first heading, and what follows each."""
    before: list[str] = []
    sections: dict[str, list[str]] = {}
    into = before
    for line in docstring.splitlines():
        if (match := _HEADING.fullmatch(line)) is not None:
            into = sections.setdefault(match[1], [match[2].strip()])
        elif into is not before and line and not line.startswith(" ") and into[0] == "":
            into = before  # text again, after an indented section
            into.append(line)
        else:
            into.append(line)
    texts = {name: inspect.cleandoc("\n".join(lines)) for name, lines in sections.items()}
    return "\n".join(before).strip("\n"), texts


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The paragraphs of a text: "text", "session" of Python, or "code"."""
    directive = False
    code: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if paragraph.startswith(" ") and (directive or not _is_session(paragraph)):
            code.append(paragraph)
            continue
        if code:
            yield "code", textwrap.dedent("\n\n".join(code))
            code = []
        head, _, indented = paragraph.partition("\n")
        directive = head.startswith(".. code-block::") or head == "::"
        if directive:
            code = [indented] if indented else []
        elif paragraph.strip():
            kind = "session" if _is_session(paragraph) else "text"
            yield kind, textwrap.dedent(paragraph)
    if code:
        yield "code", textwrap.dedent("\n\n".join(code))


def _is_session(paragraph: str) -> bool:
    return paragraph.lstrip().startswith(">>> ")


def _shown(kind: str, text: str) -> str:
    if kind == "code":
        return f".. code-block:: text\n\n{textwrap.indent(text, '   ')}"
    return text if kind == "session" else _escaped(text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: found[1] or f"\\{found[0]}", text)


def _entries(text: str) -> list[tuple[str, str]]:
    """Names and what is said of them."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if (match := _ENTRY.match(line)) is not None:
            found.append((match[1], match[2]))
        elif found and line.strip():
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found


def _field(name: str, text: str) -> str:
    return f":{name}: {text.replace(chr(10), chr(10) + '   ')}"
