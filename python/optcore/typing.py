"""The types that optcore's signatures speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .schedules import Schedule

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array of floats."""

Scalar: TypeAlias = "float | np.floating[Any] | Schedule | Callable[[int], float]"
"""A hyperparameter: a number, a schedule, or a Python function of the step number."""

Tree: TypeAlias = "Array | Mapping[str, Any] | Mapping[int, Any] | Sequence[Any]"
"""Any nesting of dict, list and tuple with arrays at its leaves."""
