"""Lookahead: slow weights that follow the fast ones every few steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..optimizers import Optimizer
from ..reference.common import quiet
from ..reference.sums import in_memory_order
from . import checks
from .base import Wrapper
from .parameter import chunks


class Lookahead(Wrapper):
    """Lookahead (Zhang, Lucas, Ba & Hinton, 2019): k steps forward, one step back.

    .. code-block:: text

        each step        θ ← the optimizer's step
        every k-th step  φ ← φ + α(θ − φ),  θ ← φ

    The slow weights φ begin as the parameters are when the wrapper is made. They are float32
    (float64 for float64 parameters), and 16-bit parameters are the rounding of them after every
    k-th step; `low_precision="master"` and `"split"` keep the bits beside. The optimizer's
    momentum is left as it is, and an `ema` of the optimizer averages the fast weights.

    Args:
        optimizer: an optimizer or a wrapper.
        k: the steps from one synchronization to the next (optax's `sync_period`).
        alpha: α in [0, 1], how far the slow weights go (optax's `slow_step_size`).

    State: `slow`, for every parameter.

    Raises:
        TypeError, ValueError: an option of another type or out of range.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0])
        >>> opt = oc.Lookahead(oc.SGD(w, lr=0.1), k=2, alpha=0.5)
        >>> for _ in range(2):
        ...     opt.step(np.array([1.0]))
        >>> w, opt.slow_params
        (array([0.9]), array([0.9]))
    """

    kind = "lookahead"
    _slots: ClassVar[tuple[str, ...]] = ("slow",)

    def __init__(self, optimizer: Optimizer | Wrapper, k: int = 5, alpha: float = 0.5):
        super().__init__(optimizer, {"k": k, "alpha": alpha})
        self._counters = {"since_sync": 0}
        self._slow = [in_memory_order(self._state[p.path]["slow"]) for p in self._parameters]
        for parameter, slow in zip(self._parameters, self._slow, strict=True):
            for at in chunks(slow):
                slow[at] = parameter.read(at)

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "k": checks.whole(options["k"], "k", 1),
            "alpha": checks.number(options["alpha"], "alpha", 1.0, 0.5),
        }

    def _check_counters(self, options: Mapping[str, Any], counters: Mapping[str, int]) -> None:
        if counters["since_sync"] >= options["k"]:
            raise ValueError(
                f"state_dict/counters/since_sync: expected less than k={options['k']}, got "
                f"{counters['since_sync']}; pass a dict that state_dict() gave"
            )

    @property
    def slow_params(self) -> Any:
        """The slow weights, nested as the parameters are: the wrapper's own arrays."""
        return self._tree("slow")

    def _stepped(self) -> None:
        self._counters["since_sync"] += 1
        if self._counters["since_sync"] == self._options["k"]:
            self._synchronize()
            self._counters["since_sync"] = 0

    @quiet
    def _synchronize(self) -> None:
        for parameter, slow in zip(self._parameters, self._slow, strict=True):
            alpha = slow.dtype.type(self._options["alpha"])
            for at in chunks(slow):
                way = parameter.read(at)
                np.subtract(way, slow[at], out=way)
                np.multiply(way, alpha, out=way)
                slow[at] += way
                parameter.write(at, slow[at])
