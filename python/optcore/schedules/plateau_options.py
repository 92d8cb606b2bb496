"""The options of `ReduceOnPlateau`, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .metric import check_mode

TORCH, OPTAX = "torch", "optax"


def checked(given: Mapping[str, Any], groups: int) -> dict[str, Any]:
    """The options as they are kept; those of the other convention are None."""
    from ..optimizers.hyper import one_of
    from ..wrappers.checks import number, whole

    convention = one_of(given["convention"], (TORCH, OPTAX), "convention")
    optax = convention == OPTAX
    for name in ("threshold",) if optax else ("rtol", "atol"):
        if given[name] is not None:
            mend = "use rtol and atol" if optax else "use threshold, or convention='optax'"
            raise ValueError(
                f"{name}: expected None in {convention}'s convention, got {given[name]!r}; {mend}"
            )
    kept: dict[str, Any] = {"mode": check_mode(given["mode"])}
    kept["factor"] = number(given["factor"], "factor", 1.0, 0.1)
    if not 0 < kept["factor"] < 1:
        raise ValueError(
            f"factor: expected a number between 0 and 1, got {kept['factor']}; pass e.g. 0.1"
        )
    # With a patience of 0 optax's own would reduce the rate whenever the metric is better.
    kept["patience"] = whole(given["patience"], "patience", int(optax))

    def bound(name: str, default: float, most: float = math.inf) -> float:
        value = default if given[name] is None else given[name]
        return number(value, name, most, 1e-4)

    kept["threshold"] = None if optax else bound("threshold", 1e-4)
    kept["threshold_mode"] = one_of(given["threshold_mode"], ("rel", "abs"), "threshold_mode")
    if optax and kept["threshold_mode"] != "rel":
        raise ValueError(
            "threshold_mode: expected 'rel' in optax's convention, got 'abs'; use rtol=0 and atol"
        )
    kept["cooldown"] = whole(given["cooldown"], "cooldown", 0)
    kept["min_lr"] = _least(given["min_lr"], groups)
    kept["eps"] = bound("eps", 0.0 if optax else 1e-8)
    kept["convention"] = convention
    kept["rtol"] = bound("rtol", 1e-4, 1.0) if optax else None
    kept["atol"] = bound("atol", 0.0) if optax else None
    kept["accumulation_size"] = whole(given["accumulation_size"], "accumulation_size", 1)
    return kept


def _least(given: Any, groups: int) -> tuple[float, ...]:
    """The lowest rate of each group."""
    from ..wrappers.checks import number

    if not isinstance(given, (list, tuple)):
        return (number(given, "min_lr", math.inf, 1e-6),) * groups
    if len(given) != groups:
        raise ValueError(
            f"min_lr: expected a number or {groups}, one per group, got {len(given)}; "
            "pass as many as the optimizer has groups"
        )
    return tuple(number(v, f"min_lr[{i}]", math.inf, 1e-6) for i, v in enumerate(given))
