"""Trees that mirror the parameters: read leaf by leaf, or built from leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..typing import Array


def named_leaves(tree: Any, params: Any, grouped: bool, name: str) -> list[Array | None]:
    """The leaves of a tree that is nested as the parameters, or with groups of one tree for each.

    >>> named_leaves({"W": 1, "b": 2}, {"W": 3, "b": 4}, False, "copy_to")
    [1, 2]
    """
    if not grouped:
        return _matched(tree, params, name)
    if not isinstance(tree, (list, tuple)) or len(tree) != len(params):
        raise TypeError(
            f"{name}: expected a list of {len(params)} trees, one per group, got {tree!r:.80}; "
            "it mirrors the groups"
        )
    leaves: list[Array | None] = []
    for i, (mine, group) in enumerate(zip(tree, params, strict=True)):
        leaves += _matched(mine, group["params"], f"{name}[{i}]")
    return leaves


def _matched(tree: Any, params: Any, name: str) -> list[Array | None]:
    mine, wanted = _core.Tree(tree, name), _core.Tree(params, "params")
    if sorted(mine.paths) != sorted(wanted.paths):
        missing = sorted(set(wanted.paths) - set(mine.paths))
        extra = sorted(set(mine.paths) - set(wanted.paths))
        raise KeyError(
            f"{name}: expected arrays nested as the parameters; missing {missing}, unknown {extra}"
        )
    leaves = dict(zip(mine.paths, mine.leaves, strict=True))
    return [leaves[path] for path in wanted.paths]


def rebuilt(params: Any, grouped: bool, leaves: Sequence[Any]) -> Any:
    """The nesting of the parameters with other leaves, given in their order.

    >>> rebuilt({"W": 0, "layers": [0, 0]}, False, ["a", "b", "c"])
    {'W': 'a', 'layers': ['b', 'c']}
    """
    rest = iter(leaves)
    if grouped:
        return [_rebuilt(group["params"], rest) for group in params]
    return _rebuilt(params, rest)


def _rebuilt(node: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(node, Mapping):
        return {key: _rebuilt(child, leaves) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        children = [_rebuilt(child, leaves) for child in node]
        return children if isinstance(node, list) else tuple(children)
    return next(leaves)


def copied(tree: Any) -> Any:
    """The same nesting with copies of the arrays.

    >>> import numpy as np
    >>> params = {"W": np.ones(2)}
    >>> copied(params)["W"] is params["W"]
    False
    """
    leaves = _core.Tree(tree, "params").leaves
    return rebuilt(tree, False, [np.array(leaf) for leaf in leaves])
