"""Gradient accumulation: one step for several batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..optimizers import Optimizer, hyper
from ..optimizers.base import _called
from ..optimizers.trees import rebuilt
from ..reference.common import quiet
from ..typing import Array, Tree
from . import checks
from .base import Wrapper
from .reading import ReadingWrapper


class GradientAccumulation(ReadingWrapper):
    """Adds up the gradients of several calls, and steps once with their mean or sum.

    .. code-block:: text

        each call        a ← a + g/grad_scale
        every n-th call  the optimizer's step with a/n (or a),  a ← 0

    The sums are float32 (float64 for float64 parameters). A gradient that is None counts as zero
    beside others of the same parameter; one that is None in every call stays None. With
    `nonfinite="skip"` a call whose gradient is infinite or NaN does not count; nor does a call
    whose step the optimizer refuses, for a sum that overflows: `reset()` throws the sums away.

    Args:
        optimizer: an optimizer or a wrapper; one that needs two gradients for each step, as SAM,
            goes around this one, not inside.
        every: n, the calls to one step.
        reduction: "mean" or "sum".

    State: `grad_sum` and `grad_count`, for every parameter.

    Raises:
        TypeError, ValueError: an option of another type or out of range.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0])
        >>> opt = oc.GradientAccumulation(oc.SGD(w, lr=0.1), every=2)
        >>> opt.step(np.array([1.0])), w
        (False, array([1.]))
        >>> opt.step(np.array([3.0])), w
        (True, array([0.8]))
    """

    kind = "gradient_accumulation"
    _slots: ClassVar[tuple[str, ...]] = ("grad_sum",)

    def __init__(self, optimizer: Optimizer | Wrapper, every: int, reduction: str = "mean"):
        super().__init__(optimizer, {"every": every, "reduction": reduction})
        self._counters = {"accumulated": 0}
        for own in self._state.values():
            own["grad_count"] = np.zeros((), np.int64)

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "every": checks.whole(options["every"], "every", 1),
            "reduction": hyper.one_of(options["reduction"], ("mean", "sum"), "reduction"),
        }

    def _check_counters(self, options: Mapping[str, Any], counters: Mapping[str, int]) -> None:
        if counters["accumulated"] >= options["every"]:
            raise ValueError(
                f"state_dict/counters/accumulated: expected less than every={options['every']}, "
                f"got {counters['accumulated']}; pass a dict that state_dict() gave"
            )

    @property
    def accumulated(self) -> int:
        """The calls whose gradients are in the sums: 0 just after a step."""
        return self._counters["accumulated"]

    def step(
        self,
        grads: Tree | None = None,
        *,
        grad_scale: float = 1.0,
        closure: Callable[[], tuple[Any, Tree]] | None = None,
    ) -> Any:
        """Takes gradients in; at the n-th call the optimizer steps.

        Args:
            grads: the gradients of one batch; may be left out after `bind`.
            grad_scale: what the loss was multiplied by; may differ from call to call.
            closure: a function that returns the loss and the gradients, in the place of `grads`.

        Returns:
            Whether the optimizer has stepped; with a closure, its loss (`accumulated` tells).

        Raises:
            KeyError, TypeError, ValueError, NonFiniteError: as `Optimizer.step`; nothing has
                been added then.
        """
        with self._alone():
            scale = checks.scale(grad_scale)
            loss = None
            if closure is not None:
                loss, grads = _called(closure, grads)
            stepped = self._take_in(self._given(grads), scale)
        return stepped if closure is None else loss

    def flush(self) -> bool:
        """Steps with what there is, though it be of fewer calls; the mean is over these.

        Returns:
            Whether the optimizer has stepped: not if there is nothing, or it refused.
        """
        with self._alone():
            if self.accumulated == 0:
                return False
            totals = [self._own(path)[0] if self._own(path)[1] else None for path in self._state]
            return self._apply([None if t is None else t.copy() for t in totals], self.accumulated)

    def reset(self) -> None:
        """Throws away what has been accumulated."""
        with self._alone():
            self._clear()

    def _own(self, path: str) -> tuple[Array, int]:
        own = self._state[path]
        return own["grad_sum"], int(own["grad_count"])

    @quiet
    def _take_in(self, grads: Tree, scale: float) -> bool:
        leaves = self._reader.read(grads)
        if self._root._away:
            raise RuntimeError(
                "step: expected the parameters themselves, but averaged() or SAM's first step has "
                "put other values in their place; step after the with block, or call second_step"
            )
        if not self._reader.accepts(leaves):
            return False
        # All that needs memory comes first; adding in place cannot fail.
        mine = [
            None if leaf is None else _unscaled(leaf, parameter.dtype, scale)
            for parameter, leaf in zip(self._parameters, leaves, strict=True)
        ]
        if self.accumulated + 1 == self._options["every"]:
            totals: list[Array | None] = []
            for path, leaf in zip(self._state, mine, strict=True):
                total, count = self._own(path)
                added = total.copy() if count else None
                if leaf is not None:
                    added = leaf if added is None else np.add(added, leaf, out=added)
                totals.append(added)
            stepped = self._apply(totals, self._options["every"])
            if stepped:
                self._reader.used(leaves)
            return stepped
        for path, leaf in zip(self._state, mine, strict=True):
            if leaf is not None:
                own = self._state[path]
                np.add(own["grad_sum"], leaf, out=own["grad_sum"])
                own["grad_count"] += 1
        self._counters["accumulated"] += 1
        self._reader.used(leaves)
        return False

    def _apply(self, totals: list[Array | None], count: int) -> bool:
        before = self.step_count
        tree = rebuilt(self._root._params, self._root._grouped, totals)
        mean = self._options["reduction"] == "mean"
        self._optimizer.step(tree, grad_scale=float(count) if mean else 1.0)
        if self.step_count == before:
            return False
        self._clear()
        return True

    def _clear(self) -> None:
        for own in self._state.values():
            own["grad_sum"].fill(0)
            own["grad_count"].fill(0)
        self._counters["accumulated"] = 0


def _unscaled(grad: Array, dtype: np.dtype[Any], scale: float) -> Array:
    """A gradient in the type of the sums, divided by its scale."""
    mine = grad.astype(dtype, copy=False)
    return mine if scale == 1.0 else np.asarray(mine / dtype.type(scale))
