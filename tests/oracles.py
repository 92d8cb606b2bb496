"""Oracles: an optimizer of optcore against one of a peer, in float64, step by step.

To enrol a rule add one row to `CASES` of `test_dialects_keras.py` or `test_dialects_optax.py`:

    Case("Lion", "lion", {"exp_avg": "mu"}, grid(lr=(0.05,), weight_decay=(0.0, 0.1)))

our class, the peer's name, where the peer keeps each of our state arrays, and options in OUR names.
The file's own list says what the peer calls an option; a row's `names` adds to that list. A name
may be the peer's argument, or a function of the value that returns arguments: `lambda v: {}` where
the peer has no such argument. `-mu` is the state `mu` with its sign turned round, and an empty name
state that the peer does not keep: ours goes on by itself. With `lr` in
a row the rate changes from step to step, as that is where some forms begin to differ.

After each step our parameter and state are compared with the peer's and then replaced by them, so
that what is compared is one step at a time, from states as they come about. `slots=None` compares
whole trajectories instead.

A peer that is not exact gets a row in DEVIATIONS, with a bound and the reason, by its name and the
`deviation` of the case.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

import optcore

STEPS = 50
TOLERANCE = 1e-10
SHAPES = ((7, 3), (5,), (), (2, 3, 4))
BOTH = (False, True)

DEVIATIONS: dict[tuple[str, str, str], tuple[float, str]] = {
    ("keras", "Adafactor", ""): (1e-6, "Keras takes means in float32 whatever the type"),
    ("optax", "adafactor", ""): (2e-6, "β2 of the step, 1 − t^−0.8, is worked out in float32"),
    ("optax", "rmsprop", "corrected variance"): (
        1e-6,
        "at the first step the corrected s − a² is 0 but for rounding: noise beside ε",
    ),
}

Options = dict[str, Any]
Names = Mapping[str, "str | Callable[[Any], Options]"]


def grid(**axes: tuple[Any, ...]) -> list[Options]:
    """Every combination of the values of the axes."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def without(rows: list[Options], **unwanted: Any) -> list[Options]:
    """Rows but for those that have all of these values."""
    return [r for r in rows if not all(r[k] == v for k, v in unwanted.items())]


def worst(ours: np.ndarray, theirs: np.ndarray, *sizes: np.ndarray) -> float:
    """The largest error of any element, as a part of the largest of its sizes."""
    error = np.abs(ours - theirs)
    size = np.maximum.reduce([np.abs(s) for s in (theirs, *sizes)])
    return float(np.max(np.divide(error, size, out=np.zeros_like(error), where=error != 0)))


@dataclass(frozen=True)
class Case:
    """A row: our class, the peer's name, the peer's state by our slots, options in our names."""

    ours: str
    peer: str
    slots: Mapping[str, str] | None
    options: list[Options]
    names: Names = field(default_factory=dict)
    fixed: Options = field(default_factory=dict)
    """Options of ours that stand for what the peer's name says, as `amsgrad`."""
    theirs: Options = field(default_factory=dict)
    """Arguments of the peer alone."""
    shapes: tuple[tuple[int, ...], ...] = SHAPES
    deviation: str = ""


class Peer(Protocol):
    """One parameter in the hands of another framework."""

    def step(self, g: np.ndarray, rate: float | None) -> np.ndarray:
        """Takes a step, at this rate where one is given, and returns the parameter."""

    def slot(self, name: str) -> np.ndarray:
        """A copy of a state array."""


Rates = list[float]
MakePeer = Callable[[str, np.ndarray, Options, "Rates | None"], Peer]


def arguments(options: Options, names: Names) -> Options:
    """Options by the peer's names."""
    found: Options = {}
    for name, value in options.items():
        said = names.get(name, name)
        found |= {said: value} if isinstance(said, str) else said(value)
    return found


def rates(lr: float) -> Rates:
    """A rate for each step, up and down around `lr`."""
    return [lr * (0.5 + k % 7 / 6) for k in range(STEPS)]


def compare(
    dialect: str, case: Case, options: Options, shape: tuple[int, ...], names: Names, make: MakePeer
) -> Iterator[dict[str, float]]:
    """After each step the worst error of the parameter and of each state array."""
    rng = np.random.default_rng([len(shape), *shape])
    p = rng.normal(size=shape)
    given = {**options, **case.fixed}
    moving = rates(options["lr"]) if "lr" in options else None
    if moving is not None:
        given["lr"] = lambda k: moving[k]
    opt = getattr(optcore, case.ours)(p, dialect=dialect, **given)
    peer = make(
        case.peer, p, {**arguments(options, {**names, **case.names}), **case.theirs}, moving
    )
    state = opt.state[""]
    if case.slots is not None:
        assert set(case.slots) == set(state), (set(case.slots), set(state))
    for k in range(STEPS):
        g = np.asarray(rng.normal(size=shape) * 10 ** rng.uniform(-3, 3, size=shape))
        before, old = p.copy(), {name: x.copy() for name, x in state.items()}
        opt.step(g)
        after = peer.step(g, moving[k] if moving is not None else None)
        found = {"p": worst(p, after, before, after - before)}
        for slot, said in (case.slots or {}).items():
            if not said:
                continue
            theirs = peer.slot(said.lstrip("-")) * (-1 if said.startswith("-") else 1)
            theirs = theirs.reshape(state[slot].shape)
            found[slot] = worst(state[slot], theirs, old[slot])
            state[slot][...] = theirs
        if case.slots is not None:
            p[...] = after
        yield found


def held(
    dialect: str, case: Case, options: Options, shape: tuple[int, ...], names: Names, make: MakePeer
) -> float:
    """Fails if any step is further from the peer than its bound; returns the largest error."""
    bound, _ = DEVIATIONS.get((dialect, case.peer, case.deviation), (TOLERANCE, ""))
    errors = list(compare(dialect, case, options, shape, names, make))
    assert len(errors) == STEPS
    largest = max(max(found.values()) for found in errors)
    step = next((k for k, found in enumerate(errors) if not max(found.values()) <= bound), None)
    assert step is None, (step, errors[step], bound)
    return largest


def rows(cases: tuple[Case, ...]) -> list[tuple[Case, Options, tuple[int, ...]]]:
    """Every row of options in the first shape, and the first and last row in all shapes."""
    found = []
    for case in cases:
        for options in case.options:
            ends = options is case.options[0] or options is case.options[-1]
            found += [(case, options, shape) for shape in case.shapes[: None if ends else 1]]
    return found


def row_id(row: tuple[Case, Options, tuple[int, ...]]) -> str:
    case, options, shape = row
    return "-".join([case.peer, *(f"{k}={v}" for k, v in options.items()), str(shape)])


def defaults_differ(
    dialect: str, case: Case, function: Callable[..., Any], names: Names
) -> dict[str, Any]:
    """Where the dialect's defaults are not those of the peer's signature: (ours, theirs)."""
    group = getattr(optcore, case.ours)(np.zeros(3), dialect=dialect, **case.fixed).groups[0]
    used = {name for options in case.options for name in options}
    ours = arguments({name: group[name] for name in used}, {**names, **case.names})
    theirs = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    # None is how peers say that there is none of it.
    return {
        name: (value, theirs[name])
        for name, value in ours.items()
        if name in theirs and (value or 0) != (theirs[name] or 0)
    }


def left_out(
    cases: list[Case], function: Callable[..., Any], names: Names, no_options: set[str]
) -> set[str]:
    """Arguments of the peer that no row gives, in at least two ways but for the rate."""
    seen: dict[str, set[str]] = {}
    for case in cases:
        for options in case.options:
            for name, value in arguments(options, {**names, **case.names}).items():
                seen.setdefault(name, set()).add(str(value))
    enough = {name for name, values in seen.items() if len(values) > 1}
    return set(inspect.signature(function).parameters) - enough - no_options
