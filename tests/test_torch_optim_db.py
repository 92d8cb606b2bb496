"""torch's own list of optimizer configurations, the one that its test suite runs, through ours.

Every configuration of the database in the wheel steps both, torch's optimizer and the class of the
same name, in float64, over one tree of several shapes. After each step torch's parameters and state
replace ours, so that what is compared is one step, fifty times over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch_db import database

import optcore

torch = pytest.importorskip("torch")

STEPS = 50
TOLERANCE = 1e-10
SHAPES = ((), (5,), (7, 3), (2, 3, 4))

# Arguments that choose an implementation of the same formula.
IMPLEMENTATION = {"foreach", "fused", "capturable", "differentiable"}

# What is in the database and cannot be held to a dense tree of any shapes in float64.
NOT_HERE = {
    "LBFGS": "steps by a closure that it calls as often as it likes",
    "Muon": "takes matrices alone, and computes in bfloat16",
    "SparseAdam": "takes sparse gradients alone",
}

INFOS = {info.optim_cls.__name__: info for info in database()}
CONFIGURATIONS = [
    (name, configuration)
    for name, info in INFOS.items()
    if name not in NOT_HERE
    for configuration in info.optim_inputs_func(device="cpu")
]


@pytest.fixture(autouse=True)
def double_by_default():
    """Else torch keeps the scalars of NAdam and ASGD in float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def row_id(row: tuple[str, Any]) -> str:
    return f"{row[0]}-{row[1].desc}"


def worst(ours: np.ndarray, theirs: np.ndarray, *sizes: np.ndarray) -> float:
    """The largest error of any element, as a part of the largest of its sizes."""
    error = np.abs(ours - theirs)
    size = np.maximum.reduce([np.abs(s) for s in (theirs, *sizes)])
    return float(np.max(np.divide(error, size, out=np.zeros_like(error), where=error > 0)))


def plain(value: Any) -> Any:
    return float(value) if isinstance(value, torch.Tensor) else value


class Pair:
    """torch's optimizer and ours, over equal parameters."""

    def __init__(self, name: str, options: dict[str, Any]):
        options = {k: v for k, v in options.items() if k not in IMPLEMENTATION}
        self.rng = np.random.default_rng(len(options))
        self.params = {str(s): np.asarray(self.rng.normal(size=s)) for s in SHAPES}
        self.tensors = {k: torch.tensor(p, requires_grad=True) for k, p in self.params.items()}
        self.theirs = getattr(torch.optim, name)(
            list(self.tensors.values()), **options, foreach=False
        )
        own = {k: plain(v) for k, v in options.items()}
        self.ours = getattr(optcore, name)(self.params, **own)

    def step(self) -> dict[tuple[str, str], float]:
        """One step of both from the same point: the error of each array; then ours is theirs."""
        grads = {
            k: np.asarray(self.rng.normal(size=p.shape) * 10 ** self.rng.uniform(-3, 3, p.shape))
            for k, p in self.params.items()
        }
        before = {k: p.copy() for k, p in self.params.items()}
        old = {k: {n: x.copy() for n, x in s.items()} for k, s in self.ours.state.items()}
        for k, tensor in self.tensors.items():
            tensor.grad = torch.from_numpy(grads[k].copy())
        self.theirs.step()
        self.ours.step(grads)

        found = {}
        for k, tensor in self.tensors.items():
            after = tensor.detach().numpy()
            found[k, "p"] = worst(self.params[k], after, before[k], after - before[k])
            self.params[k][...] = after
            state = {n: x for n, x in self.theirs.state[tensor].items() if x is not None}
            state.pop("step", None)
            assert set(state) == set(self.ours.state[k])
            for name, x in state.items():
                mine, wanted = self.ours.state[k][name], x.numpy()
                assert mine.dtype == wanted.dtype == np.float64, name
                found[k, name] = worst(mine, wanted, old[k][name])
                mine[...] = wanted
        return found


@pytest.mark.parametrize("row", CONFIGURATIONS, ids=row_id)
def test_configurations_of_torch(row):
    name, configuration = row
    pair = Pair(name, configuration.kwargs)
    start = {k: p.copy() for k, p in pair.params.items()}
    for step in range(1, STEPS + 1):
        found = pair.step()
        assert max(found.values()) <= TOLERANCE, (step, found)
    assert all(np.any(p != start[k]) for k, p in pair.params.items())


def test_the_database_is_covered():
    """An optimizer that torch adds is either here or in the table."""
    here = {name for name, _ in CONFIGURATIONS}
    assert here | set(NOT_HERE) == set(INFOS)
    assert here == {
        "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
        "RMSprop", "Rprop", "SGD",
    }  # fmt: skip
    assert all(configuration.params is None for _, configuration in CONFIGURATIONS)
    assert len(CONFIGURATIONS) >= 75
