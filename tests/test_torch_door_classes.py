"""Every class of the torch door, torch's and others, against the NumPy door, bit for bit."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from torch_list import ROWS, bits, copies, memory, ot, same, torch

import optcore as oc

CLASSES = {
    name: each
    for name, each in vars(ot).items()
    if inspect.isclass(each) and issubclass(each, torch.optim.Optimizer) and hasattr(oc, name)
}
# Those that step by a closure, and those that have their own tests.
STEPPED = sorted(set(CLASSES) - {"LBFGS"})
SHAPES = ((6, 5), (4, 3))
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
every_class = pytest.mark.parametrize("name", STEPPED)


def tensors(dtype: Any = torch.float32) -> list[Any]:
    random = torch.Generator().manual_seed(3)
    return [torch.randn(s, generator=random).to(dtype).requires_grad_() for s in SHAPES]


def gradients(t: int, dtype: Any = torch.float32) -> list[Any]:
    random = torch.Generator().manual_seed(100 + t)
    return [torch.randn(s, generator=random).to(dtype) for s in SHAPES]


def run(optimizer: Any, params: list[Any], first: int, last: int) -> None:
    for t in range(first, last + 1):
        for p, g in zip(params, gradients(t, params[0].dtype), strict=True):
            p.grad = g
        optimizer.step()


def array(tensor: Any) -> np.ndarray[Any, Any]:
    """A copy of a tensor as the NumPy door takes it."""
    tensor = tensor.detach().clone()
    if tensor.dtype != torch.bfloat16:
        return np.asarray(tensor.numpy())
    ml_dtypes = pytest.importorskip("ml_dtypes")
    return np.asarray(tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16))


def both(name: str, dtype: Any = torch.float32, steps: int = 5, **options: Any) -> tuple[Any, Any]:
    """The two optimizers after some steps on the same gradients, and their parameters compared."""
    params = tensors(dtype)
    arrays = {str(i): array(p) for i, p in enumerate(params)}
    ours = getattr(ot, name)(params, **options)
    plain = getattr(oc, name)(arrays, **options)
    for t in range(1, steps + 1):
        grads = gradients(t, dtype)
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        ours.step()
        plain.step({str(i): array(g) for i, g in enumerate(grads)})
    for p, a in zip(params, arrays.values(), strict=True):
        assert array(p).tobytes() == a.tobytes()
    for i, p in enumerate(params):
        state = ours.state.get(p, {})
        for key, value in plain.state[str(i)].items():
            if isinstance(value, np.ndarray) and key in state:
                assert array(state[key]).tobytes() == value.tobytes(), key
    return ours, plain


def test_every_class_of_the_numpy_door_is_here():
    """By the same name and with the same words about it."""
    numpy_classes = {
        name for name, each in vars(oc).items()
        if inspect.isclass(each) and issubclass(each, oc.Optimizer) and each is not oc.Optimizer
    }  # fmt: skip
    assert numpy_classes <= set(CLASSES)
    assert set(CLASSES) - numpy_classes <= {"SparseAdam", "LBFGS"}
    assert len(STEPPED) >= 40
    for name in CLASSES:
        assert name in ot.__all__


# Rules that take no 16-bit arrays in the NumPy door.
WIDE = {"Adafactor", "Muon", "RowwiseAdagrad", "SM3", "Shampoo", "SOAP"}


@every_class
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_bits_of_the_numpy_door(name, dtype):
    """Their state_dtype=None differs: torch keeps state in the type of the parameter."""
    if dtype.itemsize > 2:
        both(name, dtype)
    elif name not in WIDE:
        both(name, dtype, state_dtype="float32")
    else:
        params = tensors(dtype)
        run(getattr(ot, name)(params), params, 1, 3)
        assert all(torch.isfinite(p).all() and p.dtype == dtype for p in params)
        assert memory(params) != memory(tensors(dtype))


OPTIONS: list[dict[str, Any]] = [
    {"clip_norm": 0.5},
    {"clip_value": 0.1},
    {"clip_norm": 0.5, "clip_value": 0.1},
    {"threads": 1},
    {"ema": oc.EMA(0.9)},
    {"cautious": True},
    {"cautious_weight_decay": True, "weight_decay": 0.1},
    {"state_dtype": "bfloat16"},
    {"nonfinite": "skip"},
]


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Lion", "LAMB", "Adagrad"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: " ".join(o))
def test_options_of_ours_alone(name, options):
    if any("cautious" in option for option in options) and name in ("Adagrad", "LAMB"):
        with pytest.raises(TypeError, match="cautious"):  # their update is no step along a sign
            getattr(ot, name)(tensors(), **options)
        return
    both(name, **options, **({"momentum": 0.9} if name == "SGD" else {}))


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Lion"])
@pytest.mark.parametrize("how", ["master", "stochastic"])
def test_low_precision(name, how):
    both(name, torch.bfloat16, steps=20, low_precision=how, seed=5, state_dtype="float32")


def test_the_norm_before_clipping():
    params = tensors()
    optimizer = ot.AdamW(params, clip_norm=0.25)
    run(optimizer, params, 1, 1)
    norm = torch.nn.utils.get_total_norm([p.grad for p in params])
    assert optimizer.grad_norm == pytest.approx(float(norm), rel=1e-6)


# What is not finite. ---------------------------------------------------------------------------


@every_class
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_skipped_step_changes_nothing(name, bad):
    started = 1 if name.startswith("DAdapt") or name == "Prodigy" else 3  # they estimate
    params = tensors()
    optimizer = getattr(ot, name)(params, nonfinite="skip")
    run(optimizer, params, 1, started)
    before = memory(params), copy.deepcopy(optimizer.state_dict())
    for p, g in zip(params, gradients(9), strict=True):
        p.grad = g
    params[1].grad[-1, -1] = bad
    optimizer.step()
    assert memory(params) == before[0]
    assert same(optimizer.state_dict(), before[1])
    assert optimizer.skipped_steps == 1
    apart = tensors()
    other = getattr(ot, name)(apart, nonfinite="skip")
    run(other, apart, 1, started)
    run(optimizer, params, 10, 11)
    run(other, apart, 10, 11)
    assert memory(params) == memory(apart)


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Muon"])
@pytest.mark.parametrize("started", [0, 3])
def test_what_is_not_finite_as_an_error(name, started):
    params = tensors()
    optimizer = getattr(ot, name)(params, nonfinite="raise")
    run(optimizer, params, 1, started)
    before = memory(params), copy.deepcopy(optimizer.state_dict())
    for p, g in zip(params, gradients(9), strict=True):
        p.grad = g
    params[0].grad[2, 3] = float("nan")
    with pytest.raises((ValueError, FloatingPointError), match=r"finite|NaN|nan"):
        optimizer.step()
    assert memory(params) == before[0]
    assert same(optimizer.state_dict(), before[1])


@every_class
def test_under_a_gradient_scaler(name):
    """The scaler leaves a step out whose gradients overflow, and divides the others."""
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=100)
    params, apart = tensors(), tensors()
    scaled, plain = getattr(ot, name)(params), getattr(ot, name)(apart)
    for t in range(1, 6):
        for p, q, g in zip(params, apart, gradients(t), strict=True):
            q.grad = g
            p.grad = g * scaler.get_scale()
        if t == 3:
            params[0].grad[0, 0] = float("inf")
        scaler.scale(torch.zeros(1))
        before = memory(params)
        scaler.step(scaled)
        scaler.update()
        if t == 3:
            assert memory(params) == before
        else:
            plain.step()
    assert memory(params) == memory(apart)


# State. ----------------------------------------------------------------------------------------


@every_class
@pytest.mark.parametrize("how", ["state dict", "deepcopy", "pickle"])
def test_copies_go_on_alike(name, how):
    params = tensors()
    optimizer = getattr(ot, name)(params)
    run(optimizer, params, 1, 3)
    if how == "state dict":
        others = copies(params)
        other = getattr(ot, name)(others)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    elif how == "deepcopy":
        others, other = copy.deepcopy((params, optimizer))
    else:
        others, other = pickle.loads(pickle.dumps((params, optimizer)))
    run(optimizer, params, 4, 6)
    run(other, others, 4, 6)
    assert memory(params) == memory(others)
    assert same(other.state_dict(), optimizer.state_dict())


@every_class
def test_nothing_is_done_without_gradients(name):
    params = tensors()
    before = memory(params)
    optimizer = getattr(ot, name)(params)
    assert optimizer.step() is None
    assert optimizer.step(lambda: 3.0) == 3.0
    assert memory(params) == before
    run(optimizer, params, 1, 8)  # RAdam's kin wait for a variance to speak of
    assert memory(params) != before


@every_class
def test_a_step_counts_as_a_change(name):
    params = tensors()
    optimizer = getattr(ot, name)(params)
    loss = sum((p * p).sum() for p in params)
    run(optimizer, params, 1, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@every_class
def test_only_public_attributes_of_torch(name):
    """What deepcopy would lose is private: PyTorch's suite compares the names before and after."""
    params = tensors()
    optimizer = getattr(ot, name)(params)
    run(optimizer, params, 1, 2)
    public = {key for key in vars(optimizer) if not key.startswith("_")}
    assert public == {"defaults", "state", "param_groups"}


@every_class
def test_a_schedule_of_torch_drives_it(name):
    params, apart = tensors(), tensors()
    optimizer, by_hand = getattr(ot, name)(params, lr=0.5), getattr(ot, name)(apart, lr=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    for t in range(1, 5):
        run(optimizer, params, t, t)
        schedule.step()
        by_hand.param_groups[0]["lr"] = 0.5**t
        run(by_hand, apart, t, t)
    assert memory(params) == memory(apart)


# Complex numbers, and rows. ------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.info.supports_complex and not r.closure], ids=repr
)
def test_complex_parameters_are_pairs_of_real_ones(row):
    """As in torch, whose own result is met too."""
    for options in row.configurations():
        random = torch.Generator().manual_seed(0)
        draw = [torch.randn((4, 3), generator=random, dtype=torch.complex128) for _ in range(6)]
        p, q = draw[0].clone().requires_grad_(), draw[0].clone().requires_grad_()
        real = torch.view_as_real(draw[0]).clone().requires_grad_()
        ours, pairs, theirs = (
            row.ours([p], **options),
            row.ours([real], **options),
            row.theirs([q], **options),
        )
        for g in draw[1:]:
            p.grad, q.grad, real.grad = g.clone(), g.clone(), torch.view_as_real(g).clone()
            for optimizer in (ours, pairs, theirs):
                optimizer.step()
        assert bits(torch.view_as_real(p.detach())) == bits(real)
        bound = {"NAdam": 1e-6, "ASGD": 1e-6}.get(row.name, 1e-11)
        torch.testing.assert_close(p, q, rtol=bound, atol=bound)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch's, of its own Adagrad
@pytest.mark.parametrize("name", ["SGD", "Adagrad", "SparseAdam"])
def test_rows_that_repeat_and_rows_out_of_order(name):
    """Sparse gradients before they are coalesced, beside torch."""
    index = torch.tensor([[3, 0, 3, 5, 0]])
    options = {"lr": 0.1}
    found = []
    for cls in (getattr(ot, name), getattr(torch.optim, name)):
        p = torch.randn((6, 2), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        optimizer = cls([p], **options)
        for t in range(1, 4):
            values = torch.randn((5, 2), generator=torch.Generator().manual_seed(t), dtype=p.dtype)
            p.grad = torch.sparse_coo_tensor(index, values, (6, 2), check_invariants=False)
            optimizer.step()
        found.append(p)
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


# torch itself. ------------------------------------------------------------------------------------


def test_without_torch_it_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None\nimport optcore\nimport optcore.torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "NotFoundError" in done.stderr or "ImportError" in done.stderr
    assert "pip install 'optcore[torch]'" in done.stderr


def test_optcore_itself_does_not_import_torch():
    code = "import sys, optcore; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_default_type_of_torch_does_not_matter():
    """Counters and scalars are float64 whatever torch makes of a number."""
    results = []
    before = torch.get_default_dtype()
    for default in (torch.float32, torch.float64, torch.bfloat16):
        torch.set_default_dtype(default)
        try:
            params = [torch.ones(s, dtype=torch.float32).requires_grad_() for s in SHAPES]
            optimizer = ot.NAdam(params)
            for t in range(1, 4):
                for p, s in zip(params, SHAPES, strict=True):
                    p.grad = torch.full(s, 0.125 * t, dtype=torch.float32)
                optimizer.step()
            assert {s["step"].dtype for s in optimizer.state.values()} == {torch.float64}
            results.append([optimizer.state[p]["exp_avg"].clone() for p in params])
        finally:
            torch.set_default_dtype(before)
    assert all(same(r, results[0]) for r in results)


def test_under_no_grad():
    params, apart = tensors(), tensors()
    optimizer, plain = ot.AdamW(params), ot.AdamW(apart)
    with torch.no_grad():
        run(optimizer, params, 1, 2)
    run(plain, apart, 1, 2)
    assert memory(params) == memory(apart)
