"""The metric that stateful schedules watch: read, and held against the best so far."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MODES = ("min", "max")


def as_metric(value: Any) -> float:
    """A metric as a float, from a number or an array or tensor without axes; NaN is one too.

    >>> import numpy as np
    >>> as_metric(np.float32(0.5)), as_metric(np.array(2))
    (0.5, 2.0)
    """
    plain = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not plain and getattr(value, "shape", None) != ():
        raise TypeError(
            f"metric: expected one number, got {type(value).__name__} {value!r:.80}; "
            "pass e.g. the mean loss of the validation data"
        )
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def worst(mode: str) -> float:
    """What every metric is better than.

    >>> worst("min"), worst("max")
    (inf, -inf)
    """
    return math.inf if mode == "min" else -math.inf


def check_mode(mode: object) -> str:
    """One of the two modes, or a ValueError."""
    if mode not in MODES:
        raise ValueError(f"mode: expected one of min, max, got {mode!r}; pick one")
    return str(mode)


@dataclass(frozen=True)
class Saved:
    """What is common to the state dicts of stateful schedules.

    Attributes:
        kind: the name in the state dict.
        format: the newest format that is known.
    """

    kind: str
    format: int = 1

    def written(self, **entries: Any) -> dict[str, Any]:
        """A state dict with these entries."""
        return {"format": self.format, "kind": self.kind, **entries}

    def check(self, saved: Mapping[str, Any], entries: tuple[str, ...]) -> None:
        """Raises unless this is such a dict, with exactly these entries."""
        if not isinstance(saved, Mapping):
            raise TypeError(
                f"state_dict: expected a dict that state_dict() gave, got a {type(saved).__name__}"
            )
        wanted = {"format", "kind", *entries}
        if set(saved) != wanted:
            odd = sorted(map(str, set(saved) ^ wanted))
            raise KeyError(
                f"state_dict: expected exactly {sorted(wanted)}; these differ: {odd}; "
                "pass a dict that state_dict() gave"
            )
        if saved["kind"] != self.kind:
            raise ValueError(
                f"state_dict/kind: expected {self.kind!r}, got {saved['kind']!r}; "
                "load it into an object of the same kind"
            )
        if saved["format"] != self.format:
            raise ValueError(
                f"state_dict/format: expected {self.format}, got {saved['format']!r}; "
                "load it with the optcore that saved it"
            )


def saved_number(value: Any, where: str) -> float:
    """A float of a state dict; inf and NaN are allowed."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"{where}: expected a number, got {value!r}; pass a dict that state_dict() gave"
        )
    return float(value)
