"""Sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..optimizers import Optimizer, hyper
from ..optimizers.base import _called
from ..reference.common import quiet
from ..reference.sums import in_memory_order
from ..typing import Array, Tree
from . import checks
from .base import Wrapper
from .parameter import chunks
from .reading import ReadingWrapper

NORM_EPS = 1e-12


class SAM(ReadingWrapper):
    """Sharpness-aware minimization (Foret et al., 2021), and its adaptive form (Kwon et al., 2021).

    .. code-block:: text

        climb     θ' = θ + ρ·g/(‖g‖ + 1e-12)          adaptive: θ + ρ·θ²g/(‖θg‖ + 1e-12)
        descend   the optimizer's step from θ, with the gradient at θ'

    The norm is that of all gradients together. Each step needs two gradients: `step(closure=f)`
    calls f() → (loss, gradients) twice; or call `first_step` and `second_step` yourself. In between
    the parameters, and the arrays of `copy_to`, hold θ'; nobody else can step them, and afterwards
    they are back to the bit. Parameters without a gradient do not climb.

    Args:
        optimizer: an optimizer or a wrapper. One that needs the closure itself can not be inside.
        rho: ρ, the radius; the adaptive form wants ten times as much.
        adaptive: measure the radius by each parameter's size.

    Raises:
        TypeError, ValueError: an option of another type or out of range.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([1.0])
        >>> opt = oc.SAM(oc.SGD(w, lr=0.1), rho=0.5)
        >>> opt.step(closure=lambda: (float(w[0] ** 2), 2 * w))
        1.0
        >>> w  # 1 - 0.1 * the gradient at 1.5
        array([0.7])
    """

    kind = "sam"

    def __init__(self, optimizer: Optimizer | Wrapper, rho: float = 0.05, adaptive: bool = False):
        super().__init__(optimizer, {"rho": rho, "adaptive": adaptive})
        self._saved: dict[tuple[int, int], Array] = {}
        self._climbed: list[tuple[Array, Array]] | None = None

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        hyper.switch(options["adaptive"], "adaptive")
        return {
            "rho": checks.number(options["rho"], "rho", float("inf"), 0.05),
            "adaptive": bool(options["adaptive"]),
        }

    def _check_restart(self) -> None:
        if self._climbed is not None:
            raise RuntimeError(
                "state_dict: expected the parameters themselves, but first_step has put others "
                "in their place; call second_step, or restore()"
            )

    def step(
        self,
        grads: Tree | None = None,
        *,
        grad_scale: float = 1.0,
        closure: Callable[[], tuple[Any, Tree]] | None = None,
    ) -> Any:
        """Both phases: the closure is called at the parameters, and where they have climbed to.

        Args:
            grads: not used; one gradient is not enough.
            grad_scale: what the loss was multiplied by, in both calls.
            closure: a function that returns the loss and the gradients.

        Returns:
            The loss of the first call.

        Raises:
            TypeError: no closure, or gradients beside it.
            RuntimeError: `first_step` was called and `second_step` was not.

        Whatever the second call raises, the parameters are back to the bit.
        """
        if closure is None:
            raise TypeError(
                "step: expected a closure, as SAM needs the gradient twice, got none; pass "
                "closure=, or call first_step(grads) and second_step(grads)"
            )
        with self._alone():
            self._check_place("step")
            scale = checks.scale(grad_scale)
            loss, first = _called(closure, grads)
            if not self._climb(first, scale):
                return loss
            try:
                _, second = _called(closure, None)
            finally:
                self._come_back()
            self._optimizer.step(second, grad_scale=grad_scale)
        return loss

    def first_step(self, grads: Tree | None = None, *, grad_scale: float = 1.0) -> bool:
        """Climbs: the parameters hold θ' until `second_step`.

        Args:
            grads: the gradients at the parameters; may be left out after `bind`.
            grad_scale: what the loss was multiplied by.

        Returns:
            Whether it climbed; False for a gradient that is not finite, with `nonfinite="skip"`.

        Raises:
            RuntimeError: it has climbed already, or `averaged()` is in effect.
            KeyError, TypeError, ValueError, NonFiniteError: as `Optimizer.step`.

        Example:
            >>> import numpy as np, optcore as oc
            >>> w = np.array([1.0])
            >>> opt = oc.SAM(oc.SGD(w, lr=0.1), rho=0.5)
            >>> opt.first_step(2 * w), w
            (True, array([1.5]))
            >>> opt.second_step(2 * w)
            >>> w
            array([0.7])
        """
        with self._alone():
            self._check_place("first_step")
            return self._climb(self._given(grads), checks.scale(grad_scale))

    def second_step(self, grads: Tree | None = None, *, grad_scale: float = 1.0) -> None:
        """Restores the parameters to the bit, and takes the optimizer's step with these gradients.

        Gradients that do not fit leave the climb as it is. Where the optimizer itself raises, the
        parameters are back.

        Args:
            grads: the gradients where the parameters have climbed to.
            grad_scale: what the loss was multiplied by.

        Raises:
            RuntimeError: there was no `first_step`.
            KeyError, TypeError, ValueError, NonFiniteError: as `Optimizer.step`.
        """
        with self._alone():
            self._check_climbed("second_step")
            given = self._given(grads)
            checks.scale(grad_scale)
            self._reader.read(given)
            self._come_back()
            self._optimizer.step(given, grad_scale=grad_scale)

    def restore(self) -> None:
        """Gives up a climb: the parameters are what they were before `first_step`, to the bit."""
        with self._alone():
            self._check_climbed("restore")
            self._come_back()

    def _check_place(self, what: str) -> None:
        if self._root._away:
            raise RuntimeError(
                f"{what}: expected the parameters themselves, but averaged() or first_step has "
                "put other values in their place; leave the block, or call second_step"
            )

    def _check_climbed(self, what: str) -> None:
        if self._climbed is None:
            raise RuntimeError(f"{what}: expected a first_step before it; call first_step(grads)")

    @quiet
    def _climb(self, grads: Tree, scale: float) -> bool:
        leaves = self._reader.read(grads)
        if not self._reader.accepts(leaves):
            return False
        ways = [
            None if leaf is None else in_memory_order(leaf, p.array)
            for p, leaf in zip(self._parameters, leaves, strict=True)
        ]
        factor = self._options["rho"] / (self._norm(ways) / scale + NORM_EPS) / scale
        kept = [
            (row, self._keep(i, k, row))
            for i, (p, way) in enumerate(zip(self._parameters, ways, strict=True))
            if way is not None
            for k, row in enumerate(p.written)
        ]
        self._root._send_away(
            "step: expected the parameters themselves, but SAM's first step has put other values "
            "in their place; call second_step"
        )
        self._climbed = kept
        try:
            for parameter, way in zip(self._parameters, ways, strict=True):
                for at in chunks(parameter.row) if way is not None else ():
                    here = parameter.read(at)
                    step = way[at].astype(parameter.dtype)  # type: ignore[index]
                    if self._options["adaptive"]:
                        step = here * here * step
                    parameter.show(at, here + step * parameter.dtype.type(factor))
        except BaseException:
            self._come_back()
            raise
        self._reader.used(leaves)
        return True

    def _norm(self, ways: list[Array | None]) -> float:
        """‖g‖ of all gradients, for the adaptive form ‖θg‖."""
        if not self._options["adaptive"]:
            return self._reader.norm_of_rows(ways)
        weighed: list[Array | None] = []
        for parameter, way in zip(self._parameters, ways, strict=True):
            if way is None:
                weighed.append(None)
                continue
            product = np.empty(parameter.row.shape, parameter.dtype)
            for at in chunks(product):
                product[at] = parameter.read(at) * way[at].astype(parameter.dtype)
            weighed.append(product)
        return self._reader.norm_of_rows(weighed)

    def _keep(self, i: int, k: int, row: Array) -> Array:
        """A copy of a row, in memory that is kept from step to step."""
        if (i, k) not in self._saved:
            self._saved[i, k] = np.empty_like(row)
        self._saved[i, k][...] = row
        return self._saved[i, k]

    def _come_back(self) -> None:
        for row, before in self._climbed or ():
            row[...] = before
        self._climbed = None
        self._root._send_away("")
