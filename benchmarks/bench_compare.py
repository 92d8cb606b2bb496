"""`optcore.compare` as a whole: eight optimizers, three seeds, a network on handwritten digits.

Everybody runs in the same harness, with the same network, batches and evaluations; steps differ.
`numpy` steps as one writes it in a training loop, `numpy-tuned` keeps scratch arrays and folds the
scalars, the fastest form in plain NumPy that we found; `no-step` is what is left when the step
costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import rivals
from rivals import written

import optcore as oc
from optcore import comparison, problems
from optcore.demo import plain
from optcore.problems.network import arrays

SEEDS, CHECKED_EPOCHS = 3, 2


@dataclass(frozen=True)
class Comparison:
    """The digits MLP as `optcore compare` trains it unless told otherwise."""

    problem: str = "digits-mlp"
    threads: int = 0  # NumPy's BLAS decides on its own
    small: bool = True
    quick: bool = False

    @property
    def title(self) -> str:
        return f"compare, {self.problem}, {len(comparison.DEFAULT)} optimizers, {SEEDS} seeds"

    @property
    def elements(self) -> int:
        return 17226

    @property
    def bytes(self) -> int:
        return 7 * 4 * self.elements  # Adam's, a step

    def with_threads(self, threads: int) -> Comparison:
        return self

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", "numpy", "numpy-tuned", "no-step"]

    def laps(self, who: str) -> int:
        return 1

    def prepare(self, who: str) -> Callable[[], object]:
        """The whole comparison, once its runs have led where optcore's lead."""
        if not find_spec("sklearn"):
            raise rivals.AbsentError("the data are scikit-learn's: pip install scikit-learn")
        problem = problems.named(self.problem)
        if who not in ("optcore", "no-step"):
            ours, theirs = (
                oc.compare(problem, members(each, problem), epochs=CHECKED_EPOCHS)
                for each in ("optcore", who)
            )
            for mine, run in zip(ours.runs, theirs.runs, strict=True):
                np.testing.assert_allclose(run.losses, mine.losses, rtol=2e-2, err_msg=run.label)
        chosen = members(who, problem)
        return lambda: oc.compare(problem, chosen, seeds=SEEDS, progress=False)


def members(who, problem):
    """The optimizers of a contender, by label."""
    if who == "optcore":
        return list(comparison.DEFAULT)
    modules = {"numpy": written, "numpy-tuned": plain}
    chosen = {}
    for name in comparison.DEFAULT:
        kinds = {each.lower(): kind for each, kind in vars(modules.get(who, plain)).items()}
        kind = NoStep if who == "no-step" else kinds[name]
        chosen[name] = (stepper(kind), {"lr": problem.rates[name]})
    return chosen


class NoStep:
    def __init__(self, params):
        pass

    def step(self, grads, lr):
        pass


def stepper(kind):
    """A step on arrays as the harness wants one, on trees."""

    class Stepper:
        def __init__(self, params, lr):
            self.lr = lr
            inner = kind(arrays(params))
            self.step = lambda grads: inner.step(arrays(grads), lr)

    return Stepper


RACES = [Comparison()]


def test_compare(turn, heat):
    """The whole comparison."""
    turn(heat)
