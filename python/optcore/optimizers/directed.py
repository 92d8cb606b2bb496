"""Optimizers whose direction NumPy works out, and whose step the core takes."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from ..reference.common import prepared, quiet
from ..typing import Array, Tree
from . import ranges, slots, storage
from .base import Optimizer
from .signature import defaults_of


class DirectedOptimizer(Optimizer):
    """An optimizer whose rule stands on BLAS and LAPACK, as NumPy has them.

    `direction`, a pure function in NumPy, turns a gradient and its state into a direction u and a
    new state. The rest is the core's, as for every rule: checks, clipping, θ ← θ(1 − ηλ) − ηu with
    decoupled decay, number formats, averaging. State is written only after a step that took place.

    Args:
        params: parameters or groups, see `Optimizer`.
        values: the hyperparameters, see `Optimizer`.
        common: clipping, averaging, number formats, threads: see `Optimizer`. `state_dtype` has to
            be None: state has the type that a step computes in. `threads` are the core's; BLAS has
            its own.
    """

    rule = "sgd"  # without momentum: the step along a direction

    bits: ClassVar[bool] = False  # those of BLAS and LAPACK depend on the CPU

    direction: ClassVar[Callable[..., tuple[Array, dict[str, Array]]]]
    """The pure function: (p, g, state, step=, and each of `_uses`=) to (u, new state)."""

    _uses: ClassVar[tuple[str, ...]]
    """The hyperparameters that `direction` takes."""

    _ranges: ClassVar[Mapping[str, ranges.Range]] = {}
    """Where hyperparameters may lie; of a tuple each number has its own entry: "betas[0]"."""

    _state_slots: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]]
    """The state arrays beside those of axes: what is there with any options, and what with some."""

    _whole: ClassVar[Mapping[str, int]] = {}
    """The hyperparameters that are whole numbers, and the least that each may be."""

    def __init__(self, params: Tree, values: Mapping[str, Any], **common: Any):
        super().__init__(params, values, **common)
        self._group_of = [i for i, group in enumerate(self.groups) for _ in group.paths]
        self._slots = [
            list(self.shapes(self.groups[i]._values, array.shape))
            for i, array in zip(self._group_of, self._arrays, strict=True)
        ]
        self._step = _stepping(self._step, weakref.WeakMethod(self._directions))

    # What a rule says of itself. ---------------------------------------------------------------

    @classmethod
    def shapes(
        cls, values: Mapping[str, Any], shape: tuple[int, ...]
    ) -> dict[str, tuple[int, ...] | None]:
        """The state arrays of a parameter, by name: their shapes, or None for its own."""
        raise NotImplementedError

    @classmethod
    def _check_shape(cls, shape: tuple[int, ...], where: str) -> None:
        """Raises a ValueError where the rule has no direction for a parameter of this shape."""

    @classmethod
    def _core_decay(cls, values: Mapping[str, Any]) -> Any:
        """The weight decay that the core applies, decoupled: all of it, if it is that."""
        return values["weight_decay"] if values["decoupled_weight_decay"] else 0.0

    @classmethod
    def _coupled(cls, values: Mapping[str, Any]) -> bool:
        """Whether weight decay is added to the gradient."""
        return not values["decoupled_weight_decay"]

    # What the base asks for. -------------------------------------------------------------------

    @classmethod
    def rule_name(cls) -> str:
        """The name of the rule: the core knows only the step along its direction."""
        return cls.__name__.lower()

    @classmethod
    def _ranged(cls, values: Mapping[str, Any]) -> Iterator[tuple[str, Any, ranges.Range]]:
        """The numbers among these values that have a range, with it."""
        for name, value in values.items():
            for shown, number in ranges.numbers_in(name, value).items():
                if shown in cls._ranges:
                    yield shown, number, cls._ranges[shown]

    @classmethod
    def _normalized(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, number, limits in cls._ranged(values):
            limits.check(name, number)
        for name, least in cls._whole.items():
            ranges.whole(values[name], name, least)
        settled = super()._normalized(values)
        return settled | {name: int(settled[name]) for name in cls._whole}

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"lr": values["lr"], "weight_decay": cls._core_decay(values)}

    @classmethod
    def _options(cls, values: Mapping[str, Any]) -> list[bool]:
        return []

    @classmethod
    def kind(cls) -> str:
        """Directions depend on the whole tensor."""
        return "per_tensor"

    @classmethod
    def default_state(cls, values: Mapping[str, Any]) -> list[str]:
        """Of a matrix."""
        return list(cls.shapes(values, (2, 2)))

    @classmethod
    def slot_names(cls) -> tuple[list[str], list[str]]:
        """All state arrays but those of axes, and those that are there with any options."""
        always, sometimes = cls._state_slots
        return [*always, *sometimes], [*always]

    @classmethod
    def axis_names(cls) -> list[str]:
        """Those of which there is one for an axis: "q" for `q_0`, `q_1`, ..."""
        names = cls.default_state(defaults_of(cls))
        return [name.removesuffix("_0") for name in names if name.endswith("_0")]

    @classmethod
    def bytes_moved(cls, state: list[str]) -> int | None:
        """Depends on the shape, and is not what these rules cost."""
        return None

    @classmethod
    def maskable(cls) -> bool:
        """The core would hold the direction against itself."""
        return False

    @classmethod
    def _core_switches(cls, values: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
        return True, False, False, False  # directions are those of the turned gradient already

    @classmethod
    def _core_variant(cls, variant: int) -> int:
        return 0

    @classmethod
    def _core_slots(cls, names: list[str]) -> list[str]:
        return []

    def _slots_of(self, group: int, param: Array, where: str) -> dict[str, slots.Slot]:
        values = self.groups[group]._values
        self._check_shape(param.shape, where)
        dtype = storage.compute_dtype(param)
        if values["state_dtype"] not in (None, "param", str(dtype)):
            raise TypeError(
                f"state_dtype: expected None for {where}, got {values['state_dtype']!r}; state "
                f"that NumPy's BLAS works on is kept in {dtype}"
            )
        return self.slots_of(values, param)

    @classmethod
    def slots_of(cls, values: Mapping[str, Any], param: Array) -> dict[str, slots.Slot]:
        """The state arrays of a parameter, to be made."""
        dtype = storage.compute_dtype(param)
        return {
            name: slots.like(param, dtype)
            if shape is None
            else slots.contiguous(param, shape, dtype)
            for name, shape in cls.shapes(values, param.shape).items()
        }

    # Steps. ------------------------------------------------------------------------------------

    @classmethod
    def directed(
        cls,
        p: Array,
        grad: Array,
        state: Mapping[str, Array],
        values: Mapping[str, Any],
        *,
        step: int,
        factor: float,
        clip_value: float,
        where: str,
    ) -> tuple[Array, dict[str, Array]]:
        """A direction and the new state, from a parameter in the type that a step computes in.

        The gradient comes as it is, to be scaled, clipped and turned, with coupled decay.
        """
        g = prepared(
            p,
            grad,
            maximize=values["maximize"],
            grad_factor=factor,
            clip_value=clip_value,
            coupled_decay=values["weight_decay"] if cls._coupled(values) else 0.0,
        )
        if g.size == 0:
            return g, dict(state)
        uses = {name: values[name] for name in cls._uses}
        try:
            return cls.direction(p, g, state, step=step, **uses)
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(
                f"{where}: expected a state whose eigenvectors LAPACK finds, got {error}; "
                "lower lr, or raise eps"
            ) from error

    @quiet
    def _directions(
        self, grads: list[Any], factor: float
    ) -> tuple[list[Array | None], list[tuple[Array, Array]]]:
        """A direction for every gradient, and what new state is to be written where."""
        now = [self._now(i) for i in range(len(self.groups))]
        steps = self._stepper.param_steps
        limit = self._step_options.clip_value
        directions: list[Array | None] = [None] * len(grads)
        written = []
        for k, grad in enumerate(grads):
            if grad is None:
                continue
            state = self._state[self._paths[k]]
            mine = {name: state[name] for name in self._slots[k]}
            directions[k], new = self.directed(
                storage.widened(self._arrays[k], state),
                np.asarray(grad),
                mine,
                now[self._group_of[k]],
                step=steps[k] + 1,
                factor=factor,
                clip_value=math.inf if limit is None else limit,
                where=self._paths[k] or "params",
            )
            written += [(array, new[name]) for name, array in mine.items()]
        return directions, written

    def _now(self, index: int) -> dict[str, Any]:
        """What a group's values are in this step; a ValueError if a schedule's is out of range."""
        group = self.groups[index]
        wanted = {*self._uses, "weight_decay"} if self._coupled(group._values) else self._uses
        values = {name: group[name] for name in wanted}
        for name, number, limits in self._ranged(values):
            if error := limits.error(name, number):
                where = f"groups[{index}]: " if self._grouped else ""
                step = self._stepper.step_count
                raise ValueError(f"{where}{error}: what its schedule gives at step {step}")
        return {**group._values, **values}


def _stepping(
    call: Callable[..., bool], directions: weakref.WeakMethod[Callable[..., Any]]
) -> Callable[..., bool]:
    """The core's step along directions. The optimizer holds it, so it must not hold that."""

    def step(grads: Tree | None, grad_scale: float) -> bool:
        return call(grads, grad_scale, directions())

    return step
