"""L-BFGS through the PyTorch door, against torch.optim.LBFGS.

Both sum in another order, so each iteration starts from what the last one rounded. Steps are
compared one at a time, from torch's parameters and state: a step of one iteration differs by the
rounding of its sums, one of 20 by what its iterations make of that.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import optcore.torch as ot  # noqa: E402

SEARCHES = (None, "strong_wolfe")
# Relative to the largest parameter: ten times what is seen. The last digit is what one iteration
# changes (2e-16, 9e-8); each of 20 multiplies the distance by what its history amplifies (1e-12).
ONE_ITERATION = {torch.float64: 2e-15, torch.float32: 1e-6}
TWENTY_ITERATIONS = 1e-11
KEYS = {"func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad"}


class Net:
    """A small network, an optimizer of it, and its closure."""

    def __init__(self, module: Any, dtype: Any = torch.float64, **options: Any):
        torch.manual_seed(0)
        layers = torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)
        self.model = torch.nn.Sequential(*layers).to(dtype)
        self.x = torch.randn(30, 4, dtype=dtype)
        self.y = self.x.sum(1, keepdim=True).sin()
        self.opt = module.LBFGS(self.model.parameters(), **options)
        self.calls = 0

    def closure(self) -> Any:
        self.calls += 1
        self.opt.zero_grad()
        loss = (self.model(self.x) - self.y).square().mean()
        loss.backward()
        return loss

    def step(self) -> float:
        return float(self.opt.step(self.closure).detach())

    @property
    def vector(self) -> torch.Tensor:
        return torch.nn.utils.parameters_to_vector(self.model.parameters()).detach()

    @property
    def state(self) -> dict[str, Any]:
        return self.opt.state[self.opt.param_groups[0]["params"][0]]

    def take(self, other: Net) -> None:
        """The other's parameters and state, through a file."""
        file = io.BytesIO()
        torch.save((other.model.state_dict(), other.opt.state_dict()), file)
        file.seek(0)
        model, opt = torch.load(file, weights_only=True)
        self.model.load_state_dict(model)
        self.opt.load_state_dict(opt)


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max().clamp_min(1.0))


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("dtype", list(ONE_ITERATION), ids=str)
@pytest.mark.parametrize("history_size", [3, 100])
def test_every_iteration_is_torchs(search, dtype, history_size):
    options = dict(
        lr=0.5, max_iter=1, max_eval=30, history_size=history_size, line_search_fn=search
    )
    ours, theirs = Net(ot, dtype, **options), Net(torch.optim, dtype, **options)
    for k in range(20):
        assert ours.step() == pytest.approx(
            theirs.step(), rel=1e-5 if dtype.itemsize == 4 else 1e-12
        )
        assert distance(ours.vector, theirs.vector) <= ONE_ITERATION[dtype], k
        assert ours.state["func_evals"] == theirs.state["func_evals"] == theirs.calls
        assert ours.state["n_iter"] == k + 1
        ours.take(theirs)
        ours.calls = theirs.calls


CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.01},
    {"lr": torch.tensor(0.001)},
    {"tolerance_grad": 1e-6},
    {"line_search_fn": "strong_wolfe"},
]
"""Those of `optim_db` in torch's wheel."""


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=lambda o: "-".join(o) or "default")
def test_every_step_of_20_iterations_is_torchs(options):
    ours, theirs = Net(ot, **options), Net(torch.optim, **options)
    for step in range(5):
        ours.step()
        theirs.step()
        assert distance(ours.vector, theirs.vector) <= TWENTY_ITERATIONS, step
        assert ours.state["func_evals"] == theirs.state["func_evals"]
        ours.take(theirs)


@pytest.mark.parametrize("search", SEARCHES)
def test_state_is_torchs(search):
    options = dict(lr=0.5, max_iter=8, line_search_fn=search)
    ours, theirs = Net(ot, **options), Net(torch.optim, **options)
    ours.step()
    theirs.step()
    assert set(ours.state) == KEYS | {"prev_loss"} == set(theirs.state) - {"al"}
    for name in ("d", "prev_flat_grad"):
        assert torch.allclose(ours.state[name], theirs.state[name], rtol=1e-6, atol=1e-9)
    for name in ("t", "H_diag", "prev_loss"):
        assert float(ours.state[name]) == pytest.approx(float(theirs.state[name]), rel=1e-6)
    for name in ("old_dirs", "old_stps", "ro"):
        assert len(ours.state[name]) == len(theirs.state[name]) == 7
        for mine, wanted in zip(ours.state[name], theirs.state[name], strict=True):
            assert torch.allclose(torch.as_tensor(mine).to(wanted), wanted, rtol=1e-6, atol=1e-9)
    assert list(ours.opt.state) == [ours.opt.param_groups[0]["params"][0]]


@pytest.mark.parametrize("search", SEARCHES)
def test_state_dicts_go_both_ways_in_the_middle_of_training(search):
    options = dict(lr=0.5, max_iter=5, line_search_fn=search)
    first, second = Net(torch.optim, **options), Net(ot, **options)
    straight = Net(torch.optim, **options)
    for k in range(4):
        first.step()
        straight.step()
        second.take(first)
        first, second = second, first
        assert distance(first.vector, straight.vector) <= 1e-7, k
        assert first.state["n_iter"] == straight.state["n_iter"]


def test_nothing_is_kept_but_state_and_groups():
    """A copy, a pickle, a loaded file and moved memory all go on with the same bits."""
    straight = Net(ot, torch.float32, max_iter=4, line_search_fn="strong_wolfe", threads=1)
    for _ in range(2):
        straight.step()
    copied, loaded, moved = (copy.deepcopy(straight) for _ in range(3))
    pickled = pickle.loads(pickle.dumps(straight))
    fresh = Net(ot, torch.float32, max_iter=4, line_search_fn="strong_wolfe")
    fresh.take(loaded)
    for p in moved.model.parameters():
        p.data = p.data.clone()
    for other in (copied, fresh, moved, pickled):
        assert other.step() == copy.deepcopy(straight).step()
    straight.step()
    for other in (copied, fresh, moved, pickled):
        assert torch.equal(other.vector, straight.vector)
    assert copied.opt._threads == 1


def test_float64_state_of_a_float32_parameter_survives_loading():
    """torch's own `load_state_dict` rounds the vectors to the first parameter's type."""

    def made() -> tuple[Any, Callable[[], Any], list[torch.Tensor]]:
        torch.manual_seed(0)
        params = [torch.randn(3, requires_grad=True), torch.randn(2, requires_grad=True).double()]
        params[1] = params[1].detach().requires_grad_()
        opt = ot.LBFGS(params, max_iter=3)

        def closure() -> torch.Tensor:
            opt.zero_grad()
            loss = (params[0].double() ** 4).sum() + (params[1] ** 4).sum()
            loss.backward()
            return loss

        return opt, closure, params

    opt, closure, params = made()
    opt.step(closure)
    assert opt.state[params[0]]["d"].dtype == torch.float64
    other, again, theirs = made()
    other.load_state_dict(copy.deepcopy(opt.state_dict()))
    for p, q in zip(theirs, params, strict=True):
        p.data.copy_(q)
    opt.step(closure)
    other.step(again)
    assert all(map(torch.equal, theirs, params))
    assert all(torch.equal(a, b) for a, b in zip(opt.state[params[0]]["old_dirs"],
               other.state[theirs[0]]["old_dirs"], strict=True))  # fmt: skip


def linear(params: list[torch.Tensor], gradients: list[Any]) -> Callable[[], torch.Tensor]:
    """A closure that leaves given gradients."""

    def closure() -> torch.Tensor:
        for p, grad in zip(params, gradients, strict=True):
            p.grad = grad
        return torch.tensor(1.0)

    return closure


@pytest.mark.parametrize("module", [torch.optim, ot], ids=["torch", "optcore"])
def test_no_gradient_is_zero_and_a_sparse_one_is_made_dense(module):
    params = [torch.zeros(3, 2, requires_grad=True) for _ in range(3)]
    dense = torch.tensor([[0.0, 0], [1, 2], [0, 0]])
    grads = [None, dense.to_sparse(1), dense.to_sparse(2)]
    module.LBFGS(params, max_iter=1).step(linear(params, grads))
    assert torch.equal(params[0], torch.zeros(3, 2))
    for p in params[1:]:
        assert torch.allclose(p, -dense / 6)


def test_strides_of_any_kind():
    """Transposed and spread out parameters, and gradients in yet another order, as if in line."""
    torch.manual_seed(0)
    target = torch.randn(4, 3)

    def run(p: torch.Tensor, turn: bool) -> tuple[torch.Tensor, torch.Tensor]:
        opt = ot.LBFGS([p], max_iter=6, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            opt.zero_grad()
            loss = ((p - target) ** 4).sum()
            loss.backward()
            p.grad = p.grad.T.contiguous().T if turn else p.grad.contiguous()
            return loss

        opt.step(closure)
        return p.detach(), opt.state[p]["d"]

    plain, d = run(torch.zeros(4, 3, requires_grad=True), True)
    for turn in (False, True):
        for odd in (torch.zeros(3, 4).T, torch.zeros(4, 3, 2)[..., 0], torch.zeros(8, 3)[::2]):
            stepped, state = run(odd.requires_grad_(), turn)
            assert torch.equal(stepped, plain)
            assert torch.equal(state, d)


@pytest.mark.parametrize("search", SEARCHES)
def test_complex_parameters_are_pairs_of_real_ones(search):
    torch.manual_seed(0)
    start = torch.randn(5, dtype=torch.complex128)
    params = []
    for module in (torch.optim, ot):
        z = start.clone().requires_grad_()
        opt = module.LBFGS([z], max_iter=6, max_eval=20, line_search_fn=search, lr=0.1)

        def closure(z: torch.Tensor = z, opt: Any = opt) -> torch.Tensor:
            opt.zero_grad()
            loss = ((z - (1 + 2j)).abs() ** 4).sum()
            loss.backward()
            return loss

        for _ in range(2):
            opt.step(closure)
        params.append(z.detach())
        assert opt.state[z]["d"].dtype == torch.float64
        assert opt.state[z]["d"].shape == (10,)
    assert float((params[0] - params[1]).abs().max()) <= 1e-10


def test_a_step_returns_what_the_closure_gave_first_with_gradients_on():
    net = Net(ot, max_iter=3)
    given: list[torch.Tensor] = []

    def closure() -> torch.Tensor:
        assert torch.is_grad_enabled()
        given.append(net.closure())
        return given[-1]

    with torch.no_grad():
        assert net.opt.step(closure) is given[0]
    assert len(given) == 3


def test_autograd_is_told_that_parameters_changed():
    net = Net(ot)
    held = (net.model[0].weight ** 2).sum()
    net.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        held.backward()


def test_hyperparameters_are_read_at_each_step():
    net = Net(ot, max_iter=1)
    scheduler = torch.optim.lr_scheduler.StepLR(net.opt, 1, gamma=0.0)
    net.step()
    scheduler.step()
    before = net.vector
    net.step()
    assert torch.equal(net.vector, before)
    net.opt.param_groups[0].update(lr=1.0, max_iter=5, max_eval=9)
    calls = net.calls
    net.step()
    assert net.calls == calls + 5


def test_maximize():
    up, down = (torch.full((3,), 0.5, requires_grad=True) for _ in range(2))
    for p, sign, maximize in ((up, -1, True), (down, 1, False)):
        opt = ot.LBFGS([p], maximize=maximize)

        def closure(p: torch.Tensor = p, sign: int = sign, opt: Any = opt) -> torch.Tensor:
            opt.zero_grad()
            loss = sign * (p**4).sum()
            loss.backward()
            return loss

        opt.step(closure)
    assert torch.equal(up, down)
    assert not torch.equal(up, torch.full((3,), 0.5))


def test_signature_and_defaults_are_torchs():
    theirs = inspect.signature(torch.optim.LBFGS).parameters
    ours = inspect.signature(ot.LBFGS).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert all(ours[name].default == each.default for name, each in theirs.items())
    p = torch.ones(2, requires_grad=True)
    for options in ({}, {"max_iter": 7}, {"max_iter": 8, "line_search_fn": "strong_wolfe"}):
        group = ot.LBFGS([p], **options).param_groups[0]
        peer = torch.optim.LBFGS([p], **options).param_groups[0]
        assert {**group, "maximize": None} == {**peer, "maximize": None}


@pytest.mark.parametrize("max_eval", [1, 2, 5])
def test_a_search_has_one_trial_at_least_as_torchs_has(max_eval):
    net = Net(ot, max_iter=1, max_eval=max_eval, line_search_fn="strong_wolfe")
    before = net.vector
    net.step()
    assert net.calls <= max(2, max_eval)
    assert not torch.equal(net.vector, before)


# Errors. ---------------------------------------------------------------------------------------

HALF = torch.zeros(3, dtype=torch.bfloat16)
BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "two groups": (
        lambda: ot.LBFGS([{"params": [torch.zeros(2)]}, {"params": [torch.zeros(2)]}]),
        ValueError,
        r"LBFGS doesn't support per-parameter options \(parameter groups\): .* pass all param",
    ),
    "rate": (lambda: ot.LBFGS([torch.zeros(2)], lr=-1.0), ValueError, "Invalid learning rate: -1"),
    "tensor rate": (
        lambda: ot.LBFGS([torch.zeros(2)], lr=torch.ones(2)), ValueError, "must be 1-element",
    ),
    "search": (
        lambda: ot.LBFGS([torch.zeros(2)], line_search_fn="armijo"),
        ValueError,
        "only 'strong_wolfe' is supported",
    ),
    "nonfinite": (
        lambda: ot.LBFGS([torch.zeros(2)], nonfinite="skip"), ValueError, "'propagate' or 'raise'",
    ),
    "16 bits": (lambda: ot.LBFGS([HALF]), TypeError, "got torch.bfloat16; .* keep float32 param"),
    "no closure": (
        lambda: ot.LBFGS([torch.zeros(2)]).step(),
        TypeError,
        r"missing 1 required positional argument: 'closure': .* pass step\(closure\)",
    ),
    "expanded": (
        lambda: ot.LBFGS([torch.zeros(1).expand(3)]).step(lambda: 1.0), ValueError, "contiguous",
    ),
    "no loss": (
        lambda: ot.LBFGS([torch.zeros(2)]).step(lambda: None),
        TypeError,
        "closure: expected a number as the loss, got NoneType; return",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input(what):
    wrong, kind, words = BAD[what]
    with pytest.raises(kind, match=words):
        wrong()


def test_parameters_that_share_memory():
    whole = torch.zeros(10)
    apart = [whole[::2].requires_grad_(), whole[1::2].requires_grad_()]
    ot.LBFGS(apart).step(linear(apart, [torch.ones(5), torch.ones(5)]))
    shared = [whole[:6].requires_grad_(), whole[5:].requires_grad_()]
    with pytest.raises(ValueError, match="1: expected memory of its own, got some that 0 uses"):
        ot.LBFGS(shared).step(linear(shared, [torch.ones(6), torch.ones(5)]))


def test_state_of_other_parameters():
    ours, other = Net(ot), ot.LBFGS([torch.zeros(2, requires_grad=True) for _ in range(4)])
    ours.step()
    other.load_state_dict(ours.opt.state_dict())
    with pytest.raises(ValueError, match=r"expected 8 elements, as the parameters have, got 37"):
        other.step(lambda: 1.0)


@pytest.mark.parametrize("search", SEARCHES)
def test_an_error_changes_nothing(search):
    net = Net(ot, max_iter=6, line_search_fn=search)
    net.step()
    vector, state = net.vector, copy.deepcopy(net.opt.state_dict())
    calls = 0

    def closure() -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyError("disk full")
        return net.closure()

    with pytest.raises(KeyError, match="disk full"):
        net.opt.step(closure)
    assert torch.equal(net.vector, vector)
    assert str(net.opt.state_dict()) == str(state)


def test_what_is_not_finite():
    """Propagates into no parameter, or is an error that names the element."""
    grad = torch.tensor([[1.0, 2.0], [float("nan"), 0.0]])
    p = torch.zeros(2, 2, requires_grad=True)
    ot.LBFGS([p]).step(linear([p], [grad]))
    assert torch.isfinite(p).all()
    opt = ot.LBFGS([("weight", p)], nonfinite="raise")
    with pytest.raises(FloatingPointError, match=r"weight\[1, 0\]"):
        opt.step(linear([p], [grad]))
    assert not opt.state
    with pytest.raises(FloatingPointError, match="expected a finite loss, got nan"):
        opt.step(lambda: float("nan"))
