"""Complex parameters through the PyTorch door, against torch.optim's classes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import optcore.torch as ot  # noqa: E402

RULES: list[tuple[str, dict[str, Any]]] = [
    ("Adadelta", {}),
    ("Adadelta", {"weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.3, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"amsgrad": True, "maximize": True}),
    ("Adamax", {"weight_decay": 0.1}),
    ("ASGD", {"t0": 3, "weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
]

every_rule = pytest.mark.parametrize(
    ("name", "options"), RULES, ids=lambda x: x if isinstance(x, str) else "-".join(x)
)
every_type = pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)

# One step, from equal parameters and state. torch keeps scalars of NAdam and ASGD in float32: their
# state tensors mu_product, eta and mu.
TOLERANCE = {torch.complex64: 4e-7, torch.complex128: 1e-12}
SCALARS_IN_FLOAT32 = {"NAdam": 1e-8, "ASGD": 1e-8}
STEPS = 20


def tolerance(name: str, dtype: torch.dtype) -> float:
    return max(TOLERANCE[dtype], SCALARS_IN_FLOAT32.get(name, 0.0))


class Pair:
    """torch's optimizer and ours over equal parameters: a matrix, its transpose, a number."""

    def __init__(self, name: str, options: dict[str, Any], dtype: torch.dtype):
        self.random = torch.Generator().manual_seed(0)
        self.dtype = dtype
        start = [self.drawn(3, 4), self.drawn(4, 2).T, self.drawn()]
        self.params = [torch.nn.Parameter(p.clone()) for p in start]
        self.peers = [torch.nn.Parameter(p.clone()) for p in start]
        self.ours = getattr(ot, name)(self.params, **options)
        self.theirs = getattr(torch.optim, name)(self.peers, **options)

    def drawn(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=self.dtype, generator=self.random)

    def gradients(self) -> None:
        """Equal ones; ours are conjugates that have not been worked out, which torch's refuse."""
        for p, q in zip(self.params, self.peers, strict=True):
            grad = self.drawn(*p.shape)
            p.grad, q.grad = grad.conj(), grad.conj().resolve_conj()
            assert p.grad.is_conj()

    def step(self) -> None:
        self.gradients()
        self.ours.step()
        self.theirs.step()

    def synchronize(self) -> None:
        """Torch's parameters and state in place of ours."""
        with torch.no_grad():
            for p, q in zip(self.params, self.peers, strict=True):
                p.copy_(q)
        self.ours.load_state_dict(copy.deepcopy(self.theirs.state_dict()))


def error(ours: torch.Tensor, theirs: torch.Tensor, before: torch.Tensor) -> float:
    size = torch.maximum(theirs.abs(), (theirs - before).abs()).clamp_min(1e-30)
    return float(((ours - theirs).abs() / size).max())


@every_rule
@every_type
def test_every_step_is_torchs(name, options, dtype):
    pair = Pair(name, options, dtype)
    for step in range(STEPS):
        before = [q.detach().clone() for q in pair.peers]
        pair.step()
        for p, q, b in zip(pair.params, pair.peers, before, strict=True):
            assert error(p.detach(), q.detach(), b) <= tolerance(name, dtype), step
        pair.synchronize()


@every_rule
@every_type
def test_state_has_torchs_names_types_and_shapes(name, options, dtype):
    pair = Pair(name, options, dtype)
    pair.step()
    for p, q in zip(pair.params, pair.peers, strict=True):
        ours, theirs = pair.ours.state[p], pair.theirs.state[q]
        assert set(ours) == {key for key, value in theirs.items() if value is not None}
        for key, value in theirs.items():
            if value is None or (value.dim() == 0 and p.dim() > 0):
                continue  # none, or a number that belongs to the whole parameter
            if key not in ("step", "eta", "mu", "mu_product"):
                assert (ours[key].dtype, ours[key].shape) == (value.dtype, value.shape), key
                assert torch.allclose(ours[key], value, rtol=1e-5, atol=1e-7), key


@every_rule
def test_state_dicts_go_both_ways(name, options):
    """Ten steps in one, ten in the other, and back."""
    pair = Pair(name, options, torch.complex128)
    for _ in range(10):
        pair.step()
    ours, theirs = (copy.deepcopy(o.state_dict()) for o in (pair.ours, pair.theirs))
    pair.ours.load_state_dict(theirs)
    pair.theirs.load_state_dict(ours)
    for _ in range(10):
        pair.step()
    for p, q in zip(pair.params, pair.peers, strict=True):
        far = max(1e-10, 20 * tolerance(name, torch.complex128))
        assert error(p.detach(), q.detach(), q.detach()) <= far


def test_real_and_complex_parameters_in_one_step():
    """Bit for bit what the real views of the complex ones do."""
    random = torch.Generator().manual_seed(0)
    z = torch.nn.Parameter(torch.randn(5, 2, dtype=torch.complex64, generator=random))
    x = torch.nn.Parameter(torch.randn(7, generator=random))
    parts = torch.nn.Parameter(torch.view_as_real(z.detach()).clone())
    y = torch.nn.Parameter(x.detach().clone())
    ours, real = ot.AdamW([z, x], lr=0.1, clip_norm=1.0), ot.AdamW([parts, y], 0.1, clip_norm=1.0)
    for _ in range(5):
        z.grad = torch.randn(5, 2, dtype=torch.complex64, generator=random)
        x.grad = y.grad = torch.randn(7, generator=random)
        parts.grad = torch.view_as_real(z.grad)
        ours.step()
        real.step()
        assert ours.grad_norm == real.grad_norm
        assert torch.equal(torch.view_as_real(z.detach()), parts.detach())
        assert torch.equal(x.detach(), y.detach())


WHOLE = [name for name in ot.__all__ if getattr(getattr(ot, name), "_kind", None)]
WHOLE = [name for name in WHOLE if getattr(ot, name)._kind.kind() != "elementwise"]


@pytest.mark.parametrize("name", WHOLE)
def test_rules_of_whole_tensors_refuse_complex_parameters(name):
    p = torch.nn.Parameter(torch.ones(3, 4, dtype=torch.complex64))
    opt = getattr(ot, name)([p])
    p.grad = torch.ones_like(p)
    with pytest.raises(RuntimeError, match=f"{name} does not support complex parameters.*view_as"):
        opt.step()
    assert torch.equal(p.detach(), torch.ones(3, 4, dtype=torch.complex64))
    assert not opt.state
