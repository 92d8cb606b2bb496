"""A parameter group: a mapping of hyperparameters that the optimizer obeys."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from .. import _core
from ..schedules import Schedule
from . import hyper

if TYPE_CHECKING:
    from .base import Optimizer


def known_name(name: str, names: list[str], where: str) -> None:
    """A KeyError that lists the near names, if this is none of them."""
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=2) or names
        raise KeyError(
            f"{where}: expected one of the hyperparameters {', '.join(names)}, got {name!r}; "
            f"did you mean {' or '.join(near)}?"
        )


class Group(MutableMapping[str, Any]):
    """The hyperparameters of one group of parameters, by torch's names.

    Reading gives the current value: of a schedule, what it gives for the next step. Writing takes
    a number or a schedule, checks it, and holds from the next step on. Options that decide which
    state a parameter has (`amsgrad`, `centered`, ...) are fixed when the optimizer is made.
    """

    _values: dict[str, Any]

    def __init__(
        self,
        kind: type[Optimizer],
        stepper: _core.Stepper,
        index: int,
        values: dict[str, Any],
        paths: list[str],
        alone: bool,
    ):
        # The class and the stepper, not the optimizer: the two would hold each other, and with
        # them gigabytes of state, until the garbage collector comes by.
        self._kind = kind
        self._stepper = stepper
        self._index = index
        self._paths, self._alone = paths, alone
        self._variant = kind._variant(values)
        self._take(values)

    @property
    def paths(self) -> list[str]:
        """The paths of this group's parameters."""
        return list(self._paths)

    def schedule(self, name: str) -> Any:
        """What was given for a hyperparameter: the schedule itself, not its current value."""
        return self._values[name]

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        step = self._stepper.step_count
        if isinstance(value, tuple):
            return tuple(v(step) if isinstance(v, Schedule) else v for v in value)
        return value(step) if isinstance(value, Schedule) else value

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "lr" and type(value) is float:
            self._set_rate(value)
            return
        known_name(name, list(self._values), f"groups[{self._index}]")
        values = self._kind._normalized({**self._values, name: value})
        self._check_fixed(values)
        if name in self._kind._of_all_groups and not self._alone:
            self._kind._check_groups([self._values, values])
        self._take(values)

    def __delitem__(self, name: str) -> None:
        raise TypeError(
            f"groups[{self._index}]: a hyperparameter cannot be deleted; set it instead"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Group({dict(self._values)!r}, {len(self._paths)} parameters)"

    def _check_fixed(self, values: Mapping[str, Any]) -> None:
        """A ValueError if new values need state that was not made, or another start of it."""
        moved = [name for name in self._kind.fixed_names() if self._values[name] != values[name]]
        if moved or self._kind._variant(values) & ~self._variant:
            what = ", ".join(moved) or "a coefficient that was 0"
            raise ValueError(
                f"groups[{self._index}]: expected what decides the state to stay as it was when "
                f"the optimizer was made, got a change of {what}; make a new optimizer"
            )

    def _set_rate(self, rate: float) -> None:
        """What is done in every step of many a loop, in a tenth of the time of the rest."""
        hyper.check(self._kind.rule, "lr", rate, "lr")
        self._stepper.set_hyper(self._index, "lr", rate)
        self._values = {**self._values, "lr": rate}

    def _take(self, values: dict[str, Any]) -> None:
        """Tells the core these values, which have been checked; state once made stays in use."""
        variant = self._kind._core_variant(self._variant)
        self._stepper.set_variant(self._index, variant, *self._kind._core_switches(values))
        for name, value in self._kind._scalars(values).items():
            given = hyper.native(hyper.source(value, name))
            self._stepper.set_hyper(self._index, name, given)
        self._values = values
