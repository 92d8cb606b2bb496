"""Muon as it is used: for the matrices, with AdamW for the rest."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .. import _core
from ..optimizers import AdamW, Muon
from ..optimizers.trees import named_leaves
from ..typing import Array, Scalar, Tree


class MuonAndAdamW:
    """Muon on the parameters with two axes, AdamW on all others, with one rate for both.

    Muon's updates are scaled to the size of AdamW's (Liu et al., 2025), so one rate suits both.

    Args:
        params: any nesting of arrays.
        lr: the rate of both.
        options: others of Muon's.

    Example:
        >>> import numpy as np
        >>> params = {"W": np.eye(2), "b": np.zeros(2)}
        >>> opt = MuonAndAdamW(params, lr=0.1)
        >>> opt.step({"W": np.ones((2, 2)), "b": np.ones(2)})
        >>> sorted(opt.state["b"])
        ['exp_avg', 'exp_avg_sq']
    """

    __signature__ = inspect.signature(Muon)

    def __init__(self, params: Tree, lr: Scalar = 1e-3, **options: Any):
        tree = _core.Tree(params, "params")
        self._params, self._paths = params, tree.paths
        leaves = dict(zip(tree.paths, tree.leaves, strict=True))
        matrices = {path: leaf for path, leaf in leaves.items() if leaf.ndim == 2}
        rest = {path: leaf for path, leaf in leaves.items() if leaf.ndim != 2}
        options.setdefault("adjust_lr_fn", "match_rms_adamw")
        self._parts: list[tuple[Any, Mapping[str, Array]]] = []
        if matrices:
            self._parts.append((Muon(matrices, lr=lr, **options), matrices))
        if rest:
            self._parts.append((AdamW(rest, lr=lr), rest))

    def step(self, grads: Tree) -> None:
        """A step of each on its own parameters."""
        named = dict(
            zip(self._paths, named_leaves(grads, self._params, False, "grads"), strict=True)
        )
        for optimizer, own in self._parts:
            optimizer.step({path: named[path] for path in own})

    @property
    def lr(self) -> float:
        """The rate of the next step."""
        return float(self._parts[0][0].lr)

    @property
    def state(self) -> Mapping[str, Mapping[str, Array]]:
        """The state of both, by parameter path."""
        return MappingProxyType({k: v for opt, _ in self._parts for k, v in opt.state.items()})
