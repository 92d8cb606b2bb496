"""Rules whose direction NumPy works out: Muon, Shampoo, SOAP and SM3.

The formulas are written here once more from their papers, in float64 and another way than in
`reference`; what every optimizer does is tested here for these four, Muon's matrices included.
"""

from __future__ import annotations

import gc
import itertools
import json
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import optcore as oc
from optcore import reference
from optcore.reference.matrices import eigen
from optcore.schedules import Lambda, Polynomial

KINDS = [oc.Muon, oc.Shampoo, oc.SOAP, oc.SM3]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)

OPTIONS: dict[Any, list[dict[str, Any]]] = {
    oc.Muon: [
        {},
        {"lr": 0.05, "nesterov": False, "weight_decay": 0.0},
        {"momentum_form": "heavy_ball", "eps_mode": "add", "adjust_lr_fn": "match_rms_adamw"},
        {"bias_correction": True, "ns_steps": 2, "adjust_lr_fn": "none", "maximize": True},
        {"bias_correction": True, "nesterov": False, "ns_coefficients": (2.0, -1.5, 0.5)},
    ],
    oc.Shampoo: [
        {},
        {"momentum": 0.9, "weight_decay": 0.1, "graft": "sgd"},
        {"beta2": 0.9, "precondition_frequency": 3, "graft": "adagrad", "maximize": True},
        {"max_precond_dim": 3, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    oc.SOAP: [
        {},
        {"lr": 0.05, "precondition_frequency": 2, "weight_decay": 0.1, "precondition_1d": True},
        {"betas": (0.9, 0.99), "shampoo_beta": 0.8, "max_precond_dim": 3, "maximize": True},
        {"correct_bias": False, "normalize_gradient": True, "precondition_frequency": 1},
    ],
    oc.SM3: [
        {},
        {"momentum": 0.0, "weight_decay": 0.1},
        {"beta": 0.9, "eps": 1e-8, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"momentum": 0.5, "maximize": True},
    ],
}
ROWS = [(kind, options) for kind in KINDS for options in OPTIONS[kind]]
rows = pytest.mark.parametrize(
    ("kind", "options"),
    ROWS,
    ids=["-".join([k.__name__, *(f"{n}={v}" for n, v in o.items())]) for k, o in ROWS],
)


def same(a: Any, b: Any) -> bool:
    pairs = zip(a, b, strict=True)
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)


def model(kind: Any, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"W": (4, 6), "V": (5, 2)}
    if kind is not oc.Muon:
        shapes |= {"b": (5,), "s": (), "T": (2, 3, 4)}
    params = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    params["F"] = np.asfortranarray(rng.normal(size=(3, 5)).astype(dtype))
    return params


def gradients(params: dict[str, np.ndarray], seed: int = 1) -> Iterator[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    while True:
        yield {k: np.asarray(rng.normal(size=p.shape), p.dtype) for k, p in params.items()}


def arrays(opt: Any) -> list[np.ndarray]:
    return [slot for state in opt.state.values() for slot in state.values()]


def everything(opt: Any, params: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [x.copy() for x in (*params.values(), *arrays(opt))]


def reference_of(kind: Any) -> Callable[..., Any]:
    return getattr(reference, kind.__name__.lower())


# The formulas, once more. -------------------------------------------------------------------------


def run(kind: Any, shape: tuple[int, ...], steps: int, **options: Any) -> Iterator[Any]:
    """The gradient of each step with the parameter before and after it, in float64."""
    rng = np.random.default_rng(7)
    p = rng.normal(size=shape)
    opt = kind(p, **options)
    for _ in range(steps):
        g, before = rng.normal(size=shape), p.copy()
        opt.step(g)
        yield g, before, p


def close(got: np.ndarray, wanted: np.ndarray, before: np.ndarray, bound: float = 1e-12) -> None:
    """Within a bound of the largest move, or of 1."""
    assert got.dtype == np.float64
    move = wanted - before
    bound *= max(1.0, float(np.abs(move).max()))
    np.testing.assert_allclose(got - before, move, rtol=0, atol=bound)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (1, 5), (1, 1)])
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("form", ["ema", "heavy_ball"])
def test_muon_by_singular_values(shape, nesterov, form):
    """The iteration only moves the singular values: each by its polynomial."""
    a, b, c = 3.4445, -4.775, 2.0315
    buffer = np.zeros(shape)
    mu, take = 0.9, 0.1 if form == "ema" else 1.0
    options = {"momentum": mu, "nesterov": nesterov, "momentum_form": form, "lr": 0.1}
    for g, before, after in run(oc.Muon, shape, 12, **options):
        buffer = mu * buffer + take * g
        m = take * g + mu * buffer if nesterov else buffer
        left, sigma, right = np.linalg.svd(m, full_matrices=False)
        sigma = sigma / np.sqrt((m**2).sum())
        for _ in range(5):
            sigma = a * sigma + b * sigma**3 + c * sigma**5
        scale = math.sqrt(max(1.0, shape[0] / shape[1]))
        close(after, before * (1 - 0.1 * 0.1) - 0.1 * scale * (left * sigma) @ right, before)


@pytest.mark.parametrize(
    ("adjust", "factor"), [(None, 2.0), ("original", 2.0), ("match_rms_adamw", 0.8), ("none", 1.0)]
)
def test_muon_by_shape(adjust, factor):
    g = np.random.default_rng(0).normal(size=(16, 4))
    p, q = np.zeros((16, 4)), np.zeros((16, 4))
    oc.Muon(p, lr=1.0, adjust_lr_fn=adjust).step(g)
    oc.Muon(q, lr=1.0, adjust_lr_fn="none").step(g)
    np.testing.assert_allclose(p, factor * q, rtol=1e-15)


def test_muon_of_nothing_is_nothing():
    w = np.ones((3, 2))
    oc.Muon(w, weight_decay=0.0).step(np.zeros((3, 2)))
    assert np.array_equal(w, np.ones((3, 2)))


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 5), (5, 3), (2, 3, 4), (2, 2, 3, 2)])
@pytest.mark.parametrize("beta2", [None, 0.9])
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_shampoo_by_kronecker_products(shape, beta2, every, momentum):
    """The preconditioners as one matrix over the whole tensor: the product of Kronecker's."""
    k = max(len(shape), 1)
    sizes = shape or (1,)
    sums = [np.zeros((n, n)) for n in sizes]
    smooth = np.zeros(sizes)
    options = {"beta2": beta2, "precondition_frequency": every, "momentum": momentum}
    big = np.eye(1)
    letters = "abcd"[:k]
    for t, (g, before, after) in enumerate(run(oc.Shampoo, shape, 7, lr=0.3, **options)):
        x = g.reshape(sizes)
        smooth = momentum * smooth + (1 - momentum) * x
        for axis in range(k):
            other = letters.replace(letters[axis], "z")
            outer = np.einsum(f"{letters},{other}->{letters[axis]}z", x, x)
            keep, take = (1, 1) if beta2 is None else (beta2, 1 - beta2)
            sums[axis] = keep * sums[axis] + take * outer
        if t % every == 0:
            big = np.eye(1)
            for n, total in zip(sizes, sums, strict=True):
                u, s, _ = np.linalg.svd(total + 1e-6 * np.eye(n))
                big = np.kron(big, u @ np.diag(s ** (-1 / (2 * k))) @ u.T)
        close(after, before - 0.3 * (big @ smooth.reshape(-1)).reshape(shape), before, 1e-9)


def test_shampoo_with_long_axes():
    """Beyond the limit an axis keeps the diagonal: on a diagonal gradient that is all there is."""
    p, q = np.zeros((3, 3)), np.zeros((3, 3))
    full, diagonal = oc.Shampoo(p, lr=1.0), oc.Shampoo(q, lr=1.0, max_precond_dim=2)
    for g in ([1.0, 2.0, 3.0], [4.0, -1.0, 0.5]):
        full.step(np.diag(g))
        diagonal.step(np.diag(g))
    np.testing.assert_allclose(p, q, atol=1e-12)
    assert {k: v.shape for k, v in diagonal.state[""].items()} == {
        "pre_cond_0": (3,),
        "pre_cond_1": (3,),
    }
    mixed = oc.Shampoo(np.zeros((2, 5)), max_precond_dim=4)
    assert sorted(mixed.state[""]) == ["inv_pre_cond_0", "pre_cond_0", "pre_cond_1"]


def test_shampoo_grafted():
    rng = np.random.default_rng(0)
    p, q, total = np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4))
    sgd, adagrad = oc.Shampoo(p, lr=1.0, graft="sgd"), oc.Shampoo(q, lr=1.0, graft="adagrad")
    plain = np.zeros((3, 4))
    own = oc.Shampoo(plain, lr=1.0)
    for _ in range(4):
        g = rng.normal(size=(3, 4))
        before = p.copy(), q.copy(), plain.copy()
        for opt in (sgd, adagrad, own):
            opt.step(g)
        total += g * g
        moved = [after - was for after, was in zip((p, q, plain), before, strict=True)]
        lengths = [np.linalg.norm(x) for x in moved]
        assert lengths[0] == pytest.approx(np.linalg.norm(g), rel=1e-12)
        assert lengths[1] == pytest.approx(np.linalg.norm(g / np.sqrt(total)), rel=1e-8)
        for x, length in zip(moved[:2], lengths[:2], strict=True):
            np.testing.assert_allclose(x / length, moved[2] / lengths[2], atol=1e-12)
    for graft in ("sgd", "adagrad"):
        still = np.ones((2, 2))
        oc.Shampoo(still, graft=graft).step(np.zeros((2, 2)))
        assert np.array_equal(still, np.ones((2, 2)))


def by_falling_eigenvalue(x: np.ndarray) -> np.ndarray:
    return np.linalg.eigh(x)[1][:, ::-1]


@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (4, 3)])
@pytest.mark.parametrize("every", [1, 3, 100])
@pytest.mark.parametrize("correct", [True, False])
def test_soap_on_matrices(shape, every, correct):
    """Adam on QᵀGR. Bases come from `eigh` and `qr` in another order of operations."""
    lr, decay, b1, b2, b3, eps = 0.1, 0.05, 0.9, 0.95, 0.8, 1e-8
    m, v = np.zeros(shape), np.zeros(shape)
    left, right = np.zeros((shape[0],) * 2), np.zeros((shape[1],) * 2)
    q, r = left, right
    options = {
        "lr": lr,
        "weight_decay": decay,
        "betas": (b1, b2),
        "shampoo_beta": b3,
        "precondition_frequency": every,
        "correct_bias": correct,
    }
    for t, (g, before, after) in enumerate(run(oc.SOAP, shape, 12, **options)):
        left, right = b3 * left + (1 - b3) * g @ g.T, b3 * right + (1 - b3) * g.T @ g
        if t == 0:
            q, r = by_falling_eigenvalue(left), by_falling_eigenvalue(right)
            assert np.array_equal(after, before)
            continue
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (q.T @ g @ r) ** 2
        size = lr * math.sqrt(1 - b2**t) / (1 - b1**t) if correct else lr
        moved = before - size * q @ ((q.T @ m @ r) / (np.sqrt(v) + eps)) @ r.T
        close(after, moved - lr * decay * moved, before, 1e-9)
        if t % every == 0:
            rows = np.argsort(-np.diag(q.T @ left @ q))
            cols = np.argsort(-np.diag(r.T @ right @ r))
            v = v[rows][:, cols]
            q = np.linalg.qr((left @ q)[:, rows])[0]
            r = np.linalg.qr((right @ r)[:, cols])[0]


@pytest.mark.parametrize("shape", [(), (5,), (2, 9)])
def test_soap_without_bases_is_adam_one_step_late(shape):
    rng = np.random.default_rng(0)
    p = rng.normal(size=shape)
    q = p.copy()
    soap = oc.SOAP(p, lr=0.1, weight_decay=0.0, max_precond_dim=1, eps=0.0)
    adam = oc.Adam(q, lr=0.1, betas=(0.95, 0.95), eps=0.0)
    soap.step(rng.normal(size=shape))
    for _ in range(6):
        g = rng.normal(size=shape)
        soap.step(g)
        adam.step(g)
        np.testing.assert_allclose(p, q, atol=1e-14)  # with ε the two place it differently


def test_soap_normalized():
    w = np.zeros((3, 4))
    opt = oc.SOAP(w, lr=0.5, weight_decay=0.0, normalize_gradient=True, correct_bias=False)
    rng = np.random.default_rng(0)
    for t in range(4):
        before = w.copy()
        opt.step(rng.normal(size=(3, 4)))
        length = math.sqrt(np.mean((w - before) ** 2))
        assert length == pytest.approx(0.5 if t else 0.0, rel=1e-6)


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("beta", [0.0, 0.9])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sm3_element_by_element(shape, beta, momentum):
    """Algorithm SM3-II over the cover of slices, in Python's own numbers."""
    cover: dict[Any, float] = {}
    buffer: dict[Any, float] = {}
    options = {"lr": 0.1, "beta": beta, "momentum": momentum}
    for g, before, after in run(oc.SM3, shape, 6, **options):
        new: dict[Any, float] = {}
        for i in itertools.product(*map(range, shape)):
            slices = [(axis, at) for axis, at in enumerate(i)] or [(0, 0)]
            least = min(cover.get(each, 0.0) for each in slices)
            x = float(g[i])
            nu = beta * least + (1 - beta) * (x * x) if beta else least + x * x
            for each in slices:
                new[each] = max(new.get(each, 0.0), nu)
            u = x / math.sqrt(nu + 1e-30) if nu else 0.0
            if momentum:
                u = buffer[i] = momentum * buffer.get(i, 0.0) + (1 - momentum) * u
            assert after[i] == before[i] - 0.1 * u
        cover = new


# What all optimizers do, of these. ----------------------------------------------------------------


@rows
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_class_is_the_reference(kind, options, dtype):
    """With scaled and clipped gradients too, and to the bit, as both call one function."""
    params = model(kind, dtype)
    opt = kind(params, **options, clip_norm=2.0, clip_value=0.5)
    mine = {k: (p.copy(order="K"), {}) for k, p in params.items()}
    for t, grads in zip(range(1, 8), gradients(params), strict=False):
        norm = reference.global_norm([np.asarray(g) for g in grads.values()], [*params.values()])
        factor = reference.clip_factor(norm / 4, 2.0) / 4
        opt.step(grads, grad_scale=4.0)
        assert opt.grad_norm == norm / 4
        for k, (p, state) in mine.items():
            more = {"grad_factor": factor, "clip_value": 0.5, **options}
            mine[k] = reference_of(kind)(p, grads[k], state, step=t, **more)
            assert np.array_equal(params[k], mine[k][0]), (k, t)
            assert {n: x.shape for n, x in opt.state[k].items()} == {
                n: x.shape for n, x in mine[k][1].items()
            }
            for name, slot in mine[k][1].items():
                assert np.array_equal(opt.state[k][name], slot), (k, t, name)
                assert slot.dtype == dtype


@kinds
def test_any_layout_of_parameter_and_gradient(kind):
    """The matrix work sees C order whatever lies where."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 6))
    wide = np.zeros((8, 12))
    ways: list[Callable[[np.ndarray], np.ndarray]] = [
        np.array,
        np.asfortranarray,
        lambda x: np.ascontiguousarray(x[::-1])[::-1],
    ]
    params = [way(start) for way in ways]
    opts = [kind(p) for p in params]
    for _ in range(4):
        g = rng.normal(size=(4, 6))
        wide[::2, ::2] = g
        for opt, grad in zip(opts, (np.asfortranarray(g), wide[::2, ::2], g), strict=True):
            opt.step(grad)
    assert np.array_equal(params[0], params[1])
    assert np.array_equal(params[0], params[2])


@kinds
def test_a_gradient_that_is_none(kind):
    params = model(kind)
    other = model(kind)
    opt, whole = kind(params), kind(other)
    for t, grads in zip(range(6), gradients(params), strict=False):
        left = {**grads, "W": None} if t % 2 else grads
        before = params["W"].copy(), [x.copy() for x in opt.state["W"].values()]
        opt.step(left)
        if t % 2:
            assert np.array_equal(params["W"], before[0])
            assert same(opt.state["W"].values(), before[1])
        else:
            whole.step({**grads, **{k: None for k in grads if k != "W"}})
    assert opt.state_dict()["param_steps"] == {k: 3 if k == "W" else 6 for k in params}
    assert np.array_equal(params["W"], other["W"])


@kinds
def test_groups(kind):
    """Each group has its own values, and step as an optimizer of its own would."""
    params, alone = model(kind), model(kind)
    first, rest = {"W": params["W"]}, {k: p for k, p in params.items() if k != "W"}
    values = {"lr": 0.5} if kind is not oc.SOAP else {"lr": 0.5, "betas": (0.5, 0.6)}
    opt = kind([{"params": first, **values}, {"params": rest}], lr=0.01)
    w = kind({"W": alone["W"]}, **values)
    others = kind({k: p for k, p in alone.items() if k != "W"}, lr=0.01)
    for _, grads in zip(range(4), gradients(params), strict=False):
        g = {"W": grads.pop("W")}
        opt.step([g, grads])
        w.step(g)
        others.step(grads)
    assert same(params.values(), alone.values())


@rows
def test_going_on_from_a_state_dict(kind, options):
    """To the bit, after a round trip of the numbers through JSON and of the arrays by copy."""
    params, other = model(kind), model(kind)
    opt, twin = kind(params, **options), kind(other, **options)
    grads = gradients(params)
    for _ in range(5):
        opt.step(next(grads))
    saved = opt.state_dict(copy=True)
    assert saved["rule"] == kind.__name__.lower()
    state = saved.pop("state")
    twin.load_state_dict({**json.loads(json.dumps(saved)), "state": state})
    for k, p in params.items():
        other[k][...] = p
    for _ in range(5):
        g = next(grads)
        opt.step(g)
        twin.step(g)
    assert same(everything(opt, params), everything(twin, other))
    assert twin.step_count == 10


@kinds
def test_another_rule_s_state_is_refused(kind):
    saved = oc.SGD(model(kind)).state_dict()
    with pytest.raises(ValueError, match=rf"expected '{kind.__name__.lower()}', got 'sgd'"):
        kind(model(kind)).load_state_dict(saved)


@kinds
def test_average_and_copy(kind):
    params, plain = model(kind, np.float32), model(kind, np.float32)
    half = {k: np.zeros_like(p, np.float16) for k, p in params.items()}
    opt, other = kind(params, ema=oc.EMA(0.5), copy_to=half), kind(plain)
    average = {}
    for t, grads in zip(range(5), gradients(params), strict=False):
        opt.step(grads)
        other.step(grads)
        for k, p in plain.items():
            average[k] = p.copy() if t == 0 else average[k] * np.float32(0.5) + p * np.float32(0.5)
    assert same(params.values(), plain.values())
    for k, p in params.items():
        np.testing.assert_array_equal(opt.ema_params[k], average[k])
        np.testing.assert_array_equal(half[k], p.astype(np.float16))
    with opt.averaged():
        np.testing.assert_array_equal(params["W"], average["W"])
        with pytest.raises(RuntimeError, match="averaged"):
            opt.step(next(gradients(params)))
    assert same(params.values(), plain.values())


@rows
@pytest.mark.parametrize("way", ["master", "split", "stochastic", None])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_parameters_of_16_bits(kind, options, way, name):
    """A step widens, computes in float32 and rounds; what is kept beside takes part."""
    if name == "float16" and way not in ("master", None):
        with pytest.raises(TypeError, match="expected bfloat16"):
            kind(model(kind, np.float16), low_precision=way)
        return
    dtype = np.dtype(getattr(pytest.importorskip("ml_dtypes"), name, name))
    params = model(kind, dtype)
    exact = {k: np.asarray(p, np.float32, order="K") for k, p in params.items()}
    opt, wide = kind(params, **options, low_precision=way), kind(exact, **options)
    assert all(
        x.dtype == np.float32 for k in params for n, x in opt.state[k].items() if n[0] != "r"
    )
    for _, grads in zip(range(4), gradients(params), strict=False):
        if way is None:
            for k, p in params.items():
                exact[k][...] = p
        opt.step(grads)
        wide.step(grads)
        if way == "stochastic":  # rounded by chance, so only near
            for k, p in params.items():
                exact[k][...] = p
            continue
        for k, p in params.items():
            rounded = reference.split(exact[k])[0].view(dtype) if way == "split" else None
            np.testing.assert_array_equal(p, exact[k].astype(dtype) if rounded is None else rounded)
            if way == "master":
                np.testing.assert_array_equal(opt.state[k]["master"], exact[k])
    if way != "stochastic":
        for k, p in exact.items():
            for slot, x in wide.state[k].items():
                np.testing.assert_array_equal(
                    opt.state[k][slot], x, err_msg=f"{k} {slot} {p.shape}"
                )


def test_a_parameter_written_to_by_the_user_counts():
    """Where it is no longer the rounding of its master, the master follows."""
    start = np.full((2, 2), 1.0, np.float16)
    p = start.copy()
    opt = oc.SM3(p, lr=0.1, weight_decay=0.5, momentum=0.0, low_precision="master")
    opt.step(np.full((2, 2), 1.0, np.float16))
    p[0] = 3.0
    exact = opt.state[""]["master"].copy()
    exact[0] = 3.0
    twin = oc.SM3(exact, lr=0.1, weight_decay=0.5, momentum=0.0)
    twin.load_state_dict(
        {
            **twin.state_dict(),
            "step": 1,
            "param_steps": {"": 1},
            "state": {"": {k: v for k, v in opt.state[""].items() if k != "master"}},
        }
    )
    g = np.full((2, 2), 0.25, np.float16)
    opt.step(g)
    twin.step(g)
    assert np.array_equal(opt.state[""]["master"], exact)


@kinds
def test_bound_gradients_and_zeroed_ones(kind):
    params, plain = model(kind), model(kind)
    opt, other = kind(params, zero_grads=True), kind(plain)
    grads = gradients(params)
    bound = {k: np.zeros_like(p) for k, p in params.items()}
    opt.bind(bound)
    for _ in range(4):
        g = next(grads)
        for k, array in bound.items():
            array[...] = g[k]
        opt.step()
        other.step(g)
        assert not any(array.any() for array in bound.values())
    assert same(params.values(), plain.values())
    opt.bind(None)
    turned = {k: np.array(x, order="F")[...] for k, x in next(grads).items()}
    kept = {k: x.copy(order="K") for k, x in turned.items()}
    opt.step(turned)
    other.step(kept)
    assert not any(array.any() for array in turned.values())
    assert same(params.values(), plain.values())


@kinds
def test_a_closure(kind):
    params, plain = model(kind), model(kind)
    opt, other = kind(params), kind(plain)
    g = next(gradients(params))
    assert opt.step(closure=lambda: ("loss", g)) == "loss"
    other.step(g)
    assert same(params.values(), plain.values())
    with pytest.raises(TypeError, match="grads: expected gradients, got None"):
        opt.step()


@kinds
def test_stats(kind):
    params = model(kind)
    opt = kind(params, stats=True, clip_value=0.1, zero_grads=True)
    for _, grads in zip(range(3), gradients(params), strict=False):
        before = {k: p.copy() for k, p in params.items()}
        kept = {k: g.copy() for k, g in grads.items()}
        opt.step(grads)
        whole = math.sqrt(sum((g**2).sum() for g in kept.values()))
        assert opt.stats.grad_norm == opt.grad_norm == pytest.approx(whole, rel=1e-14)
        assert opt.stats.first_nonfinite is None
        for k, each in opt.stats.parameters.items():
            d = params[k] - before[k]
            assert each.grad_norm == pytest.approx(np.linalg.norm(kept[k]), rel=1e-14)
            assert each.update_norm == pytest.approx(np.linalg.norm(d), rel=1e-12)
            assert each.largest_update == np.abs(d).max()
            assert each.param_norm == pytest.approx(np.linalg.norm(before[k]), rel=1e-14)


@kinds
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite(kind, bad):
    params = model(kind)
    grads = gradients(params)
    for policy in ("skip", "raise", "propagate"):
        opt = kind(params, nonfinite=policy, stats=policy == "propagate")
        for _ in range(3):
            opt.step(next(grads))
        g = next(grads)
        g["F"][1, 2] = bad
        before = everything(opt, params)
        if policy == "propagate":
            opt.step(g)
            opt.step(next(grads))  # SOAP shows it only then
            assert opt.stats.first_nonfinite is None
            assert opt.step_count == 5
            if kind is not oc.SM3:
                assert np.isnan(params["F"]).all()
            assert np.isnan(params["F"]).any() or (kind is oc.SM3 and bad == np.inf)
            assert np.isfinite(params["W"]).all()
            continue
        if policy == "raise":
            with pytest.raises(oc.NonFiniteError) as error:
                opt.step(g)
            assert (error.value.path, error.value.index) == ("F", (1, 2))
        else:
            opt.step(g)
            assert opt.skipped_steps == 1
        assert same(everything(opt, params), before)
        assert opt.step_count == 3


def test_statistics_find_what_is_not_finite():
    w = np.ones((2, 2))
    opt = oc.Muon(w, stats=True)
    opt.step(np.array([[1.0, np.nan], [0.0, 1.0]]))
    assert opt.stats.first_nonfinite == ("", (0, 1))


@kinds
def test_sizes_at_the_edge(kind):
    """Empty matrices, one row, one element."""
    params = {"none": np.zeros((0, 3)), "row": np.ones((1, 4)), "one": np.ones((1, 1))}
    opt = kind(params, lr=0.1)
    for _ in range(3):
        opt.step({k: np.full_like(p, 2.0) for k, p in params.items()})
    assert np.isfinite(params["row"]).all()
    assert (params["row"] < 1).all()
    assert params["one"].item() < 1
    assert opt.state_dict()["param_steps"] == {"none": 3, "row": 3, "one": 3}


@kinds
def test_every_number_takes_a_schedule(kind):
    """Each step uses what the schedules give at its number: the bits of numbers set by hand."""
    for name, value in kind(model(kind)).groups[0].items():
        if isinstance(value, (bool, str, int)) or (value is None and name not in ("beta2",)):
            continue
        at = range(len(value)) if isinstance(value, tuple) else [None]
        for i in at:
            schedule = Polynomial(0.9, total=5, end=0.25)
            params, plain = model(kind), model(kind)

            def given(x: Any, i: int | None = i, value: Any = value) -> Any:
                return x if i is None else tuple(x if k == i else v for k, v in enumerate(value))

            more = {"decoupled_weight_decay": True} if name == "weight_decay" else {}
            more = more if kind in (oc.Shampoo, oc.SM3) else {}
            opt = kind(params, **{name: given(schedule)}, **more)
            other = kind(plain, **{name: given(schedule(0))}, **more)
            for k, grads in zip(range(4), gradients(params), strict=False):
                other.groups[0][name] = given(schedule(k))
                opt.step(grads)
                other.step(grads)
                assert same(params.values(), plain.values()), (name, i, k)


def test_a_coupled_decay_takes_a_schedule():
    schedule = Polynomial(0.9, total=5, end=0.25)
    p, q = np.ones(3), np.ones(3)
    opt, other = oc.SM3(p, weight_decay=schedule), oc.SM3(q)
    for k in range(4):
        other.groups[0]["weight_decay"] = schedule(k)
        opt.step(np.arange(3.0))
        other.step(np.arange(3.0))
    assert p.tobytes() == q.tobytes()


@kinds
def test_an_optimizer_is_freed_at_once(kind):
    """Without the garbage collector: nothing that it holds holds it."""
    params = model(kind)
    opt = kind(params)
    opt.step(next(gradients(params)))
    gone = weakref.ref(opt)
    gc.disable()
    try:
        del opt
        assert gone() is None
    finally:
        gc.enable()


@kinds
def test_one_thread_at_a_time(kind):
    """A second one is refused, and what it would have changed is not."""
    params = model(kind)
    entered, leave = threading.Event(), threading.Event()

    def slow(step: int) -> float:
        entered.set()
        leave.wait(30)
        return 0.1

    opt = kind(params, lr=Lambda(slow))
    first = threading.Thread(target=opt.step, args=(next(gradients(params)),))
    first.start()
    assert entered.wait(30)
    before = everything(opt, params)
    with pytest.raises(RuntimeError, match="in use, by another thread"):
        opt.step(next(gradients(params)))
    assert same(everything(opt, params), before)
    leave.set()
    first.join()
    assert opt.step_count == 1


# All or nothing. ----------------------------------------------------------------------------------


@kinds
def test_nothing_has_changed_after_an_error(kind, monkeypatch):
    params = model(kind)
    opt = kind(params, clip_norm=1.0)
    grads = gradients(params)
    for _ in range(2):
        opt.step(next(grads))
    before = everything(opt, params)
    g = next(grads)
    wrong = [
        ({**g, "F": g["F"].T}, ValueError, r"grads/F: expected shape \(3, 5\)"),
        ({**g, "F": g["F"].astype(int)}, TypeError, "grads/F: expected a real float array"),
        ({k: x for k, x in g.items() if k != "F"}, KeyError, "F"),
        ({**g, "F": params["W"][:3, :5]}, ValueError, "overlap in memory"),
    ]
    for bad, error, words in wrong:
        with pytest.raises(error, match=words):
            opt.step(bad)
        assert same(everything(opt, params), before)
    for scale in (0.0, float("nan"), "1"):
        with pytest.raises((ValueError, TypeError), match="grad_scale: expected"):
            opt.step(g, grad_scale=scale)

    # In the middle of the matrix work, after other parameters have had theirs.
    direction = kind.direction
    for failure in (np.linalg.LinAlgError("no eigenvalues"), MemoryError(), KeyboardInterrupt()):

        def fails(p: Any, *args: Any, failure: Any = failure, **kwargs: Any) -> Any:
            if p.shape == (3, 5):
                raise failure
            return direction(p, *args, **kwargs)

        monkeypatch.setattr(kind, "direction", staticmethod(fails))
        with pytest.raises(type(failure)) as seen:
            opt.step(g)
        if isinstance(failure, np.linalg.LinAlgError):
            assert "F: expected a state whose eigenvectors LAPACK finds" in str(seen.value)
        assert same(everything(opt, params), before)
        assert opt.step_count == 2
    monkeypatch.undo()
    opt.step(g)
    assert opt.step_count == 3
    assert not same(everything(opt, params), before)


def test_directions_that_do_not_fit_are_refused(monkeypatch):
    """The core checks what a rule returns as it does gradients."""
    params = model(oc.SM3)
    opt = oc.SM3(params)
    g = next(gradients(params))
    before = everything(opt, params)
    direction = oc.SM3.direction

    def turned(p: Any, *args: Any, **kwargs: Any) -> Any:
        u, state = direction(p, *args, **kwargs)
        return u.T, state

    monkeypatch.setattr(oc.SM3, "direction", staticmethod(turned))
    with pytest.raises(ValueError, match=r"directions of params/W: expected shape \(4, 6\)"):
        opt.step(g)
    assert same(everything(opt, params), before)
    stepper = opt._stepper.step_call()
    with pytest.raises(ValueError, match="directions: expected 6, got 0"):
        stepper(g, 1.0, lambda grads, factor: ([], []))
    with pytest.raises(ValueError, match="directions of params/W: expected one where"):
        stepper(g, 1.0, lambda grads, factor: ([None] * 6, []))
    with pytest.raises(TypeError, match="step: expected grads, grad_scale"):
        stepper(g)
    assert same(everything(opt, params), before)
    assert opt.step_count == 0


# Bad input. ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_muon_refuses_what_is_no_matrix(shape):
    words = "Muon only supports 2D parameters whereas we found a parameter with size: "
    with pytest.raises(ValueError, match=words) as error:
        oc.Muon({"W": np.zeros((2, 2)), "b": np.zeros(shape)})
    assert str(error.value).startswith(words)
    assert "params/b: expected a matrix; put the rest into an AdamW" in str(error.value)


BAD = [
    (oc.Muon, {"lr": -1.0}, ValueError, "^Learning rate should be >= 0 but is: -1.0"),
    (oc.Muon, {"momentum": -0.5}, ValueError, "^momentum should be >= 0 but is: -0.5"),
    (oc.Muon, {"momentum": 1.0}, ValueError, r"momentum has to be a number in \[0, 1\)"),
    (oc.Muon, {"weight_decay": -0.5}, ValueError, "^weight decay should be >= 0 but is: -0.5"),
    (oc.Muon, {"eps": -1e-8}, ValueError, "Invalid eps value"),
    (oc.Muon, {"ns_steps": 100}, ValueError, "^Number of steps must be less than 100"),
    (oc.Muon, {"ns_steps": -1}, ValueError, "ns_steps: expected a whole number, 0 or more"),
    (oc.Muon, {"ns_steps": 2.5}, ValueError, "ns_steps: expected a whole number"),
    (oc.Muon, {"ns_steps": "5"}, TypeError, "ns_steps: expected an int"),
    (oc.Muon, {"ns_steps": True}, TypeError, "ns_steps: expected an int"),
    (
        oc.Muon,
        {"ns_coefficients": (1.0, 2.0)},
        ValueError,
        "^Coefficients must be a tuple of exact",
    ),
    (oc.Muon, {"ns_coefficients": 3.0}, ValueError, "^Coefficients must be a tuple of exactly 3"),
    (oc.Muon, {"ns_coefficients": (1, 2, math.inf)}, ValueError, r"ns_coefficients\[2\]"),
    (oc.Muon, {"ns_coefficients": (1, "2", 3)}, TypeError, r"ns_coefficients\[1\]: expected a num"),
    (
        oc.Muon,
        {"adjust_lr_fn": "rms"},
        ValueError,
        "^Adjust learning rate function rms is not supp",
    ),
    (oc.Muon, {"momentum_form": "lazy"}, ValueError, "momentum_form: expected one of ema"),
    (oc.Muon, {"eps_mode": "max"}, ValueError, "eps_mode: expected one of clamp, add"),
    (oc.Muon, {"nesterov": 1}, TypeError, "nesterov: expected True or False"),
    (
        oc.Muon,
        {"bias_correction": True, "momentum_form": "heavy_ball"},
        ValueError,
        "bias_correction: expected momentum_form='ema'",
    ),
    (oc.Shampoo, {"eps": 0.0}, ValueError, "eps has to be a finite number above 0"),
    (oc.Shampoo, {"beta2": 1.0}, ValueError, "Invalid beta2 value: 1.0"),
    (oc.Shampoo, {"momentum": 1.5}, ValueError, "Invalid momentum value: 1.5"),
    (oc.Shampoo, {"weight_decay": -1.0}, ValueError, "Invalid weight_decay value: -1.0"),
    (
        oc.Shampoo,
        {"precondition_frequency": 0},
        ValueError,
        "precondition_frequency: expected a who",
    ),
    (oc.Shampoo, {"max_precond_dim": -1}, ValueError, "max_precond_dim: expected a whole number"),
    (oc.Shampoo, {"graft": "adam"}, ValueError, "graft: expected one of sgd, adagrad"),
    (oc.Shampoo, {"lr": -1.0}, ValueError, "Invalid learning rate: -1.0"),
    (oc.SOAP, {"betas": 0.9}, TypeError, "betas: expected two values"),
    (oc.SOAP, {"betas": (0.9, 1.0)}, ValueError, r"Invalid betas\[1\] value: 1.0"),
    (oc.SOAP, {"betas": (None, 0.9)}, TypeError, r"betas\[0\]: expected a number"),
    (oc.SOAP, {"shampoo_beta": -0.1}, ValueError, "Invalid shampoo_beta value"),
    (oc.SOAP, {"weight_decay": -0.1}, ValueError, "Invalid weight_decay value"),
    (oc.SOAP, {"precondition_1d": None}, TypeError, "precondition_1d: expected True or False"),
    (oc.SM3, {"beta": 1.0}, ValueError, "Invalid beta value: 1.0"),
    (oc.SM3, {"eps": -1.0}, ValueError, "Invalid eps value: -1.0"),
    (oc.SM3, {"momentum": "0.9"}, TypeError, "momentum: expected a number"),
    (oc.SM3, {"state_dtype": "bfloat16"}, TypeError, "state_dtype: expected None for params/W"),
    (oc.SOAP, {"state_dtype": "8bit"}, TypeError, "state_dtype: expected None for params/W"),
]


@pytest.mark.parametrize(
    ("kind", "values", "error", "words"),
    BAD,
    ids=[f"{k.__name__}-{'-'.join(f'{n}={x}' for n, x in v.items())}" for k, v, _, _ in BAD],
)
def test_values_out_of_range(kind, values, error, words):
    with pytest.raises(error, match=words):
        kind({"W": np.ones((2, 3))}, **values)
    if "state_dtype" in values:
        return
    opt = kind({"W": np.ones((2, 3))})
    before = dict(opt.groups[0])
    (name, value), *rest = values.items()
    if not rest:
        with pytest.raises((error, ValueError)):
            opt.groups[0][name] = value
        assert dict(opt.groups[0]) == before


@kinds
def test_a_schedule_out_of_range(kind):
    name = {"Muon": "momentum", "Shampoo": "eps", "SOAP": "shampoo_beta", "SM3": "beta"}
    shown = name[kind.__name__]
    params = model(kind)
    good = 0.5
    opt = kind([{"params": params}], **{shown: Lambda(lambda k: good if k < 2 else -1.0)})
    grads = gradients(params)
    for _ in range(2):
        opt.step([next(grads)])
    before = everything(opt, params)
    with pytest.raises(ValueError, match=rf"groups\[0\]: .*-1.0 \({shown} has.*gives at step 2"):
        opt.step([next(grads)])
    assert same(everything(opt, params), before)
    assert opt.step_count == 2


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (oc.SM3, "momentum", 0.5),
        (oc.Shampoo, "momentum", 0.5),
        (oc.Shampoo, "graft", "adagrad"),
        (oc.Shampoo, "max_precond_dim", 3),
        (oc.SOAP, "precondition_1d", True),
        (oc.SOAP, "max_precond_dim", 3),
    ],
)
def test_what_decides_the_state_stays(kind, name, value):
    start = {"momentum": 0.0} if name == "momentum" else {}
    opt = kind(model(kind), **start)
    with pytest.raises(ValueError, match="expected what decides the state to stay"):
        opt.groups[0][name] = value


@kinds
def test_momentum_may_end(kind):
    """State once made stays in use."""
    if "momentum" not in kind(model(kind)).groups[0]:
        return
    params = model(kind)
    opt = kind(params, momentum=0.5)
    grads = gradients(params)
    opt.step(next(grads))
    opt.groups[0]["momentum"] = 0.0
    opt.step(next(grads))
    assert opt.step_count == 2
    assert "momentum_buffer" in opt.state["W"]


@kinds
def test_marks(kind):
    (listed,) = (rule for rule in oc.rules() if rule["name"] == kind.__name__)
    assert listed["rule"] == kind.__name__.lower()
    assert listed["kind"] == "per_tensor"
    assert listed["bits"] is (kind is oc.SM3)
    assert listed["state"] == list(kind(np.zeros((2, 2))).state[""])
    with pytest.raises(TypeError, match=f"cautious: expected False with {kind.__name__}"):
        kind(np.zeros((2, 2)), cautious=True)


# The matrix work. ---------------------------------------------------------------------------------


def test_eigenvectors_in_float64_where_float32_has_none(monkeypatch):
    real = np.linalg.eigh

    def stubborn(x: np.ndarray) -> Any:
        if x.dtype == np.float32:
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return real(x)

    monkeypatch.setattr(np.linalg, "eigh", stubborn)
    values, vectors = eigen(np.diag(np.float32([3, 1])))
    assert values.tolist() == [1.0, 3.0]
    assert values.dtype == vectors.dtype == np.float32
    monkeypatch.setattr(np.linalg, "eigh", lambda x: stubborn(x.astype(np.float32)))
    w = np.ones((2, 2))
    opt = oc.Shampoo({"W": w})
    with pytest.raises(np.linalg.LinAlgError, match=r"W: expected a state .* raise eps"):
        opt.step({"W": np.eye(2)})
    assert np.array_equal(w, np.ones((2, 2)))
    assert not any(x.any() for x in arrays(opt))


def test_muon_of_gradients_that_are_large_or_small():
    """The norm is taken in float64, so nothing overflows or vanishes before ε."""
    g = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    moved = []
    for size in (1e-3, 1.0, 1e25):
        w = np.zeros((3, 4), np.float32)
        oc.Muon(w, lr=1.0).step(g * np.float32(size))
        moved.append(w)
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(moved[2], moved[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "options", "steps"),
    [
        (oc.Muon, {"lr": Polynomial(0.2, total=400, end=0.0), "weight_decay": 0.0}, 400),
        (oc.Shampoo, {"lr": 1.0}, 400),
        (oc.SOAP, {"lr": Polynomial(0.2, total=400, end=0.0), "weight_decay": 0.0}, 400),
        (oc.SM3, {"lr": 1.0}, 400),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_a_quadratic_is_solved(kind, options, steps):
    """½‖A(W − X)‖² with an A whose condition is 30."""
    rng = np.random.default_rng(0)
    a = np.linalg.qr(rng.normal(size=(6, 6)))[0] * np.geomspace(1, 30, 6)
    target = rng.normal(size=(6, 4))
    w = np.zeros((6, 4))
    opt = kind(w, **options)
    for _ in range(steps):
        opt.step(a.T @ (a @ (w - target)))
    start, left = (0.5 * np.sum((a @ (x - target)) ** 2) for x in (np.zeros((6, 4)), w))
    assert left < 1e-4 * start


def test_state_that_became_read_only_stops_the_step_before_it_begins():
    w = np.ones((3, 2))
    opt = oc.Muon(w)
    opt.step(np.ones((3, 2)))
    before = w.copy()
    opt.state[""]["momentum_buffer"].flags.writeable = False
    with pytest.raises(ValueError, match="state: expected writable arrays"):
        opt.step(np.ones((3, 2)))
    assert np.array_equal(w, before)
    assert opt.step_count == 1
    assert opt.state_dict()["param_steps"] == {"": 1}
