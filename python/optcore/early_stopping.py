"""When to stop training, and the best parameters until then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _core
from .optimizers import state_dict as saving
from .optimizers.base import _check_unique, _name, _split_groups
from .schedules.metric import Saved, as_metric, check_mode, saved_number, worst
from .typing import Array, Tree
from .wrappers.checks import number, whole

_SAVED = Saved("early_stopping")


class EarlyStopping:
    """Says when a metric has not improved for a while, and brings the best parameters back.

    .. code-block:: text

        better    m + min_delta < best (mode "min"), m − min_delta > best ("max")
        stops     when `patience` metrics in a row were not better

    (Prechelt, 1998; patience as in Keras.) A metric that is NaN is not better. Metrics are counted
    from 0, so `best_step` is the epoch if there is one metric per epoch.

    Args:
        params: the parameters as an optimizer takes them, to be kept at their best; None keeps
            nothing. The memory for them is taken once, here.
        patience: at least 1.
        min_delta: how much better is better, 0 or more.
        mode: "min" or "max".
        restore_best: copy the best parameters back when it stops; False keeps nothing.

    Bits that `low_precision="split"` keeps beside a 16-bit parameter are the optimizer's and stay
    as they are.

    Raises:
        TypeError, ValueError: an argument of another type or out of these limits.

    Example:
        >>> import numpy as np, optcore as oc
        >>> w = np.array([0.0])
        >>> stopping = oc.EarlyStopping(w, patience=2)
        >>> for epoch, loss in enumerate([1.0, 0.5, 0.7, 0.6, 0.4]):
        ...     w[:] = epoch
        ...     if stopping.step(loss):
        ...         break
        >>> epoch, stopping.best_step, stopping.best, w
        (3, 1, 0.5, array([1.]))
    """

    def __init__(
        self,
        params: Tree | None = None,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ):
        self._mode = check_mode(mode)
        self._patience = whole(patience, "patience", 1)
        self._min_delta = number(min_delta, "min_delta", math.inf, 1e-3)
        if not isinstance(restore_best, (bool, np.bool_)):
            raise TypeError(f"restore_best: expected True or False, got {restore_best!r}")
        self._params = params if restore_best else None
        self._paths, self._arrays = _leaves(self._params)
        self._kept = [np.empty_like(array) for array in self._arrays]
        self._best = worst(mode)
        self._best_step: int | None = None
        self._count = self._num_bad = 0

    @property
    def best(self) -> float:
        """The best metric so far; inf or, in mode "max", -inf before the first."""
        return self._best

    @property
    def best_step(self) -> int | None:
        """Which metric was the best, counted from 0; None before the first."""
        return self._best_step

    @property
    def num_bad(self) -> int:
        """How many metrics in a row were not better than the best."""
        return self._num_bad

    def step(self, metric: float) -> bool:
        """Takes a metric in; keeps the parameters if it is the best, restores them at the end.

        Args:
            metric: a number, or an array or tensor without axes.

        Returns:
            Whether to stop.

        Raises:
            TypeError: no number. Nothing has changed then.
            ValueError: a parameter array was replaced.
        """
        value = as_metric(metric)
        self._check_arrays()
        if self._is_better(value):
            for kept, array in zip(self._kept, self._arrays, strict=True):
                kept[...] = array
            self._best, self._best_step, self._num_bad = value, self._count, 0
        else:
            self._num_bad += 1
        self._count += 1
        stop = self._num_bad >= self._patience
        if stop and self._kept and self._best_step is not None:
            self.restore()
        return stop

    def restore(self) -> None:
        """Copies the best parameters back, to the bit.

        Raises:
            RuntimeError: none were kept.
            ValueError: a parameter array was replaced.
        """
        if not self._kept or self._best_step is None:
            why = "no metric was better than none yet" if self._kept else "it was told to keep none"
            raise RuntimeError(
                f"restore: expected parameters that were kept, but {why}; make it with params and "
                "restore_best=True, and call step(metric) first"
            )
        self._check_arrays()
        for kept, array in zip(self._kept, self._arrays, strict=True):
            array[...] = kept

    def _is_better(self, value: float) -> bool:
        if self._mode == "min":
            return value + self._min_delta < self._best
        return value - self._min_delta > self._best

    def _check_arrays(self) -> None:
        """A ValueError where the parameters are other arrays than those it was made over."""
        paths, arrays = _leaves(self._params)
        if paths != self._paths:
            raise ValueError(
                f"params: expected the paths {self._paths}, as at the start, got {paths}; "
                "make a new EarlyStopping over them"
            )
        for path, now, array in zip(paths, arrays, self._arrays, strict=True):
            if now is not array:
                raise ValueError(
                    f"params/{path}: expected the array that was there at the start, got another; "
                    "write into it: p[...] = new"
                )

    def state_dict(self, *, copy: bool = False) -> dict[str, Any]:
        """Everything needed to go on from here, the best parameters included.

        Args:
            copy: False gives the kept arrays themselves, which a later step may write to.
        """
        kept = {
            path: array.copy() if copy else array
            for path, array in zip(self._paths, self._kept, strict=True)
        }
        return _SAVED.written(
            patience=self._patience,
            min_delta=self._min_delta,
            mode=self._mode,
            best=self._best,
            best_step=self._best_step,
            num_bad=self._num_bad,
            count=self._count,
            params=kept if self._best_step is not None else {},
        )

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes over a state dict with its options; all of it or, on an error, nothing.

        Raises:
            KeyError, TypeError, ValueError: it is none of an `EarlyStopping` over such parameters.
        """
        options = ("patience", "min_delta", "mode")
        _SAVED.check(saved, (*options, "best", "best_step", "num_bad", "count", "params"))
        try:
            mode = check_mode(saved["mode"])
            patience = whole(saved["patience"], "patience", 1)
            min_delta = number(saved["min_delta"], "min_delta", math.inf, 1e-3)
        except (TypeError, ValueError) as error:
            raise type(error)(f"state_dict/{error.args[0]}") from None
        best = saved_number(saved["best"], "state_dict/best")
        best_step = saved["best_step"]
        if best_step is not None:
            best_step = saving.count(best_step, "state_dict/best_step")
        num_bad = saving.count(saved["num_bad"], "state_dict/num_bad")
        count = saving.count(saved["count"], "state_dict/count")
        kept = {}
        if best_step is not None:
            kept = saving.like_parameters(saved, "params", self._paths, self._kept)
        self._mode, self._patience, self._min_delta = mode, patience, min_delta
        self._best, self._best_step = best, best_step
        self._num_bad, self._count = num_bad, count
        for mine, path in zip(self._kept, self._paths, strict=True):
            if path in kept:
                mine[...] = kept[path]

    def __repr__(self) -> str:
        return (
            f"EarlyStopping({len(self._kept)} parameters kept, patience={self._patience}, "
            f"min_delta={self._min_delta}, mode={self._mode!r}, best={self._best!r}, "
            f"best_step={self._best_step}, num_bad={self._num_bad})"
        )


def _leaves(params: Tree | None) -> tuple[list[str], list[Array]]:
    """The paths and arrays of parameters, checked as an optimizer checks them."""
    if params is None:
        return [], []
    trees = _split_groups(params)[0]
    _check_unique(trees)
    paths: list[str] = []
    arrays: list[Array] = []
    for tree in trees:
        for i, (path, array) in enumerate(zip(tree.paths, tree.leaves, strict=True)):
            _core.check_param(array, _name(tree, i))
            paths.append(path)
            arrays.append(array)
    return paths, arrays
