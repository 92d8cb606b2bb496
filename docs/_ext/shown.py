"""Code that a page shows and that runs when the site is built, with what it prints and draws.

The blocks of a page share their names, one after another. What a block prints stands below it, and
so does every picture that it saves, whose text for those who do not see it is the option `:alt:`.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import textwrap
import traceback
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from matplotlib import pyplot
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PICTURES = (".png", ".gif")


class Shown(SphinxDirective):
    """The directive."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The code, what it printed, and its pictures."""
        code = "\n".join(self.content)
        kept: Any = self.env.temp_data
        names: dict[str, Any] = kept.setdefault("shown", {"__name__": "page"})
        number = names["block"] = names.get("block", 0) + 1
        folder = Path(self.env.srcdir, "_generated", "shown")
        with tempfile.TemporaryDirectory() as place:
            try:
                printed = run(code, names, place)
            except Exception:
                raise self.error(f"this code failed:\n{traceback.format_exc()}") from None
            found = sorted(p for p in Path(place).iterdir() if p.suffix in PICTURES)
            pictures = []
            for k, path in enumerate(found):
                page = self.env.docname.replace("/", "-")
                name = f"{page}-{number}-{k}{path.suffix}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(path.read_bytes())
                pictures.append(f"/_generated/shown/{name}")
        if pictures and "alt" not in self.options:
            raise self.error("a picture wants to be described: add :alt:")
        shown: list[nodes.Node] = [nodes.literal_block(code, code, language="python")]
        if printed:
            shown.append(nodes.literal_block(printed, printed, language="text", classes=["output"]))
        alt = self.options.get("alt", "")
        return shown + [nodes.image(uri=uri, alt=alt, classes=["picture"]) for uri in pictures]


def run(code: str, names: dict[str, Any], folder: str) -> str:
    """Runs code in a folder, with these names. What it prints comes back."""
    printed, here = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "page", "exec"), names)
    finally:
        os.chdir(here)
        pyplot.close("all")
    return textwrap.dedent(printed.getvalue()).rstrip()


def setup(app: Sphinx) -> None:
    """Makes it known to Sphinx."""
    pyplot.switch_backend("agg")
    app.add_directive("shown", Shown)
