"""How much memory the state of a rule takes, measured on one matrix."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

import files
import optcore as oc
import rst

SIDE = 512
"""The matrix has as many rows and columns."""

FORMATS = ("float32", "bfloat16", "8bit")


@functools.cache
def per_element(name: str, dtype: str | None = None) -> float | None:
    """Bytes of state for each element of a float32 matrix; None where the rule has not that format.

    L-BFGS, whose state grows with its history, has none either.
    """
    if name == "LBFGS":
        return None
    options = {} if dtype is None else {"state_dtype": dtype}
    weights = np.ones((SIDE, SIDE), np.float32)
    try:
        opt = getattr(oc, name)({"w": weights}, **options)
    except (TypeError, ValueError):
        return None
    arrays = opt.state["w"].values()
    return float(sum(array.nbytes for array in arrays)) / weights.size


def shown(value: float | None) -> str:
    """A number of bytes, or a dash."""
    if value is None:
        return "–"
    return f"{value:.2g}" if value < 0.1 else f"{value:.3g}"


def by_size() -> str:
    """A table of all rules by the size of their state."""
    found: dict[str, list[str]] = {}
    sizes = {rule["name"]: per_element(rule["name"]) for rule in oc.rules()}
    for name, size in sorted(sizes.items(), key=lambda each: each[1] or 0.0):
        if size is not None:
            label = "nearly 0" if 0 < size < 0.1 else f"{size:.0f}"
            found.setdefault(label, []).append(f":doc:`{name} </rules/{name.lower()}>`")
    rows = [[label, ", ".join(names)] for label, names in found.items()]
    return rst.table(["Bytes", "Rules"], rows, "memory")


def write(root: Path) -> None:
    """Writes that table."""
    files.put(root / "_generated" / "memory.rst", by_size())
