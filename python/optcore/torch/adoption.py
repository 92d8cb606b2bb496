"""State that lives in a torch optimizer, made fit for a step, and new state put there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import torch

from ..optimizers import slots
from ..optimizers.storage import assign
from ..typing import Array
from . import tensors
from .members import Member

State = MutableMapping[torch.Tensor, dict[str, Any]]


class Adoption:
    """The state of a torch optimizer on its way to a step and back.

    Args:
        state: `optimizer.state`.
        members: whose state it is.
        shared: whether the float64 scalars are the same for all, so that one who joins takes them
            from those who are there.
    """

    def __init__(self, state: State, members: Sequence[Member], shared: bool):
        self._state, self._shared = state, shared
        self._by_path = {each.path: each.param for each in members}
        self._kept: dict[tuple[str, str], torch.Tensor] = {}
        self._new: list[tuple[torch.Tensor, str]] = []

    def adopt(
        self, path: str, wanted: Mapping[str, slots.Slot], scalars: Iterable[str]
    ) -> dict[str, Array]:
        """The state that a parameter has, in the layout that a step needs."""
        state = self._state.get(self._by_path[path], {})
        found: dict[str, Array] = {}
        for name, slot in wanted.items():
            if isinstance(tensor := state.get(name), torch.Tensor):
                strided = tensor.layout == torch.strided  # torch's SGD has sparse buffers
                array = tensors.array_of(tensor if strided else tensor.to_dense())
                if strided and tensors.is_as_it_lies(tensor) and _lies_as(array, slot):
                    self._kept[path, name] = tensor
                else:
                    array = _laid_out(array, slot, f"state[{path!r}][{name!r}]")
                found[name] = array
        for name in scalars:
            if state.get(name) is not None:
                found[name], kept = number(state[name], f"state[{path!r}][{name!r}]")
                if kept is not None:
                    self._kept[path, name] = kept
            elif self._shared and (others := self._values(name)):
                found[name] = number(others[0], name)[0].copy()
        return found

    def _values(self, name: str) -> list[Any]:
        """What the others have for a scalar that all share."""
        values = (self._state.get(param, {}).get(name) for param in self._by_path.values())
        return [value for value in values if value is not None]

    def hand_out(
        self, member: Member, counter: torch.Tensor | None, arrays: Mapping[str, Array]
    ) -> None:
        """Puts a parameter's state where torch's optimizers have it."""
        made = {} if counter is None else {"step": counter}
        for name, array in arrays.items():
            kept = self._kept.get((member.path, name))
            made[name] = tensors.tensor_of(array, member.param) if kept is None else kept
        if made:
            state = self._state[member.param]
            self._new += [(member.param, name) for name in made if name not in state]
            state.update(made)

    def stepped(self) -> None:
        """The state is in use: it stays."""
        self._new.clear()

    def withdraw(self) -> None:
        """Takes back what was made for a step that did not take place."""
        for param, name in self._new:
            state = self._state[param]
            del state[name]
            if not state:
                del self._state[param]
        self._new.clear()


def _lies_as(array: Array, slot: slots.Slot) -> bool:
    """Whether an array can be stepped where it lies."""
    steps = zip(array.strides, slot.strides, array.shape, strict=False)
    return (
        array.dtype == slot.dtype
        and array.shape == slot.shape
        and (array.size == 0 or all(mine == its for mine, its, n in steps if n > 1))
    )


def _laid_out(array: Array, slot: slots.Slot, where: str) -> Array:
    """The same values as the slot has to hold them."""
    if array.shape != slot.shape:
        raise ValueError(
            f"{where}: expected shape {slot.shape}, got {array.shape}; is it the state of another "
            "parameter?"
        )
    if (array.dtype == np.uint8) != (slot.dtype == np.uint8):
        raise TypeError(
            f"{where}: expected {slot.dtype}, got {array.dtype}; 8-bit state goes with "
            "state_dtype='8bit' and no other: set it as it was when the state was made"
        )
    [made] = slots.allocate([{"it": slot}])
    assign(made["it"], array)
    return made["it"]


def number(value: Any, where: str) -> tuple[Array, torch.Tensor | None]:
    """A float64 that a step can update: the tensor's own memory, where it is one.

    Raises:
        TypeError: it is no number.
    """
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        if value.dtype == torch.float64 and value.dim() == 0 and value.device.type == "cpu":
            return value.detach().numpy(), value
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(
            f"{where}: expected a number, got {value!r}; load the state as it was saved"
        )
    return np.full((), float(value), np.float64), None


def step_number(value: Any, where: str) -> tuple[Array, torch.Tensor | None]:
    """The same for the number of steps taken.

    Raises:
        ValueError: it is no whole number from 0 to 2⁶⁴.
    """
    array, kept = number(value, where)
    if not (0 <= array < 2.0**64 and array == np.floor(array)):
        raise ValueError(
            f"{where}: expected a whole number of steps, 0 or more, got {float(array)}; load the "
            "state as it was saved"
        )
    return array, kept
