"""A step of an `optcore.torch` optimizer, and those of torch's class of the same name."""

from __future__ import annotations

from collections.abc import Callable

import torch

import optcore.torch as ot
from rivals.rules import OPTIONS, STEPS, TORCH_MODES


def prepare(
    rule: str, shapes: list[tuple[int, ...]], threads: int, who: str
) -> Callable[[], object]:
    """A contender's step, after it has taken the first few and they agree with optcore's."""
    torch.set_num_threads(threads)
    params, step = _made(rule, shapes, threads, who)
    for _ in range(STEPS):
        step()
    if who != "optcore":
        _agree(rule, shapes, who, params)
    return step


def _made(
    rule: str, shapes: list[tuple[int, ...]], threads: int, who: str
) -> tuple[list[torch.Tensor], Callable[[], object]]:
    torch.manual_seed(0)
    params = [torch.nn.Parameter(0.02 * torch.randn(shape)) for shape in shapes]
    for param in params:
        param.grad = torch.randn(param.shape)
    options = OPTIONS.get(rule, {})
    if who == "optcore":
        return [*params], getattr(ot, rule)(params, **options, threads=threads).step
    return [*params], getattr(torch.optim, rule)(params, **options, **TORCH_MODES[who]).step


def _agree(rule: str, shapes: list[tuple[int, ...]], who: str, theirs: list[torch.Tensor]) -> None:
    """Raises an AssertionError where torch's steps do not lead where optcore's lead."""
    ours, step = _made(rule, shapes, 2, "optcore")
    start = [param.detach().clone() for param in ours]
    for _ in range(STEPS):
        step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        apart = (mine - other).abs().max()
        allowed = 1e-3 * (mine - before).abs().max() + 1e-6 * mine.abs().max()
        assert apart <= allowed, f"{who} disagrees with optcore's {rule}: {apart} > {allowed}"
