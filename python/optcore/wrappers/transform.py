"""The base of wrappers that change gradients on their way to the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ..optimizers import Optimizer
from ..optimizers.base import _called
from ..optimizers.trees import rebuilt
from ..reference.common import quiet
from ..typing import Array, Tree
from . import checks
from .base import Wrapper
from .parameter import Parameter
from .reading import ReadingWrapper


class GradientTransform(ReadingWrapper):
    """A wrapper that gives the optimizer other gradients than it was given.

    They lie in arrays of the wrapper's own, one for each gradient that is changed, in the type
    that a step computes in.

    Args:
        optimizer: an optimizer, or another wrapper.
        options: the wrapper's own options, `axis` and `exclude` among them.
    """

    def __init__(self, optimizer: Optimizer | Wrapper, options: Mapping[str, Any]):
        super().__init__(optimizer, options)
        self._check_exclude(self._options)
        self._buffers: dict[str, Array] = {}

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        exclude = options["exclude"]
        several = isinstance(exclude, Collection) and not isinstance(exclude, str)
        if not several or not all(isinstance(path, str) for path in exclude):
            raise TypeError(f"exclude: expected a list of paths, got {exclude!r}; pass e.g. ['b']")
        axis = options["axis"]
        if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
            raise TypeError(f"axis: expected an int, got {axis!r}; pass 0, or -1 for the last")
        return {**options, "axis": int(axis), "exclude": tuple(exclude)}

    def _check_counters(self, options: Mapping[str, Any], counters: Mapping[str, int]) -> None:
        self._check_exclude(options)

    def _check_exclude(self, options: Mapping[str, Any]) -> None:
        paths = [p.path for p in self._parameters]
        unknown = [path for path in options["exclude"] if path not in paths]
        if unknown:
            raise KeyError(
                f"exclude: expected paths of parameters among {paths}, got {unknown}; "
                "paths join keys with '/'"
            )
        for p in self._parameters:
            if p.array.ndim > 1 and not -p.array.ndim <= options["axis"] < p.array.ndim:
                raise ValueError(
                    f"axis: expected an axis that every matrix has, got {options['axis']}, but "
                    f"{p.path} has shape {p.array.shape}; pass 0, or -1 for the last"
                )

    def _changes(self, parameter: Parameter) -> bool:
        """Whether the gradient of this parameter is changed at all."""
        raise NotImplementedError

    def _change(self, parameter: Parameter, grad: Array, scale: float, out: Array) -> None:
        """Writes what the optimizer is given; `grad` is `scale` times too large, and stays so."""
        raise NotImplementedError

    def step(
        self,
        grads: Tree | None = None,
        *,
        grad_scale: float = 1.0,
        closure: Callable[[], tuple[Any, Tree]] | None = None,
    ) -> Any:
        """One step of the optimizer with other gradients; see `Optimizer.step`."""
        scale = checks.scale(grad_scale)
        read: list[Array | None] = []

        def changed(given: Tree) -> Tree:
            read[:] = self._reader.read(given)
            return self._changed(read, scale)

        def uses() -> tuple[int, int]:
            return self.step_count, self._root._used_up

        before = uses()

        def clear_used() -> None:
            nonlocal before
            if uses() != before:
                self._reader.used(read)
                before = uses()

        def called() -> tuple[Any, Tree]:
            clear_used()  # SAM has climbed along the first ones, and now asks for others
            loss, given = _called(closure, None)  # type: ignore[arg-type]  # there is one
            return loss, changed(given)

        with self._alone():
            if closure is None:
                mine = changed(self._given(grads))
                result = self._optimizer.step(mine, grad_scale=grad_scale)
            else:
                result = self._optimizer.step(grads, grad_scale=grad_scale, closure=called)
            clear_used()
        return result

    @quiet
    def _changed(self, leaves: list[Array | None], scale: float) -> Tree:
        given: list[Array | None] = []
        for parameter, leaf in zip(self._parameters, leaves, strict=True):
            mine = leaf
            excluded = parameter.path in self._options["exclude"]
            if leaf is not None and not excluded and self._changes(parameter):
                mine = self._buffer(parameter)
                self._change(parameter, leaf.astype(parameter.dtype, copy=False), scale, mine)
            given.append(mine)
        tree: Tree = rebuilt(self._root._params, self._root._grouped, given)
        return tree

    def _buffer(self, parameter: Parameter) -> Array:
        if parameter.path not in self._buffers:
            self._buffers[parameter.path] = np.empty_like(parameter.array, dtype=parameter.dtype)
        return self._buffers[parameter.path]
