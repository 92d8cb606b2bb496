"""What there is in examples/, and which page it is on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

TOPICS = ("optimizers", "networks", "keras", "tuning", "text", "torch", "distributed", "native")
"""In this order; a folder that is not among them comes after."""

LANGUAGES = {
    ".py": "python",
    ".c": "c",
    ".cpp": "cpp",
    ".rs": "rust",
    "CMakeLists.txt": "cmake",
}
"""By ending, or by name, what is a program."""


@dataclass(frozen=True)
class Program:
    """A program among the examples.

    Attributes:
        path: the file.
        notebook: its cells, where it is a script in percent format.
        printed: what it prints, if that is kept in expected/.
        pictures: what it draws, likewise.
        beside: the modules of the same folder that it imports.
    """

    path: Path
    notebook: NotebookNode | None
    printed: str
    pictures: list[Path]
    beside: list[Path]

    @property
    def title(self) -> str:
        """The heading of its first cell, else its name."""
        found = re.match(r"# (.+)", self.notebook.cells[0].source) if self.notebook else None
        return found[1] if found else self.path.name

    @property
    def language(self) -> str:
        """What it is written in, as highlighting knows it."""
        return LANGUAGES.get(self.path.name) or LANGUAGES[self.path.suffix]


def topics(repository: Path) -> list[Path]:
    """The folders with examples."""
    found = [p for p in (repository / "examples").iterdir() if p.is_dir() and sources(p)]
    places = {name: place for place, name in enumerate(TOPICS)}
    return sorted(found, key=lambda p: (places.get(p.name, len(TOPICS)), p.name))


def sources(folder: Path) -> list[Path]:
    """The programs of a folder."""
    return sorted(p for p in folder.iterdir() if {p.name, p.suffix} & LANGUAGES.keys())


def program(path: Path) -> Program:
    """A program with what stands beside it."""
    text = path.read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.M))
    expected = path.parent / "expected"
    printed = expected / f"{path.stem}.txt"
    drawn = [p for end in ("png", "gif") for p in expected.glob(f"{path.stem}*.{end}")]
    return Program(
        path,
        jupytext.reads(text, fmt="py:percent") if text.startswith("# %%") else None,
        printed.read_text(encoding="utf-8").rstrip() if printed.exists() else "",
        sorted(p for p in drawn if p.stem == path.stem or p.stem.startswith(f"{path.stem}-")),
        [p for p in sources(path.parent) if p.stem in imported and p != path],
    )


def readme(folder: Path) -> str:
    """What a folder says of itself."""
    path = folder / "README.md"
    if not path.exists():
        return f"# {folder.name.capitalize()}"
    return path.read_text(encoding="utf-8").rstrip()


def page_of(target: Path, repository: Path) -> str | None:
    """The page on a folder, its README or one of its programs, if there is one."""
    home = repository / "examples"
    if target in (home, home / "README.md"):
        return "examples/index"
    for folder in topics(repository):
        if target in (folder, folder / "README.md"):
            return f"examples/{folder.name}/index"
        if target in sources(folder):
            return f"examples/{folder.name}/{slug(target)}"
    return None


def slug(path: Path) -> str:
    """The name of a page: several programs may differ in their endings alone."""
    return path.stem if path.suffix == ".py" else path.name.replace(".", "_")
