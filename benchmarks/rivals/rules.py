"""A step of any rule: optcore's, its byte floor, and torch's where torch has the rule."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

# torch first, see race.py.
with contextlib.suppress(ImportError):
    import torch

import numpy as np

import optcore as oc
from optcore import _core

STEPS = 3
OPTIONS: dict[str, dict[str, Any]] = {"SGD": {"lr": 1e-3, "momentum": 0.9}}
TORCH_MODES: dict[str, dict[str, bool]] = {
    "torch-loop": {"foreach": False},
    "torch-foreach": {"foreach": True},
    "torch-fused": {"fused": True},
}
_latest: list[tuple[str, int, list[np.ndarray[Any, Any]]]] = []  # optcore's arrays, for the floor


def prepare(rule: str, shape: tuple[int, ...], threads: int, who: str) -> Callable[[], object]:
    """A contender's step, after it has taken the first few and they agree with optcore's."""
    if who == "floor":
        return _floor(rule, shape, threads)
    _latest.clear()  # memory is free again before new is taken
    p, g = _arrays(shape)
    step, result = _ours(rule, p, g, threads) if who == "optcore" else _torch(rule, p, g, who)
    if who != "optcore":
        torch.set_num_threads(threads)
    for _ in range(STEPS):
        step()
    if who != "optcore":
        _agree(rule, shape, who, result())
    return step


def _arrays(shape: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    p = np.empty(shape, np.float32)
    g = np.empty(shape, np.float32)
    pool = rng.standard_normal(1 << 16, np.float32)
    for array, numbers in ((p, 0.02 * pool), (g, pool[::-1])):
        array.reshape(-1, pool.size)[...] = numbers
    return p, g


def _ours(rule: str, p: Any, g: Any, threads: int) -> tuple[Callable[[], object], Any]:
    optimizer = getattr(oc, rule)(p, **OPTIONS.get(rule, {}), threads=threads)
    state = [s for s in optimizer.state[""].values() if s.shape == p.shape]
    _latest.append((rule, threads, [p, g, *state]))
    return lambda: optimizer.step(g), lambda: p


def _floor(rule: str, shape: tuple[int, ...], threads: int) -> Callable[[], object]:
    """Over the very arrays that optcore has just run on: where they lie decides on their speed."""
    if not _latest or _latest[0][:2] != (rule, threads):
        _latest.clear()
        p, g = _arrays(shape)
        _ours(rule, p, g, threads)
    p, g, *state = _latest.pop()[2]
    return lambda: _core.stream_floor(p, g, state, threads)


def _torch(rule: str, p: Any, g: Any, who: str) -> tuple[Callable[[], object], Any]:
    parameter = torch.nn.Parameter(torch.from_numpy(p).clone())
    parameter.grad = torch.from_numpy(g).clone()
    optimizer = getattr(torch.optim, rule)([parameter], **OPTIONS.get(rule, {}), **TORCH_MODES[who])
    return optimizer.step, lambda: parameter.detach().numpy()


def _agree(rule: str, shape: tuple[int, ...], who: str, theirs: Any) -> None:
    """Raises an AssertionError where torch's steps do not lead where optcore's lead."""
    p, g = _arrays(shape)
    start = p.copy()
    step, _ = _ours(rule, p, g, 2)
    _latest.clear()
    for _ in range(STEPS):
        step()
    apart = np.abs(p - theirs).max()
    allowed = 1e-3 * np.abs(p - start).max() + 1e-6 * np.abs(p).max()
    assert apart <= allowed, f"{who} disagrees with optcore's {rule}: {apart:.1e} > {allowed:.1e}"
