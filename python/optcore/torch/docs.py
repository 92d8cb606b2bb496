"""Docstrings of the torch door, from those of the NumPy door.

Formula, sources and arguments are the same. What is otherwise here is said otherwise: parameters
are tensors, hyperparameters numbers, and there are no dialects.
"""

from __future__ import annotations

import inspect
import re

HERE = (
    (r"\n\nDialects?:.*?(?=\n\n)", ""),
    (r" The\s+dialect \"optax\" has both, \"paper\" the second\.", ""),  # of LARS
    (r"[,;]\s+(?:each\s+)?may\s+be\s+a\s+schedule\.", "."),
    (r", of a schedule its first value", ""),
    (r"may follow a schedule all", "may follow a scheduler all"),
    (r"For a schedule of the rate pass one that begins", "A scheduler of the rate should begin"),
    (r"\nParameters are float32 or float64 and C-contiguous;[^.]*\.", ""),
    (r"Gradients are arrays or `Rows`; with `Rows` only", "With a sparse gradient only"),
    (r"gradients are `Rows`", "gradients are sparse"),
    (r"\barray(s?)\b", r"tensor\1"),
    (r"The tensors hold y", "The parameters hold y"),
    (r"`Optimizer`", "`TorchOptimizer`"),
)
"""What stands there, and what takes its place here."""


def translated(doc: str) -> str:
    """The same docstring for a torch optimizer, without the example.

    >>> translated("lr: η; may be a schedule.\\n\\nDialects: none.\\n\\nExample:\\n")
    'lr: η.'
    """
    text = inspect.cleandoc(doc).partition("Example:")[0]
    for pattern, ours in HERE:
        text = re.sub(pattern, ours, text, flags=re.DOTALL)
    return text.rstrip()


def written(doc: str, name: str, model: str, batch: str) -> str:
    """The docstring of the torch optimizer of that name, with an example on a model."""
    return f"""{translated(doc)}

Behind this door `params` are torch tensors, and a hyperparameter is a number; the rest is as
`TorchOptimizer` says.

Example:
    >>> import torch, optcore.torch as ot
    >>> model = {model}
    >>> opt = ot.{name}(model.parameters())
    >>> before = model.weight.detach().clone()
    >>> for _ in range(10):
    ...     opt.zero_grad()
    ...     model({batch}).square().sum().backward()
    ...     opt.step()
    >>> bool((model.weight != before).any())
    True
"""
