"""Errors of the optimizer inside, in the words of those who know it as a torch optimizer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import NonFiniteError
from .members import named, path_of

if TYPE_CHECKING:
    from torch.optim.optimizer import Optimizer

_SAID = (
    (r"expected an array, as", "expected a dense gradient, as"),
    (r"got rows; scatter them into an array of zeros", "got a sparse one; use .to_dense()"),
    (r"expected a number, a schedule or a function of the step", "expected a number"),
    (r" or oc\.schedules\.Cosine\(1e-3, 1000\)", ""),
    (r"\boc\.", "optcore."),
    (r"\.astype\(np\.float32\)", ".float()"),
    (r"\barray(s?)\b", r"tensor\1"),
    (r"\bgroups\[(\d+)\]/(\w+)", r"param_groups[\1]['\2']"),
    (r"(?<!_)\bgroups\[(\d+)\]", r"param_groups[\1]"),
)
"""What is said there, and what takes its place here."""

_BEFORE = r"(?:^|(?<=parameters: )|(?<=memory: )|(?<=for )|(?<=that ))"
"""What stands before a bare path; a number elsewhere is none ("at index 0: 1.5")."""


def names(optimizer: Optimizer) -> dict[str, str]:
    """What every parameter is called in errors, by its path in the optimizer inside.

    >>> import torch
    >>> x, y = torch.zeros(1), torch.zeros(1)
    >>> names(torch.optim.SGD([{"params": [x]}, {"params": [y]}]))
    {'0': "param_groups[0]['params'][0]", '1': "param_groups[1]['params'][0]"}
    >>> names(torch.optim.SGD([("weight", x)]))
    {'weight': 'weight'}
    """
    found: dict[str, str] = {}
    groups = getattr(optimizer, "param_groups", ())  # none as it is being made
    for g, i, name, _ in named(groups):
        called = groups[g].get("param_names") is not None
        found[path_of(name)] = name if called else f"param_groups[{g}]['params'][{i}]"
    return found


def translate(error: Exception, called: Mapping[str, str], estimates: bool = False) -> None:
    """Puts an error into torch's words, in place.

    Args:
        error: as the optimizer inside raised it.
        called: the parameters' names, see `names`.
        estimates: whether what stands for gradients there is the argument of `update_hessian`.
    """
    if not error.args or not isinstance(error.args[0], str):
        return
    grads = {path: f"{name}.grad" for path, name in called.items()}
    if estimates:
        grads = {path: f"hessian[{i}]" for i, path in enumerate(called)}
    text = error.args[0]
    if called:
        path = "(" + "|".join(map(re.escape, sorted(called, key=len, reverse=True))) + r")(?!\w)"
        for form, named in (
            (rf"\bgroups\[\d+\]/params/{path}", called),
            (rf"\b(?:grads|hessian)(?:\[\d+\])?/{path}(?:\[\])?", grads),
            (rf"{_BEFORE}{path}(?=: |, which| uses as well)", called),
            (rf"(?<=\bstate\[)'{path}'(?=\])", called),
        ):
            text = re.sub(form, lambda found, named=named: named[found[1]], text)  # type: ignore[misc]
    for pattern, ours in _SAID:
        text = re.sub(pattern, ours, text)
    error.args = (text, *error.args[1:])
    if isinstance(error, NonFiniteError):
        error.path = called.get(error.path, error.path)
