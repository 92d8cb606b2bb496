"""The learning-rate range test over a NumPy training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..optimizers import LBFGS, Optimizer
from ..typing import Tree
from ..wrappers import Wrapper
from .result import RangeTest
from .watch import Watch


def lr_range_test(
    optimizer: Optimizer | Wrapper,
    closure: Callable[[], tuple[Any, Tree]],
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    *,
    smoothing: float = 0.8,
    diverged_at: float = 4.0,
) -> RangeTest:
    """Trains for a few steps with ever larger rates, to see which are good, and undoes it all.

    .. code-block:: text

        rate of step k    low·(high/low)^(k/(steps − 1)), the schedule LRRangeTest
        smoothed loss     a running average forth, and then back
        ends              where the loss is not finite, or its average above diverged_at × the best

    (Smith, 2017; stopping as is usual since Gugger, 2018.) Afterwards parameters, state, step
    numbers and hyperparameters are what they were, to the bit, also where the closure raises. What
    the closure has drawn, batches or random numbers, stays drawn.

    Args:
        optimizer: over the parameters; with wrappers, if you train with them.
        closure: a function that returns the loss and the gradients, of the next batch in each call.
        low: the first rate.
        high: the last.
        steps: how many, at least 3.
        smoothing: the weight of what was before in the running average, 0 for none.
        diverged_at: above 1.

    Returns:
        Rates and losses, with `suggestion` and `plot()`.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of range, the first loss is
            not finite, or the gradients do not fit.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([3.0, -2.0])
        >>> opt = oc.SGD(w)
        >>> found = oc.lr_range_test(opt, lambda: (float(w @ w), 2 * w), low=1e-4, high=100.0)
        >>> found.diverged, found.suggestion.steepest < 1
        (True, True)
        >>> w, opt.lr, opt.step_count
        (array([ 3., -2.]), 0.001, 0)
    """
    if isinstance(optimizer, LBFGS):
        raise TypeError(
            "optimizer: expected one with a learning rate to look for, got LBFGS, which searches "
            "along a line; leave its lr at 1"
        )
    if not isinstance(optimizer, (Optimizer, Wrapper)):
        raise TypeError(
            f"optimizer: expected an optimizer of optcore, got a {type(optimizer).__name__}; one "
            "of torch goes to optcore.torch.lr_range_test"
        )
    root: Optimizer = optimizer._root if isinstance(optimizer, Wrapper) else optimizer
    if not callable(closure):
        raise TypeError(
            f"closure: expected a function that returns the loss and the gradients, got "
            f"{closure!r:.80}; pass e.g. lambda: loss_and_grads(params, next(batches))"
        )
    if root._away:
        raise RuntimeError(
            "lr_range_test: expected the parameters themselves, but averaged() or eval() has put "
            "other values in their place; leave the block, or call train()"
        )
    watch = Watch(low, high, steps, smoothing, diverged_at)
    kept = _Kept(optimizer, root)
    try:
        _train(optimizer, root, closure, watch)
    finally:
        kept.bring_back()
    return watch.result()


def _train(
    optimizer: Any, root: Optimizer, closure: Callable[[], tuple[Any, Tree]], watch: Watch
) -> None:
    def step(rate: float, seen: list[Any]) -> None:
        def observed() -> Any:
            result = closure()
            if isinstance(result, tuple) and len(result) == 2:
                seen.append(result[0])
            return result

        root.lr = rate
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            optimizer.step(closure=observed)

    watch.train(step)


class _Kept:
    """Everything that steps change, to be put back."""

    def __init__(self, optimizer: Optimizer | Wrapper, root: Optimizer):
        self._optimizer, self._root = optimizer, root
        self._state = optimizer.state_dict(copy=True)
        self._values = [group._values for group in root.groups]
        copies = [copied for copied in root._copies if copied is not None]
        self._arrays = [(array, array.copy()) for array in (*root._arrays, *copies)]
        self._counts = root._skipped, root._used_up

    def bring_back(self) -> None:
        """Puts it back."""
        for array, before in self._arrays:
            array[...] = before
        self._take_values()  # a function, which no state dict holds, has to be there already
        self._optimizer.load_state_dict(self._state)
        self._take_values()
        self._root._skipped, self._root._used_up = self._counts

    def _take_values(self) -> None:
        for group, values in zip(self._root.groups, self._values, strict=True):
            group._take(values)
