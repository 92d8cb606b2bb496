"""The torch door against torch.optim: every configuration of torch's list, every number format.

Float64 and float32: both take a step from the same point, and then torch's parameters and state are
copied into ours; twenty times over. The error of a parameter counts in units of the larger of the
parameter and its update, that of state in units of the larger of its old and its new value.

Bfloat16 and float16: torch takes the step in float32, on our values widened, and its results are
rounded once; ours may be the neighbour.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from torch_list import NAMED, ROWS, Params, Row, copies, ot, rows, torch

STEPS = 20
BOUNDS = {torch.float64: 1e-12, torch.float32: 4e-7}
ULPS = 1

# What keeps torch, not us, from these bounds; each with the bound that holds instead.
NADAM = "torch keeps mu_product in float32, and its step is proportional to 1 / (1 - mu_product)"
ASGD = "torch keeps eta and mu in float32"
MUON = "torch iterates in bfloat16, ours in the parameter's type"
SPARSE = "torch works out the step size in float32 where the rate is a tensor of that type"
EXCEPTIONS: dict[tuple[str, Any], tuple[str, float]] = {
    ("NAdam", torch.float64): (NADAM, 1e-6),
    ("ASGD", torch.float64): (ASGD, 1e-6),
    ("ASGD", torch.float32): (ASGD, 1e-6),
    ("Muon", torch.float64): (MUON, 3e-2),
    ("Muon", torch.float32): (MUON, 3e-2),
    ("SparseAdam", torch.float64): (SPARSE, 1e-9),
}

HALF_ULPS = {("Muon", torch.bfloat16): 4, ("Muon", torch.float16): 16}
"""For the same reason."""

CONFIGURED = [(row, i) for row in ROWS if not row.closure for i in range(len(row.configurations()))]
every_configuration = pytest.mark.parametrize(
    "case", CONFIGURED, ids=lambda case: f"{case[0].name}-{case[1]}"
)


def bound(row: Row, dtype: Any) -> float:
    return EXCEPTIONS[row.name, dtype][1] if (row.name, dtype) in EXCEPTIONS else BOUNDS[dtype]


def worst(ours: Any, theirs: Any, *sizes: Any) -> float:
    """The largest error of any element, as a part of the largest of its sizes."""
    ours, theirs = ours.detach().double(), theirs.detach().double()
    error = (ours - theirs).abs()
    size = torch.stack([s.detach().double().abs() for s in (theirs, *sizes)]).amax(0)
    return float(torch.where(error > 0, error / size, 0.0).max()) if error.numel() else 0.0


def arrays(optimizer: Any, p: Any) -> dict[str, Any]:
    """The state of a parameter but for its step number."""
    state = optimizer.state.get(p, {})
    return {n: v for n, v in state.items() if isinstance(v, torch.Tensor) and n != "step"}


def count(optimizer: Any, p: Any) -> float:
    return float(optimizer.state.get(p, {}).get("step", 0))


def draw(row: Row, params: Params, t: int, options: dict[str, Any], **spread: Any) -> None:
    """Gradients; those that decay is added to have its sign, as sums that cancel keep no digits."""
    row.fill(params, t, **spread)
    if options.get("weight_decay") and not row.sparse:
        sign = -1.0 if options.get("maximize") else 1.0
        for p in params:
            p.grad = torch.copysign(p.grad, sign * p.detach())


class Pair:
    """torch's optimizer and ours, over equal parameters."""

    def __init__(self, row: Row, options: dict[str, Any], dtype: Any):
        self.row, self.options = row, options
        self.params = row.params(dtype=dtype)
        self.peers = copies(self.params)
        self.ours = row.ours(self.params, **copy.deepcopy(options))
        self.theirs = row.theirs(self.peers, **copy.deepcopy(options))

    def step(self, t: int) -> dict[str, float]:
        """One step of both from one point: the worst errors; then ours is theirs."""
        row, found = self.row, {}
        before = [p.detach().clone() for p in self.params]
        old = [{n: v.clone() for n, v in arrays(self.ours, p).items()} for p in self.params]
        draw(row, self.params, t, self.options)
        for p, q in zip(self.params, self.peers, strict=True):
            q.grad = p.grad
        self.ours.step()
        self.theirs.step()
        for i, (p, q) in enumerate(zip(self.params, self.peers, strict=True)):
            found[f"{i}"] = worst(p, q, before[i], q.detach() - before[i])
            assert count(self.ours, p) == count(self.theirs, q)
            mine, wanted = arrays(self.ours, p), arrays(self.theirs, q)
            assert mine.keys() == wanted.keys()
            with torch.no_grad():
                p.copy_(q)
                for name, value in wanted.items():
                    found[f"{i}/{name}"] = worst(mine[name], value, old[i].get(name, value))
                    mine[name].copy_(value)
        return found


@every_configuration
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_every_step(case, dtype):
    row, which = case
    pair = Pair(row, row.configurations()[which], dtype)
    for t in range(1, STEPS + 1):
        found = pair.step(t)
        assert max(found.values()) <= bound(row, dtype), (t, max(found.items(), key=lambda x: x[1]))
    assert all(
        not torch.equal(p, q) for p, q in zip(pair.params, row.params(dtype=dtype), strict=True)
    )


# Half precision. ----------------------------------------------------------------------------------


def ulps(ours: Any, theirs: Any) -> float:
    """The distance of two tensors of a 16-bit type, in numbers of that type."""

    def ordered(x: Any) -> Any:
        i = x.detach().contiguous().view(torch.int16).int()
        return torch.where(i < 0, -(i & 0x7FFF), i)

    assert torch.equal(ours.isnan(), theirs.isnan())
    return float((ordered(ours) - ordered(theirs)).abs().max()) if ours.numel() else 0.0


def units(ours: Any, theirs: Any, *sizes: Any) -> float:
    """The largest error, in last places of the largest of its sizes."""
    digits, least = (8, -126 - 7) if ours.dtype == torch.bfloat16 else (11, -14 - 10)
    size = torch.stack([s.detach().float().abs() for s in (ours, theirs, *sizes)]).amax(0)
    place = torch.exp2((torch.frexp(size).exponent - digits).clamp_min(least).float())
    return float(((ours.float() - theirs.float()).abs() / place).max()) if ours.numel() else 0.0


HALVES = {torch.bfloat16: (-2.0, 2.0), torch.float16: (-2.0, 0.5)}
"""Number formats, and magnitudes of gradients whose squares they hold."""


@every_configuration
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_step_in_half_precision(case, dtype):
    row, which = case
    options = row.configurations(dtype=dtype)[which]
    pair = Pair(row, options, torch.float32)
    params = [p.detach().to(dtype).requires_grad_() for p in pair.params]
    ours = row.ours(params, **copy.deepcopy(options))
    for t in range(1, STEPS + 1):
        with torch.no_grad():
            for p, q in zip(params, pair.peers, strict=True):
                q.copy_(p)
        old = [{n: v.clone() for n, v in arrays(ours, p).items()} for p in params]
        before = [p.detach().clone() for p in params]
        draw(row, params, t, options, spread=HALVES[dtype])
        for p, q in zip(params, pair.peers, strict=True):
            q.grad = p.grad.to(torch.float32)
        ours.step()
        pair.theirs.step()
        for p, q, start, was in zip(params, pair.peers, before, old, strict=True):
            rounded = q.detach().to(dtype)
            far = units(p.detach(), rounded, start, start.float() - q.detach())
            assert far <= HALF_ULPS.get((row.name, dtype), ULPS), (t, far)
            mine, wanted = arrays(ours, p), arrays(pair.theirs, q)
            assert mine.keys() == wanted.keys()
            with torch.no_grad():
                p.copy_(rounded)
                for name, value in wanted.items():
                    kind = mine[name].dtype
                    if kind in HALVES:
                        far = ulps(mine[name], value.to(kind))
                        assert far <= ULPS, (t, name, far)
                    else:
                        error = worst(mine[name], value, was.get(name, value))
                        assert error <= bound(row, torch.float32), (t, name, error)
                    mine[name].copy_(value)
                    value.copy_(mine[name])


# State dicts, there and back. ------------------------------------------------------------------


def apart(ours: Params, theirs: Params, start: Params) -> float:
    return max(
        worst(a, b, s, b.detach() - s.detach()) for a, b, s in zip(ours, theirs, start, strict=True)
    )


def there_and_back(row: Row, dtype: Any, first: str, second: str) -> None:
    """Ten steps in one, ten in the other from its state dict, beside ten more in the first."""
    for options in row.configurations():
        params = row.params(dtype=dtype)
        one = getattr(row, first)(params, **copy.deepcopy(options))
        row.run(one, params, 1, 10)
        others, start = copies(params), copies(params)
        other = getattr(row, second)(others, **copy.deepcopy(options))
        other.load_state_dict(copy.deepcopy(one.state_dict()))
        row.run(one, params, 11, 20)
        row.run(other, others, 11, 20)
        assert apart(others, params, start) <= 10 * bound(row, dtype), options
        assert [count(other, p) for p in others] == [count(one, p) for p in params]


@rows(closure=False)
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_ten_steps_in_torch_and_ten_here(row, dtype):
    """Equal to twenty in torch, within the bound of a step for each of ours."""
    there_and_back(row, dtype, "theirs", "ours")


@rows(closure=False)
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_ten_steps_here_and_ten_in_torch(row, dtype):
    """Equal to twenty here."""
    there_and_back(row, dtype, "ours", "theirs")


def test_every_exception_is_needed():
    """None is wider than it has to be by more than a factor of a hundred, or there for nothing."""
    for (name, dtype), (_, allowed) in EXCEPTIONS.items():
        row = NAMED[name]
        seen = 0.0
        for options in row.configurations():
            pair = Pair(row, options, dtype)
            seen = max(seen, *(max(pair.step(t).values()) for t in range(1, STEPS + 1)))
        assert max(BOUNDS[dtype], allowed / 100) < seen <= allowed, (name, dtype, seen)


def test_the_list_is_covered():
    assert len(CONFIGURED) >= 86
    assert {row.name for row, _ in CONFIGURED} | {"LBFGS"} == {row.name for row in ROWS}
    assert all(hasattr(ot, row.name) for row in ROWS)
