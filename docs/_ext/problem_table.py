"""What there is to train, as a table."""

from __future__ import annotations

import inspect
from pathlib import Path

import files
import optcore as oc
import rst


def write(root: Path) -> None:
    """Writes the table of all problems that have a name."""
    rows = []
    for name in oc.problems.names():
        problem = oc.problems.named(name)
        said = problem.described().partition(": ")[2]
        if not said:
            said = (inspect.getdoc(problem) or "").partition("\n")[0]
        rows.append([f"``{name}``", said, problem.loss_name, str(problem.epochs)])
    table = rst.table(["Name", "", "Loss", "Epochs"], rows, "problems")
    files.put(root / "_generated" / "problems.rst", table)
