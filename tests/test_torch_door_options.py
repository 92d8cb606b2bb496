"""What may be changed between steps, and how: hyperparameters that rest, options, formats."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from torch_list import bits, copies, memory, ot, torch

import optcore as oc
from optcore.reference.blocks8 import decode8


def param(n: int = 6, dtype: Any = torch.float32) -> Any:
    drawn = torch.randn(n, generator=torch.Generator().manual_seed(0))
    return torch.nn.Parameter(drawn.to(dtype))


def run(optimizer: Any, p: Any, first: int, last: int) -> None:
    for t in range(first, last + 1):
        p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(t)).to(p.dtype)
        optimizer.step()


# Momentum that is turned off and on. -------------------------------------------------------------

MOMENTUM = [
    ("SGD", {"lr": 0.1, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "centered": True}),
]


@pytest.mark.parametrize(("name", "options"), MOMENTUM, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_momentum_off_and_on_is_torchs(name, options, dtype):
    p = param(dtype=dtype)
    [q] = copies([p])
    ours = getattr(ot, name)([p], momentum=0.9, **options)
    theirs = getattr(torch.optim, name)([q], momentum=0.9, **options)
    for t, momentum in enumerate([0.9, 0.9, 0.9, 0.0, 0.0, 0.9, 0.5, 0.0, 0.9], start=1):
        for optimizer, each in ((ours, p), (theirs, q)):
            optimizer.param_groups[0]["momentum"] = momentum
            before = optimizer.state[each].get("momentum_buffer", torch.zeros(0)).clone()
            run(optimizer, each, t, t)
            if momentum == 0:
                assert bits(optimizer.state[each]["momentum_buffer"]) == bits(before)
        torch.testing.assert_close(p, q, rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("state_dtype", ["float32", "bfloat16", "8bit"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Signum", "LARS"])
def test_resting_momentum_in_every_format(name, dtype, state_dtype):
    """Its bits stay, and without momentum a step is that of an optimizer that has none."""
    p = param(600, dtype)
    optimizer = getattr(ot, name)([p], lr=0.05, momentum=0.9, state_dtype=state_dtype)
    run(optimizer, p, 1, 3)
    buffers = {k: bits(v) for k, v in optimizer.state[p].items() if "momentum" in k}
    assert buffers
    [q] = copies([p])
    plain = getattr(ot, name)([q], lr=0.05, momentum=0.0, state_dtype=state_dtype)
    state = {k: v.clone() for k, v in optimizer.state[p].items() if "momentum" not in k}
    plain.state[q].update(state)
    optimizer.param_groups[0]["momentum"] = 0.0
    run(optimizer, p, 4, 6)
    run(plain, q, 4, 6)
    assert bits(p) == bits(q)
    assert {k: bits(v) for k, v in optimizer.state[p].items() if "momentum" in k} == buffers


@pytest.mark.parametrize(("kind", "options"), [("SGD", {"dampening": 0.5}), ("RMSprop", {})])
def test_momentum_off_and_on_in_the_numpy_door(kind, options):
    arrays = np.linspace(-1, 1, 6)
    p = torch.nn.Parameter(torch.from_numpy(arrays.copy()))
    ours = getattr(oc, kind)(arrays, lr=0.1, momentum=0.9, **options)
    theirs = getattr(torch.optim, kind)([p], lr=0.1, momentum=0.9, **options)
    for t, momentum in enumerate([0.9, 0.9, 0.0, 0.0, 0.9, 0.9], start=1):
        ours.groups[0]["momentum"] = theirs.param_groups[0]["momentum"] = momentum
        p.grad = torch.randn(6, generator=torch.Generator().manual_seed(t)).double()
        ours.step(p.grad.numpy().copy())
        theirs.step()
        np.testing.assert_allclose(arrays, p.detach().numpy(), rtol=1e-12, atol=1e-12)


# FTRL at a rate of 0. ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_ftrl_rests_at_a_rate_of_0(dtype):
    p = param(300, dtype)
    optimizer = ot.FTRL([p], lr=0.0, l1=0.1, weight_decay=0.1)
    before = bits(p)
    run(optimizer, p, 1, 2)
    assert bits(p) == before
    assert optimizer.state[p]["z"].eq(0).all()
    assert optimizer.state[p]["n"].eq(0.1).all()
    optimizer.param_groups[0]["lr"] = 0.1
    [q] = copies([p])
    other = ot.FTRL([q], lr=0.1, l1=0.1, weight_decay=0.1)
    run(optimizer, p, 3, 4)
    run(other, q, 3, 4)
    assert bits(p) == bits(q) != before


# Options of the step. ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("clip_norm", 0.5), ("clip_value", 0.1), ("nonfinite", "skip"), ("threads", 1)],
)
def test_options_are_read_and_written(name, value):
    """Before the first step or later, as if they had been given."""
    p = param()
    optimizer = ot.SGD([p], lr=0.1)
    default = getattr(optimizer, name)
    assert f"    {name}: {default}\n" in repr(optimizer)
    run(optimizer, p, 1, 2)
    setattr(optimizer, name, value)
    assert getattr(optimizer, name) == value
    assert f"    {name}: {value}\n" in repr(optimizer)
    [q] = copies([p])
    given = ot.SGD([q], lr=0.1, **{name: value})
    late = copy.deepcopy(optimizer)
    [r] = late.param_groups[0]["params"]
    assert getattr(late, name) == value
    for t in (3, 4):
        for other, each in ((optimizer, p), (given, q), (late, r)):
            run(other, each, t, t)
    assert bits(p) == bits(q) == bits(r)
    setattr(optimizer, name, default)
    setattr(given, name, default)
    run(optimizer, p, 5, 6)
    run(given, q, 5, 6)
    assert bits(p) == bits(q)


def test_nonfinite_set_later():
    p = param()
    optimizer = ot.AdamW([p])
    run(optimizer, p, 1, 1)
    before = bits(p)
    p.grad[2] = float("nan")
    optimizer.nonfinite = "raise"
    with pytest.raises(oc.NonFiniteError):
        optimizer.step()
    optimizer.nonfinite = "skip"
    optimizer.step()
    assert bits(p) == before
    assert optimizer.skipped_steps == 1
    optimizer.nonfinite = "propagate"
    optimizer.step()
    assert p[2].isnan()


@pytest.mark.parametrize(
    ("name", "value"),
    [("clip_norm", -1.0), ("clip_value", "x"), ("nonfinite", "stop"), ("threads", 0)],
)
@pytest.mark.parametrize("steps", [0, 1])
def test_options_that_will_not_do(name, value, steps):
    p = param()
    optimizer = ot.SGD([p])
    run(optimizer, p, 1, steps)
    before = getattr(optimizer, name)
    with pytest.raises((TypeError, ValueError), match=f"^{name}: expected"):
        setattr(optimizer, name, value)
    assert getattr(optimizer, name) == before
    run(optimizer, p, steps + 1, 2)
    [q] = copies([param()])
    run(ot.SGD([q]), q, 1, 2)
    assert bits(p) == bits(q)


@pytest.mark.parametrize("name", ["capturable", "differentiable"])
@pytest.mark.parametrize("steps", [0, 2])
def test_what_is_refused_at_first_is_refused_later(name, steps):
    p = param()
    optimizer = ot.Adam([p])
    run(optimizer, p, 1, steps)
    before = memory([p]), copy.deepcopy(optimizer.state_dict()["state"])
    optimizer.param_groups[0][name] = True
    with pytest.raises(RuntimeError, match=f"^{name}=True is not supported.*leave {name} out"):
        run(optimizer, p, 3, 3)
    assert memory([p]) == before[0]
    assert len(optimizer.state_dict()["state"]) == len(before[1])
    optimizer.param_groups[0][name] = False
    run(optimizer, p, 3, 3)
    assert memory([p]) != before[0]


@pytest.mark.parametrize("name", ["clip_norm", "nonfinite", "seed", "ema"])
def test_options_of_the_step_in_a_group(name):
    p = param()
    optimizer = ot.Adam([p])
    run(optimizer, p, 1, 1)
    before = bits(p)
    optimizer.param_groups[0][name] = 1
    with pytest.raises(ValueError, match=f"^{name}: expected for the whole optimizer"):
        run(optimizer, p, 2, 2)
    assert bits(p) == before
    with pytest.raises(ValueError, match=f"^{name}: expected for the whole optimizer"):
        ot.Adam([{"params": [p], name: 1}])


def test_low_precision_is_checked_at_once():
    with pytest.raises(ValueError, match=r"^low_precision: expected one of master"):
        ot.Adam([param()], low_precision="half")


def test_float64_state_may_be_asked_for():
    p = param(dtype=torch.float64)
    optimizer = ot.Adam([p], state_dtype=torch.float64)
    run(optimizer, p, 1, 1)
    assert optimizer.state[p]["exp_avg"].dtype == torch.float64


# Formats of state that is loaded. ----------------------------------------------------------------


@pytest.mark.parametrize("layout", [(700,), (20, 35), (35, 20)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("amsgrad", [False, True])
def test_a_float_checkpoint_in_8_bits(layout, dtype, amsgrad):
    """As near as 8 bits come: 1/16 of each element, or 2⁻²⁰ of the largest of its block."""
    drawn = torch.randn(layout, generator=torch.Generator().manual_seed(0)).to(dtype)
    p = torch.nn.Parameter(drawn.t() if layout == (35, 20) else drawn)
    [q] = [torch.nn.Parameter(p.detach().clone(memory_format=torch.preserve_format))]
    theirs = torch.optim.Adam([p], amsgrad=amsgrad)
    run(theirs, p, 1, 3)
    ours = ot.Adam([q], state_dtype="8bit", amsgrad=amsgrad)
    with torch.no_grad():
        q.copy_(p)
    ours.load_state_dict(theirs.state_dict())
    names = {"exp_avg": True, "exp_avg_sq": False} | ({"max_exp_avg_sq": False} if amsgrad else {})
    for name, signed in names.items():
        codes, scales = ours.state[q][name], ours.state[q][f"{name}_scale"]
        assert codes.dtype == torch.uint8
        assert scales.dtype == torch.float32
        found = torch.from_numpy(decode8(codes.numpy(), scales.numpy(), signed))
        expected = theirs.state[p][name].float()
        assert ((found - expected).abs() <= expected.abs() / 16 + 2e-6 * expected.abs().max()).all()
    run(ours, q, 4, 4)
    run(theirs, p, 4, 4)
    assert ours.state[q]["exp_avg"].dtype == torch.uint8
    torch.testing.assert_close(q, p, rtol=0.02, atol=2e-3)


def test_a_float_checkpoint_where_one_slot_has_8_bits():
    p = param(300)
    theirs = torch.optim.AdamW([p])
    run(theirs, p, 1, 2)
    [q] = copies([p])
    ours = ot.AdamW([q], state_dtype={"exp_avg": "8bit"})
    ours.load_state_dict(theirs.state_dict())
    assert ours.state[q]["exp_avg"].dtype == torch.uint8
    assert bits(ours.state[q]["exp_avg_sq"]) == bits(theirs.state[p]["exp_avg_sq"])
    run(ours, q, 3, 3)


def test_a_dict_of_ours_brings_its_format_along():
    """As it brings all hyperparameters: torch's way with groups."""
    p = param(300)
    saved = ot.AdamW([p], cautious=True)
    run(saved, p, 1, 2)
    [q] = copies([p])
    loaded = ot.AdamW([q], state_dtype="8bit")
    loaded.load_state_dict(copy.deepcopy(saved.state_dict()))
    assert loaded.param_groups[0]["state_dtype"] is None
    assert loaded.param_groups[0]["cautious"]
    run(saved, p, 3, 4)
    run(loaded, q, 3, 4)
    assert bits(p) == bits(q)


# Rows of complex numbers. ------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("name", ["Adagrad", "RMSprop", "SGD"])
def test_complex_rows_are_pairs_of_real_ones(name):
    """As dense gradients are, where torch's sparse Adagrad squares the complex numbers."""
    drawn = torch.randn(4, 3, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    p, dense = torch.nn.Parameter(drawn.clone()), torch.nn.Parameter(drawn.clone())
    ours, theirs = getattr(ot, name)([p], lr=0.1), getattr(torch.optim, name)([dense], lr=0.1)
    for t in range(1, 4):
        random = torch.Generator().manual_seed(t)
        dense.grad = torch.randn(4, 3, dtype=torch.complex64, generator=random)
        dense.grad[1] = 0
        p.grad = torch.sparse_coo_tensor(torch.tensor([[0, 2, 3]]), dense.grad[[0, 2, 3]], (4, 3))
        ours.step()
        theirs.step()
    torch.testing.assert_close(p, dense, rtol=1e-5, atol=1e-6)


def test_a_frozen_parameter_of_whole_numbers_rests():
    """As quantized weights do beside what is trained; it is refused when it has a gradient."""
    p, frozen = param(), torch.nn.Parameter(torch.zeros(3, dtype=torch.uint8), requires_grad=False)
    optimizer = ot.AdamW([p, frozen])
    before = bits(p)
    run(optimizer, p, 1, 2)
    assert bits(p) != before
    assert frozen not in optimizer.state
