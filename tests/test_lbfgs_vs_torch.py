"""L-BFGS against torch.optim.LBFGS in float64, iteration by iteration, never re-synchronised.

Both sum in another order, and each iteration works on what the last one rounded. So the distance
grows from 10⁻¹⁶ on; the bound is for the first iterations, and widens with the iteration.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from smooth import Quadratic, breast_cancer, rosenbrock, rosenbrock_start

import optcore as oc

torch = pytest.importorskip("torch")

ITERATIONS = 12


def problem(name: str) -> tuple[Callable[[np.ndarray], tuple[float, np.ndarray]], np.ndarray]:
    """A loss with its gradient, and where to begin."""
    if name == "breast cancer":
        pytest.importorskip("sklearn")
        return breast_cancer(), np.zeros(31)
    if name == "rosenbrock 2":
        return rosenbrock, rosenbrock_start(2)
    if name == "rosenbrock 10":
        return rosenbrock, rosenbrock_start(10)
    return Quadratic(20, 1000.0), np.zeros(20)


class Pair:
    """Ours and torch's over the same loss, whose gradients both take from NumPy."""

    def __init__(self, name: str, **options: Any):
        self.f, start = problem(name)
        self.x, self.p = start.copy(), torch.tensor(start, requires_grad=True)
        self.ours = oc.LBFGS(self.x, **options)
        self.torchs = torch.optim.LBFGS([self.p], **options)
        self.torchs_evals = 0

    def step(self) -> tuple[float, float]:
        """The first losses of both."""

        def closure() -> torch.Tensor:
            self.torchs_evals += 1
            loss, grad = self.f(self.p.detach().numpy().copy())
            self.p.grad = torch.from_numpy(grad)
            return torch.tensor(loss, dtype=torch.float64)

        return self.ours.step(lambda: self.f(self.x)), float(self.torchs.step(closure))

    @property
    def distance(self) -> float:
        """In units of the largest parameter."""
        theirs = self.p.detach().numpy()
        return float(np.abs(self.x - theirs).max() / max(1.0, np.abs(theirs).max()))

    @property
    def torchs_state(self) -> dict[str, Any]:
        return self.torchs.state[self.p]


PROBLEMS = ("quadratic", "rosenbrock 2", "rosenbrock 10", "breast cancer")
SEARCHES = (None, "strong_wolfe")
RATES: dict[tuple[str, str | None], float] = {
    ("quadratic", None): 0.1,
    ("rosenbrock 2", None): 1e-3,
    ("rosenbrock 10", None): 1e-3,
}


def rate(name: str, search: str | None) -> float:
    """One at which torch does not diverge: without a search both would only amplify rounding."""
    return RATES.get((name, search), 1.0)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("history_size", [2, 100])
def test_every_iteration(name, search, history_size):
    pair = Pair(
        name,
        lr=rate(name, search),
        max_iter=1,
        max_eval=50,
        history_size=history_size,
        line_search_fn=search,
    )
    for k in range(ITERATIONS):
        ours, theirs = pair.step()
        assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-14), k
        assert pair.distance <= 1e-10, k
        assert pair.ours.n_iter == pair.torchs_state["n_iter"] == k + 1
        assert pair.ours.n_evals == pair.torchs_evals == pair.torchs_state["func_evals"]
    check_state(pair)


def check_state(pair: Pair) -> None:
    """The state by torch's names."""
    theirs, ours = pair.torchs_state, pair.ours.state_dict()
    count = len(theirs["ro"])
    slots, numbers = ours["state"][""], ours["numbers"]
    assert len(numbers["ro"]) == count
    assert numbers["t"] == pytest.approx(float(theirs["t"]), rel=1e-8)
    assert numbers["H_diag"] == pytest.approx(float(theirs["H_diag"]), rel=1e-8)
    np.testing.assert_allclose(numbers["ro"], [float(r) for r in theirs["ro"]], rtol=1e-6)
    wanted = {"d": theirs["d"], "prev_flat_grad": theirs["prev_flat_grad"]}
    for i in range(count):
        wanted |= {f"old_dirs.{i}": theirs["old_dirs"][i], f"old_stps.{i}": theirs["old_stps"][i]}
    assert set(slots) == set(wanted)
    for name, tensor in wanted.items():
        size = float(tensor.abs().max())
        np.testing.assert_allclose(slots[name], tensor.numpy(), rtol=0, atol=1e-7 * size)


OPTIONS = [
    dict(zip(("max_iter", "tolerance_grad", "tolerance_change", "history_size"), v, strict=True))
    for v in itertools.product((3, 20), (1e-7, 1e-2), (1e-9, 1e-3), (3, 100))
]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_every_option(name, search, options):
    """Where steps of many iterations end: after as many iterations and evaluations as torch's."""
    pair = Pair(name, lr=rate(name, search), max_eval=60, line_search_fn=search, **options)
    for _ in range(20 // options["max_iter"]):
        pair.step()
        assert pair.ours.n_iter == pair.torchs_state["n_iter"]
        assert pair.ours.n_evals == pair.torchs_evals
        assert pair.distance <= 1e-7  # 20 iterations


@pytest.mark.parametrize("max_iter", [1, 2, 8, 20])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_default_number_of_evaluations(name, max_iter):
    pair = Pair(name, lr=rate(name, None), max_iter=max_iter)
    for _ in range(3):
        pair.step()
        assert pair.ours.n_evals == pair.torchs_evals
        assert pair.distance <= 1e-7


@pytest.mark.parametrize("max_eval", [2, 3, 5, 9, 14])
def test_the_number_of_evaluations_without_a_search(max_eval):
    pair = Pair("rosenbrock 10", lr=1e-3, max_iter=20, max_eval=max_eval)
    for _ in range(3):
        pair.step()
        assert pair.ours.n_evals == pair.torchs_evals
        assert pair.distance <= 1e-10


@pytest.mark.parametrize("max_eval", range(2, 12))
def test_torch_takes_one_evaluation_too_many_in_its_search(max_eval):
    """pytorch#91581, as far as torch has it; ours stops in time."""
    pair = Pair("rosenbrock 10", max_iter=20, max_eval=max_eval, line_search_fn="strong_wolfe")
    pair.step()
    assert pair.ours.n_evals <= max_eval
    assert pair.torchs_evals >= pair.ours.n_evals


def test_a_fixed_parameter():
    """None in the place of a gradient, as torch has it."""
    f, start = problem("rosenbrock 10")
    x, fixed = start.copy(), np.full(3, 0.5)
    p, q = torch.tensor(start, requires_grad=True), torch.full((3,), 0.5, dtype=torch.float64)
    ours = oc.LBFGS([x, fixed], line_search_fn="strong_wolfe")
    theirs = torch.optim.LBFGS([p, q.requires_grad_()], line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        loss, grad = f(p.detach().numpy().copy())
        p.grad = torch.from_numpy(grad)
        return torch.tensor(loss, dtype=torch.float64)

    ours.step(lambda: (f(x)[0], [f(x)[1], None]))
    theirs.step(closure)
    assert np.abs(x - p.detach().numpy()).max() < 1e-10
    np.testing.assert_array_equal(fixed, q.detach().numpy())


def test_float32():
    f, start = problem("rosenbrock 2")
    x, p = start.astype(np.float32), torch.tensor(start, dtype=torch.float32, requires_grad=True)
    ours = oc.LBFGS(x, max_iter=8, line_search_fn="strong_wolfe")
    theirs = torch.optim.LBFGS([p], max_iter=8, max_eval=25, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        loss, grad = f(p.detach().numpy().copy())
        p.grad = torch.from_numpy(grad)
        return torch.tensor(loss)

    ours.step(lambda: f(x))
    theirs.step(closure)
    assert np.abs(x - p.detach().numpy()).max() < 1e-4
