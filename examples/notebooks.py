"""Makes a notebook of each example, beside its script, where git ignores it.

python examples/notebooks.py                     all of them
python examples/notebooks.py optimizers/paths    one, or a topic

They are made without output; Jupyter runs them in that folder, so modules beside them are found.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jupytext

from expected import chosen


def notebook(script: Path) -> Any:
    """The cells of a script as a notebook, for the kernel that every IPython has."""
    made = jupytext.read(script)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return made


if __name__ == "__main__":
    for script in chosen(sys.argv[1:]):
        path = script.with_suffix(".ipynb")
        jupytext.write(notebook(script), path)
        print(path)
