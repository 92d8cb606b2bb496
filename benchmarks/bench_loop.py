"""The whole NumPy training loop, forward and backward pass included.

`numpy` steps as one writes it in a training loop; `numpy-tuned` keeps scratch arrays and folds the
scalars, the fastest form in plain NumPy that we found; `no-step` is what is left when the step
costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rivals.plain import adamw_
from shapes import mlp
from workload import BETAS, DECAY, EPS, LR

import optcore as oc
from optcore.demo import plain
from optcore.problems.network import Network, arrays

BATCH, BATCHES = 64, 20


@dataclass(frozen=True)
class Loop:
    """One pass over a few mini-batches."""

    sizes: tuple[int, ...]
    threads: int = 0  # NumPy's BLAS decides on its own
    small: bool = True
    quick: bool = True

    @property
    def title(self) -> str:
        return f"NumPy loop, MLP {'-'.join(map(str, self.sizes))}, batch {BATCH}"

    @property
    def elements(self) -> int:
        return sum(int(np.prod(shape)) for shape in mlp(*self.sizes))

    @property
    def bytes(self) -> int:
        return 7 * 4 * self.elements * BATCHES  # the steps' alone

    def with_threads(self, threads: int) -> Loop:
        return self

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", "optcore-1-thread", "numpy", "numpy-tuned", "no-step"]

    def laps(self, who: str) -> int:
        return 3

    def prepare(self, who: str) -> Callable[[], None]:
        """The loop with that step, once it has led where optcore's leads."""
        rng = np.random.default_rng(0)
        examples = [
            (
                rng.standard_normal((BATCH, self.sizes[0]), np.float32),
                rng.integers(0, self.sizes[-1], BATCH),
            )
            for _ in range(BATCHES)
        ]
        network = Network(self.sizes)
        params, ours = network.initial(0), network.initial(0)
        loop = passes(network, params, examples, stepper(who, params))
        if who != "no-step":
            loop()
            passes(network, ours, examples, stepper("optcore", ours))()
            for mine, theirs in zip(arrays(ours), arrays(params), strict=True):
                np.testing.assert_allclose(theirs, mine, rtol=0, atol=1e-4, err_msg=who)
        return loop


def passes(network, params, examples, step):
    """A function that goes over the examples once."""

    def loop() -> None:
        for X, y in examples:
            _, grads = network.loss_and_grads(params, X, y)
            step(grads)

    return loop


def stepper(who, params):
    """A function of the gradients that steps the network."""
    own = arrays(params)
    if who == "no-step":
        return lambda grads: None
    if who.startswith("optcore"):
        threads = 1 if who == "optcore-1-thread" else None
        return oc.AdamW(
            params, lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY, threads=threads
        ).step
    if who == "numpy-tuned":
        tuned = plain.AdamW(own, betas=BETAS, eps=EPS, weight_decay=DECAY)
        return lambda grads: tuned.step(arrays(grads), LR)
    state = [(np.zeros_like(p), np.zeros_like(p)) for p in own]
    t = 0

    def step(grads):
        nonlocal t
        t += 1
        for p, g, (m, v) in zip(own, arrays(grads), state, strict=True):
            adamw_(p, g, m, v, t)

    return step


RACES = [Loop((784, 256, 128, 10)), Loop((784, 512, 512, 10))]


def test_loop(turn, heat):
    """Twenty mini-batches."""
    turn(heat)
