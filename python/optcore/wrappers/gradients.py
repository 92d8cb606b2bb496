"""Gradients that a wrapper reads itself: held against the parameters as a step would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..errors import NonFiniteError
from ..optimizers import SGD, Optimizer
from ..optimizers.storage import index_of
from ..reference.sums import in_memory_order
from ..rows import Rows
from ..typing import Array, Tree


class GradientReader:
    """Checks trees of gradients for one optimizer, with its messages, and gives their leaves.

    A stateless SGD over the same parameters, which never steps, does that: so a wrapper accepts
    what a step accepts, and the gradients that are bound to the optimizer stay bound.
    """

    def __init__(self, opt: Optimizer):
        self._opt = opt
        self._zeroed = opt._step_options.zero_grads
        params: Any = opt._params
        if opt._grouped:
            params = [{"params": group["params"]} for group in params]
        self._probe = SGD(params, zero_grads=self._zeroed)
        now = dict(zip(self._probe._paths, self._probe._arrays, strict=True))
        for path, before in zip(opt._paths, opt._arrays, strict=True):
            if now.pop(path, None) is not before:
                raise ValueError(
                    f"params/{path} was replaced after the optimizer was made; expected the array "
                    "it was given: update it in place (W[...] = ...)"
                )
        if now:
            raise ValueError(
                f"params: expected the tree that the optimizer was made over, but {sorted(now)} "
                "were added since; make a new optimizer"
            )
        # A Python float may stand for the gradient of an array of no axes.
        self._numbers = not self._zeroed and any(array.ndim == 0 for array in opt._arrays)

    def read(self, grads: Tree) -> list[Array | None]:
        """The leaves of a tree of gradients in the order of the parameters, each checked."""
        if grads is None:
            raise TypeError("grads: expected gradients, got None; pass a tree like the parameters'")
        _refuse_rows(grads, "grads")
        tree = _as_arrays(grads) if self._numbers else grads
        self._probe.bind(tree)
        self._probe.bind(None)
        leaves: list[Array | None] = []
        params: Any = self._opt._params
        if self._opt._grouped:
            for group, mine in zip(params, tree, strict=True):
                _flatten(group["params"], mine, leaves)
        else:
            _flatten(params, tree, leaves)
        return leaves

    def used(self, leaves: Sequence[Array | None]) -> None:
        """Notes that gradients have been used up, and zeroes them if the optimizer does so."""
        self._opt._used_up += 1
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


def _refuse_rows(node: Any, where: str) -> None:
    """A TypeError where a leaf names rows: a wrapper reads gradients as arrays."""
    if isinstance(node, dict):
        for key, child in node.items():
            _refuse_rows(child, f"{where}/{key}")
    if isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            _refuse_rows(child, f"{where}/{i}")
    if isinstance(node, Rows):
        raise TypeError(
            f"{where}: expected an array, as a wrapper around the optimizer reads it, got rows; "
            "step them with an optimizer of their own, or scatter them into zeros"
        )


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
