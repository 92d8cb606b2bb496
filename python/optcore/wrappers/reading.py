"""The base of wrappers that look at gradients before the optimizer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..optimizers import Optimizer
from ..typing import Tree
from .base import Wrapper
from .gradients import GradientReader


class ReadingWrapper(Wrapper):
    """A wrapper that reads gradients itself, checked as a step checks them.

    Args:
        optimizer: an optimizer, or another wrapper.
        options: the wrapper's own options.
    """

    def __init__(self, optimizer: Optimizer | Wrapper, options: Mapping[str, Any]):
        super().__init__(optimizer, options)
        self._reader = GradientReader(self._root)
        self._bound: Tree | None = None

    def bind(self, grads: Tree | None) -> None:
        """Fixes gradient arrays that stay where they are; `bind(None)` lets them go."""
        if grads is not None:
            self._reader.read(grads)
        self._bound = grads

    def _given(self, grads: Tree | None) -> Tree:
        """The gradients of a step, or the bound ones."""
        given = self._bound if grads is None else grads
        if given is None:
            raise TypeError(
                "grads: expected gradients, got None; pass a tree like the parameters', or "
                "bind(grads) once"
            )
        return given
