"""The examples: a page for each folder, one for each program in it, and the scripts as notebooks.

All of it is read from examples/, so that it is in step with what runs there.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
from nbformat import NotebookNode

import example_folders
import files
import included
from example_folders import Program, slug


def write(root: Path) -> None:
    """Writes the pages of all topics, and one over them with their pictures."""
    repository = root.parent.resolve()
    home, folders = repository / "examples", example_folders.topics(repository)
    overview = included.relinked(example_folders.readme(home), home, repository) + "\n\n"
    for folder in folders:
        programs = [example_folders.program(path) for path in example_folders.sources(folder)]
        pages = {slug(each.path): page(each, repository) for each in programs}
        pages["index"] = topic(folder, list(pages), repository)
        for name, text in pages.items():
            files.put(root / "examples" / folder.name / f"{name}.md", text)
        files.keep_only(root / "examples" / folder.name, {f"{name}.md" for name in pages})
        for each in programs:
            if each.notebook is not None:
                files.put(root / _notebook(each.path).lstrip("/"), notebook(each.notebook))
        overview += gallery(folder, programs, repository)
    overview += toctree([f"{folder.name}/index" for folder in folders])
    files.put(root / "examples" / "index.md", overview)


def topic(folder: Path, pages: list[str], repository: Path) -> str:
    """The page of a folder."""
    text = _named(example_folders.readme(folder), example_folders.sources(folder))
    return f"{included.relinked(text, folder, repository)}\n\n{toctree(pages)}"


def page(each: Program, repository: Path) -> str:
    """The page of a program: what it is, what comes of it, and the code."""
    cells = list(each.notebook.cells) if each.notebook else []
    text = cells.pop(0).source if cells and cells[0].cell_type == "markdown" else ""
    text = text if text.startswith("# ") else f"# {each.title}\n\n{text}"
    text += f"\n\n{_downloads(each, repository)}\n\n"
    for path in each.pictures:
        text += f"```{{image}} {_file(path, repository)}\n:alt: What {each.path.name} draws\n"
        text += ":class: picture\n```\n\n"
    if each.printed:
        printed = f":class: output\n\n{each.printed}"
        text += "## What it prints\n\n" + _code("{code-block} text", printed)
    if each.notebook is None:
        return text + _code(each.language, each.path.read_text(encoding="utf-8").rstrip())
    text += "## How\n\n"
    for cell in cells:
        if cell.cell_type == "markdown":
            text += included.relinked(cell.source, each.path.parent, repository) + "\n\n"
        else:
            text += _code("python", cell.source)
    return text


def gallery(folder: Path, programs: list[Program], repository: Path) -> str:
    """A topic in the overview: its title, and a card for each program that draws something."""
    cards = [
        f":::{{grid-item-card}} {each.title}\n:img-top: {_file(each.pictures[0], repository)}\n"
        f":img-alt: What {each.path.name} draws\n:class-img-top: picture\n"
        f":link: /examples/{folder.name}/{slug(each.path)}\n:link-type: doc\n:::\n"
        for each in programs
        if each.pictures
    ]
    if not cards:
        return ""
    title = example_folders.readme(folder).partition("\n")[0].removeprefix("# ")
    grid = "".join(cards)
    return f"## {title}\n\n::::{{grid}} 1 2 3 3\n:gutter: 3\n\n{grid}::::\n\n"


def notebook(cells: NotebookNode) -> str:
    """A notebook with the same bytes in every build."""
    for number, cell in enumerate(cells.cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells.metadata["kernelspec"] = kernel
    return str(jupytext.writes(cells, fmt="ipynb"))


def toctree(pages: list[str]) -> str:
    """A table of contents that only the sidebar shows."""
    return "```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def _downloads(each: Program, repository: Path) -> str:
    """Links to the script and its notebook, and to what they import."""
    text = f"{{download}}`{each.path.name} <{_file(each.path, repository)}>`"
    if each.notebook is not None:
        text += f", {{download}}`{each.path.stem}.ipynb <{_notebook(each.path)}>`"
    pages = {path.name: example_folders.page_of(path, repository) for path in each.beside}
    if links := [f"[{name}](/{page}.md)" for name, page in pages.items()]:
        text += f"; needs {' and '.join(links)} beside it"
    return text


def _named(text: str, programs: list[Path]) -> str:
    """Markdown in which the name of a program, as code, is a link to it."""
    for path in programs:
        text = re.sub(
            rf"(?<!\[)`{re.escape(path.name)}`(?!\])", f"[`{path.name}`]({path.name})", text
        )
    return text


def _file(path: Path, repository: Path) -> str:
    """A file of the repository, as a page names it."""
    return f"/../{path.relative_to(repository).as_posix()}"


def _notebook(path: Path) -> str:
    return f"/_generated/notebooks/{path.parent.name}/{path.stem}.ipynb"


def _code(language: str, text: str) -> str:
    return f"````{language}\n{text}\n````\n\n"
