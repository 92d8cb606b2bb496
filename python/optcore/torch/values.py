"""Hyperparameters as torch's groups hold them, and as a step takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ..schedules import Schedule

_SETTLED = frozenset((float, int, bool, str, type(None)))


def of_group(group: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A group's hyperparameters, as values that nobody can change behind our back."""
    found = {
        name: value if type(value := group[name]) in _SETTLED else settled(value, name)
        for name in names
    }
    if found["state_dtype"] is None:
        found["state_dtype"] = "param"
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
