"""Brings contenders to the line: a step counts only after its result agrees with optcore's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

# torch first: it and optcore load GNU's OpenMP under one name, and whoever comes first decides on
# the runtime and its settings. So torch runs with those that it is shipped with.
with contextlib.suppress(ImportError):
    import torch  # noqa: F401

import numpy as np
import rivals
from arrays import Array
from workload import BFLOAT16, EIGHT_BIT, FLOAT32, LR, Workload

STEPS = 3
_BLOCK = 1 << 16  # elements compared at a time, in cache

# How far a parameter may be from optcore's: absolutely, and relative to it. In bfloat16 each step
# rounds moments and parameter to 8 bits; 8-bit moments are held against float32 ones.
TOLERANCE = {
    FLOAT32: (LR / 1000, 0.0),
    BFLOAT16: (LR / 4, 2.0**-6),
    EIGHT_BIT: (STEPS * LR / 4, 0.0),
}


def prepare(workload: Workload, who: str) -> Callable[[], None]:
    """A contender's step, after it has taken the first few and they agree with optcore's."""
    wanted = expected(workload)
    contender = rivals.make(who, workload)
    for _ in range(STEPS):
        contender.step()
    if contender.result is not None:
        agree(who, contender.result, wanted, workload)
    return contender.step


def agree(who: str, result: list[Array], wanted: list[Array], workload: Workload) -> None:
    """Raises an AssertionError where a contender's result is not optcore's."""
    absolute, relative = TOLERANCE[workload.format]
    for i, (ours, theirs) in enumerate(zip(wanted, result, strict=True)):
        ours, theirs = ours.reshape(-1), theirs.reshape(-1)
        for at in range(0, ours.size, _BLOCK):
            a = ours[at : at + _BLOCK]
            b = theirs[at : at + _BLOCK].astype(np.float32, copy=False)
            apart = np.abs(a - b) - relative * np.abs(a)
            if not apart.max() <= absolute:  # also where there is a NaN
                raise AssertionError(
                    f"{who} disagrees with optcore after {STEPS} steps of {workload.title}: "
                    f"array {i} is {apart.max():.1e} off, expected {absolute:.1e} or less"
                )


@lru_cache(maxsize=1)  # the contenders of a workload come one after another
def expected(workload: Workload) -> list[Array]:
    """What optcore's steps lead to, in float32."""
    if workload.format == EIGHT_BIT:
        workload = replace(workload, format=FLOAT32)
    ours = rivals.make("optcore", workload)
    for _ in range(STEPS):
        ours.step()
    return [p.astype(np.float32, copy=False) for p in ours.result]
