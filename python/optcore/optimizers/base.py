"""What every optimizer shares: trees, groups, state, steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import numpy as np

from .. import _core
from ..errors import NonFiniteError
from ..rows import Rows
from ..typing import Array, Scalar, Tree
from . import dialects, hyper, slots, state_dict, storage
from .ema import EMA
from .group import Group, known_name
from .signature import defaults_of
from .stats import StepStats
from .trees import named_leaves, rebuilt

_RULES: dict[str, dict[str, Any]] = {rule["name"]: rule for rule in _core.rules()}

_BETA = re.compile(r"beta\d")

Loss = TypeVar("Loss")

Adopt = Callable[[str, Mapping[str, slots.Slot], list[str]], Mapping[str, Array]]
"""State that a parameter has already, from its path, the arrays that would be made and the names
of its float64 scalars. Behind another door state outlives the optimizer."""


@dataclass(frozen=True)
class StepOptions:
    """What belongs to the step as a whole, not to a group."""

    clip_norm: float | None
    clip_value: float | None
    nonfinite: str
    zero_grads: bool
    stats: bool
    seed: int
    threads: int | None

    def tell(self, stepper: _core.Stepper) -> None:
        """Checks all of it, then tells the core."""
        hyper.one_of(self.nonfinite, ("propagate", "skip", "raise"), "nonfinite")
        for name in ("zero_grads", "stats"):
            hyper.switch(getattr(self, name), name)
        stepper.set_options(
            clip_norm=hyper.limit(self.clip_norm, "clip_norm", hyper.NO_NORM),
            clip_value=hyper.limit(self.clip_value, "clip_value", hyper.NO_LIMIT),
            threads=hyper.thread_count(self.threads),
            refuse_nonfinite=self.nonfinite != "propagate",
            zero_grads=bool(self.zero_grads),
            stats=bool(self.stats),
            seed=hyper.seed(self.seed),
        )


class Optimizer:
    """The base of all optimizers. It updates the caller's arrays in place.

    Args:
        params: a dict, list or tuple of NumPy arrays, nested as you like, or one array; or a list
            of groups `{"params": tree, "lr": ..., ...}`. Arrays are float32, float64, float16 or
            bfloat16 (of the package ml_dtypes), dense (C- or Fortran-ordered, or any permutation
            of it), writable, and share no memory. All but float64 are computed in float32.
        values: the hyperparameters of every group that does not name its own.
        dialect: whose formula and defaults hold for what is not given: "torch", "keras", "optax",
            or "paper", as published. Where torch lacks a rule, "torch" is the class's own default.
            What a group sets for itself wins over it.
        clip_norm: the global norm to which gradients are clipped before the step: all are
            multiplied by min(1, clip_norm / (norm + 1e-6)).
        clip_value: the limit of each gradient element, applied after `clip_norm`.
        nonfinite: what happens when a gradient is infinite or NaN: "propagate" steps all the
            same; "skip" leaves parameters, state and step number as they are; "raise" does so too
            and raises `NonFiniteError`.
        zero_grads: set the gradients to zero after the step.
        ema: keep a running average of the parameters, see `EMA`.
        copy_to: float16 or bfloat16 arrays, nested as the parameters are, that receive a rounded
            copy of the parameters in every step, and when the optimizer is made.
        low_precision: what keeps small updates of 16-bit parameters from being rounded away.
            "master" keeps a float32 copy (4 bytes per element) that the parameter is the rounding
            of; where you write to the parameter yourself, the copy follows. "split" (bfloat16)
            keeps the other 16 bits of a float32 (2 bytes). "stochastic" (bfloat16) keeps nothing
            and rounds up or down with the probability that is right on average. None rounds to
            the nearest.
        seed: for stochastic rounding, whose random bits depend on the seed, the parameter's path
            and step number, and the element alone.
        state_dtype: what state arrays are stored in: "float32", "bfloat16" or "8bit"; "param", as
            the parameter if that is bfloat16, else float32; or a dict of these by slot. None is
            float32. 8-bit state has a float32 scale for every 256 elements. Float64 parameters have
            float64 state. May differ by group. (A sum that only grows, as Adagrad's, stops growing
            in bfloat16 when its terms fall below its rounding.)
        cautious: leave out elements of the update that the gradient disagrees with (u·g ≤ 0), and
            divide the others by their share, or by 1/1000 (Liang et al., 2024). The share is that
            of a whole tensor, so a sharded step is another one. For rules with a direction.
        cautious_weight_decay: leave out decoupled decay where it works against the step (u·θ < 0;
            Chen et al., 2025).
        stats: work out `opt.stats` in every step.
        threads: threads for a step; None takes the default (`set_num_threads`).

    Attributes:
        groups: the parameter groups, each a mapping of hyperparameters.
        state: `state["layers/0/W"]["exp_avg"]` is the array that the optimizer keeps.
    """

    rule: ClassVar[str]
    paper: ClassVar[str] = ""
    bits: ClassVar[bool] = True

    _dialects: ClassVar[dialects.Table] = {}
    """By dialect, the arguments in which it differs from the class's own defaults."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_dialects" in vars(cls):
            dialects.check_table(cls._dialects, cls.__init__, cls.__name__)
        if "__init__" in vars(cls):
            spoken = dialects.spoken(cls.__init__, cls._dialects)
            cls.__init__ = spoken  # type: ignore[method-assign]

    def __init__(
        self,
        params: Tree,
        values: Mapping[str, Any],
        *,
        dialect: str = dialects.DEFAULT,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        nonfinite: str = "propagate",
        zero_grads: bool = False,
        ema: EMA | None = None,
        copy_to: Tree | None = None,
        low_precision: str | None = None,
        seed: int = 0,
        state_dtype: Any = None,
        cautious: bool = False,
        cautious_weight_decay: bool = False,
        stats: bool = False,
        threads: int | None = None,
        _adopt: Adopt | None = None,
    ):
        dialects.check(dialect, self._dialects, type(self).__name__)
        masks = {"cautious": cautious, "cautious_weight_decay": cautious_weight_decay}
        if not self.maskable() and (wanted := [name for name, on in masks.items() if on]):
            raise TypeError(
                f"{wanted[0]}: expected False with {type(self).__name__}, got True; masks are for "
                "rules with a direction to hold against the gradient, such as Adam or SGD"
            )
        values = {**values, **(masks if self.maskable() else {}), "state_dtype": state_dtype}
        self._defaults = self._normalized(values)
        trees, overrides, grouped = _split_groups(params)
        self._params, self._grouped = params, grouped
        self._stepper = _core.Stepper(self.rule, trees, grouped)
        self._step = self._stepper.step_call()
        self.groups: list[Group] = []
        self._set_options(
            StepOptions(clip_norm, clip_value, nonfinite, zero_grads, stats, seed, threads)
        )
        if low_precision is not None:
            hyper.one_of(low_precision, storage.LOW_PRECISION, "low_precision")
        if ema is not None and not isinstance(ema, EMA):
            raise TypeError(f"ema: expected an EMA or None, got {ema!r}; pass oc.EMA(0.999)")
        self._low_precision, self._ema = low_precision, ema
        self._skipped, self._away = 0, False
        for i, (tree, override) in enumerate(zip(trees, overrides, strict=True)):
            for name in override:
                known_name(name, list(self._defaults), f"groups[{i}]")
            group = self._normalized({**self._defaults, **override})
            alone = len(trees) == 1
            self.groups.append(Group(type(self), self._stepper, i, group, tree.paths, alone))
        self._check_groups([group._values for group in self.groups])
        self._add_parameters(trees, copy_to, _adopt)

    # What a rule says of itself. ---------------------------------------------------------------

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The core's hyperparameters, by its names, from a group's values.

        They have the same names there, but for beta1, beta2, ..., which come from `betas`; a switch
        is 1 or 0.
        """
        betas = [name for name in cls.hypers() if _BETA.fullmatch(name)]
        found = {name: values[name] for name in cls.hypers() if name in values}
        if betas and "betas" in values:
            found |= zip(betas, hyper.several(values["betas"], "betas", len(betas)), strict=True)
        return {k: float(v) if k in cls._switches else v for k, v in found.items()}

    @classmethod
    def _shown_name(cls, name: str) -> str:
        """What the user calls one of the core's scalars."""
        if _BETA.fullmatch(name) and name not in cls._shown:
            return f"betas[{int(name[-1]) - 1}]"
        return cls._shown.get(name, name)

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
    def kind(cls) -> str:
        """How much of the model one element's step depends on: see `optcore.rules`."""
        return str(_RULES[cls.rule]["kind"])

    @classmethod
    def described(cls) -> dict[str, Any]:
        """The class's entry in `optcore.rules`."""
        options = defaults_of(cls)
        state = cls.default_state(options)
        return {
            "name": cls.__name__,
            "rule": cls.rule_name(),
            "kind": cls.kind(),
            "bits": cls.bits,
            "options": options,
            "state": state,
            "scalars": cls.scalar_names(),
            "bytes": cls.bytes_moved(state),
            "dialects": dialects.known(cls._dialects),
            "paper": cls.paper,
        }

    @classmethod
    def default_state(cls, values: Mapping[str, Any]) -> list[str]:
        """The state arrays that a parameter has with these values."""
        return list(_RULES[cls.rule]["slots"][cls._variant(values)])

    @classmethod
    def signs(cls, values: Mapping[str, Any]) -> dict[str, bool]:
        """The state arrays that may be kept in 8 bits, and whether their numbers have a sign."""
        unsigned = _RULES[cls.rule]["non_negative"]
        names = _RULES[cls.rule]["slots"][cls._variant(values)]
        return {name: i not in unsigned for i, name in enumerate(names) if name not in cls._mirrors}

    @classmethod
    def bytes_moved(cls, state: list[str]) -> int | None:
        """What a step must read and write for each float32 parameter that has this state."""
        # Parameter and state are read and written, the gradient is read; sums read all of it first.
        before = 2 + len(state) if _RULES[cls.rule]["sums"] else 0
        return 4 * (before + 3 + 2 * len(state))

    @classmethod
    def maskable(cls) -> bool:
        """Whether `cautious` and `cautious_weight_decay` make sense with this rule."""
        return bool(_RULES[cls.rule]["maskable"])

    @classmethod
    def slot_names(cls) -> tuple[list[str], list[str]]:
        """All state arrays there may be, in order, and those that are there with any options."""
        variants = _RULES[cls.rule]["slots"]
        every = dict.fromkeys(name for variant in variants for name in variant)
        needed = [name for name in every if all(name in variant for variant in variants)]
        optional = [name for name in every if name not in needed]
        return [*needed, *optional, *cls.scalar_names()], [*needed, *cls.scalar_names()]

    @classmethod
    def axis_names(cls) -> list[str]:
        """The state arrays of which there is one for an axis, without their number."""
        return []

    @classmethod
    def _initial_values(cls) -> dict[str, Any]:
        """Values that matter only when state is made."""
        return {}

    @classmethod
    def hypers(cls) -> list[str]:
        """The names of the rule's scalars, in the core's order."""
        return list(_RULES[cls.rule]["hypers"])

    @classmethod
    def rule_name(cls) -> str:
        """The name of the rule in a state dict."""
        return cls.rule

    @classmethod
    def _core_switches(cls, values: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
        """What the core is told: whether decay is decoupled, whether it climbs, and what it masks,
        the update or the decay.
        """
        names = ("decoupled_weight_decay", "maximize", "cautious", "cautious_weight_decay")
        decoupled, maximize, update, decay = (bool(values.get(name, False)) for name in names)
        return decoupled, maximize, update, decay

    @classmethod
    def _core_variant(cls, variant: int) -> int:
        """The variant of the core's rule, from the group's own."""
        return variant

    @classmethod
    def _core_slots(cls, names: list[str]) -> list[str]:
        """Those state arrays that the core updates: all."""
        return names

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        """Whether each option of the rule is on: they decide which state there is."""
        return [bool(values[name]) for name in _RULES[cls.rule]["options"]]

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        """Raises a ValueError where values do not go together."""

    @classmethod
    def _initial(cls, slot: str, values: Mapping[str, Any]) -> float:
        """What a state array starts from."""
        return 0.0

    _of_all_groups: ClassVar[tuple[str, ...]] = ()
    """The values that have to be the same in all groups."""

    _used_up: int = 0
    """How often a wrapper has used up gradients without a step."""

    @classmethod
    def _check_groups(cls, groups: list[dict[str, Any]]) -> None:
        """A ValueError where groups differ in what they have to share."""
        for name in cls._of_all_groups:
            for i, group in enumerate(groups[1:], 1):
                if group[name] != groups[0][name]:
                    raise ValueError(
                        f"groups[{i}]/{name}: expected {groups[0][name]!r}, as in groups[0], got "
                        f"{group[name]!r}; the groups share it, so set it for the whole optimizer"
                    )

    _mirrors: ClassVar[tuple[str, ...]] = ()
    """The state arrays that start as a copy of the parameter."""

    _shown: ClassVar[Mapping[str, str]] = {}
    """The user's names of those of the core's scalars that have another one there."""

    _switches: ClassVar[tuple[str, ...]] = ("maximize",)
    """The values that are True or False."""

    _fixed: ClassVar[tuple[str, ...]] = ()
    """The values of the rule that decide which state there is, or how it starts."""

    @classmethod
    def fixed_names(cls) -> tuple[str, ...]:
        """The values that stay as the optimizer was made, because its state depends on them."""
        return (*cls._fixed, "state_dtype")

    # Steps. ------------------------------------------------------------------------------------

    def step(
        self,
        grads: Tree | Rows | None = None,
        *,
        grad_scale: float = 1.0,
        closure: Callable[[], tuple[Loss, Tree]] | None = None,
    ) -> Loss | None:
        """Updates every parameter that has a gradient, in place.

        Gradients are divided by `grad_scale`, checked (`nonfinite`), clipped to `clip_norm` and
        then to `clip_value`; the rule and weight decay follow, rounding, and the average.

        Args:
            grads: the gradients, nested as the parameters are; None in the place of a gradient
                leaves its parameter, state and step number alone, and `Rows` all rows but those
                that it names. May be left out after `bind`.
            grad_scale: what the loss was multiplied by, so that small gradients survive 16 bits.
            closure: a function that returns the loss and the gradients, in the place of `grads`.

        Returns:
            The closure's loss, else None.

        Raises:
            KeyError: a gradient is missing or has no parameter.
            TypeError: a gradient is no array of real floats.
            ValueError: a shape does not fit, memory overlaps, a scheduled value is out of range,
                or a parameter array was replaced.
            NonFiniteError: a gradient is not finite, and `nonfinite` is "raise".
            RuntimeError: another thread is stepping this optimizer.

        On any error no parameter, no state and no step number has changed.
        """
        loss = None
        if closure is not None:
            loss, grads = _called(closure, grads)
        if not self._step(grads, grad_scale):
            self._refused()
        return loss

    def _refused(self) -> None:
        """After a step that did nothing because of a gradient that is not finite."""
        if self._step_options.nonfinite == "raise":
            raise NonFiniteError(*self._nonfinite())
        self._skipped += 1

    def _nonfinite(self) -> tuple[str, tuple[int, ...]]:
        """Path and index of the first gradient element that was not finite, as the core saw it."""
        tensor, element = self._stepper.nonfinite
        return self._paths[tensor], storage.index_of(self._arrays[tensor], element)

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
    def skipped_steps(self) -> int:
        """How many calls of `step` have done nothing, with `nonfinite="skip"`."""
        return self._skipped

    @property
    def grad_norm(self) -> float:
        """The gradients' norm, unscaled and before clipping, as the last step found it.

        A step takes it with `clip_norm`, with `nonfinite` and with `stats`.
        """
        norm = self._stepper.grad_norm
        options = self._step_options
        takes = options.clip_norm is not None or options.stats or options.nonfinite != "propagate"
        if norm != norm and not takes:
            raise AttributeError(
                "grad_norm: no step has taken the norm; expected clip_norm to be set: "
                "pass clip_norm=float('inf') or a limit"
            )
        return norm

    @property
    def stats(self) -> StepStats:
        """Norms of gradients, updates and parameters in the last step; needs `stats=True`."""
        if not self._step_options.stats:
            raise AttributeError(
                "stats: this optimizer keeps none; expected stats=True when it is made"
            )
        sums = self._stepper.stats
        if not sums:
            raise AttributeError("stats: no step was taken yet; expected one: call step first")
        bad = self._stepper.nonfinite[0] >= 0
        return StepStats.of(
            self._paths, sums, self._stepper.grad_norm, self._nonfinite() if bad else None
        )

    # The average of the parameters. --------------------------------------------------------------

    @property
    def ema_params(self) -> Any:
        """The averaged parameters, nested as the parameters are: the optimizer's own arrays."""
        self._check_ema()
        return rebuilt(
            self._params, self._grouped, [self._state[path]["ema"] for path in self._paths]
        )

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """A with block in which the parameter arrays hold the average, for evaluation.

        Afterwards they hold what they held before, to the bit. No step can be taken inside.

        Example:
            >>> import numpy as np, optcore as oc
            >>> w = np.array([1.0])
            >>> opt = oc.SGD(w, lr=1.0, ema=oc.EMA(0.5))
            >>> for _ in range(2):
            ...     opt.step(np.array([1.0]))
            >>> with opt.averaged():
            ...     print(w)
            [-0.5]
            >>> w
            array([-1.])
        """
        self._check_ema()
        with self._showing([self._state[path]["ema"] for path in self._paths]):
            yield

    @contextmanager
    def _showing(self, average: list[Array]) -> Iterator[None]:
        """A block in which the parameter arrays hold these values, and no step can be taken."""
        if self._away:
            raise RuntimeError(
                "averaged: expected no averaged() block, no eval mode and no climb of SAM around "
                "this one; leave it"
            )
        kept = [array.copy() for array in self._arrays]
        self._send_away(
            "step: expected the parameters themselves, but averaged() has put the average in their "
            "place; step after the with block"
        )
        try:
            for array, values in zip(self._arrays, average, strict=True):
                storage.assign(array, values)
            yield
        finally:
            for array, before in zip(self._arrays, kept, strict=True):
                array[...] = before
            self._send_away("")

    def _send_away(self, why: str) -> None:
        """Says why no step may be taken now: other values are in the place of the parameters.

        With no words: these are back.
        """
        self._stepper.refuse_steps(why)
        self._away = bool(why)

    def _check_ema(self) -> None:
        if self._ema is None:
            raise AttributeError(
                "ema: this optimizer averages nothing; expected ema=oc.EMA(0.999) when it is made"
            )

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
        one = hyper.source(value, "lr")  # so that a function is asked once for all groups
        for group in self.groups:
            group["lr"] = one

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

    def _saved_more(self, copy: bool) -> dict[str, Any]:
        """What this kind of optimizer adds to a state dict."""
        return {}

    def _checked_more(self, saved: Mapping[str, Any]) -> Any:
        """The same from a saved state dict, checked, before anything is changed."""
        return None

    def _take_more(self, more: Any) -> None:
        """Takes over what `_checked_more` returned."""

    @classmethod
    def _normalized(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A group's values, each checked; functions become schedules."""
        masks = ("cautious", "cautious_weight_decay")
        for name in (*cls._switches, *(name for name in masks if name in values)):
            hyper.switch(values[name], name)
        for name, value in cls._scalars(values).items():
            hyper.check(cls.rule, name, value, cls._shown_name(name))
        cls._check(values)
        if "state_dtype" in values:
            values["state_dtype"] = storage.state_dtype(values["state_dtype"])
        return {name: hyper.settled(value, name) for name, value in values.items()}

    def _set_options(self, options: StepOptions) -> None:
        options.tell(self._stepper)
        self._step_options = options

    @classmethod
    def _variant(cls, values: Mapping[str, Any]) -> int:
        return sum(1 << bit for bit, on in enumerate(cls._options(values)) if on)

    def _add_parameters(
        self, trees: list[_core.Tree], copy_to: Tree | None, adopt: Adopt | None
    ) -> None:
        """Makes the state of every parameter and hands both to the core."""
        leaves = [(g, i, a) for g, tree in enumerate(trees) for i, a in enumerate(tree.leaves)]
        self._paths = [trees[g].paths[i] for g, i, _ in leaves]
        self._arrays: list[Array] = [array for _, _, array in leaves]
        _check_unique(trees)
        names = [_name(trees[g], i) for g, i, _ in leaves]
        for array, name in zip(self._arrays, names, strict=True):
            _core.check_param(array, name)
        copies = self._copies = self._mirrored(copy_to, "copy_to")
        averages = self._mirrored(self._ema.weights if self._ema else None, "ema/weights")
        roundings = [
            storage.check_low_precision(self._low_precision, array, name)
            for array, name in zip(self._arrays, names, strict=True)
        ]
        rule_slots = [
            self._slots_of(g, array, name)
            for (g, _, array), name in zip(leaves, names, strict=True)
        ]
        wanted: list[dict[str, slots.Slot]] = [
            own | storage.kept_slots(rounding, array) | self._average_slots(array, average)
            for own, rounding, array, average in zip(
                rule_slots, roundings, self._arrays, averages, strict=True
            )
        ]
        given = [
            adopt(path, each, self.scalar_names()) if adopt else {}
            for path, each in zip(self._paths, wanted, strict=True)
        ]
        made = slots.allocate(
            [
                {name: slot for name, slot in each.items() if name not in had}
                for each, had in zip(wanted, given, strict=True)
            ]
        )
        memory = [{**had, **new} for had, new in zip(given, made, strict=True)]
        self._state: dict[str, dict[str, Array]] = dict(zip(self._paths, memory, strict=True))
        for k, (g, i, _) in enumerate(leaves):
            state = memory[k]
            scales = {storage.scale_of(name) for name in rule_slots[k]}
            names_of_rule = [name for name in rule_slots[k] if name not in scales]
            self._fill(state, names_of_rule, self.groups[g]._values, given[k])
            if (average := averages[k]) is not None:
                state["ema"] = average
            self._stepper.add(
                g,
                i,
                [storage.as_slot(state, name) for name in self._core_slots(names_of_rule)],
                [state[name] for name in self.scalar_names()],
                roundings[k],
                state.get("master", state.get("remainder")),
                state.get("ema"),
                copies[k],
            )
        self._stepper.finish()
        if self._ema:
            self._stepper.set_average(hyper.native(self._ema.source))
        # Nothing can fail any more: what mirrors the parameters starts out equal to them.
        for array, state, had, copied in zip(self._arrays, memory, given, copies, strict=True):
            mirrors = [state.get(n) for n in ("master", "ema", *self._mirrors) if n not in had]
            for mirror in (*mirrors, copied):
                if mirror is not None:
                    storage.assign(mirror, array)

    def _fill(
        self,
        state: dict[str, Array],
        names: list[str],
        values: Mapping[str, Any],
        had: Collection[str],
    ) -> None:
        """Starts new state, zeros so far, from its initial values."""
        for slot, name in enumerate(names):
            if name not in had and (start := self._initial(name, values)):
                signed = slot not in _RULES[self.rule]["non_negative"]
                storage.fill(state, name, start, signed)
        for name in self.scalar_names():
            if name not in had:
                state[name] = np.full((), self._initial(name, values), np.float64)

    def _mirrored(self, tree: Tree | None, name: str) -> list[Array | None]:
        """The leaves of a tree that is nested as the parameters are, or None for each."""
        if tree is None:
            return [None] * len(self._paths)
        return named_leaves(tree, self._params, self._grouped, name)

    def _average_slots(self, param: Array, given: Array | None) -> dict[str, slots.Slot]:
        """The average of a parameter, if it is wanted and not given."""
        if self._ema is None or given is not None:
            return {}
        return {"ema": slots.like(param, storage.compute_dtype(param))}

    def _slots_of(self, group: int, param: Array, where: str) -> dict[str, slots.Slot]:
        """The state arrays that a parameter needs, by name."""
        values = self.groups[group]._values
        names = _RULES[self.rule]["slots"][self._variant(values)]
        found = storage.slots_of(names, values["state_dtype"], param, where)
        for name in self._mirrors:
            if storage.scale_of(name) in found:
                raise ValueError(
                    f"state_dtype: expected float32 or bfloat16 for {name} of {where}, got '8bit'; "
                    "it is a copy of the parameter, for which 8 bits are too few"
                )
        return found


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


def _called(closure: Callable[[], tuple[Loss, Tree]], grads: object) -> tuple[Loss, Tree]:
    """The loss and the gradients that a closure returns."""
    if grads is not None:
        raise TypeError("step: expected gradients or a closure, got both; pass one of them")
    result = closure()
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"closure: expected the loss and the gradients, got {result!r}; return (loss, grads)"
        )
    return result


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
