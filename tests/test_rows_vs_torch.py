"""Gradients that name rows, against torch's sparse optimizers, in float64, over 50 steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import optcore as oc

torch = pytest.importorskip("torch")

STEPS = 50
TOLERANCE = 1e-12
ROWS = 23


def race(
    ours: Callable[[np.ndarray], oc.Optimizer],
    theirs: Callable[[Any], Any],
    slots: dict[str, str],
    width: tuple[int, ...],
) -> None:
    """Both step along; what they keep by torch's names is compared as well."""
    rng = np.random.default_rng(0)
    p = rng.normal(size=(ROWS, *width))
    q = torch.nn.Parameter(torch.tensor(p))
    opt, peer = ours(p), theirs([q])
    for step in range(STEPS):
        count = 0 if step == 7 else int(rng.integers(1, 30))
        indices, values = rng.integers(0, ROWS, count), rng.normal(size=(count, *width))
        with torch.sparse.check_sparse_tensor_invariants():
            q.grad = torch.sparse_coo_tensor(
                torch.tensor(indices)[None], torch.tensor(values), p.shape
            )
        opt.step(oc.Rows(indices, values))
        peer.step()
        pairs = [(p, q.detach().numpy())]
        pairs += [
            (opt.state[""][name], peer.state[q][slot].numpy()) for name, slot in slots.items()
        ]
        for mine, wanted in pairs:
            scale = np.maximum(np.abs(wanted), 1.0)
            assert np.all(np.abs(mine - wanted) <= TOLERANCE * scale), step


@pytest.mark.parametrize("width", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.7)])
@pytest.mark.parametrize("eps", [1e-8, 1e-2])
@pytest.mark.parametrize("maximize", [False, True])
def test_sparse_adam(width, betas, eps, maximize):
    """torch adds ε to √v before it corrects v: that is ε/√(1 − β2ᵗ) beside √v̂."""

    def corrected(k: int) -> float:
        return eps / math.sqrt(1 - betas[1] ** (k + 1))

    race(
        lambda p: oc.Adam(p, lr=0.05, betas=betas, eps=corrected, maximize=maximize),
        lambda q: torch.optim.SparseAdam(q, lr=0.05, betas=betas, eps=eps, maximize=maximize),
        {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"},
        width,
    )


@pytest.mark.parametrize("width", [(), (5,)], ids=str)
@pytest.mark.parametrize("maximize", [False, True])
def test_sgd(width, maximize):
    race(
        lambda p: oc.SGD(p, lr=0.05, maximize=maximize),
        lambda q: torch.optim.SGD(q, lr=0.05, maximize=maximize),
        {},
        width,
    )


@pytest.mark.parametrize("width", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("options", [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}])
@pytest.mark.parametrize("eps", [1e-10, 1e-3])
@pytest.mark.parametrize("maximize", [False, True])
def test_adagrad(width, options, eps, maximize):
    race(
        lambda p: oc.Adagrad(p, lr=0.05, eps=eps, maximize=maximize, **options),
        lambda q: torch.optim.Adagrad(q, lr=0.05, eps=eps, maximize=maximize, **options),
        {"sum": "sum"},
        width,
    )


@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_a_clip_norm_over_coalesced_gradients(max_norm):
    """torch's clip_grad_norm_ takes no sparse gradients: its formula on a dense one."""
    rng = np.random.default_rng(1)
    p = rng.normal(size=(ROWS, 4))
    q = torch.nn.Parameter(torch.tensor(p))
    opt, peer = oc.SGD(p, lr=0.1, clip_norm=max_norm), torch.optim.SGD([q], lr=0.1)
    for _ in range(STEPS):
        indices, values = rng.integers(0, ROWS, 30), rng.normal(size=(30, 4))
        grad = torch.sparse_coo_tensor(torch.tensor(indices)[None], torch.tensor(values), p.shape)
        q.grad = grad.to_dense()
        norm = torch.nn.utils.clip_grad_norm_([q], max_norm)
        opt.step(oc.Rows(indices, values))
        peer.step()
        assert opt.grad_norm == pytest.approx(float(norm), rel=TOLERANCE)
        assert np.allclose(p, q.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE)
