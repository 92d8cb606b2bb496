"""Prodigy and D-Adaptation against the authors' packages prodigyopt and dadaptation, in float64.

Both step from the same point: after each step the package's parameters, state and estimate replace
ours. Compared are all of them, over 50 steps of several tensors in two groups.

Where a package differs, and what that leaves to compare:

============================  =====================================================================
Prodigy with β1 = 0           takes the new d in the place of the old one in the step itself, unlike
                              with β1 > 0 and in the paper; compared with a d0 that is large enough
                              to stay. It keeps no `exp_avg` then.
DAdaptSGD with weight decay   leaves the decay out of the norm of the first gradient (its `add` is
                              not in place); our `g0_norm` is set to that beforehand.
A gradient of None            their step number is that of the first group; compared without.
============================  =====================================================================
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import optcore as oc

torch = pytest.importorskip("torch")

STEPS = 50
TOLERANCE = 1e-10
SHAPES: tuple[tuple[int, ...], ...] = ((5,), (), (4, 6), (2, 3, 5))

PRODIGY: tuple[dict[str, Any], ...] = (
    {},
    {"lr": 0.5, "betas": (0.6, 0.9), "eps": 1e-3},
    {"beta3": 0.5, "d_coef": 0.5},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decouple": False},
    {"use_bias_correction": True, "d0": 1e-3},
    {"safeguard_warmup": True, "use_bias_correction": True, "lr": 0.5},
    {"growth_rate": 1.02, "d0": 0.1},
    {"betas": (0.0, 0.9), "d0": 10.0, "lr": 0.01},
)
ADAM: tuple[dict[str, Any], ...] = (
    {},
    {"lr": 0.5, "betas": (0.6, 0.9), "eps": 1e-3},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decouple": True},
    {"use_bias_correction": True, "d0": 1e-3},
    {"growth_rate": 1.02, "d0": 0.1},
    {"betas": (0.0, 0.9)},
    {"layer_scale": 0.5},
)
SGD: tuple[dict[str, Any], ...] = (
    {},
    {"lr": 0.5, "momentum": 0.9},
    {"weight_decay": 0.1, "d0": 1e-3},
    {"growth_rate": 1.02, "momentum": 0.5},
)
ROWS = [
    *(("prodigyopt", "Prodigy", o) for o in PRODIGY),
    *(("dadaptation", "DAdaptAdam", o) for o in ADAM),
    *(("dadaptation", "DAdaptSGD", o) for o in SGD),
]
THEIR_SCALARS = {"d", "d_max", "d_numerator", "k", "numerator_weighted", "g0_norm"}


def check(ours: Any, theirs: Any, before: Any, where: object) -> None:
    """The error is at most the tolerance times the larger of the value and its change."""
    theirs = np.asarray(theirs, np.float64)
    size = np.maximum(np.abs(theirs), np.abs(theirs - before))
    assert np.all(np.abs(ours - theirs) <= TOLERANCE * size), (where, ours, theirs)


@pytest.mark.parametrize("scheduled", [False, True], ids=["constant", "scheduled"])
@pytest.mark.parametrize(("package", "name", "options"), ROWS, ids=str)
def test_package(package: str, name: str, options: dict[str, Any], scheduled: bool) -> None:
    """Gradients of a bowl, with noise, so that the estimate is found; also as the rate changes."""
    module = pytest.importorskip(package)
    rng = np.random.default_rng(len(options))
    params = {str(k): np.asarray(rng.normal(size=shape)) for k, shape in enumerate(SHAPES)}
    goal = {k: np.asarray(rng.normal(size=p.shape)) for k, p in params.items()}
    tensors = {k: torch.tensor(p, requires_grad=True) for k, p in params.items()}
    theirs = {k: v for k, v in options.items() if k != "layer_scale"}
    groups = [{"params": [tensors[k] for k in keys]} for keys in ("01", "23")]
    peer = getattr(module, name)(groups, **theirs)
    lr = options.get("lr", 1.0)

    def rate(k: int) -> float:
        return lr * (1 + 0.5 * math.sin(k)) if scheduled else lr

    opt = getattr(oc, name)(
        [{"params": {k: params[k] for k in keys}} for keys in ("01", "23")],
        **options | {"lr": rate},
    )
    for group in peer.param_groups:
        if "layer_scale" in options:
            group["layer_scale"] = options["layer_scale"]
    for t in range(STEPS):
        before = {k: p.copy() for k, p in params.items()}
        grads = {k: p - goal[k] + 0.1 * rng.normal(size=p.shape) for k, p in params.items()}
        if name == "DAdaptSGD" and t == 0:
            norm = math.sqrt(sum(float(np.sum(g * g)) for g in grads.values()))
            for state in opt.state.values():
                state["g0_norm"][...] = norm
        for group in peer.param_groups:
            group["lr"] = rate(t)
        for k, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[k])
        peer.step()
        opt.step([{k: grads[k] for k in keys} for keys in ("01", "23")])
        group = peer.param_groups[0]
        for k, tensor in tensors.items():
            check(params[k], tensor.detach(), before[k], (t, k))
            params[k][...] = tensor.detach().numpy()
            for slot, mine in opt.state[k].items():
                if slot == "exp_avg" and options.get("betas", (1,))[0] == 0 and name == "Prodigy":
                    continue
                if slot in THEIR_SCALARS:
                    value = group[slot]
                else:
                    value = peer.state[tensor][slot].reshape(mine.shape)
                check(mine, value, 0.0, (t, k, slot))
                mine[...] = value
        assert opt.d == group["d"]
    assert (opt.d > options.get("d0", 1e-6)) != (options.get("d0") == 10.0)
