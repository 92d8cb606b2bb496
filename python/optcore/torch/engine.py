"""What takes the steps of a torch optimizer: an optcore optimizer over the same memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .. import _core
from ..optimizers import slots
from ..optimizers.directed import DirectedOptimizer
from ..optimizers.storage import assign, is_half
from ..typing import Array
from . import tensors, values

if TYPE_CHECKING:
    from .optimizer import TorchOptimizer


OF_ROWS = ("adafactor", "rowwise_adagrad")
"""The rules of the core that walk rows: they step a copy of what is 16 bits, or lies otherwise."""


@dataclass(frozen=True)
class Member:
    """A parameter that is stepped: its group, its path there, and where it lay."""

    group: int
    path: str
    param: torch.Tensor
    place: tuple[Any, ...]


class Engine:
    """An optcore optimizer over the parameters and the state of a torch optimizer.

    It is made at the first step, and anew whenever something is not where it was: a parameter
    that has its first gradient, state that was loaded, a hyperparameter that decides which state
    there is. All that has to outlive it is in `state` and `param_groups` of the torch optimizer.
    """

    def __init__(self, owner: TorchOptimizer, before: Engine | None):
        self._owner = owner
        self._seen = [values.of_group(group, owner._names) for group in owner.param_groups]
        self._members = members(owner, before)
        self._by_path = {each.path: each.param for each in self._members}
        for each in self._members:
            tensors.check(each.param, each.path, owner.param_groups[each.group].get("fused"))
            tensors.check_sharding(each.param, each.path, type(owner).__name__, owner._of_wholes())
            if each.param.is_complex() and owner._kind.kind() != "elementwise":
                raise RuntimeError(
                    f"{type(owner).__name__} does not support complex parameters: {each.path}: "
                    "expected a real tensor, as the rule looks at whole tensors; make "
                    "torch.view_as_real of it the parameter, or take an elementwise rule"
                )
        self._copied: list[tuple[torch.Tensor, Array]] = []
        groups: list[dict[str, Any]] = [
            {**seen, "params": self._of_group(index, self._array_of)}
            for index, seen in enumerate(self._seen)
        ]
        if self._copied:  # of the others, the core sees whether they share memory
            tensors.check_apart(
                [tensors.array_of(each.param) for each in self._members],
                [each.path for each in self._members],
            )
        self._kept: dict[tuple[str, str], torch.Tensor] = {}
        self._new: list[tuple[torch.Tensor, str]] = []
        self.inner: Any = owner._kind(groups, **owner._options, _adopt=self._adopt)
        self._tell_steps(before)
        self._hand_out_state()
        self._state = [
            {name: (t, _address(t)) for name, t in owner.state.get(each.param, {}).items()
             if isinstance(t, torch.Tensor)}
            for each in self._members
        ]  # fmt: skip
        self._watch = self._watched()

    def _of_group(self, index: int, what: Any) -> dict[str, Any]:
        return {each.path: what(each.param) for each in self._members if each.group == index}

    def _array_of(self, param: torch.Tensor) -> Array:
        """The array to be stepped: the parameter's memory, or a copy where that will not do."""
        array = tensors.array_of(param)
        of_rows = self._owner._kind.rule in OF_ROWS
        wide = is_half(array) and of_rows
        as_it_lies = array.flags.c_contiguous if of_rows else tensors.is_dense(array)
        if as_it_lies and not wide:
            return array
        copy = np.empty(array.shape, np.float32 if wide else array.dtype)
        self._copied.append((param, copy))
        return copy

    # State: taken over, made, handed out. ------------------------------------------------------

    def _adopt(
        self, path: str, wanted: Mapping[str, slots.Slot], scalars: Iterable[str]
    ) -> dict[str, Array]:
        """The state that a parameter has, in the layout that a step needs."""
        state = self._owner.state.get(self._by_path[path], {})
        found: dict[str, Array] = {}
        for name, slot in wanted.items():
            if isinstance(tensor := state.get(name), torch.Tensor):
                if tensor.layout == torch.sparse_coo:  # torch's SGD has such buffers
                    tensor = tensor.to_dense()
                array = tensors.array_of(tensor)
                if _lies_as(array, slot):
                    self._kept[path, name] = tensor
                else:
                    array = _laid_out(array, slot, f"state[{path!r}][{name!r}]")
                found[name] = array
        for name in scalars:
            if state.get(name) is not None:
                found[name], kept = _number(state[name])
                if kept is not None:
                    self._kept[path, name] = kept
        return found

    def _tell_steps(self, before: Engine | None) -> None:
        """Gives every parameter its step number, which lies in its state or follows from it."""
        stepper = self.inner._stepper
        self._counters: list[torch.Tensor] = []
        steps = []
        for k, each in enumerate(self._members):
            state = self._owner.state.get(each.param, {})
            if not self._owner._counts:
                had = (state.get(name) is not None for name in self.inner._state[each.path])
                steps.append(int(any(had)))
                continue
            counter, kept = _number(state.get("step", 0.0))
            self._counters.append(torch.from_numpy(counter) if kept is None else kept)
            stepper.set_counter(k, counter)
            steps.append(int(counter))
        most = 0 if before is None else before.inner.step_count
        stepper.set_steps(max([most, *steps]), steps)

    def _hand_out_state(self) -> None:
        """Puts what was made into the torch optimizer's state."""
        for k, each in enumerate(self._members):
            made = {"step": self._counters[k]} if self._counters else {}
            for name, array in self.inner._state[each.path].items():
                kept = self._kept.get((each.path, name))
                made[name] = tensors.tensor_of(array, each.param) if kept is None else kept
            if not made:
                continue
            state = self._owner.state[each.param]
            self._new += [(each.param, name) for name in made if name not in state]
            state.update(made)

    def withdraw(self) -> None:
        """Takes back state that was made for a step that failed."""
        for param, name in self._new:
            state = self._owner.state[param]
            del state[name]
            if not state:
                del self._owner.state[param]

    # Steps. ------------------------------------------------------------------------------------

    def in_step(self) -> bool:
        """Takes over the groups' hyperparameters; False where they need a new engine."""
        owner = self._owner
        if len(owner.param_groups) != len(self._seen):
            return False
        for index, group in enumerate(owner.param_groups):
            now = values.of_group(group, owner._names)
            if now != self._seen[index]:
                if not self._take(index, now):
                    return False
                self._seen[index] = now
        return True

    def _take(self, index: int, now: dict[str, Any]) -> bool:
        mine, seen = self.inner.groups[index], self._seen[index]
        if type(rate := now["lr"]) is float and now == {**seen, "lr": rate}:
            mine["lr"] = rate  # as schedulers do in every step, and so quicker than the rest
            return True
        if any(now[name] != seen[name] for name in mine._kind.fixed_names()):
            return False
        normalized = mine._kind._normalized(now)
        if mine._kind._variant(normalized) & ~mine._variant:
            return False
        mine._kind._check_groups(
            [
                {**self._seen[i], **(normalized if i == index else {})}
                for i in range(len(self._seen))
            ]
        )
        mine._take(normalized)
        return True

    def step(self) -> bool | None:
        """One step, or none because of `nonfinite` (False), or None: something has moved."""
        if self._watch is not None:
            stepped = self._watch.step(self._owner.param_groups, self._owner.state, 1.0)
            if stepped is False:
                self.inner._refused()
            elif stepped is not None:
                torch.autograd.graph.increment_version(stepped)
            if stepped is not None:
                self._new.clear()
                return stepped is not False
        if not self.current():
            return None
        return self._step_by_arrays()

    def _step_by_arrays(self) -> bool:
        """A step on NumPy views of everything: slower, and right for every kind of tensor."""
        grads = [
            {
                e.path: tensors.gradient_of(e.param, e.path, self._owner._takes_whole(seen))
                for e in self._members
                if e.group == g
            }
            for g, seen in enumerate(self._seen)
        ]
        skipped = self.inner.skipped_steps
        for param, copy in self._copied:
            assign(copy, tensors.array_of(param))
        self.inner.step(grads)
        for param, copy in self._copied:
            if param.grad is not None and self.inner.skipped_steps == skipped:
                assign(tensors.array_of(param), copy)
        self._new.clear()
        torch.autograd.graph.increment_version(
            [each.param for each in self._members if each.param.grad is not None]
        )
        return bool(self.inner.skipped_steps == skipped)

    def update_hessian(self, given: Mapping[torch.Tensor, torch.Tensor | None]) -> None:
        """Sophia's estimates, by parameter, to the optimizer that takes them."""
        arrays = {p: None if h is None else tensors.array_of(h) for p, h in given.items()}
        self.inner.update_hessian(
            [self._of_group(index, arrays.get) for index in range(len(self._seen))]
        )

    def current(self) -> bool:
        """Whether everything lies where it lay when this was made."""
        now = members(self._owner, self)
        return len(now) == len(self._members) and all(
            new.param is old.param
            and (new.group, new.path, new.place) == (old.group, old.path, old.place)
            and _unmoved(self._owner.state.get(old.param, {}), state)
            for new, old, state in zip(now, self._members, self._state, strict=True)
        )

    def evaluated(self) -> list[tuple[torch.Tensor, Array]]:
        """Every parameter, and what it is in eval mode."""
        arrays = zip(self._members, self.inner._arrays, strict=True)
        return [(each.param, self.inner._evaluated(each.path, array)) for each, array in arrays]

    def _watched(self) -> _core.TensorWatch | None:
        """The core's own way of looking at all that, where torch has it and the rule is its."""
        plain = all(type(each.param) in tensors.PLAIN for each in self._members)
        complex_ = any(each.param.is_complex() for each in self._members)
        if (
            tensors.API is None
            or isinstance(self.inner, DirectedOptimizer)
            or complex_
            or not plain
        ):
            return None
        watch = _core.TensorWatch(self.inner._stepper, tensors.API, tensors.PLAIN)
        for each, state in zip(self._members, self._state, strict=True):
            watch.add(each.param, each.group, [(name, t) for name, (t, _) in state.items()])
        return watch


def members(owner: TorchOptimizer, before: Engine | None) -> list[Member]:
    """The parameters to be stepped: those with a gradient, with state, or stepped before."""
    stepped = set() if before is None else {id(each.param) for each in before._members}
    found, index = [], 0
    for g, group in enumerate(owner.param_groups):
        names = group.get("param_names")
        for i, param in enumerate(group["params"]):
            path = str(index) if names is None else names[i]
            index += 1
            if (
                param.grad is not None
                or id(param) in stepped
                or owner.state.get(param)
                or (owner._together and param.requires_grad)
            ):
                found.append(Member(g, path, param, _place(param)))
    return found


def _place(param: torch.Tensor) -> tuple[Any, ...]:
    mine = tensors.local(param)
    return _address(mine), tuple(mine.shape), mine.stride(), mine.dtype, mine.device


def _address(tensor: torch.Tensor) -> int:
    return tensors.local(tensor).data_ptr()


def _unmoved(state: Mapping[str, Any], was: Mapping[str, tuple[torch.Tensor, int]]) -> bool:
    return all(state.get(name) is t and _address(t) == at for name, (t, at) in was.items())


def _lies_as(array: Array, slot: slots.Slot) -> bool:
    """Whether an array can be stepped where it lies."""
    return (
        array.dtype == slot.dtype
        and array.shape == slot.shape
        and all(
            a == b
            for a, b, n in zip(array.strides, slot.strides, array.shape, strict=True)
            if n > 1
        )
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


def _number(value: Any) -> tuple[Array, torch.Tensor | None]:
    """A float64 that a step can update: the tensor's own memory, where it is one."""
    if isinstance(value, torch.Tensor):
        if value.dtype == torch.float64 and value.dim() == 0 and value.device.type == "cpu":
            return value.detach().numpy(), value
        value = value.item()
    return np.full((), float(value), np.float64), None
