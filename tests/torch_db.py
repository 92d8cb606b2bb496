"""torch's list of its optimizers, the one that PyTorch's own test suite runs over."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import unittest
from typing import Any


def database() -> list[Any]:
    """Each optimizer with its configurations, wrong inputs, and what it supports."""
    if "expecttest" not in sys.modules and importlib.util.find_spec("expecttest") is None:
        # torch's test code derives from its test case, and wants nothing else of it.
        sys.modules["expecttest"] = types.ModuleType("expecttest")
        sys.modules["expecttest"].TestCase = unittest.TestCase  # type: ignore[attr-defined]
    module = importlib.import_module("torch.testing._internal.common_optimizers")
    found: list[Any] = module.optim_db
    return found
