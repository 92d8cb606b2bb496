"""Variants of Adamax, AdaBelief and Yogi that neither torch nor optax has, in float64.

Both step from the same point: after each step pytorch_optimizer's parameter and state replace ours.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from oracles import worst

import optcore

torch = pytest.importorskip("torch")
peers = pytest.importorskip("pytorch_optimizer")

STEPS = 50
TOLERANCE = 1e-10
SHAPES = ((), (5,), (7, 3), (2, 3, 4))

# Our class and options, the peer's class and options.
Row = tuple[str, dict[str, Any], str, dict[str, Any]]


def decays() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Ours and theirs."""
    rows = []
    for decay, decoupled in itertools.product((0.0, 0.1), (False, True)):
        ours = {"weight_decay": decay, "decoupled_weight_decay": decoupled}
        rows.append((ours, {"weight_decay": decay, "weight_decouple": decoupled}))
    return rows


def rows() -> list[Row]:
    found: list[Row] = []
    for (ours, theirs), maximize in itertools.product(decays(), (False, True)):
        both = {"lr": 0.05, "betas": (0.8, 0.9), "maximize": maximize}
        found.append(("Adamax", both | ours, "AdaMax", both | theirs))
        for eps, amsgrad in itertools.product((1e-16, 1e-4), (False, True)):
            same = {"eps": eps, "eps_root": eps, "amsgrad": amsgrad}
            options = {"eps": eps, "ams_bound": amsgrad}
            found.append(("AdaBelief", both | ours | same, "AdaBelief", both | theirs | options))
        for eps, start in itertools.product((1e-3, 1e-8), (1e-6, 0.0, 0.5)):
            same = {"eps": eps, "initial_accumulator_value": start}
            options = {"eps": eps, "initial_accumulator": start}
            found.append(("Yogi", both | ours | same, "Yogi", both | theirs | options))
    return found


def row_id(row: Row) -> str:
    return "-".join([row[0], *(f"{k}={v}" for k, v in row[1].items())])


@pytest.mark.parametrize("row", rows(), ids=row_id)
def test_variants(row):
    name, ours, peer_name, theirs = row
    rng = np.random.default_rng(0)
    params = {str(s): np.asarray(rng.normal(size=s)) for s in SHAPES}
    tensors = {k: torch.tensor(p, requires_grad=True) for k, p in params.items()}
    peer = getattr(peers, peer_name)(list(tensors.values()), **theirs, foreach=False)
    opt = getattr(optcore, name)(params, **ours)
    for step in range(STEPS):
        grads = {
            k: np.asarray(rng.normal(size=p.shape) * 10 ** rng.uniform(-3, 3, p.shape))
            for k, p in params.items()
        }
        before = {k: p.copy() for k, p in params.items()}
        for k, tensor in tensors.items():
            tensor.grad = torch.from_numpy(grads[k].copy())
        peer.step()
        opt.step(grads)
        for k, tensor in tensors.items():
            after = tensor.detach().numpy()
            assert worst(params[k], after, before[k], after - before[k]) <= TOLERANCE, (k, step)
            params[k][...] = after
            state = peer.state[tensor]
            assert set(state) == set(opt.state[k])
            for slot, x in state.items():
                mine = opt.state[k][slot]
                assert worst(mine, x.numpy(), grads[k]) <= TOLERANCE, (k, slot, step)
                mine[...] = x.numpy()
