"""Errors of our own."""

from __future__ import annotations

from typing import Any


class NonFiniteError(FloatingPointError):
    """A gradient is infinite or not a number, and the optimizer was made with `nonfinite="raise"`.

    L-BFGS raises it always. Nothing has changed.

    Attributes:
        path: the path of the parameter whose gradient it is.
        index: the element, as an index into the array; the first one in memory order.

    Example:
        >>> import numpy as np, optcore as oc
        >>> opt = oc.SGD({"W": np.zeros((2, 2))}, nonfinite="raise")
        >>> try:
        ...     opt.step({"W": np.array([[0.0, 1.0], [np.inf, 0.0]])})
        ... except oc.NonFiniteError as error:
        ...     print(error.path, error.index)
        W (1, 0)
    """

    def __init__(
        self,
        path: str,
        index: tuple[int, ...],
        mend: str = "lower the rate or the loss scale, or pass nonfinite='skip'",
    ):
        self._mend = mend
        self.path = path
        self.index = index
        at = ", ".join(map(str, index))
        super().__init__(
            f"grads{'/' + path if path else ''}[{at}]: expected finite gradients, got one that is "
            f"infinite or NaN; {mend}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.index, self._mend), {"args": self.args}
