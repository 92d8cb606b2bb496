"""Sparse COO gradients through the PyTorch door, against torch.optim's classes that take them."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import optcore.torch as ot  # noqa: E402

ROWS, WIDTH, STEPS = 17, 3, 20
# One step, from equal parameters and state. Values of a repeated index cancel, and torch adds them
# in another order: that is the last digit of float32 more than dense steps differ by.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 6e-7}

SPARSE: list[tuple[str, dict[str, Any]]] = [
    ("SparseAdam", {}),
    ("SparseAdam", {"betas": (0.5, 0.7), "eps": 1e-2, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "maximize": True}),
    ("SGD", {}),
    ("SGD", {"maximize": True, "lr": 0.1}),
    ("SGD", {"momentum": 0.9, "lr": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "lr": 0.1}),
]

every_rule = pytest.mark.parametrize(
    ("name", "options"), SPARSE, ids=lambda x: x if isinstance(x, str) else "-".join(x)
)


@pytest.fixture(autouse=True)
def invariants():
    with torch.sparse.check_sparse_tensor_invariants():
        yield


def coo(
    random: torch.Generator, shape: tuple[int, ...], named: int, dtype: Any, sparse_dim: int = 1
) -> torch.Tensor:
    """Indices in any order, with repeats, as a backward pass leaves them."""
    at = [torch.randint(0, n, (named,), generator=random) for n in shape[:sparse_dim]]
    values = torch.randn((named, *shape[sparse_dim:]), dtype=torch.float64, generator=random)
    return torch.sparse_coo_tensor(torch.stack(at), values.to(dtype), shape)


class Pair:
    """torch's optimizer and ours over equal parameters."""

    def __init__(self, name: str, options: dict[str, Any], dtype: Any, shapes: Any):
        self.random = torch.Generator().manual_seed(0)
        start = [torch.randn(s, dtype=dtype, generator=self.random) for s in shapes]
        self.params = [torch.nn.Parameter(p.clone()) for p in start]
        self.peers = [torch.nn.Parameter(p.clone()) for p in start]
        self.ours = getattr(ot, name)(self.params, **options)
        self.theirs = getattr(torch.optim, name)(self.peers, **options)

    def step(self, gradients: list[torch.Tensor | None]) -> None:
        for p, q, grad in zip(self.params, self.peers, gradients, strict=True):
            p.grad, q.grad = grad, None if grad is None else grad.clone()
        self.ours.step()
        self.theirs.step()

    def synchronize(self) -> None:
        with torch.no_grad():
            for p, q in zip(self.params, self.peers, strict=True):
                p.copy_(q)
        self.ours.load_state_dict(copy.deepcopy(self.theirs.state_dict()))

    def worst(self) -> float:
        errors = [
            ((p - q).abs() / q.abs().clamp_min(1.0)).max().item()
            for p, q in zip(self.params, self.peers, strict=True)
        ]
        for p, q in zip(self.params, self.peers, strict=True):
            for key, value in self.theirs.state[q].items():
                if isinstance(value, torch.Tensor) and value.shape == q.shape:
                    value = value.to_dense() if value.is_sparse else value
                    far = (self.ours.state[p][key] - value).abs() / value.abs().clamp_min(1.0)
                    errors.append(far.max().item())
        return max(errors)


@every_rule
@pytest.mark.parametrize("sparse_dim", [1, 2])
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
def test_every_step_is_torchs(name, options, dtype, sparse_dim):
    """Repeated indices, none at all, and more of them than there are rows."""
    pair = Pair(name, options, dtype, [(ROWS, WIDTH), (ROWS, 2, 2)])
    for step in range(STEPS):
        named = (5, 0, 40, 1)[step % 4]
        pair.step([coo(pair.random, tuple(p.shape), named, dtype, sparse_dim) for p in pair.params])
        assert pair.worst() <= TOLERANCE[dtype], step
        pair.synchronize()


@every_rule
def test_coalesced_or_not_is_the_same_up_to_rounding(name, options):
    made = [getattr(ot, name)([torch.nn.Parameter(torch.ones(ROWS, WIDTH))], **options)
            for _ in range(2)]  # fmt: skip
    grad = coo(torch.Generator().manual_seed(0), (ROWS, WIDTH), 30, torch.float32)
    for opt, given in zip(made, (grad, grad.coalesce()), strict=True):
        opt.param_groups[0]["params"][0].grad = given
        opt.step()
    one, other = (opt.param_groups[0]["params"][0].detach() for opt in made)
    assert torch.allclose(one, other, rtol=1e-6, atol=1e-7)


@every_rule
def test_bfloat16(name, options):
    """Of one step: what float32 makes of the widened values, rounded once."""
    torch.manual_seed(0)
    start = torch.randn(ROWS, WIDTH).bfloat16()
    grad = coo(torch.Generator().manual_seed(0), (ROWS, WIDTH), 7, torch.bfloat16).coalesce()
    narrow, wide = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.float())
    narrow.grad, wide.grad = grad, grad.float()
    getattr(ot, name)([narrow], state_dtype=torch.float32, **options).step()
    getattr(torch.optim, name)([wide], **options).step()
    ulp = torch.finfo(torch.bfloat16).eps * wide.detach().abs()
    assert ((narrow.detach().float() - wide.detach()).abs() <= 0.51 * ulp).all()


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Lion", "RMSprop", "NAdam", "Adamax", "FTRL"])
def test_rules_for_which_torch_has_none_step_the_named_rows_alone(name):
    """Rows that are named move as a whole parameter of them would; others keep every bit."""
    rows = torch.tensor([1, 4])
    p = torch.nn.Parameter(torch.randn(6, 2, generator=torch.Generator().manual_seed(0)))
    before, part = p.detach().clone(), torch.nn.Parameter(p.detach()[rows].clone())
    opt, whole = (getattr(ot, name)([x], weight_decay=0.1) for x in (p, part))
    for k in range(1, 4):
        part.grad = torch.full((2, 2), float(k))
        p.grad = torch.sparse_coo_tensor(rows[None], part.grad, p.shape)
        opt.step()
        whole.step()
    assert torch.equal(p.detach()[rows], part.detach())
    rest = torch.tensor([0, 2, 3, 5])
    assert torch.equal(p.detach()[rest], before[rest])


@pytest.mark.parametrize("name", ["LAMB", "Muon", "Adafactor", "Shampoo"])
def test_rules_of_whole_tensors_refuse_rows(name):
    p = torch.nn.Parameter(torch.ones(6, 2))
    opt = getattr(ot, name)([p])
    p.grad = torch.sparse_coo_tensor(torch.tensor([[1]]), torch.ones(1, 2), p.shape)
    with pytest.raises(TypeError, match="rule looks at whole tensors, got rows"):
        opt.step()
    assert torch.equal(p.detach(), torch.ones(6, 2))
    assert not opt.state


def test_an_embedding_and_a_dense_layer_in_one_step():
    """SGD and Adagrad take both kinds at once, as torch's do."""
    for name in ("SGD", "Adagrad"):
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Embedding(11, 4, sparse=True), torch.nn.Flatten(), torch.nn.Linear(12, 2)
        )
        peer = copy.deepcopy(model)
        ours = getattr(ot, name)(model.parameters(), lr=0.01)
        theirs = getattr(torch.optim, name)(peer.parameters(), lr=0.01)
        for _ in range(10):
            words = torch.randint(0, 11, (5, 3))
            for m, opt in ((model, ours), (peer, theirs)):
                opt.zero_grad()
                m(words).square().sum().backward()
                opt.step()
        assert model[0].weight.grad.is_sparse
        assert not model[2].weight.grad.is_sparse
        for p, q in zip(model.parameters(), peer.parameters(), strict=True):
            assert torch.allclose(p, q, rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_beside_a_sparse_one():
    pair = Pair("SparseAdam", {}, torch.float64, [(ROWS, WIDTH), (5, 2)])
    for _ in range(3):
        pair.step([coo(pair.random, (ROWS, WIDTH), 4, torch.float64), None])
    assert pair.worst() <= 1e-12
    assert pair.params[1] not in pair.ours.state


# SparseAdam as a class. ------------------------------------------------------------------------


def test_sparse_adam_has_torchs_signature():
    theirs = inspect.signature(torch.optim.SparseAdam).parameters
    ours = inspect.signature(ot.SparseAdam).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default
        assert ours[name].kind == parameter.kind
    opt = ot.SparseAdam([torch.nn.Parameter(torch.ones(2, 2))], 0.1, (0.8, 0.9), 1e-6, True)
    given = opt.param_groups[0]
    assert (given["lr"], given["betas"], given["eps"], given["maximize"]) == (
        0.1, (0.8, 0.9), 1e-6, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (
            torch.zeros(3, layout=torch.sparse_coo),
            r"Sparse params at indices \[\[0, 1\]\]: SparseAdam requires dense parameter tensors",
        ),
        (
            torch.zeros(3, dtype=torch.complex64),
            r"Complex params at indices \[\[0, 1\]\]: SparseAdam does not support complex param",
        ),
    ],
)
def test_sparse_adam_refuses_parameters_in_torchs_words(param, words):
    params = [torch.ones(2), param]
    for module in (torch.optim, ot):
        with pytest.raises(ValueError, match=words):
            module.SparseAdam(params)


def test_sparse_adam_refuses_dense_gradients_in_torchs_words():
    p, q = (torch.nn.Parameter(torch.ones(3, 2)) for _ in range(2))
    p.grad, q.grad = torch.ones(3, 2).to_sparse(1), torch.ones(3, 2)
    for module in (torch.optim, ot):
        opt = module.SparseAdam([p, q])
        with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, pl"):
            opt.step()
    assert torch.equal(p.detach(), torch.ones(3, 2))
    assert not opt.state


def test_sparse_adam_calls_a_closure_once_and_looks_at_what_it_leaves():
    p, calls = torch.nn.Parameter(torch.ones(3, 2)), []

    def closure() -> float:
        calls.append(torch.is_grad_enabled())
        p.grad = torch.ones(3, 2).to_sparse(1)
        return 0.25

    assert ot.SparseAdam([p]).step(closure) == 0.25
    assert calls == [True]
    assert (p < 1).all()


@pytest.mark.parametrize(("name", "options"), [x for x in SPARSE if "nesterov" not in x[1]])
def test_state_dicts_go_both_ways(name, options):
    """Ten steps in one, ten in the other. (torch's Nesterov adds to sparse buffers alone.)"""
    pair = Pair(name, options, torch.float64, [(ROWS, WIDTH)])
    for k in range(20):
        if k == 10:
            ours, theirs = (copy.deepcopy(o.state_dict()) for o in (pair.ours, pair.theirs))
            pair.ours.load_state_dict(theirs)
            pair.theirs.load_state_dict(ours)
        pair.step([coo(pair.random, (ROWS, WIDTH), 6, torch.float64)])
    assert pair.worst() <= 1e-11


def test_what_is_not_named_keeps_every_bit():
    """Of rows and of single elements, in parameter and state; a row of zeros counts as named."""
    for sparse_dim in (1, 2):
        p = torch.nn.Parameter(torch.randn(5, 4))
        opt = ot.SparseAdam([p])
        p.grad = torch.ones(5, 4).to_sparse(sparse_dim)
        opt.step()
        state = opt.state[p]
        before = [t.detach().clone() for t in (p, state["exp_avg"], state["exp_avg_sq"])]
        at = torch.tensor([[2], [1]])[:sparse_dim]
        p.grad = torch.sparse_coo_tensor(at, torch.zeros(1, *p.shape[sparse_dim:]), p.shape)
        opt.step()
        mask = torch.ones(5, 4, dtype=torch.bool)
        mask[tuple(at)] = False
        for was, now in zip(before, (p, state["exp_avg"], state["exp_avg_sq"]), strict=True):
            assert torch.equal(was[mask], now.detach()[mask])
            assert not torch.equal(was[~mask], now.detach()[~mask])
