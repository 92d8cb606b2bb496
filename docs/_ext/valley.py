"""The small problem on which every rule is shown: a narrow valley in two dimensions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

import optcore as oc
from optcore.comparison import Run

STEPS = 100
RATES = 10.0 ** np.arange(-4, 1.76, 0.25)
WITHOUT_RATE = ("DAdaptAdam", "DAdaptSGD", "Prodigy", "LBFGS")

_TURN = np.array([[np.cos(0.45), -np.sin(0.45)], [np.sin(0.45), np.cos(0.45)]])


class Valley(oc.problems.Problem):
    """A quadratic, 25 times as steep across as along, and turned so that no axis is special."""

    name, epochs = "valley", STEPS
    bounds = ((-3.1, 3.1), (-1.7, 2.9))
    minima = np.array([[1.0, 0.5]])  # not the origin, towards which weight decay would help
    curvature = _TURN @ np.diag([1.0, 25.0]) @ _TURN.T

    def initial(self, seed: int) -> NDArray[np.float64]:
        """A matrix of one row, which suits all rules."""
        return np.array([[-2.4, 1.9]])

    def value(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The height at points, whose last axis is x and y."""
        away = points - self.minima[0]
        return np.asarray(0.5 * np.einsum("...i,ij,...j", away, self.curvature, away))

    def loss_and_grads(
        self, params: NDArray[np.float64], batch: object
    ) -> tuple[float, NDArray[np.float64]]:
        """Height and slope at one point."""
        away = params - self.minima
        slope = away @ self.curvature
        return 0.5 * float(np.vdot(away, slope)), slope


class ToldCurvature:
    """Sophia, told the true curvature every tenth step."""

    def __init__(self, params: NDArray[np.float64], lr: float):
        self._sophia = oc.Sophia(params, lr=lr)

    def step(self, grads: NDArray[np.float64]) -> None:
        """A step."""
        if self._sophia.step_count % 10 == 0:
            self._sophia.update_hessian(np.diag(Valley.curvature)[np.newaxis])
        self._sophia.step(grads)


@functools.cache
def best(name: str) -> Run:
    """The rule's run at that of `RATES` whose last ten steps stay lowest.

    Rates at which it climbs far above its start on the way do not count, unless all do.
    """
    kind: Any = ToldCurvature if name == "Sophia" else getattr(oc, name)
    entries: list[tuple[Any, dict[str, Any]]] = [(kind, {"lr": float(rate)}) for rate in RATES]
    if name in WITHOUT_RATE:
        search = {"max_iter": 1, "line_search_fn": "strong_wolfe"}
        entries = [(kind, search if name == "LBFGS" else {})]
    runs = [run for run in oc.compare(Valley(), entries, progress=False).runs if done(run)]
    calm = [run for run in runs if max(run.losses) <= 2 * run.losses[0]]
    return min(calm or runs, key=lambda run: max(run.losses[-10:]))


def done(run: Run) -> bool:
    """Whether it came to its end, and a finite one."""
    return run.status == "done" and bool(np.isfinite(run.losses).all())
