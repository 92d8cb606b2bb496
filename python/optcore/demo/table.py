"""The demo's results as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .._columns import columns
from ..problems.data import Data
from .training import Run, Setting

_HEAD = (
    ("", "learning", "training", "test", "epoch", "step", "NumPy", ""),
    ("optimizer", "rate", "loss", "acc.", "ms", "µs", "µs", "ratio"),
)

_NOTES = """\
training loss: over all training data, at the end. epoch: the whole loop over
the training data with optcore's step. step: optcore's, of all arrays. NumPy: the
same step written for speed in NumPy, array by array, in place, into scratch
arrays made once, with the scalars multiplied together (optcore/demo/plain.py).
Times are medians; both kinds of step take turns, epoch by epoch."""


def heading(data: Data, setting: Setting) -> str:
    """What is about to be trained, in a few lines."""
    sizes = setting.sizes(data)
    count = sum(inputs * outputs + outputs for inputs, outputs in pairwise(sizes))
    return (
        f"handwritten digits: {len(data.y)} to learn from, {len(data.y_test)} to test on\n"
        f"network {'-'.join(map(str, sizes))}: {count} parameters, float32\n"
        f"{setting.epochs} epochs of {setting.steps(data)} mini-batches of up to "
        f"{setting.batch_size}, seed {setting.seed}\n"
    )


def table(runs: Sequence[Run]) -> str:
    """A row for every run, and what the columns mean."""
    lines = columns([*_HEAD, *map(_row, runs)], left=(0, 1), rule=len(_HEAD))
    return "\n".join([*lines, "", _NOTES])


def _row(run: Run) -> tuple[str, ...]:
    return (
        run.choice.label,
        run.choice.rate_text,
        f"{run.losses[-1]:.1e}",
        f"{100 * run.accuracy:.1f} %",
        f"{1e3 * run.epoch:.1f}",
        f"{1e6 * run.step:.1f}",
        f"{1e6 * run.plain_step:.1f}",
        f"{run.plain_step / run.step:.1f} x",
    )
