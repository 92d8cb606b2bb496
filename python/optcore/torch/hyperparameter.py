"""One number in each parameter group of a torch optimizer, to be read and written."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Hyperparameter:
    """A number in every parameter group, or one of a tuple of numbers.

    >>> sgd = torch.optim.Adam([torch.zeros(1)], betas=(0.9, 0.99))
    >>> beta1 = Hyperparameter.named("betas[0]", sgd.param_groups)
    >>> beta1.write(sgd.param_groups[0], 0.8)
    >>> sgd.param_groups[0]["betas"], beta1.read(sgd.param_groups[0])
    ((0.8, 0.99), 0.8)
    """

    key: str
    position: int | None = None

    @classmethod
    def named(cls, name: str, groups: Sequence[Mapping[str, Any]]) -> Hyperparameter:
        """The one of that name, such as "lr" or "betas[0]", which all groups need to have.

        Raises:
            TypeError: name is no str.
            ValueError: a group has no such number.
        """
        if not isinstance(name, str):
            raise TypeError(f"name: expected a str, got {name!r}; pass e.g. 'lr' or 'betas[0]'")
        found = {}
        for i, group in enumerate(groups):
            found = _numbers(group)
            if name not in found:
                raise ValueError(
                    f"name: expected one of {', '.join(found)}, got {name!r}, which is no number "
                    f"of param_groups[{i}]; pick one"
                )
        return found[name]

    def read(self, group: Mapping[str, Any]) -> Any:
        """A float, or a tensor where the user has put one."""
        value = group[self.key]
        return value if self.position is None else value[self.position]

    def write(self, group: dict[str, Any], value: float) -> None:
        """Puts a number there. A tensor stays the same object, for whoever else holds it."""
        now = self.read(group)
        if isinstance(now, torch.Tensor):
            with torch.no_grad():
                now.fill_(value)
        elif self.position is None:
            group[self.key] = value
        else:
            i, several = self.position, group[self.key]
            group[self.key] = (*several[:i], value, *several[i + 1 :])


def _numbers(group: Mapping[str, Any]) -> dict[str, Hyperparameter]:
    """Everything in a group that is a number, by name. Schedulers' own notes are left out."""
    found = {}
    for key, value in group.items():
        if key in ("params", "initial_lr"):
            continue
        if _is_number(value):
            found[key] = Hyperparameter(key)
        elif isinstance(value, (tuple, list)):
            for i, item in enumerate(value):
                if _is_number(item):
                    found[f"{key}[{i}]"] = Hyperparameter(key, i)
    return found


def _is_number(value: object) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and value.is_floating_point()
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
