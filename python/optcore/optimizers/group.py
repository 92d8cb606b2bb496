"""A parameter group: a mapping of hyperparameters that the optimizer obeys."""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from ..schedules import Schedule

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

    def __init__(self, optimizer: Optimizer, index: int, values: dict[str, Any], paths: list[str]):
        # Weak, or the two would hold each other, and with them gigabytes of state.
        self._owner = weakref.ref(optimizer)
        self._index = index
        self._values = values
        self._paths = paths

    @property
    def paths(self) -> list[str]:
        """The paths of this group's parameters."""
        return list(self._paths)

    def schedule(self, name: str) -> Any:
        """What was given for a hyperparameter: the schedule itself, not its current value."""
        return self._values[name]

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        step = self._optimizer.step_count
        if isinstance(value, tuple):
            return tuple(v(step) if isinstance(v, Schedule) else v for v in value)
        return value(step) if isinstance(value, Schedule) else value

    @property
    def _optimizer(self) -> Optimizer:
        optimizer = self._owner()
        if optimizer is None:
            raise ReferenceError(
                f"groups[{self._index}]: its optimizer is gone; keep a reference to it"
            )
        return optimizer

    def __setitem__(self, name: str, value: Any) -> None:
        known_name(name, list(self._values), f"groups[{self._index}]")
        values = self._optimizer._normalized({**self._values, name: value})
        self._optimizer._check_fixed(self._index, self._values, values)
        self._optimizer._send(self._index, values)
        self._values = values

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
