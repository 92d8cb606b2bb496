"""What a class says of itself in its signature."""

from __future__ import annotations

import inspect
from typing import Any


def defaults_of(kind: type) -> dict[str, Any]:
    """The hyperparameters in a class's signature, and their defaults."""
    return {
        each.name: each.default
        for each in inspect.signature(kind).parameters.values()
        if each.name not in ("params", "common")
    }
