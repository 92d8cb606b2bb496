"""What takes the steps of a torch optimizer: an optcore optimizer over the same memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .. import _core
from ..optimizers.directed import DirectedOptimizer
from ..optimizers.storage import assign, is_half
from ..typing import Array
from . import tensors, values
from .adoption import Adoption, step_number
from .members import Member, members, places, unmoved

if TYPE_CHECKING:
    from .optimizer import TorchOptimizer

OF_ROWS = ("adafactor", "rowwise_adagrad")
"""The rules of the core that walk rows: they step a copy of what is 16 bits, or lies otherwise."""


class Engine:
    """An optcore optimizer over the parameters and the state of a torch optimizer.

    It is made at the first step, and anew whenever something is not where it was: a parameter
    that has its first gradient, state that was loaded, a hyperparameter that decides which state
    there is. All that has to outlive it is in `state` and `param_groups` of the torch optimizer.
    It does not hold that optimizer, as the two would keep each other's memory until the garbage
    collector comes by.
    """

    def __init__(self, owner: TorchOptimizer, before: Engine | None):
        self._seen = [values.of_group(group, owner._names) for group in owner.param_groups]
        self._members = members(owner, before._stateless if before else ())
        self._copied: list[tuple[torch.Tensor, Array]] = []
        for each in self._members:
            _check(each, owner)
        groups: list[dict[str, Any]] = [
            {**seen, "params": self._of_group(index, lambda param: self._array_of(param, owner))}
            for index, seen in enumerate(self._seen)
        ]
        if self._copied:  # of the others, the core sees whether they share memory
            tensors.check_apart(
                [tensors.array_of(each.param) for each in self._members],
                [each.name for each in self._members],
            )
        self._adoption = Adoption(owner.state, self._members, owner._kind.kind() == "global")
        self.inner: Any = owner._kind(groups, **owner._options, _adopt=self._adoption.adopt)
        counters = self._tell_steps(owner)
        for each, counter in zip(self._members, counters, strict=True):
            self._adoption.hand_out(each, counter, self.inner._state[each.path])
        self._state = [places(owner.state.get(each.param, {})) for each in self._members]
        self._watch = self._watched()

    @property
    def _stateless(self) -> set[int]:
        """The ids of parameters of which nothing but this engine knows that they are stepped."""
        pairs = zip(self._members, self._state, strict=True)
        return {id(each.param) for each, state in pairs if not state}

    def _of_group(self, index: int, what: Callable[[torch.Tensor], Any]) -> dict[str, Any]:
        return {each.name: what(each.param) for each in self._members if each.group == index}

    def _array_of(self, param: torch.Tensor, owner: TorchOptimizer) -> Array:
        """The array to be stepped: the parameter's memory, or a copy where that will not do."""
        array = tensors.memory_of(param)
        of_rows = owner._kind.rule in OF_ROWS
        wide = is_half(array) and of_rows
        if wide and owner._options["low_precision"] is not None:
            raise TypeError(
                f"low_precision: expected None, as {type(owner).__name__} keeps nothing beside "
                f"{param.dtype} parameters, got {owner._options['low_precision']!r}; step float32 "
                "parameters, and round these from them"
            )
        in_place = array.flags.c_contiguous if of_rows else tensors.is_dense(array)
        if in_place and not wide and tensors.is_as_it_lies(param):
            return array
        copy = np.empty(array.shape, np.float32 if wide else array.dtype)
        assign(copy, array)  # state that mirrors the parameter starts from it
        self._copied.append((param, copy))
        return copy

    def _tell_steps(self, owner: TorchOptimizer) -> list[torch.Tensor | None]:
        """Gives every parameter its step number, which lies in its state or follows from it."""
        stepper, steps = self.inner._stepper, []
        counters: list[torch.Tensor | None] = []
        for k, each in enumerate(self._members):
            state = owner.state.get(each.param, {})
            if not owner._counts:  # in torch's state neither: there is a buffer from step 1 on
                had = (state.get(name) is not None for name in self.inner._state[each.path])
                steps.append(int(any(had)))
                counters.append(None)
                continue
            counter, kept = step_number(state.get("step", 0.0), f"state[{each.name!r}]['step']")
            counters.append(torch.from_numpy(counter) if kept is None else kept)
            stepper.set_counter(k, counter)
            steps.append(int(counter))
        stepper.set_steps(max(steps, default=0), steps)
        return counters

    def withdraw(self) -> None:
        """Takes back state that was made for a step that did not take place."""
        self._adoption.withdraw()

    # Steps. ------------------------------------------------------------------------------------

    def in_step(self, owner: TorchOptimizer) -> bool:
        """Takes over the groups' hyperparameters; False where they need a new engine."""
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
        all_seen = [*self._seen[:index], normalized, *self._seen[index + 1 :]]
        mine._kind._check_groups(all_seen)
        mine._take(normalized)
        return True

    def step(self, owner: TorchOptimizer) -> bool | None:
        """One step, or none because of `nonfinite` (False), or None: something has moved."""
        if self._watch is not None:
            stepped = self._watch.step(owner.param_groups, owner.state, 1.0)
            if stepped is False:
                self.inner._refused()
                return False
            if stepped is not None:
                torch.autograd.graph.increment_version(stepped)
                self._adoption.stepped()
                return True
        if not self.current(owner):
            return None
        return self._step_by_arrays(owner)

    def _step_by_arrays(self, owner: TorchOptimizer) -> bool:
        """A step on NumPy views of everything: slower, and right for every kind of tensor."""
        grads = [
            {
                each.name: tensors.gradient_of(each.param, each.name, owner._takes_whole(seen))
                for each in self._members
                if each.group == g
            }
            for g, seen in enumerate(self._seen)
        ]
        skipped = self.inner.skipped_steps
        self._fill_copies()
        self.inner.step(grads)
        if self.inner.skipped_steps != skipped:
            return False
        for param, copy in self._copied:
            if param.grad is not None:
                tensors.write(param, copy)
        self._adoption.stepped()
        torch.autograd.graph.increment_version(
            [each.param for each in self._members if each.param.grad is not None]
        )
        return True

    def _fill_copies(self) -> None:
        for param, copy in self._copied:
            assign(copy, tensors.array_of(param))

    def update_hessian(self, given: Mapping[torch.Tensor, torch.Tensor | None]) -> None:
        """Sophia's estimates, by parameter, to the optimizer that takes them."""
        arrays = {p: None if h is None else tensors.array_of(h) for p, h in given.items()}
        self.inner.update_hessian(
            [self._of_group(index, arrays.get) for index in range(len(self._seen))]
        )

    def evaluated(self) -> list[tuple[torch.Tensor, Array]]:
        """Every parameter, and what it is in eval mode."""
        self._fill_copies()
        arrays = zip(self._members, self.inner._arrays, strict=True)
        return [(each.param, self.inner._evaluated(each.path, array)) for each, array in arrays]

    def current(self, owner: TorchOptimizer) -> bool:
        """Whether everything lies where it lay when this was made."""
        now = members(owner, self._stateless)
        return len(now) == len(self._members) and all(
            new.is_as(old) and unmoved(owner.state.get(old.param, {}), state)
            for new, old, state in zip(now, self._members, self._state, strict=True)
        )

    def _watched(self) -> _core.TensorWatch | None:
        """The core's own way of looking at all that, where torch has it and the rule is its."""
        plain = all(
            type(each.param) in tensors.PLAIN and not each.param.is_complex()
            for each in self._members
        )
        directed = isinstance(self.inner, DirectedOptimizer)
        if tensors.API is None or directed or self._copied or not plain:
            return None
        watch = _core.TensorWatch(self.inner._stepper, tensors.API, tensors.PLAIN)
        for each, state in zip(self._members, self._state, strict=True):
            watch.add(each.param, each.group, [(name, t) for name, (t, _) in state.items()])
        return watch


def _check(member: Member, owner: TorchOptimizer) -> None:
    """Raises an error unless this parameter can be stepped by this optimizer."""
    group, rule = owner.param_groups[member.group], type(owner).__name__
    tensors.check(member.param, member.name, group.get("fused"))
    tensors.check_sharding(member.param, member.name, rule, owner._of_wholes())
    if not member.param.is_complex():
        return
    if owner._kind.kind() != "elementwise":
        raise RuntimeError(
            f"{rule} does not support complex parameters: {member.name}: expected a real tensor, "
            "as the rule looks at whole tensors; make torch.view_as_real of it the parameter, or "
            "take an elementwise rule"
        )
    if group["state_dtype"] not in (None, "float32", torch.float32):
        raise TypeError(
            f"state_dtype: expected None for {member.name}, which is complex, got "
            f"{group['state_dtype']!r}; there are no complex numbers of 16 or 8 bits"
        )
