"""Which parameters a torch optimizer steps, and where everything of them lies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from . import tensors

if TYPE_CHECKING:
    from .optimizer import TorchOptimizer

Place = tuple[Any, ...]
"""Address and layout of a tensor's memory: another one is somewhere else, or something else."""


@dataclass(frozen=True, eq=False)
class Member:
    """A parameter that is stepped: its group, its name, and where it lay."""

    group: int
    name: str
    param: torch.Tensor
    place: Place

    def is_as(self, other: Member) -> bool:
        """Whether this is the same parameter in the same place."""
        alike = (self.group, self.name, self.place) == (other.group, other.name, other.place)
        return alike and self.param is other.param

    @property
    def path(self) -> str:
        """The name as trees of parameters have it."""
        return self.name.replace("~", "~0").replace("/", "~1")


def members(owner: TorchOptimizer, stepped: Collection[int] = ()) -> list[Member]:
    """The parameters to be stepped: those with a gradient, with state, or with one of these ids."""
    found, index = [], 0
    for g, group in enumerate(owner.param_groups):
        names = group.get("param_names")
        for i, param in enumerate(group["params"]):
            name = str(index) if names is None else names[i]
            index += 1
            if (
                param.grad is not None
                or id(param) in stepped
                or owner.state.get(param)
                or (owner._together and param.requires_grad)
            ):
                found.append(Member(g, name, param, place(param)))
    return found


def place(tensor: torch.Tensor) -> Place:
    """Where a tensor lies, as far as it is in this process."""
    mine = tensors.local(tensor)
    return mine.data_ptr(), tuple(mine.shape), mine.stride(), mine.dtype, mine.device


def places(state: Mapping[str, Any]) -> dict[str, tuple[torch.Tensor, Place]]:
    """The tensors of a parameter's state, and where they lie."""
    return {name: (t, place(t)) for name, t in state.items() if isinstance(t, torch.Tensor)}


def unmoved(state: Mapping[str, Any], was: Mapping[str, tuple[torch.Tensor, Place]]) -> bool:
    """Whether all of these tensors are there, and lie where they lay."""
    return all(state.get(name) is t and place(t) == at for name, (t, at) in was.items())
