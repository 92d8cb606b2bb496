"""What every optimizer shares: trees, groups, state, steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import numpy as np

from .. import _core
from ..typing import Array, Scalar, Tree
from . import hyper, slots, state_dict
from .group import Group, known_name

_RULES: dict[str, dict[str, Any]] = {rule["name"]: rule for rule in _core.rules()}

Loss = TypeVar("Loss")


@dataclass(frozen=True)
class StepOptions:
    """What belongs to the step as a whole, not to a group."""

    clip_norm: float | None
    clip_value: float | None
    threads: int | None


class Optimizer:
    """The base of all optimizers. It updates the caller's arrays in place.

    Args:
        params: a dict, list or tuple of NumPy arrays, nested as you like, or one array; or a list
            of groups `{"params": tree, "lr": ..., ...}`. Arrays are float32 or float64, dense
            (C- or Fortran-ordered, or any permutation of it), writable, and share no memory.
        values: the hyperparameters of every group that does not name its own.
        clip_norm: the global norm to which gradients are clipped before the step: all are
            multiplied by min(1, clip_norm / (norm + 1e-6)).
        clip_value: the limit of each gradient element, applied after `clip_norm`.
        threads: threads for a step; None takes the default (`set_num_threads`).

    Attributes:
        groups: the parameter groups, each a mapping of hyperparameters.
        state: `state["layers/0/W"]["exp_avg"]` is the array that the optimizer keeps.
    """

    rule: ClassVar[str]

    def __init__(
        self,
        params: Tree,
        values: Mapping[str, Any],
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        threads: int | None = None,
    ):
        self._defaults = self._normalized(dict(values))
        trees, overrides, grouped = _split_groups(params)
        self._stepper = _core.Stepper(self.rule, trees, grouped)
        self.groups: list[Group] = []
        self._set_options(StepOptions(clip_norm, clip_value, threads))
        for i, (tree, override) in enumerate(zip(trees, overrides, strict=True)):
            for name in override:
                known_name(name, list(self._defaults), f"groups[{i}]")
            group = self._normalized({**self._defaults, **override})
            self.groups.append(Group(type(self), self._stepper, i, group, tree.paths))
        self._add_parameters(trees)

    # What a rule says of itself. ---------------------------------------------------------------

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The core's hyperparameters, by its names, from a group's values."""
        raise NotImplementedError

    @classmethod
    def option_names(cls) -> list[str]:
        """The names of the options that decide which state there is."""
        return list(_RULES[cls.rule]["options"])

    @classmethod
    def scalar_names(cls) -> list[str]:
        """The names of the rule's float64 scalars per tensor."""
        return list(_RULES[cls.rule]["scalar_slots"])

    @classmethod
    def state_names(
        cls, values: Mapping[str, Any], params: list[Any]
    ) -> tuple[list[str], list[str]]:
        """The state arrays that a step with these values uses, and those of other options."""
        every = [name for variant in _RULES[cls.rule]["slots"] for name in variant]
        used = [*_RULES[cls.rule]["slots"][cls._variant(values)], *cls.scalar_names()]
        return used, [name for name in dict.fromkeys(every) if name not in used]

    @classmethod
    def hypers(cls) -> list[str]:
        """The names of the rule's scalars, in the core's order."""
        return list(_RULES[cls.rule]["hypers"])

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        """Whether each option of the rule is on: they decide which state there is."""
        return [bool(values[name]) for name in _RULES[cls.rule]["options"]]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        """Raises a ValueError where values do not go together."""

    def _initial(self, slot: str, values: Mapping[str, Any]) -> float:
        """What a state array starts from."""
        return 0.0

    _shown: ClassVar[Mapping[str, str]] = {}
    """The user's names of those of the core's scalars that have another one there."""

    _switches: ClassVar[tuple[str, ...]] = ("maximize",)
    """The values that are True or False."""

    _fixed: ClassVar[tuple[str, ...]] = ()
    """The values that decide which state there is, or how it starts."""

    # Steps. ------------------------------------------------------------------------------------

    def step(
        self, grads: Tree | None = None, *, closure: Callable[[], tuple[Loss, Tree]] | None = None
    ) -> Loss | None:
        """Updates every parameter that has a gradient, in place.

        Args:
            grads: the gradients, nested as the parameters are; None in the place of a gradient
                leaves its parameter, state and step number alone. May be left out after `bind`.
            closure: a function that returns the loss and the gradients, in the place of `grads`.

        Returns:
            The closure's loss, else None.

        Raises:
            KeyError: a gradient is missing or has no parameter.
            TypeError: a gradient is no array of real floats.
            ValueError: a shape does not fit, memory overlaps, a scheduled value is out of range,
                or a parameter array was replaced.
            RuntimeError: another thread is stepping this optimizer.

        On any error no parameter, no state and no step number has changed.
        """
        if closure is None:
            self._stepper.step(grads)
            return None
        if grads is not None:
            raise TypeError("step: expected gradients or a closure, got both; pass one of them")
        result = closure()
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(
                f"closure: expected the loss and the gradients, got {result!r}; "
                "return (loss, grads)"
            )
        loss, grads = result
        self._stepper.step(grads)
        return loss

    def bind(self, grads: Tree | None) -> None:
        """Fixes gradient arrays that stay where they are; `step()` then needs no argument.

        Write each new gradient into the bound arrays (`g[...] = ...`, `out=g`). The arrays are
        checked once, here; `bind(None)` lets them go.
        """
        self._stepper.bind(grads)

    @property
    def step_count(self) -> int:
        """The number of steps taken. The next step uses schedules at this number."""
        return self._stepper.step_count

    @property
    def grad_norm(self) -> float:
        """The gradients' norm before clipping, as the last step with `clip_norm` found it."""
        norm = self._stepper.grad_norm
        if norm != norm and self.clip_norm is None:
            raise AttributeError(
                "grad_norm: no step has taken the norm; expected clip_norm to be set: "
                "pass clip_norm=float('inf') or a limit"
            )
        return norm

    # Hyperparameters. --------------------------------------------------------------------------

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Setting it replaces number or schedule everywhere."""
        rates = [float(group["lr"]) for group in self.groups]
        if any(rate != rates[0] for rate in rates):
            raise ValueError(
                f"lr: expected one learning rate, but the groups have {rates}; "
                "read opt.groups[i]['lr']"
            )
        return rates[0]

    @lr.setter
    def lr(self, value: Scalar) -> None:
        hyper.check(self.rule, "lr", value, "lr")
        for group in self.groups:
            group["lr"] = value

    @property
    def clip_norm(self) -> float | None:
        """The limit of the gradients' global norm, or None."""
        return self._step_options.clip_norm

    @clip_norm.setter
    def clip_norm(self, value: float | None) -> None:
        self._set_options(replace(self._step_options, clip_norm=value))

    @property
    def clip_value(self) -> float | None:
        """The limit of each gradient element, or None."""
        return self._step_options.clip_value

    @clip_value.setter
    def clip_value(self, value: float | None) -> None:
        self._set_options(replace(self._step_options, clip_value=value))

    @property
    def threads(self) -> int | None:
        """The threads of a step, or None for the default."""
        return self._step_options.threads

    @threads.setter
    def threads(self, value: int | None) -> None:
        self._set_options(replace(self._step_options, threads=value))

    # State. ------------------------------------------------------------------------------------

    @property
    def state(self) -> Mapping[str, Mapping[str, Array]]:
        """The state arrays, by parameter path and slot name. The arrays are the optimizer's own."""
        return MappingProxyType({p: MappingProxyType(s) for p, s in self._state.items()})

    def state_dict(self, *, copy: bool = False) -> dict[str, Any]:
        """Everything needed to go on from here, as plain dicts, numbers and arrays.

        Args:
            copy: False gives views of the state, which change with the next step.

        Returns:
            `{"format": 1, "rule", "options", "groups", "step", "param_steps", "state"}`.
        """
        return state_dict.save(self, copy)

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes over a state dict, copying its arrays; all of it or, on an error, nothing.

        Raises:
            KeyError: an entry, parameter or slot is missing or unknown.
            ValueError: another rule, format, option or shape.
            TypeError: an entry of the wrong type.
        """
        state_dict.load(self, saved)

    def __reduce__(self) -> Any:
        """An optimizer belongs to the arrays it was made over, so it is not copied on its own."""
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied, as it updates arrays that it does "
            "not own; save state_dict(copy=True) and load it into an optimizer over the new arrays"
        )

    def __repr__(self) -> str:
        values = self.groups[0]._values
        shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
        groups = f", {len(self.groups)} groups" if len(self.groups) > 1 else ""
        return f"{type(self).__name__}({len(self._paths)} parameters{groups}, {shown})"

    # Inside. -----------------------------------------------------------------------------------

    @classmethod
    def _normalized(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A group's values, each checked; functions become schedules."""
        for name in cls._switches:
            if not isinstance(values[name], (bool, np.bool_)):
                raise TypeError(
                    f"{name}: expected True or False, got {values[name]!r}; pass a bool"
                )
        for name, value in cls._scalars(values).items():
            hyper.check(cls.rule, name, value, cls._shown.get(name, name))
        cls._check(values)
        return {name: hyper.settled(value, name) for name, value in values.items()}

    def _set_options(self, options: StepOptions) -> None:
        self._stepper.set_options(
            hyper.limit(options.clip_norm, "clip_norm", hyper.NO_NORM),
            hyper.limit(options.clip_value, "clip_value", hyper.NO_LIMIT),
            hyper.thread_count(options.threads),
        )
        self._step_options = options

    @classmethod
    def _variant(cls, values: Mapping[str, Any]) -> int:
        return sum(1 << bit for bit, on in enumerate(cls._options(values)) if on)

    def _add_parameters(self, trees: list[_core.Tree]) -> None:
        """Makes the state of every parameter and hands both to the core."""
        leaves = [(g, i, a) for g, tree in enumerate(trees) for i, a in enumerate(tree.leaves)]
        self._paths = [trees[g].paths[i] for g, i, _ in leaves]
        _check_unique(trees)
        for g, i, array in leaves:
            self._check_parameter(array, _name(trees[g], i))
        wanted = [self._slots_of(g, array) for g, _, array in leaves]
        memory = iter(slots.allocate([slot for each in wanted for slot in each.values()]))
        self._state: dict[str, dict[str, Array]] = {}
        for (g, i, _), each, path in zip(leaves, wanted, self._paths, strict=True):
            values = self.groups[g]._values
            state = {name: next(memory) for name in each}
            for name, array in state.items():
                if start := self._initial(name, values):
                    array[...] = start
            scalars: Array | None = None
            for name in _RULES[self.rule]["scalar_slots"]:
                scalars = np.full((), self._initial(name, values), np.float64)
                state[name] = scalars
            self._stepper.add(g, i, [state[name] for name in each], scalars)
            self._state[path] = state
        self._stepper.finish()

    def _check_parameter(self, array: Any, name: str) -> None:
        """Raises if an array cannot be a parameter of this rule."""
        _core.check_param(array, name)

    def _slots_of(self, group: int, param: Array) -> dict[str, slots.Slot]:
        """The state arrays that a parameter needs, by name."""
        names = _RULES[self.rule]["slots"][self._variant(self.groups[group]._values)]
        return {name: slots.like(param, k, len(names)) for k, name in enumerate(names)}


def _split_groups(params: Any) -> tuple[list[_core.Tree], list[dict[str, Any]], bool]:
    """The trees of all groups, what each group sets for itself, and whether there are groups.

    Groups are a non-empty list or tuple of dicts that all have the key "params".
    """
    if isinstance(params, Iterator):
        raise TypeError(
            "params: expected arrays in a dict, list or tuple, got an iterator; "
            "the tree is looked at in every step: pass list(...)"
        )
    grouped = (
        isinstance(params, (list, tuple))
        and len(params) > 0
        and all(isinstance(item, dict) and "params" in item for item in params)
    )
    trees = [_core.Tree(params, "params")]
    overrides: list[dict[str, Any]] = [{}]
    if grouped:
        trees = [_core.Tree(item["params"], f"groups[{i}]/params") for i, item in enumerate(params)]
        overrides = [{k: v for k, v in item.items() if k != "params"} for item in params]
    if not any(tree.paths for tree in trees):
        raise ValueError(
            "optimizer got an empty parameter list: expected at least one array in params; "
            "pass e.g. {'W': W, 'b': b}"
        )
    return trees, overrides, grouped


def _name(tree: _core.Tree, leaf: int) -> str:
    return f"{tree.root}/{tree.paths[leaf]}" if tree.paths[leaf] else tree.root


def _check_unique(trees: list[_core.Tree]) -> None:
    """Paths name state, so no two groups may have a parameter of the same path."""
    seen: dict[str, str] = {}
    for tree in trees:
        for leaf, path in enumerate(tree.paths):
            name = _name(tree, leaf)
            if path in seen:
                raise ValueError(
                    f"{seen[path]} and {name} have the same path {path!r}; expected different "
                    "ones, as state is kept by path: give them names with a dict"
                )
            seen[path] = name
