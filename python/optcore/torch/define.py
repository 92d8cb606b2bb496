"""Torch optimizer classes, made from those of the NumPy door."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..optimizers.base import Optimizer
from ..optimizers.signature import defaults_of
from .optimizer import TorchOptimizer

_MORE: Mapping[str, tuple[str, Any]] = {
    "foreach": ("bool | None", None),
    "fused": ("bool | None", None),
    "capturable": ("bool", False),
    "differentiable": ("bool", False),
    "state_dtype": ("Any", None),
    "cautious": ("bool", False),
    "cautious_weight_decay": ("bool", False),
    "clip_norm": ("float | None", None),
    "clip_value": ("float | None", None),
    "nonfinite": ('Literal["propagate", "skip", "raise"]', "propagate"),
    "ema": ("EMA | None", None),
    "low_precision": ('Literal["master", "stochastic", "split"] | None', None),
    "seed": ("int", 0),
    "threads": ("int | None", None),
}
"""What every class takes besides: annotation and default."""

_AFTER: Mapping[str, tuple[str, ...]] = {
    "Adadelta": ("foreach",),
    "Adagrad": ("foreach",),
    "Adamax": ("foreach",),
    "ASGD": ("foreach", "maximize", "differentiable", "capturable"),
    "SparseAdam": ("maximize",),
    "RMSprop": ("capturable", "foreach", "maximize", "differentiable"),
}
"""What torch takes by position after the hyperparameters."""

_STATELESS = ("SGD", "Muon")
"""Whose state holds no step number, as in torch."""


def define(
    kind: type[Optimizer],
    name: str | None = None,
    always: Mapping[str, Any] | None = None,
    base: type[TorchOptimizer] = TorchOptimizer,
) -> type[TorchOptimizer]:
    """A torch optimizer that takes the steps of this class.

    Args:
        kind: the class of the NumPy door.
        name: of the new class, if not the same.
        always: hyperparameters that it has for good.
        base: what it is derived from.
    """
    name, always = name or kind.__name__, always or {}
    signature = _signature(kind, name, always)

    def init(self: TorchOptimizer, params: Any, *args: Any, **keywords: Any) -> None:
        bound = signature.bind(params, *args, **keywords)
        bound.apply_defaults()
        given = dict(bound.arguments)
        TorchOptimizer.__init__(self, given.pop("params"), given)

    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    init.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[this, *signature.parameters.values()]
    )
    return type(
        name,
        (base,),
        {
            "__init__": init,
            "__doc__": _doc(kind, name, *base._example),
            "__module__": "optcore.torch",
            "_kind": kind,
            "_names": _names(kind),
            "_always": {**_always(kind), **always},
            "_stateless": name in _STATELESS,
        },
    )


def _names(kind: type[Optimizer]) -> tuple[str, ...]:
    """The hyperparameters of a group of this class."""
    return tuple(_probed(kind)._defaults)


def _probed(kind: type[Optimizer]) -> Optimizer:
    return kind(np.zeros((2, 2), np.float32))  # type: ignore[call-arg]


def _always(kind: type[Optimizer]) -> dict[str, Any]:
    """What a class says of its rule without an argument for it: AdamW that decay is decoupled."""
    known = defaults_of(kind)
    masks = ("cautious", "cautious_weight_decay", "state_dtype")
    return {
        name: value
        for name, value in _probed(kind)._defaults.items()
        if name not in known and name not in masks
    }


def _signature(kind: type[Optimizer], name: str, always: Mapping[str, Any]) -> inspect.Signature:
    """As torch's class has it, then what only ours takes, by keyword."""
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    theirs = [
        each
        for each in inspect.signature(kind).parameters.values()
        if each.name != "common" and each.name not in always
    ]
    theirs = [each.replace(annotation=_annotation(each)) for each in theirs]
    first = [each for each in theirs if each.kind is positional]
    after = _AFTER.get(name, ())
    rest = {each.name: each for each in theirs if each.kind is not positional}
    rest |= {each.name: each for each in _more(kind)}
    first += [rest.pop(key).replace(kind=positional) for key in after]
    return inspect.Signature([*first, *rest.values()], return_annotation="None")


def _annotation(each: inspect.Parameter) -> str:
    """A hyperparameter of this door is a number, or a tensor of one, and no schedule."""
    if each.name == "params":
        return "ParamsT"
    return str(each.annotation).replace("Scalar", "float | Tensor")


def _more(kind: type[Optimizer]) -> list[inspect.Parameter]:
    """The keywords of every class."""
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
        )
        for name, (annotation, default) in _MORE.items()
        if kind.maskable() or not name.startswith("cautious")
    ]


def _doc(kind: type[Optimizer], name: str, model: str, batch: str) -> str:
    head = inspect.cleandoc(kind.__doc__ or "").partition("Example:")[0]
    return f"""{head.rstrip()}

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
