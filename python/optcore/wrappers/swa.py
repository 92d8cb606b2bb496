"""Stochastic weight averaging: the plain mean of the parameters at chosen steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from ..optimizers import Optimizer
from ..reference.common import quiet
from ..reference.sums import in_memory_order
from . import checks
from .base import Wrapper
from .parameter import chunks


class SWA(Wrapper):
    """Stochastic weight averaging (Izmailov et al., 2018), as torch's `AveragedModel` has it.

    .. code-block:: text

        after steps start, start + every, ...:   n ← n + 1,  a ← a + (θ − a)/n

    Steps are counted from 1 when the wrapper is made; with `start=0` the first average is taken
    after step `every`. The average is float32 (float64 for float64 parameters); the first one is
    the parameters themselves. The learning rate is a matter of the optimizer's schedule: torch's
    `SWALR` with strategy "cos" is `oc.schedules.Cosine(lr, anneal_epochs, floor=swa_lr)`.
    Statistics of batch normalization have to be worked out anew for the averaged parameters.

    Args:
        optimizer: an optimizer or a wrapper.
        start: the first step whose parameters are averaged.
        every: the steps from one to the next, or None: only `update()` averages.

    State: `swa`, for every parameter.

    Raises:
        TypeError, ValueError: an option of another type or out of range.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([0.0])
        >>> opt = oc.SWA(oc.SGD(w, lr=1.0), start=2, every=2)
        >>> for _ in range(4):
        ...     opt.step(np.array([-1.0]))
        >>> w, opt.swa_params
        (array([4.]), array([3.]))
        >>> with opt.averaged():
        ...     print(w)
        [3.]
    """

    kind = "swa"
    _slots: ClassVar[tuple[str, ...]] = ("swa",)

    def __init__(self, optimizer: Optimizer | Wrapper, start: int = 0, every: int | None = 1):
        super().__init__(optimizer, {"start": start, "every": every})
        self._counters = {"steps": 0, "averages": 0}
        self._averages = [in_memory_order(self._state[p.path]["swa"]) for p in self._parameters]

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        every = options["every"]
        return {
            "start": checks.whole(options["start"], "start", 0),
            "every": None if every is None else checks.whole(every, "every", 1),
        }

    @property
    def averages(self) -> int:
        """How many times the parameters were taken into the average."""
        return self._counters["averages"]

    @property
    def swa_params(self) -> Any:
        """The averaged parameters, nested as the parameters are: the wrapper's own arrays."""
        self._check_averages()
        return self._tree("swa")

    def update(self) -> None:
        """Takes the parameters as they are now into the average.

        Raises:
            RuntimeError: other values are in their place, in `averaged()` or a climb of SAM.
        """
        if self._root._away:
            raise RuntimeError(
                "update: expected the parameters themselves, but averaged() or SAM's first step "
                "has put other values in their place; update after it"
            )
        with self._alone():
            self._average()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """A with block in which the parameter arrays hold the average, for evaluation.

        Afterwards they hold what they held before, to the bit. No step can be taken inside.
        """
        self._check_averages()
        with self._root._showing([self._state[p.path]["swa"] for p in self._parameters]):
            yield

    def _stepped(self) -> None:
        self._counters["steps"] += 1
        every, since = self._options["every"], self._counters["steps"] - self._options["start"]
        if every is not None and since >= 0 and since % every == 0:
            self._average()

    @quiet
    def _average(self) -> None:
        count = self._counters["averages"] + 1
        for parameter, average in zip(self._parameters, self._averages, strict=True):
            divisor = average.dtype.type(count)
            for at in chunks(average):
                values = parameter.read(at)
                if count > 1:
                    np.subtract(values, average[at], out=values)
                    np.divide(values, divisor, out=values)
                    np.add(average[at], values, out=values)
                average[at] = values
        self._counters["averages"] = count

    def _check_averages(self) -> None:
        if self._counters["averages"] == 0:
            raise RuntimeError(
                "averaged: no parameters were averaged yet; expected a step from number "
                f"start={self._options['start']} on: step first, or call update()"
            )
