"""Hyperparameters as torch's groups hold them, and as a step takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ..schedules import Schedule

STEP_OPTIONS = ("clip_norm", "clip_value", "nonfinite", "ema", "low_precision", "seed", "threads")
"""What belongs to the step as a whole, not to a group."""

_SETTLED = frozenset((float, int, bool, str, type(None)))
_OF_THE_WHOLE = frozenset(STEP_OPTIONS)


def of_group(group: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A group's hyperparameters, as values that nobody can change behind our back."""
    try:
        found = {
            name: value if type(value := group[name]) in _SETTLED else settled(value, name)
            for name in names
        }
    except KeyError as error:
        raise KeyError(
            f"param_groups: expected {error.args[0]!r} in every group, got one without; set it"
        ) from None
    if found["state_dtype"] is None:
        found["state_dtype"] = "param"
    if group.get("capturable") or group.get("differentiable"):
        name = "capturable" if group.get("capturable") else "differentiable"
        raise RuntimeError(
            f"{name}=True is not supported: the step is no graph of torch operations; leave {name} "
            "out, or use torch.optim"
        )
    if not _OF_THE_WHOLE.isdisjoint(group):
        name = min(_OF_THE_WHOLE.intersection(group))
        raise ValueError(
            f"{name}: expected for the whole optimizer, got it for one group; take it out of the "
            "group, and pass it to the constructor"
        )
    return found


def settled(value: Any, name: str) -> Any:
    """A tensor as its number, a list as a tuple; schedules are an error.

    >>> settled([0.9, torch.tensor(0.5)], "betas")
    (0.9, 0.5)
    """
    if name == "state_dtype":
        return _state_dtype(value)
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element: got {tuple(value.shape)}")
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(settled(each, f"{name}[{i}]") for i, each in enumerate(value))
    if isinstance(value, Schedule) or callable(value):
        raise TypeError(
            f"{name}: expected a number, as torch's groups hold, got {value!r}; let a scheduler "
            "set it: optcore.torch.LRScheduler(optimizer, schedule)"
        )
    return value


def _state_dtype(value: Any) -> Any:
    """A state format, or formats by slot, by optcore's names.

    >>> _state_dtype({"exp_avg": torch.bfloat16}), _state_dtype("8bit")
    ({'exp_avg': 'bfloat16'}, '8bit')
    """
    if isinstance(value, Mapping):
        return {slot: _state_dtype(each) for slot, each in value.items()}
    return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else value
