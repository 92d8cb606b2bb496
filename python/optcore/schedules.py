"""Learning-rate schedules, and schedules of any other hyperparameter.

A schedule is a pure function of the step number k = 0, 1, 2, … It keeps no place, so training
resumes anywhere, and it never changes once made. Called with an int it gives a float, called with
an integer array an array of the same shape; both are evaluated in C++ with the same bits on every
machine.

>>> import numpy as np
>>> s = Cosine(0.1, total=100)
>>> s(0), s(50), s(1000)
(0.1, 0.05, 0.0)
>>> s(np.array([0, 50, 100]))
array([0.1 , 0.05, 0.  ])

Every step from 0 to 2**64 - 1 has a value, the ones past a schedule's end included. The classes
count steps; ``s.every(n)`` makes a schedule of epochs out of one, n being the steps per epoch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from . import _core

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Every",
    "Exponential",
    "InverseTime",
    "Lambda",
    "MultiStep",
    "Polynomial",
    "Schedule",
    "Shifted",
    "Step",
    "Warmup",
    "WarmupCosine",
]

_S = TypeVar("_S", bound="Schedule")

# The native schedule that stands in for a Python function where arguments or steps are checked.
_ANY = _core.schedule("constant", {"value": 0.0})

# What a parameter is kept as, by its annotation.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "float | None": float,
    "int": operator.index,
    "Sequence[int]": lambda steps: tuple(operator.index(k) for k in steps),
}


class Schedule:
    """The base of all schedules: what can be done with any of them.

    Schedules with equal parameters are equal and hash alike, and can be copied, pickled and saved
    as JSON. They cannot be assigned to. To write a new one in Python, wrap it in `Lambda`.
    """

    _name: ClassVar[str]
    _native: _core.Schedule | None

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
        if self._native is not None:
            return self._native(step)
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

        >>> Step(1.0, step_size=10, gamma=0.5).shift(1)(9)
        0.5
        """
        return Shifted(self, k)

    def every(self, n: int) -> Schedule:
        """This schedule read once in n steps: ``s.every(n)(i) == s(i // n)``.

        With the steps per epoch for n, a schedule of epochs becomes one of steps.

        >>> InverseTime(1.0, decay=1.0).every(100).values(301)[::100]
        array([1.        , 0.5       , 0.33333333, 0.25      ])
        """
        return Every(self, n)

    def to_dict(self) -> dict[str, Any]:
        """The schedule as plain data that JSON carries exactly; `from_dict` is the way back.

        >>> Exponential(0.1, gamma=0.9).to_dict()
        {'schedule': 'exponential', 'initial': 0.1, 'gamma': 0.9}
        """
        data: dict[str, Any] = {"schedule": self._name}
        for name, value in self._arguments().items():
            if isinstance(value, Schedule):
                value = value.to_dict()
            data[name] = list(value) if isinstance(value, tuple) else value
        return data

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
        if not isinstance(data, Mapping):
            raise TypeError(
                f"data: expected a dict, got {type(data).__name__}; pass what to_dict() returned"
            )
        name = data.get("schedule")
        if name == Lambda._name:
            raise ValueError(
                "data['schedule']: expected plain data, got 'lambda', a Python function; "
                "make it again with Lambda(f)"
            )
        family = _FAMILIES.get(name) if isinstance(name, str) else None
        if family is None:
            raise ValueError(
                f"data['schedule']: expected one of {', '.join(_FAMILIES)}, got {name!r}; "
                "pass what to_dict() returned"
            )
        if not issubclass(family, cls):
            raise TypeError(
                f"data: expected a {cls.__name__}, got a {family.__name__}; "
                "use Schedule.from_dict for any of them"
            )
        return family._from_arguments({k: v for k, v in data.items() if k != "schedule"})

    @classmethod
    def _from_arguments(cls: type[_S], arguments: dict[str, Any]) -> _S:
        parameters = _parameters(cls)
        names = ", ".join(f.name for f in parameters)
        for name in arguments:
            if name not in {f.name for f in parameters}:
                raise ValueError(
                    f"{cls.__name__}: expected {names}, got {name!r} as well; leave it out"
                )
        for f in parameters:
            if f.default is MISSING and f.name not in arguments:
                raise ValueError(f"{cls.__name__}: expected {names}, got no {f.name!r}; add it")
        made = {
            k: Schedule.from_dict(v) if isinstance(v, Mapping) else v for k, v in arguments.items()
        }
        return cls(**made)

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments, without those left at a default of None."""
        values = ((f, getattr(self, f.name)) for f in _parameters(type(self)))
        return {f.name: v for f, v in values if v is not None or f.default is not None}

    def _native_name(self) -> str:
        """The row of the C++ registry that evaluates this schedule."""
        return self._name

    def __post_init__(self) -> None:
        # C++ checks the arguments as they came; only then are they brought to plain types, so that
        # Cosine(1, 10) equals Cosine(np.float32(1), np.int64(10)) and JSON can hold either.
        arguments = self._arguments()
        inner = [v for v in arguments.values() if isinstance(v, Schedule)]
        natives = {
            k: (v._native or _ANY) if isinstance(v, Schedule) else v for k, v in arguments.items()
        }
        native = _core.schedule(self._native_name(), natives)
        has_native = all(s._native is not None for s in inner)
        object.__setattr__(self, "_native", native if has_native else None)
        for f in _parameters(type(self)):
            if f.name in arguments and f.type in _PLAIN:
                object.__setattr__(self, f.name, _PLAIN[f.type](arguments[f.name]))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._arguments())


def _parameters(family: type[Schedule]) -> tuple[Field[Any], ...]:
    return fields(family)  # type: ignore[arg-type]  # every concrete schedule is a dataclass


def _restore(family: type[_S], arguments: dict[str, Any]) -> _S:
    return family(**arguments)


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same value at every step: s(k) = value.

    Raises:
        TypeError, ValueError: value is no finite number.

    >>> Constant(0.1)(7)
    0.1
    """

    _name = "constant"
    value: float


@dataclass(frozen=True, repr=False)
class Step(Schedule):
    """A staircase: s(k) = initial · gamma^⌊k / step_size⌋.

    torch's StepLR. Tutorials that drop at ⌊(1 + k)/n⌋ mean ``Step(...).shift(1)``.

    Args:
        initial: the value at step 0.
        step_size: steps between two drops, at least 1.
        gamma: the factor at each drop, at least 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Step(0.1, step_size=30, gamma=0.5).values(61)[[0, 29, 30, 60]]
    array([0.1  , 0.1  , 0.05 , 0.025])
    """

    _name = "step"
    initial: float
    step_size: int
    gamma: float = 0.1


@dataclass(frozen=True, repr=False)
class MultiStep(Schedule):
    """Drops at steps of your choice: s(k) = initial · gamma^(number of milestones ≤ k).

    torch's MultiStepLR; as there, a milestone that is listed twice counts twice.

    Args:
        initial: the value before the first milestone.
        milestones: steps in rising order.
        gamma: the factor at each milestone, at least 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> MultiStep(1.0, milestones=[2, 3], gamma=0.5).values(5)
    array([1.  , 1.  , 0.5 , 0.25, 0.25])
    """

    _name = "multi_step"
    initial: float
    milestones: Sequence[int]
    gamma: float = 0.1


@dataclass(frozen=True, repr=False)
class Exponential(Schedule):
    """Exponential decay, by its factor or by its rate; exactly one of the two is given.

    s(k) = initial · gammaᵏ (torch's ExponentialLR), or s(k) = initial · exp(-decay·k).

    Args:
        initial: the value at step 0.
        gamma: the factor from one step to the next, at least 0; above 1 the value grows, in the
            end to infinity.
        decay: the rate per step, at least 0.

    Raises:
        TypeError: both or none of gamma and decay, or an argument of another kind.
        ValueError: an argument is out of these limits.

    >>> Exponential(1.0, gamma=0.5)(3)
    0.125
    >>> round(Exponential(1.0, decay=0.1)(10), 6)
    0.367879
    """

    _name = "exponential"
    initial: float
    gamma: float | None = None
    decay: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (self.gamma is None) == (self.decay is None):
            came = "neither" if self.gamma is None else "both"
            raise TypeError(
                f"Exponential: expected exactly one of gamma and decay, got {came}; "
                "pass gamma=0.99 for initial * gamma**k or decay=0.01 for initial * exp(-decay*k)"
            )
        super().__post_init__()

    def _native_name(self) -> str:
        return "exponential" if self.decay is None else "exponential_decay"


@dataclass(frozen=True, repr=False)
class InverseTime(Schedule):
    """s(k) = initial / (1 + decay·k), the harmonic decay of Robbins & Monro (1951).

    Args:
        initial: the value at step 0.
        decay: the rate per step, at least 0; after 1/decay steps the value has halved.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> InverseTime(1.0, decay=0.5).values(3)
    array([1.        , 0.66666667, 0.5       ])
    """

    _name = "inverse_time"
    initial: float
    decay: float


@dataclass(frozen=True, repr=False)
class Polynomial(Schedule):
    """s(k) = end + (initial - end)·(1 - k/total)^power, and end from step total on.

    torch's PolynomialLR, with an end value of your choice; the "poly" policy of ParseNet (Liu et
    al., 2015). With power 1 it is linear.

    Args:
        initial: the value at step 0.
        total: steps until the end value, at least 1.
        power: above 0.
        end: the value from step total on; it may lie above initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Polynomial(1.0, total=4, end=0.5).values(6)
    array([1.   , 0.875, 0.75 , 0.625, 0.5  , 0.5  ])
    """

    _name = "polynomial"
    initial: float
    total: int
    power: float = 1.0
    end: float = 0.0


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """s(k) = floor + (initial - floor)·(1 + cos(π·k/total))/2, and floor from step total on.

    Half a cosine (Loshchilov & Hutter, 2017, equation 5). torch's CosineAnnealingLR agrees up to
    T_max = total and rises again after it; this one stays down.

    Args:
        initial: the value at step 0.
        total: steps until the floor, at least 1.
        floor: the value at the end, in the units of initial (torch's eta_min).

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Cosine(1.0, total=4, floor=0.5)(np.array([0, 2, 4, 6]))
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    _name = "cosine"
    initial: float
    total: int
    floor: float = 0.0


@dataclass(frozen=True, repr=False)
class CosineRestarts(Schedule):
    """Cosine decay with warm restarts: SGDR (Loshchilov & Hutter, 2017).

    Cycle i = 0, 1, … lasts period·t_mulⁱ steps and, with x from 0 to 1 the part of it that has
    passed, has the values

        s(k) = floor + (initial - floor)·m_mulⁱ·(1 + cos(π·x))/2.

    torch's CosineAnnealingWarmRestarts has whole t_mul and no m_mul; m_mul is Keras's. With a
    fractional t_mul a cycle may begin between two steps; the first step after that is then
    already a little below the peak.

    Args:
        initial: the value at step 0.
        period: steps of the first cycle, at least 1.
        t_mul: how much longer each cycle is than the one before, at least 1.
        m_mul: how much higher (above the floor) it begins, at least 0.
        floor: the value towards the end of each cycle, in the units of initial.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> CosineRestarts(1.0, period=2, t_mul=2.0, m_mul=0.5).values(7).round(3)
    array([1.   , 0.5  , 0.5  , 0.427, 0.25 , 0.073, 0.25 ])
    """

    _name = "cosine_restarts"
    initial: float
    period: int
    t_mul: float = 1.0
    m_mul: float = 1.0
    floor: float = 0.0


@dataclass(frozen=True, repr=False)
class Warmup(Schedule):
    """A straight line up to another schedule's first value, then that schedule from its step 0.

    s(k) = start + (into(0) - start)·k/warmup while k < warmup, then into(k - warmup). Gradual
    warmup (Goyal et al., 2017).

    Args:
        warmup: steps of the line; 0 for none.
        into: what follows, `Lambda` included.
        start: the value at step 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Warmup(4, into=Exponential(1.0, gamma=0.5)).values(7)
    array([0.  , 0.25, 0.5 , 0.75, 1.  , 0.5 , 0.25])
    """

    _name = "warmup"
    warmup: int
    into: Schedule
    start: float = 0.0

    def _evaluate(self, step: int) -> float:
        if step >= self.warmup:
            return self.into(step - self.warmup)
        return Warmup(self.warmup, Constant(self.into(0)), self.start)(step)


@dataclass(frozen=True, repr=False)
class WarmupCosine(Schedule):
    """A linear warmup into a cosine, total steps in all: the usual shape for transformers.

    The same as ``Warmup(warmup, Cosine(peak, total - warmup, floor), start)``.

    Args:
        peak: the value at step warmup.
        warmup: steps of the line, 0 for none, less than total.
        total: steps until the floor, the warmup included.
        floor: the value from step total on, in the units of peak.
        start: the value at step 0.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> WarmupCosine(3e-3, warmup=100, total=1000)(np.array([0, 50, 100, 550, 1000]))
    array([0.    , 0.0015, 0.003 , 0.0015, 0.    ])
    """

    _name = "warmup_cosine"
    peak: float
    warmup: int
    total: int
    floor: float = 0.0
    start: float = 0.0


@dataclass(frozen=True, repr=False)
class Shifted(Schedule):
    """Another schedule begun offset steps in: s(k) = of(k + offset). See `Schedule.shift`.

    Raises:
        TypeError, ValueError: `of` is no schedule, or offset no int of at least 0.

    >>> Shifted(Step(1.0, step_size=2, gamma=0.5), offset=1).values(3)
    array([1. , 0.5, 0.5])
    """

    _name = "shifted"
    of: Schedule
    offset: int

    def _evaluate(self, step: int) -> float:
        return self.of(min(step + self.offset, 2**64 - 1))


@dataclass(frozen=True, repr=False)
class Every(Schedule):
    """Another schedule read once in a while: s(k) = of(⌊k / steps⌋). See `Schedule.every`.

    Raises:
        TypeError, ValueError: `of` is no schedule, or steps no int of at least 1.

    >>> Every(Exponential(1.0, gamma=0.5), steps=2).values(5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    _name = "every"
    of: Schedule
    steps: int

    def _evaluate(self, step: int) -> float:
        return self.of(step // self.steps)


@dataclass(frozen=True, repr=False)
class Lambda(Schedule):
    """A function of yours as a schedule: s(k) = f(k), with k an int.

    It is called once per step, in Python. `to_dict` cannot hold the function, so `from_dict`
    refuses what it gives. Two are equal if they hold the same function.

    Raises:
        TypeError: f cannot be called or, at a step, returns no number.

    >>> Lambda(lambda k: 1 / (k + 1)).values(3)
    array([1.        , 0.5       , 0.33333333])
    """

    _name = "lambda"
    f: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.f):
            raise TypeError(
                f"Lambda.f: expected a function, got {type(self.f).__name__} {self.f!r}; "
                "pass a function of the step, or Constant(value) for a fixed value"
            )
        object.__setattr__(self, "_native", None)

    def _evaluate(self, step: int) -> float:
        value = self.f(step)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"Lambda.f: expected a number in return, got {type(value).__name__} {value!r} "
                f"at step {step}; return a float"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Only the name: a function is not data."""
        return {"schedule": self._name}


_FAMILIES: dict[str, type[Schedule]] = {
    family._name: family
    for family in (
        Constant,
        Step,
        MultiStep,
        Exponential,
        InverseTime,
        Polynomial,
        Cosine,
        CosineRestarts,
        Warmup,
        WarmupCosine,
        Shifted,
        Every,
    )
}
