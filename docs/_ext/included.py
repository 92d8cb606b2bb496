"""Documents of the repository that are pages of the site: their links lead where they should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import example_folders

_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|#|/)([^)]+)\)")
_PAGES = {
    "README.md": "index",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "benchmarks/README.md": "benchmarks",
}


def relinked(text: str, folder: Path, root: Path) -> str:
    """Markdown of a document whose links to documents and scripts lead to their pages.

    One to a folder that has no page is plain text.

    Args:
        text: the document.
        folder: where it is.
        root: the repository.
    """

    def pointed(match: re.Match[str]) -> str:
        text, target = match[1], (folder / match[2]).resolve()
        inside = target.relative_to(root).as_posix() if target.is_relative_to(root) else ""
        page = _PAGES.get(inside) or example_folders.page_of(target, root)
        if page is not None:
            return f"[{text}](/{page}.md)"
        if inside.startswith("docs/"):
            return f"[{text}](/{inside.removeprefix('docs/')})"
        return text if target.is_dir() else f"[{text}](/../{inside})"  # a file to look at

    return _LINK.sub(pointed, text)


def links(app: Sphinx, path: Path, name: str, content: list[str]) -> None:
    """Does so for what pages include."""
    file = (Path(app.srcdir) / path).resolve()
    if file.suffix == ".md":
        content[0] = relinked(content[0], file.parent, Path(app.srcdir).parent.resolve())


def setup(app: Sphinx) -> dict[str, Any] | None:
    """Makes it known to Sphinx."""
    app.connect("include-read", links)
    return None
