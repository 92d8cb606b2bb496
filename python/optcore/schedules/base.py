"""What can be done with any schedule."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from .. import _core
from . import saving

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_S = TypeVar("_S", bound="Schedule")

# The native schedule that stands in for a Python function where arguments or steps are checked.
_ANY = _core.schedule("constant", {"value": 0.0})

# What a parameter is kept as, by its annotation.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "float | None": float,
    "int": operator.index,
    "int | None": operator.index,
    "bool": bool,
    "Sequence[int]": lambda steps: tuple(operator.index(k) for k in steps),
    "Sequence[float]": lambda levels: tuple(map(float, levels)),
    "Sequence[Schedule]": tuple,
}


class Schedule:
    """The base of all schedules: what can be done with any of them.

    Schedules with equal parameters are equal and hash alike, and can be copied, pickled and saved
    as JSON. They cannot be assigned to. To write a new one in Python, wrap it in `Lambda`.

    With numbers and with each other they can be added, subtracted and multiplied:

    >>> from optcore.schedules import Linear, Step
    >>> (0.5 * Step(1.0, step_size=2, gamma=0.5) + Linear(0.0, total=4, end=1.0)).values(4)
    array([0.5 , 0.75, 0.75, 1.  ])
    """

    _name: ClassVar[str]
    _native: _core.Schedule | None

    __array_ufunc__ = None  # so that NumPy's numbers leave arithmetic to this class

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_name" in cls.__dict__ and cls._name != saving.FUNCTION:
            saving.FAMILIES[cls._name] = cls

    @overload
    def __call__(self, step: int) -> float: ...

    @overload
    def __call__(self, step: NDArray[np.integer[Any]]) -> NDArray[np.float64]: ...

    def __call__(self, step: int | NDArray[np.integer[Any]]) -> float | NDArray[np.float64]:
        """The value at one step, or at each step of an integer array of any shape.

        Raises:
            TypeError: a step is no integer (a bool or a float, even 3.0, is none).
            ValueError: a step is negative, or beyond 2**64 - 1.
        """
        native = self._native
        if native is not None:
            return native(step)
        checked = _ANY(step)
        if isinstance(checked, float):
            return self._evaluate(operator.index(step))
        values = np.empty_like(checked)
        for i, k in enumerate(np.asarray(step).flat):
            values.flat[i] = self._evaluate(int(k))
        return values

    def _evaluate(self, step: int) -> float:
        """The value at a checked step, of a schedule that has a Python function in it."""
        raise NotImplementedError

    def values(self, n: int) -> NDArray[np.float64]:
        """The values at steps 0, 1, …, n - 1.

        >>> from optcore.schedules import Step
        >>> Step(1.0, step_size=2, gamma=0.5).values(5)
        array([1.  , 1.  , 0.5 , 0.5 , 0.25])

        Raises:
            TypeError: n is no integer.
            ValueError: n is negative.
        """
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(
                f"n: expected a whole number (int), got {n!r}; pass the number of steps"
            )
        if n < 0:
            raise ValueError(f"n: expected at least 0, got {n}; pass the number of steps")
        return self(np.arange(n, dtype=np.uint64))

    def shift(self, k: int) -> Schedule:
        """This schedule begun k steps in: ``s.shift(k)(i) == s(k + i)``.

        >>> from optcore.schedules import Step
        >>> Step(1.0, step_size=10, gamma=0.5).shift(1)(9)
        0.5
        """
        from .reindexed import Shifted

        return Shifted(self, k)

    def every(self, n: int) -> Schedule:
        """This schedule read once in n steps: ``s.every(n)(i) == s(i // n)``.

        With the steps per epoch for n, a schedule of epochs becomes one of steps.

        >>> from optcore.schedules import InverseTime
        >>> InverseTime(1.0, decay=1.0).every(100).values(301)[::100]
        array([1.        , 0.5       , 0.33333333, 0.25      ])
        """
        from .reindexed import Every

        return Every(self, n)

    def clip(self, low: float | None = None, high: float | None = None) -> Schedule:
        """This schedule held between two limits: ``s.clip(low, high)(i)`` lies in [low, high].

        >>> from optcore.schedules import Linear
        >>> Linear(1.0, total=4).clip(0.2, 0.8).values(5)
        array([0.8 , 0.75, 0.5 , 0.25, 0.2 ])
        """
        from .mapped import Clipped

        return Clipped(self, low, high)

    def plot(self, n: int, ax: Axes | None = None, **line: Any) -> Axes:
        """Draws the values at steps 0 to n - 1 with matplotlib, and returns the axes.

        Args:
            n: how many steps, at least 1.
            ax: the axes to draw on; None makes a new figure. So several schedules overlay:
                ``ax = s.plot(100); t.plot(100, ax)``.
            line: options of matplotlib's plot, such as label and color.

        Raises:
            ModuleNotFoundError: matplotlib is not installed.
        """
        from .plot import draw

        return draw(self, n, ax, line)

    def __mul__(self, other: Schedule | float) -> Schedule:
        from .composed import Product
        from .mapped import Scaled

        if isinstance(other, Schedule):
            return Product((*(self.of if isinstance(self, Product) else (self,)), other))
        return Scaled(self, float(other)) if _is_number(other) else NotImplemented

    def __rmul__(self, other: float) -> Schedule:
        return self * other if _is_number(other) else NotImplemented

    def __add__(self, other: Schedule | float) -> Schedule:
        from .composed import Sum

        if not isinstance(other, Schedule) and not _is_number(other):
            return NotImplemented
        return Sum((*(self.of if isinstance(self, Sum) else (self,)), _scheduled(other)))

    def __radd__(self, other: float) -> Schedule:
        return _scheduled(other) + self if _is_number(other) else NotImplemented

    def __sub__(self, other: Schedule | float) -> Schedule:
        if not isinstance(other, Schedule) and not _is_number(other):
            return NotImplemented
        return self + -other

    def __rsub__(self, other: float) -> Schedule:
        return _scheduled(other) + -self if _is_number(other) else NotImplemented

    def __neg__(self) -> Schedule:
        return self * -1.0

    def to_dict(self) -> dict[str, Any]:
        """The schedule as plain data that JSON carries exactly; `from_dict` is the way back.

        >>> from optcore.schedules import Exponential
        >>> Exponential(0.1, gamma=0.9).to_dict()
        {'schedule': 'exponential', 'initial': 0.1, 'gamma': 0.9}
        """
        return saving.to_data(self._name, self._shown())

    @classmethod
    def from_dict(cls: type[_S], data: Mapping[str, Any]) -> _S:
        """The schedule that `to_dict` wrote down.

        >>> Schedule.from_dict({"schedule": "cosine", "initial": 0.1, "total": 10})
        Cosine(initial=0.1, total=10, floor=0.0)

        Raises:
            TypeError: `data` is no mapping, or describes another class than the one asked.
            ValueError: it names no schedule that there is, one with a Python function in it
                (`Lambda`), or parameters which that schedule does not have.
        """
        family, arguments = saving.from_data(cls, data)
        return family(**{name: _made(value) for name, value in arguments.items()})

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments, without those left at a default of None."""
        values = ((f, getattr(self, f.name)) for f in saving.parameters(type(self)))
        return {f.name: v for f, v in values if v is not None or f.default is not None}

    def _shown(self) -> dict[str, Any]:
        """The arguments without the keywords that are at their default."""
        defaults = {f.name: f.default for f in saving.parameters(type(self)) if f.kw_only}
        given = self._arguments().items()
        return {k: v for k, v in given if k not in defaults or v != defaults[k]}

    def _native_name(self) -> str:
        """The row of the C++ registry that evaluates this schedule."""
        return self._name

    def _native_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """All that row's parameters, from the arguments that were given."""
        return arguments

    def _stand_in(self) -> _core.Schedule:
        """What C++ checks in the place of a schedule with a Python function in it."""
        return _ANY

    def __post_init__(self) -> None:
        # C++ checks the arguments as they came; only then are they brought to plain types, so that
        # Cosine(1, 10) equals Cosine(np.float32(1), np.int64(10)) and JSON can hold either.
        arguments = self._arguments()
        inner: list[Schedule] = []

        def native(value: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return [native(item) for item in value]
            if not isinstance(value, Schedule):
                return value
            inner.append(value)
            return value._native or self._stand_in()

        natives = {name: native(value) for name, value in arguments.items()}
        made = _core.schedule(self._native_name(), self._native_arguments(natives))
        has_native = all(s._native is not None for s in inner)
        object.__setattr__(self, "_native", made if has_native else None)
        for f in saving.parameters(type(self)):
            if f.name in arguments and f.type in _PLAIN:
                object.__setattr__(self, f.name, _PLAIN[f.type](arguments[f.name]))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._shown().items())
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._arguments())


def _restore(family: type[_S], arguments: dict[str, Any]) -> _S:
    return family(**arguments)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _scheduled(value: Schedule | float) -> Schedule:
    from .constant import Constant

    return value if isinstance(value, Schedule) else Constant(float(value))


def _made(value: Any) -> Any:
    """The opposite of what `to_dict` does with an argument."""
    if isinstance(value, (list, tuple)):
        return [_made(item) for item in value]
    return Schedule.from_dict(value) if isinstance(value, Mapping) else value
