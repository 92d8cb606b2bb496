"""Documents of the repository that are pages of the site: their links lead where they should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")


def links(app: Sphinx, path: Path, name: str, content: list[str]) -> None:
    """Makes a link to a document that is a page one to the page, and any other one plain text."""
    if Path(path).suffix != ".md":
        return
    pages = {
        "README.md": "index",
        "CONTRIBUTING.md": "contributing",
        "CHANGELOG.md": "changelog",
        "benchmarks/README.md": "benchmarks",
        "examples/torch/README.md": "examples/torch",
        "examples/distributed/README.md": "distributed",
    }
    root = Path(app.srcdir).parent.resolve()
    folder = (Path(app.srcdir) / path).resolve().parent

    def pointed(match: re.Match[str]) -> str:
        target = (folder / match[1]).resolve()
        inside = target.relative_to(root).as_posix() if target.is_relative_to(root) else ""
        if inside in pages:
            return f"](/{pages[inside]}.md)"
        if inside.startswith("docs/"):
            return f"](/{inside.removeprefix('docs/')})"
        return f"](/../{inside})"  # a file to look at

    content[0] = _LINK.sub(pointed, content[0])


def setup(app: Sphinx) -> dict[str, Any] | None:
    """Makes it known to Sphinx."""
    app.connect("include-read", links)
    return None
