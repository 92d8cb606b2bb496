"""Generated files: written only where they have changed, so that Sphinx reads no page twice."""

from __future__ import annotations

from pathlib import Path


def put(path: Path, text: str) -> None:
    """Writes a text file unless it has that text."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def keep_only(folder: Path, names: set[str]) -> None:
    """Removes what an earlier build has left in a folder of generated files."""
    for path in folder.glob("*"):
        if path.name not in names:
            path.unlink()
