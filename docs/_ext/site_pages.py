"""What is made for the site at build time, hooked into Sphinx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import api_pages
import dialect_tables
import example_pages
import included
import problem_table
import references
import rule_pages
import schedule_pages
import shown
import state_bytes


def write(app: Sphinx) -> None:
    """Writes the pages and pictures before Sphinx looks for its sources."""
    root = Path(app.srcdir)
    rule_pages.write(root)
    schedule_pages.write(root)
    dialect_tables.write(root)
    state_bytes.write(root)
    api_pages.write(root)
    example_pages.write(root)
    problem_table.write(root)


def skip(
    app: Sphinx, what: str, name: str, thing: object, skipped: bool, options: object
) -> bool | None:
    """Leaves the fields of named tuples out, of which autodoc knows only their numbers."""
    return True if (getattr(thing, "__doc__", None) or "").startswith("Alias for field") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    references.setup(app)
    included.setup(app)
    shown.setup(app)
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", rule_pages.describe)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
