"""The small problem on which every rule is shown: a narrow valley in two dimensions."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import optcore as oc

STEPS = 100
START = np.array([-2.4, 1.9])
LOWEST = np.array([1.0, 0.5])  # not the origin, towards which weight decay would help
RATES = 10.0 ** np.arange(-4, 1.76, 0.25)

_TURN = np.array([[np.cos(0.45), -np.sin(0.45)], [np.sin(0.45), np.cos(0.45)]])
CURVATURE = _TURN @ np.diag([1.0, 25.0]) @ _TURN.T

WITHOUT_RATE = ("DAdaptAdam", "DAdaptSGD", "Prodigy", "LBFGS")


@dataclass(frozen=True)
class Run:
    """Where a rule went.

    Attributes:
        rate: the learning rate; None where the rule takes its default of 1.
        points: the place before each step, and after the last.
        losses: the height there.
    """

    rate: float | None
    points: NDArray[np.float64]
    losses: NDArray[np.float64]


def loss(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The height at points, whose last axis is x and y."""
    away = points - LOWEST
    height: NDArray[np.float64] = 0.5 * np.einsum("...i,ij,...j->...", away, CURVATURE, away)
    return height


def slope(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gradient at one point."""
    gradient: NDArray[np.float64] = CURVATURE @ (point - LOWEST)
    return gradient


@functools.cache
def best(name: str) -> Run:
    """The rule's run at that of `RATES` whose last ten steps stay lowest.

    Rates at which it climbs far above its start on the way do not count, unless all do.
    """
    rates = [None] if name in WITHOUT_RATE else [float(rate) for rate in RATES]
    with np.errstate(all="ignore"):
        runs = [run(name, rate) for rate in rates]
    calm = [each for each in runs if each.losses.max() <= 2 * each.losses[0]]
    return min(calm or runs, key=lambda each: np.nan_to_num(each.losses[-10:], nan=np.inf).max())


def run(name: str, rate: float | None) -> Run:
    """A hundred steps of a rule at its defaults, on a matrix of one row, which suits all rules."""
    kind = getattr(oc, name)
    place = START[np.newaxis].copy()
    options: dict[str, Any] = {} if rate is None else {"lr": rate}
    if name == "LBFGS":
        options = {"max_iter": 1, "line_search_fn": "strong_wolfe"}
    opt = kind({"w": place}, **options)

    def closure() -> tuple[float, dict[str, NDArray[np.float64]]]:
        return float(loss(place[0])), {"w": slope(place[0])[np.newaxis]}

    points = [START]
    for step in range(STEPS):
        if name == "Sophia" and step % 10 == 0:
            opt.update_hessian({"w": np.diag(CURVATURE)[np.newaxis]})
        opt.step(closure=closure)
        points.append(_evaluated(opt, place))
    array = np.array(points)
    return Run(rate, array, loss(array))


def _evaluated(opt: Any, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the model would be evaluated: schedule-free rules step at another place."""
    found = np.empty(2)
    with opt.eval() if hasattr(opt, "eval") else contextlib.nullcontext():
        found[:] = place[0]
    return found
