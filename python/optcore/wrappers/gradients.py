"""Gradients that a wrapper reads itself: held against the parameters as a step would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..errors import NonFiniteError
from ..optimizers.base import Optimizer, _name, _split_groups
from ..optimizers.storage import index_of
from ..reference.sums import in_memory_order
from ..typing import Array, Tree


class GradientReader:
    """Checks trees of gradients for one optimizer, with its messages, and gives their leaves.

    A stepper of its own without state does that, so that what a wrapper accepts is what a step
    accepts, and the optimizer's bound gradients stay bound.
    """

    def __init__(self, opt: Optimizer):
        self._opt = opt
        trees, _, grouped = _split_groups(opt._params)
        held = [(tree, i) for tree in trees for i in range(len(tree.paths))]
        for (tree, i), array in zip(held, opt._arrays, strict=True):
            if tree.leaves[i] is not array:
                raise ValueError(
                    f"{_name(tree, i)} was replaced after the optimizer was made; expected the "
                    "array it was given: update it in place (W[...] = ...)"
                )
        self._probe = _core.Stepper("sgd", trees, grouped)
        for g, tree in enumerate(trees):
            self._probe.set_variant(g, 0, False, False)
            for i in range(len(tree.paths)):
                self._probe.add(g, i, [], None, "nearest", None, None, None)
        self._probe.finish()
        opt._step_options.tell(self._probe)
        self._zeroed = opt._step_options.zero_grads
        # A Python float may stand for the gradient of an array of no axes.
        self._numbers = not self._zeroed and any(array.ndim == 0 for array in opt._arrays)

    def read(self, grads: Tree) -> list[Array | None]:
        """The leaves of a tree of gradients in the order of the parameters, each checked."""
        tree = _as_arrays(grads) if self._numbers else grads
        self._probe.bind(tree)
        self._probe.bind(None)
        opt = self._opt
        leaves: list[Array | None] = []
        if opt._grouped:
            for group, mine in zip(opt._params, tree, strict=True):
                _flatten(group["params"], mine, leaves)
        else:
            _flatten(opt._params, tree, leaves)
        return leaves

    def used(self, leaves: Sequence[Array | None]) -> None:
        """Sets gradients to zero that have been used up, if the optimizer does so."""
        if self._zeroed:
            for leaf in leaves:
                if leaf is not None:
                    leaf[...] = 0

    def accepts(self, leaves: Sequence[Array | None]) -> bool:
        """Whether gradients may be used as far as `nonfinite` goes: False is a step skipped.

        Raises:
            NonFiniteError: one is infinite or NaN, and `nonfinite` is "raise".
        """
        opt = self._opt
        if opt._step_options.nonfinite == "propagate" or np.isfinite(self.norm(leaves)):
            return True
        # The norm of large finite gradients may be infinite too, so look at each.
        for path, array, leaf in zip(opt._paths, opt._arrays, leaves, strict=True):
            if leaf is None:
                continue
            bad = np.flatnonzero(~np.isfinite(in_memory_order(leaf, array)))
            if bad.size:
                if opt._step_options.nonfinite == "raise":
                    raise NonFiniteError(path, index_of(array, int(bad[0])))
                opt._skipped += 1
                return False
        return True

    def norm(self, leaves: Sequence[Array | None]) -> float:
        """√Σg², the elements of each leaf counted in the memory order of its parameter."""
        return self.norm_of_rows(
            [
                None if leaf is None else in_memory_order(leaf, array)
                for leaf, array in zip(leaves, self._opt._arrays, strict=True)
            ]
        )

    def norm_of_rows(self, rows: Sequence[Array | None]) -> float:
        """The same of rows whose elements are in that order already."""
        given = [row for row in rows if row is not None]
        return _core.global_norm(given, ["grads"] * len(given), self._opt.threads or 0)


def _as_arrays(node: Any) -> Any:
    """A tree with its numbers, which may stand for gradients of no axes, made into arrays."""
    if isinstance(node, dict):
        return {key: _as_arrays(child) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_as_arrays(child) for child in node]
    return np.asarray(node) if isinstance(node, (float, np.generic)) else node


def _flatten(params: Any, grads: Any, leaves: list[Any]) -> None:
    """The leaves of a tree that is nested as the parameters, in their order."""
    if isinstance(params, Mapping):
        for key, child in params.items():
            _flatten(child, grads[key], leaves)
    elif isinstance(params, (list, tuple)):
        for child, mine in zip(params, grads, strict=True):
            _flatten(child, mine, leaves)
    else:
        leaves.append(grads)
