"""The wrappers against those of other libraries, in float64, over 30 steps without resetting."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import optcore as oc

STEPS = 30
BOUND = 1e-10
SHAPES = {"W": (5, 4), "K": (3, 2, 4, 3), "T": (4, 3, 2), "b": (6,), "s": ()}
Arrays = dict[str, np.ndarray]


def start() -> Arrays:
    rng = np.random.default_rng(7)
    return {name: np.asarray(rng.normal(size=shape)) for name, shape in SHAPES.items()}


def gradients(params: Arrays, step: int) -> Arrays:
    """Of a function with curvature, and noise of its own in each step; far apart in size."""
    rng = np.random.default_rng(1000 + step)
    return {
        name: np.asarray((1 + i) * (np.sin(p) + 0.3 * p + 0.5 * rng.normal(size=p.shape)))
        for i, (name, p) in enumerate((name, params[name]) for name in SHAPES)
    }


def distance(ours: Arrays, theirs: dict[str, Any]) -> float:
    """The largest error, as a part of the largest element of its array."""
    return max(
        float(np.max(np.abs(ours[k] - np.asarray(theirs[k]))) / max(1e-3, np.max(np.abs(ours[k]))))
        for k in ours
    )


@pytest.fixture
def optax() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of jax about its own future
        jax = pytest.importorskip("jax")
        library = pytest.importorskip("optax")
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", True)
        yield library
        jax.config.update("jax_enable_x64", before)


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def pytorch_optimizer(torch: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pytorch_optimizer")


def run_optax(optax: Any, transform: Any, params: Any = None, steps: int = STEPS) -> Any:
    """Steps with an optax transformation; gradients are taken where the parameters are."""
    import jax
    import jax.numpy as jnp

    params = {k: jnp.asarray(v) for k, v in start().items()} if params is None else params
    state = transform.init(params)

    @jax.jit
    def stepped(grads: Any, state: Any, params: Any) -> Any:
        updates, state = transform.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    for step in range(steps):
        where = getattr(params, "fast", params)
        grads = {
            k: jnp.asarray(v)
            for k, v in gradients({k: np.asarray(v) for k, v in where.items()}, step).items()
        }
        params, state = stepped(grads, state, params)
    return params


class TorchRun:
    """Parameters in torch, and the same gradients for them."""

    def __init__(self, torch: Any):
        self.torch = torch
        self.params = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in start().items()}

    def leaves(self) -> list[Any]:
        return list(self.params.values())

    def numpy(self) -> Arrays:
        return {k: p.detach().numpy().copy() for k, p in self.params.items()}

    def grad(self, step: int) -> None:
        for k, g in gradients(self.numpy(), step).items():
            self.params[k].grad = self.torch.tensor(g)


def run(opt: Any, params: Arrays, steps: int = STEPS) -> Arrays:
    for step in range(steps):
        opt.step(gradients(params, step))
    return params


INNER: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "sgd": (
        lambda params: oc.SGD(params, lr=0.05, momentum=0.9),
        lambda optax: optax.sgd(0.05, momentum=0.9),
        lambda torch, leaves: torch.optim.SGD(leaves, lr=0.05, momentum=0.9),
    ),
    "adam": (
        lambda params: oc.Adam(params, lr=0.03),
        lambda optax: optax.adam(0.03),
        lambda torch, leaves: torch.optim.Adam(leaves, lr=0.03),
    ),
}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (1, 0.3), (7, 0.8)])
def test_lookahead_is_optaxs(optax: Any, inner: str, k: int, alpha: float) -> None:
    ours, theirs, _ = INNER[inner]
    mine = start()
    opt = oc.Lookahead(ours(mine), k=k, alpha=alpha)
    run(opt, mine)
    begun = optax.LookaheadParams.init_synced(start())
    peer = run_optax(optax, optax.lookahead(theirs(optax), k, alpha), begun)
    assert distance(mine, peer.fast) < BOUND
    assert distance(opt.slow_params, peer.slow) < BOUND


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (4, 0.8)])
def test_lookahead_is_pytorch_optimizers(
    torch: Any, pytorch_optimizer: Any, inner: str, k: int, alpha: float
) -> None:
    ours, _, theirs = INNER[inner]
    mine, peer = start(), TorchRun(torch)
    run(oc.Lookahead(ours(mine), k=k, alpha=alpha), mine)
    opt = pytorch_optimizer.Lookahead(theirs(torch, peer.leaves()), k=k, alpha=alpha)
    for step in range(STEPS):
        peer.grad(step)
        opt.step()
    assert distance(mine, peer.numpy()) < BOUND


@pytest.mark.parametrize(("begin", "every"), [(0, 1), (10, 1), (10, 4), (7, 3)])
def test_swa_is_averaged_model(torch: Any, begin: int, every: int) -> None:
    from torch.optim.swa_utils import AveragedModel

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for k, v in start().items():
                self.register_parameter(k, torch.nn.Parameter(torch.tensor(v)))

    mine, model = start(), Model()
    opt = oc.SWA(oc.Adam(mine, lr=0.03), start=begin, every=every)
    averaged = AveragedModel(model)
    for step in range(1, STEPS + 1):
        opt.step(gradients(mine, step))
        for k, p in model.named_parameters():
            p.data.copy_(torch.tensor(mine[k]))
        if step >= max(begin, 1) and (step - begin) % every == 0:
            averaged.update_parameters(model)
    assert opt.averages == int(averaged.n_averaged)
    theirs = {k: p.detach().numpy() for k, p in averaged.module.named_parameters()}
    assert distance(opt.swa_params, theirs) < BOUND


def test_swalr_is_a_cosine(torch: Any) -> None:
    from torch.optim.swa_utils import SWALR

    inner = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = SWALR(inner, swa_lr=0.02, anneal_epochs=12, anneal_strategy="cos")
    rates = []
    for _ in range(STEPS):
        rates.append(inner.param_groups[0]["lr"])
        inner.step()
        scheduler.step()
    ours = oc.schedules.Cosine(0.5, 12, floor=0.02).values(STEPS)
    np.testing.assert_allclose(ours, rates, rtol=BOUND)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("rho", [0.05, 2.0, 0.0])
def test_sam_is_optaxs(optax: Any, inner: str, rho: float) -> None:
    ours, theirs, _ = INNER[inner]
    climb = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
    peer = run_optax(optax, optax.contrib.sam(theirs(optax), climb), steps=2 * STEPS)
    mine = start()
    opt = oc.SAM(ours(mine), rho=rho)
    calls = iter(range(2 * STEPS))
    for _ in range(STEPS):
        opt.step(closure=lambda: (0.0, gradients(mine, next(calls))))
    assert distance(mine, peer) < BOUND


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_is_pytorch_optimizers(torch: Any, pytorch_optimizer: Any, adaptive: bool) -> None:
    """To 1e-6: the peer takes the norm, and so the radius, in float32 whatever the parameters."""
    mine, peer = start(), TorchRun(torch)
    ours = oc.SAM(oc.SGD(mine, lr=0.05, momentum=0.9), rho=0.5, adaptive=adaptive)
    theirs = pytorch_optimizer.SAM(
        peer.leaves(), torch.optim.SGD, rho=0.5, adaptive=adaptive, lr=0.05, momentum=0.9
    )
    for step in range(STEPS):
        ours.first_step(gradients(mine, 2 * step))
        ours.second_step(gradients(mine, 2 * step + 1))
        peer.grad(2 * step)
        theirs.first_step()
        peer.grad(2 * step + 1)
        theirs.second_step()
    assert distance(mine, peer.numpy()) < 1e-6


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("every", [1, 3, 4])
def test_accumulation_is_multi_steps(optax: Any, inner: str, reduction: str, every: int) -> None:
    import jax.numpy as jnp

    ours, theirs, _ = INNER[inner]
    several = optax.MultiSteps(
        theirs(optax), every, use_grad_mean=reduction == "mean", accumulator_dtype=jnp.float64
    )
    peer = run_optax(optax, several)
    mine = start()
    run(oc.GradientAccumulation(ours(mine), every=every, reduction=reduction), mine)
    assert distance(mine, peer) < BOUND


@pytest.mark.parametrize("inner", INNER)
def test_centralization_is_optaxs(optax: Any, inner: str) -> None:
    ours, theirs, _ = INNER[inner]
    mine = start()
    run(oc.GradientCentralization(ours(mine)), mine)
    peer = run_optax(optax, optax.chain(optax.centralize(), theirs(optax)))
    assert distance(mine, peer) < BOUND


def test_centralization_is_pytorch_optimizers(torch: Any, pytorch_optimizer: Any) -> None:
    from pytorch_optimizer.optimizer.gradient_centralization import centralize_gradient

    mine, peer = start(), TorchRun(torch)
    run(oc.GradientCentralization(oc.Adam(mine, lr=0.03)), mine)
    theirs = torch.optim.Adam(peer.leaves(), lr=0.03)
    for step in range(STEPS):
        peer.grad(step)
        for p in peer.leaves():
            centralize_gradient(p.grad)
        theirs.step()
    assert distance(mine, peer.numpy()) < BOUND


def clipped_by_optax(optax: Any, clip: float, eps: float = 1e-3) -> Any:
    """Its norm of an array of three axes runs over the first alone unless it is told otherwise."""
    three = {name: len(shape) == 3 for name, shape in SHAPES.items()}
    others = {name: not so for name, so in three.items()}
    return optax.chain(
        optax.masked(optax.adaptive_grad_clip(clip, eps, axis=(0, 1)), three),
        optax.masked(optax.adaptive_grad_clip(clip, eps), others),
    )


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(("clip", "eps"), [(0.01, 1e-3), (0.5, 1e-3), (0.3, 2.0), (100.0, 1e-3)])
def test_agc_is_optaxs(optax: Any, inner: str, clip: float, eps: float) -> None:
    ours, theirs, _ = INNER[inner]
    mine = start()
    run(oc.AGC(ours(mine), clip=clip, eps=eps, axis=-1), mine)
    peer = run_optax(optax, optax.chain(clipped_by_optax(optax, clip, eps), theirs(optax)))
    assert distance(mine, peer) < BOUND


@pytest.mark.parametrize("clip", [0.01, 0.5])
def test_agc_is_pytorch_optimizers(torch: Any, pytorch_optimizer: Any, clip: float) -> None:
    """But for arrays of three axes, where the peer's units are of two."""
    from pytorch_optimizer.optimizer.agc import agc

    mine, peer = start(), TorchRun(torch)
    run(oc.AGC(oc.SGD(mine, lr=0.05), clip=clip, exclude=["T"]), mine)
    theirs = torch.optim.SGD(peer.leaves(), lr=0.05)
    for step in range(STEPS):
        peer.grad(step)
        for k, p in peer.params.items():
            if k != "T":
                p.grad = agc(p.detach(), p.grad, agc_clip_val=clip)
        theirs.step()
    assert distance(mine, peer.numpy()) < BOUND


def test_nested_wrappers_are_a_chain_of_optaxs(optax: Any) -> None:
    inner = optax.chain(clipped_by_optax(optax, 0.1), optax.centralize(), optax.adam(0.03))
    begun = optax.LookaheadParams.init_synced(start())
    peer = run_optax(optax, optax.lookahead(inner, 4, 0.6), begun)
    mine = start()
    opt = oc.AGC(
        oc.GradientCentralization(oc.Lookahead(oc.Adam(mine, lr=0.03), k=4, alpha=0.6)),
        clip=0.1,
        axis=-1,
    )
    run(opt, mine)
    assert distance(mine, peer.fast) < BOUND
