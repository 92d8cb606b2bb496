"""Wrappers over any rule, against a few lines of plain NumPy, and what they do with bad input."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import optcore as oc
from optcore.wrappers import units

BF16 = np.dtype(ml_dtypes.bfloat16)
Tree = dict[str, Any]

FORMATS = [np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.float16), BF16]

WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "lookahead": lambda opt: oc.Lookahead(opt, k=3),
    "swa": lambda opt: oc.SWA(opt, start=2, every=2),
    "sam": lambda opt: oc.SAM(opt, rho=0.1),
    "asam": lambda opt: oc.SAM(opt, rho=0.1, adaptive=True),
    "accumulation": lambda opt: oc.GradientAccumulation(opt, every=3),
    "centralization": lambda opt: oc.GradientCentralization(opt),
    "agc": lambda opt: oc.AGC(opt, clip=0.1),
    "nested": lambda opt: oc.AGC(oc.GradientCentralization(oc.Lookahead(opt, k=2)), clip=0.1),
    "around": lambda opt: oc.Lookahead(oc.SWA(oc.GradientAccumulation(opt, every=2)), k=2),
}
OPTIMIZERS = [
    oc.SGD, oc.Momentum, oc.Adagrad, oc.RMSprop, oc.Adadelta, oc.Adam, oc.AdamW, oc.NAdam,
    oc.Adafactor, oc.LAMB,
]  # fmt: skip


def tree(dtype: Any = np.float64, seed: int = 0) -> Tree:
    """Nested, with a Fortran matrix, a vector, a number, and nothing at all."""
    rng = np.random.default_rng(seed)

    def array(*shape: int) -> np.ndarray:
        return np.asarray(rng.normal(size=shape)).astype(dtype)

    return {
        "layers": [{"W": array(4, 3), "b": array(3)}, {"W": np.asfortranarray(array(5, 4))}],
        "K": array(2, 3, 2, 4),
        "scale": array(),
        "empty": array(0, 3),
    }


def leaves(node: Any) -> list[np.ndarray]:
    if isinstance(node, dict):
        return [leaf for child in node.values() for leaf in leaves(child)]
    if isinstance(node, (list, tuple)):
        return [leaf for child in node for leaf in leaves(child)]
    return [node]


def mapped(function: Callable[..., Any], node: Any) -> Any:
    if isinstance(node, dict):
        return {key: mapped(function, child) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [mapped(function, child) for child in node]
    return function(node)


def bits(node: Any) -> list[bytes]:
    return [leaf.tobytes() for leaf in leaves(node)]


def everything(opt: Any, params: Any) -> Any:
    """All that a step could change, by its bits."""

    def frozen(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: frozen(child) for key, child in node.items()}
        if isinstance(node, (list, tuple)):
            return [frozen(child) for child in node]
        return node.tobytes() if isinstance(node, np.ndarray) else node

    return bits(params), frozen(opt.state_dict())


def step(opt: Any, grads: Any, **more: Any) -> Any:
    """One step, also where the gradient is wanted twice."""
    if isinstance(opt, oc.SAM):
        return opt.step(closure=lambda: (0.0, grads), **more)
    return opt.step(grads, **more)


def run(opt: Any, steps: int, dtype: Any = np.float64, first: int = 1) -> None:
    for i in range(first, first + steps):
        step(opt, tree(dtype, seed=i))


@pytest.fixture(params=WRAPPERS)
def wrapped(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return WRAPPERS[request.param]


# What each of them does. --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_lookahead(dtype: np.dtype) -> None:
    params, plain = tree(dtype), tree(dtype)
    opt = oc.Lookahead(oc.SGD(params, lr=0.1), k=2, alpha=0.25)
    inner = oc.SGD(plain, lr=0.1)
    wide = np.float64 if dtype == np.float64 else np.float32
    slow = [leaf.astype(wide) for leaf in leaves(plain)]
    assert [s.dtype for s in leaves(opt.slow_params)] == [wide] * 6
    for i in range(1, 6):
        opt.step(tree(dtype, seed=i))
        inner.step(tree(dtype, seed=i))
        if i % 2 == 0:
            for k, fast in enumerate(leaves(plain)):
                slow[k] = slow[k] + (fast.astype(wide) - slow[k]) * wide(0.25)
                fast[...] = slow[k].astype(dtype)
        assert bits(params) == bits(plain)
        assert bits(opt.slow_params) == [s.tobytes() for s in slow]


@pytest.mark.parametrize("rounding", ["master", "split"])
def test_lookahead_keeps_the_bits_beside_16(rounding: str) -> None:
    """The same as with float32 parameters, whose rounding the 16-bit ones are."""
    exact = tree(BF16)
    params, wide = tree(BF16), mapped(lambda a: a.astype(np.float32, order="K"), exact)
    opt = oc.Lookahead(oc.SGD(params, lr=1e-3, low_precision=rounding), k=2)
    other = oc.Lookahead(oc.SGD(wide, lr=1e-3), k=2)
    for i in range(1, 7):
        grads = tree(np.float32, seed=i)
        opt.step(grads)
        other.step(grads)
    assert bits(opt.slow_params) == bits(other.slow_params)
    if rounding == "master":
        assert bits(params) == bits(mapped(lambda a: a.astype(BF16), wide))
        assert bits([s["master"] for s in opt.state.values()]) == bits(wide)


def test_lookahead_writes_the_copies() -> None:
    params = tree(np.float32)
    copies = mapped(lambda a: np.zeros_like(a, dtype=np.float16), params)
    opt = oc.Lookahead(oc.SGD(params, lr=0.1, copy_to=copies), k=2)
    for i in range(1, 5):
        opt.step(tree(np.float32, seed=i))
        assert bits(copies) == bits(mapped(lambda a: a.astype(np.float16), params))


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize(("start", "every"), [(0, 1), (3, 2), (0, 3)])
def test_swa(dtype: np.dtype, start: int, every: int) -> None:
    params = tree(dtype)
    opt = oc.SWA(oc.SGD(params, lr=0.1), start=start, every=every)
    wide = np.float64 if dtype == np.float64 else np.float32
    mean, count = [np.zeros(leaf.shape, wide) for leaf in leaves(params)], 0
    for i in range(1, 9):
        opt.step(tree(dtype, seed=i))
        if i >= start and (i - start) % every == 0:
            count += 1
            for k, leaf in enumerate(leaves(params)):
                now = leaf.astype(wide)
                mean[k] = mean[k] + (now - mean[k]) / wide(count) if count > 1 else now
    assert opt.averages == count > 1
    for ours, theirs in zip(leaves(opt.swa_params), mean, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def test_swa_averaged_holds_the_average_and_no_step() -> None:
    params = tree(np.float32)
    opt = oc.SWA(oc.SGD(params, lr=0.1), every=None)
    with pytest.raises(RuntimeError, match="averaged: no parameters were averaged yet"):
        opt.averaged().__enter__()
    with pytest.raises(RuntimeError, match="averaged yet"):
        _ = opt.swa_params
    opt.update()
    run(opt, 1, np.float32)
    opt.update()
    before = bits(params)
    with opt.averaged():
        assert bits(params) == bits(opt.swa_params) != before
        with pytest.raises(RuntimeError, match=r"^step: expected the parameters themselves"):
            run(opt, 1, np.float32)
        with pytest.raises(RuntimeError, match=r"^update: expected the parameters themselves"):
            opt.update()
        with pytest.raises(RuntimeError, match=r"^averaged: expected no averaged"):
            opt.averaged().__enter__()
    assert bits(params) == before
    assert opt.averages == 2
    run(opt, 1, np.float32)
    assert bits(params) != before


def gradient_at(params: Any, seed: int) -> Any:
    noise = tree(np.float64, seed)
    flat = iter(leaves(noise))
    return mapped(lambda p: np.asarray(p.astype(np.float64) * 2 + next(flat)), params)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("adaptive", [False, True])
def test_sam(dtype: np.dtype, adaptive: bool) -> None:
    params, plain = tree(dtype), tree(dtype)
    opt = oc.SAM(oc.Adam(params, lr=0.1), rho=0.7, adaptive=adaptive)
    inner = oc.Adam(plain, lr=0.1)
    wide = np.float64 if dtype == np.float64 else np.float32
    seen = []

    def closure() -> tuple[float, Any]:
        seen.append(mapped(np.copy, params))
        return 5.0, gradient_at(params, seed=3)

    for _ in range(4):
        seen.clear()
        assert opt.step(closure=closure) == 5.0
        here = leaves(plain)
        grads = [g.astype(wide) for g in leaves(gradient_at(plain, 3))]
        size = [np.abs(p.astype(wide)) if adaptive else wide(1) for p in here]
        norm = np.sqrt(sum(float(np.sum((s * g) ** 2.0)) for s, g in zip(size, grads, strict=True)))
        climbed = [
            (p.astype(wide) + s * s * g * wide(0.7 / (norm + 1e-12))).astype(dtype)
            for p, s, g in zip(here, size, grads, strict=True)
        ]
        assert bits(seen[0]) == bits(plain)
        tolerance = 4 * float(ml_dtypes.finfo(dtype).eps)
        for a, b in zip(leaves(seen[1]), climbed, strict=True):
            np.testing.assert_allclose(a.astype(float), b.astype(float), tolerance, tolerance)
        inner.step(gradient_at(seen[1], 3))
        assert bits(params) == bits(plain)


def test_sam_in_two_calls_is_sam_with_a_closure() -> None:
    one, two = tree(), tree()
    first, second = oc.SAM(oc.Adam(one, lr=0.1)), oc.SAM(oc.Adam(two, lr=0.1))
    for i in range(4):
        first.step(closure=lambda i=i: (0.0, gradient_at(one, i)))
        assert second.first_step(gradient_at(two, i))
        second.second_step(gradient_at(two, i))
        assert bits(one) == bits(two)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_sam_restores_to_the_bit_what_a_closure_leaves_behind(
    dtype: np.dtype, error: type[BaseException]
) -> None:
    params = tree(dtype)
    leaves(params)[0][0, 0] = np.nan
    leaves(params)[1][...] = -0.0
    opt = oc.SAM(oc.Adam(params), rho=10.0)
    before, calls = everything(opt, params), []

    def closure() -> tuple[float, Any]:
        calls.append(bits(params))
        if len(calls) == 2:
            raise error
        return 0.0, tree(seed=3)

    with pytest.raises(error):
        opt.step(closure=closure)
    assert calls[0] == before[0] != calls[1]
    assert everything(opt, params) == before
    step(opt, tree(dtype, seed=1))


@pytest.mark.parametrize(
    "second",
    [None, 3, (0.0, {"x": np.zeros(3)}), (0.0, None), (0.0, [np.zeros(2)])],
    ids=["none", "number", "keys", "no gradients", "list"],
)
def test_sam_restores_after_a_wrong_second_gradient(second: Any) -> None:
    params = tree()
    opt = oc.SAM(oc.Adam(params))
    before = everything(opt, params)
    answers = iter([(0.0, tree(seed=3)), second])
    with pytest.raises((TypeError, KeyError, ValueError)):
        opt.step(closure=lambda: next(answers))
    assert everything(opt, params) == before


def test_sam_between_its_calls() -> None:
    params = tree(np.float32)
    copies = mapped(lambda a: np.zeros_like(a, dtype=np.float16), params)
    inner = oc.SGD(params, lr=0.1, ema=oc.EMA(0.5), copy_to=copies)
    opt = oc.SAM(inner, rho=1.0)
    with pytest.raises(RuntimeError, match=r"^second_step: expected a first_step"):
        opt.second_step(tree(np.float32, 1))
    with pytest.raises(RuntimeError, match=r"^restore: expected a first_step"):
        opt.restore()
    before, copied = bits(params), bits(copies)
    opt.first_step(tree(np.float32, 1))
    climbed = bits(params)
    assert climbed != before
    assert bits(copies) == bits(mapped(lambda a: a.astype(np.float16), params))
    for refused in (
        lambda: inner.step(tree(np.float32, 1)),
        lambda: inner.averaged().__enter__(),
        lambda: opt.first_step(tree(np.float32, 1)),
        lambda: step(opt, tree(np.float32, 1)),
        lambda: opt.state_dict(),
        lambda: opt.load_state_dict({}),
    ):
        with pytest.raises(RuntimeError):
            refused()
        assert bits(params) == climbed
    with pytest.raises(KeyError, match=r"^'grads/layers is missing"):
        opt.second_step({})
    with pytest.raises(ValueError, match="grad_scale"):
        opt.second_step(tree(np.float32, 1), grad_scale=0)
    assert bits(params) == climbed
    opt.restore()
    assert (bits(params), bits(copies)) == (before, copied)
    with inner.averaged(), pytest.raises(RuntimeError, match=r"^first_step: expected the param"):
        opt.first_step(tree(np.float32, 1))
    opt.first_step(tree(np.float32, 1))
    opt.second_step(tree(np.float32, 2))
    assert inner.step_count == 1


@pytest.mark.parametrize("rounding", ["master", "split", "stochastic"])
def test_sam_leaves_what_is_kept_beside_16_bits_alone(rounding: str) -> None:
    params = tree(BF16)
    opt = oc.SAM(oc.SGD(params, lr=1e-3, low_precision=rounding), rho=3.0)
    run(opt, 2, BF16)
    before = everything(opt, params)
    opt.first_step(tree(BF16, 5))
    assert bits(params) != before[0]
    opt.restore()
    assert everything(opt, params) == before


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_accumulation(dtype: np.dtype, reduction: str) -> None:
    params, plain = tree(dtype), tree(dtype)
    opt = oc.GradientAccumulation(oc.Adam(params, lr=0.1), every=3, reduction=reduction)
    inner = oc.Adam(plain, lr=0.1)
    wide = np.float64 if dtype == np.float64 else np.float32
    for cycle in range(3):
        totals = mapped(lambda p: np.zeros(p.shape, wide), plain)
        for i in range(3):
            grads = tree(dtype, seed=10 * cycle + i)
            for total, grad in zip(leaves(totals), leaves(grads), strict=True):
                total[...] += grad.astype(wide)
            assert opt.accumulated == i
            assert opt.step(grads) is (i == 2)
        inner.step(totals, grad_scale=3.0 if reduction == "mean" else 1.0)
        assert bits(params) == bits(plain)
    assert opt.step_count == 3


def test_accumulation_of_scaled_gradients_is_that_of_plain_ones() -> None:
    one, two = tree(np.float32), tree(np.float32)
    first = oc.GradientAccumulation(oc.Adam(one), every=3)
    second = oc.GradientAccumulation(oc.Adam(two), every=3)
    for i in range(6):
        grads = tree(np.float32, seed=i)
        first.step(grads)
        second.step(mapped(lambda g, i=i: g * np.float32(2**i), grads), grad_scale=2.0**i)
    assert bits(one) == bits(two)


def test_accumulation_of_missing_gradients() -> None:
    params = {"never": np.ones(2), "once": np.ones(2), "always": np.ones(2)}
    inner = oc.Adam(params, lr=0.1)
    opt = oc.GradientAccumulation(inner, every=2)
    g = np.array([1.0, 2.0])
    opt.step({"never": None, "once": g, "always": g})
    opt.step({"never": None, "once": None, "always": g})
    assert inner.state_dict()["param_steps"] == {"never": 0, "once": 1, "always": 1}
    np.testing.assert_allclose(inner.state["once"]["exp_avg"], 0.1 * (g / 2), rtol=1e-14)
    np.testing.assert_array_equal(params["never"], 1.0)
    assert not opt.state["once"]["grad_sum"].any()


def test_accumulation_flush_and_reset() -> None:
    w, plain = np.ones(3), np.ones(3)
    opt = oc.GradientAccumulation(oc.SGD(w, lr=0.5), every=4)
    assert opt.flush() is False
    opt.step(np.array([9.0, 9.0, 9.0]))
    opt.reset()
    assert opt.accumulated == 0
    opt.step(np.array([1.0, 2.0, 3.0]))
    opt.step(np.array([3.0, 2.0, 1.0]))
    assert opt.flush() is True
    oc.SGD(plain, lr=0.5).step(np.array([4.0, 4.0, 4.0]), grad_scale=2.0)
    np.testing.assert_array_equal(w, plain)
    assert (opt.accumulated, opt.flush()) == (0, False)


def test_accumulation_whose_sum_overflows_does_not_count() -> None:
    w = np.ones(2, np.float32)
    opt = oc.GradientAccumulation(oc.SGD(w, nonfinite="skip"), every=2, reduction="sum")
    big = np.full(2, 3e38, np.float32)
    assert opt.step(big) is False
    before = everything(opt, w)
    assert opt.step(big) is False
    assert everything(opt, w) == before
    assert opt.skipped_steps == 1
    assert opt.step(-big) is True


def reduced(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(len(shape)) if i != axis % len(shape))


@pytest.mark.parametrize("axis", [0, -1, 1])
def test_centralization(axis: int) -> None:
    params, plain = tree(), tree()
    opt = oc.GradientCentralization(oc.SGD(params, lr=0.1), axis=axis, exclude=["K"])
    grads = tree(seed=3)
    before = bits(grads)
    opt.step(grads)
    assert bits(grads) == before
    expected = mapped(
        lambda g: (
            g - g.mean(reduced(g.shape, axis), keepdims=True) if g.ndim == 2 and g.size else g
        ),
        grads,
    )
    oc.SGD(plain, lr=0.1).step(expected)
    for ours, theirs in zip(leaves(params), leaves(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-14, 1e-14)


@pytest.mark.parametrize("axis", [0, -1, 1])
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_agc(axis: int, scale: float) -> None:
    params, plain = tree(), tree()
    opt = oc.AGC(oc.SGD(params, lr=0.1), clip=0.8, eps=0.7, axis=axis, exclude=["layers/0/b"])
    grads = tree(seed=3)
    opt.step(mapped(lambda g: g * scale, grads), grad_scale=scale)
    values = iter(leaves(plain))

    def clipped(g: np.ndarray) -> np.ndarray:
        p = next(values)
        if g.shape == (3,) or g.size == 0:
            return g
        axes = reduced(g.shape, axis) if g.ndim > 1 else None
        norm = np.sqrt(np.sum(g * g, axes, keepdims=True))
        limit = 0.8 * np.maximum(np.sqrt(np.sum(p * p, axes, keepdims=True)), 0.7)
        return g * np.where(norm > limit, limit / norm, 1.0)

    expected = mapped(clipped, grads)
    assert any(
        not np.array_equal(a, b) for a, b in zip(leaves(expected), leaves(grads), strict=True)
    )
    oc.SGD(plain, lr=0.1).step(expected)
    for ours, theirs in zip(leaves(params), leaves(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-14, 1e-14)


def test_agc_below_its_limit_changes_no_bit() -> None:
    params, plain = tree(np.float32), tree(np.float32)
    run(oc.AGC(oc.Adam(params), clip=1e6), 3, np.float32)
    run(oc.Adam(plain), 3, np.float32)
    assert bits(params) == bits(plain)


def test_sums_over_units_run_in_one_order() -> None:
    """In float64, folded in halves, whatever the array's layout, and exact where they can be."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 1000, 3)).astype(np.float32)
    rows = x.astype(np.float64).reshape(7, 3000)
    expected = []
    for row in rows:
        while row.size > 1:
            half = (row.size + 1) // 2
            upper = np.zeros(half)
            upper[: row.size - half] = row[half:]
            row = row[:half] + upper
        expected.append(row[0])
    for layout in (x, np.asfortranarray(x), x.transpose(2, 1, 0).copy().transpose(2, 1, 0)):
        assert units.sums(layout, 0).tobytes() == np.array(expected).tobytes()
    whole = np.arange(200_000.0).reshape(2, -1)
    np.testing.assert_array_equal(units.sums(whole, 0), whole.sum(axis=1), strict=True)
    assert units.sums(np.zeros((2, 0)), 0).tolist() == [0.0, 0.0]
    assert units.sums(np.zeros((0, 2)), 0).tolist() == []


# What they share. ---------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.__name__)
def test_any_optimizer(wrapped: Callable[[Any], Any], optimizer: Any) -> None:
    params = {"W": np.ones((4, 3)), "b": np.ones(3)}
    opt = wrapped(optimizer(params, lr=0.1))
    for i in range(6):
        rng = np.random.default_rng(i)
        step(opt, {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)})
    assert opt.step_count in (2, 3, 6)
    assert all(np.isfinite(p).all() and (p != 1).any() for p in params.values())


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_the_state_dict_goes_on_in_mid_cycle(
    wrapped: Callable[[Any], Any], dtype: np.dtype
) -> None:
    params, other = tree(dtype), tree(dtype, seed=9)
    opt, resumed = wrapped(oc.Adam(params, lr=0.1)), wrapped(oc.Adam(other, lr=0.5))
    run(opt, 5, dtype)
    saved = opt.state_dict(copy=True)
    for mine, theirs in zip(leaves(other), leaves(params), strict=True):
        mine[...] = theirs
    resumed.load_state_dict(saved)
    assert everything(resumed, other) == everything(opt, params)
    run(opt, 5, dtype, first=6)
    run(resumed, 5, dtype, first=6)
    assert everything(resumed, other) == everything(opt, params)
    opt.load_state_dict(opt.state_dict())
    assert everything(resumed, other) == everything(opt, params)


def test_options_come_with_the_state_dict() -> None:
    w = np.ones(3)
    other = oc.Lookahead(oc.SGD(w), k=2, alpha=0.1)
    opt = oc.Lookahead(oc.SGD(w), k=7, alpha=0.9)
    opt.load_state_dict(other.state_dict())
    assert opt.options == {"k": 2, "alpha": 0.1}


def altered(saved: dict[str, Any], **entries: Any) -> dict[str, Any]:
    return {**saved, **entries}


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda s: 3, TypeError, "^state_dict: expected a dict"),
        (lambda s: {}, KeyError, "state_dict/format is missing"),
        (lambda s: altered(s, format=2), ValueError, "^state_dict/format: expected 1 to 1, got 2"),
        (lambda s: altered(s, wrapper="swa"), ValueError, "^state_dict/wrapper: .*'swa'"),
        (lambda s: altered(s, options={}), KeyError, "state_dict/options: expected exactly"),
        (lambda s: altered(s, options={"k": 0, "alpha": 1.0}), ValueError, "^state_dict/options/k"),
        (lambda s: altered(s, counters={}), KeyError, "state_dict/counters: expected exactly"),
        (lambda s: altered(s, counters={"since_sync": 9}), ValueError, "since_sync: expected less"),
        (lambda s: altered(s, counters={"since_sync": -1}), ValueError, "state_dict/counters/sin"),
        (lambda s: altered(s, counters={"since_sync": "a"}), TypeError, "state_dict/counters/sin"),
        (lambda s: altered(s, state={}), KeyError, "state_dict/state: expected exactly"),
        (
            lambda s: altered(s, state={"": {"slow": np.ones(4)}}),
            ValueError,
            "^state_dict/state//slow: expected shape",
        ),
        (lambda s: altered(s, optimizer=3), TypeError, "^state_dict/optimizer: got a int"),
        (
            lambda s: altered(s, optimizer=altered(s["optimizer"], step=-1)),
            ValueError,
            "^state_dict/optimizer/step: expected 0",
        ),
        (
            lambda s: altered(s, optimizer=altered(s["optimizer"], state={})),
            KeyError,
            "state_dict/optimizer/state: expected exactly",
        ),
    ],
)
def test_a_wrong_state_dict_changes_nothing(
    change: Callable[[Any], Any], error: type[Exception], match: str
) -> None:
    w = np.ones(3)
    opt = oc.Lookahead(oc.Adam(w), k=3)
    opt.step(np.ones(3))
    before = everything(opt, w)
    other = oc.Lookahead(oc.Adam(np.ones(3)), k=4)
    for _ in range(2):
        other.step(np.full(3, 2.0))
    with pytest.raises(error, match=match):
        opt.load_state_dict(change(other.state_dict()))
    assert everything(opt, w) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda g: {},
        lambda g: {**g, "more": np.zeros(1)},
        lambda g: {**g, "K": np.zeros((2, 3, 2, 5))},
        lambda g: {**g, "K": np.zeros((2, 3, 2, 4), int)},
        lambda g: {**g, "K": "no"},
        lambda g: {**g, "layers": 3},
        lambda g: [g],
    ],
    ids=["empty", "unknown", "shape", "dtype", "text", "leaf", "list"],
)
def test_bad_gradients_change_nothing(wrapped: Callable[[Any], Any], spoil: Any) -> None:
    params = tree()
    opt = wrapped(oc.Adam(params))
    for i in range(1, 7):
        before = everything(opt, params)
        with pytest.raises((KeyError, TypeError, ValueError), match="grads"):
            step(opt, spoil(tree(seed=i)))
        with pytest.raises(ValueError, match="grad_scale"):
            step(opt, tree(seed=i), grad_scale=0.0)
        with pytest.raises(TypeError, match="grad_scale"):
            step(opt, tree(seed=i), grad_scale="a")
        assert everything(opt, params) == before
        step(opt, tree(seed=i))


def test_a_replaced_parameter_changes_nothing(wrapped: Callable[[Any], Any]) -> None:
    params = tree()
    opt = wrapped(oc.Adam(params))
    run(opt, 2)
    before, mine = everything(opt, params), params["K"]
    params["K"] = mine.copy()
    with pytest.raises(ValueError, match=r"^params/K was replaced after the optimizer was made"):
        run(opt, 1)
    params["K"] = mine
    assert everything(opt, params) == before


def test_parameters_changed_before_the_wrapper_is_made() -> None:
    params = tree()
    inner = oc.SGD(params)
    params["more"] = np.ones(2)
    with pytest.raises(ValueError, match=r"^params: expected the tree .*'more'"):
        oc.SAM(inner)
    del params["more"]
    params["K"] = params["K"].copy()
    with pytest.raises(ValueError, match=r"^params/K was replaced after the optimizer was made"):
        oc.SAM(inner)


@pytest.mark.parametrize("policy", ["skip", "raise"])
def test_a_refused_step_does_not_count(wrapped: Callable[[Any], Any], policy: str) -> None:
    params = tree()
    opt = wrapped(oc.Adam(params, nonfinite=policy))
    refused = 0
    for i in range(1, 8):
        before = everything(opt, params)
        bad = tree(seed=i)
        bad["layers"][1]["W"][2, 1] = np.inf
        if policy == "raise":
            with pytest.raises(oc.NonFiniteError) as caught:
                step(opt, bad)
            assert caught.value.path == "layers/1/W"
        else:
            step(opt, bad)
            refused += 1
        assert everything(opt, params) == before
        assert opt.skipped_steps == refused
        step(opt, tree(seed=i))
        assert everything(opt, params) != before


def test_large_finite_gradients_are_not_refused() -> None:
    w = np.ones(2)
    opt = oc.GradientAccumulation(oc.SGD(w, nonfinite="skip"), every=2)
    opt.step(np.array([1e200, 1.0]))
    assert opt.accumulated == 1


def test_missing_gradients_leave_their_parameters_alone(wrapped: Callable[[Any], Any]) -> None:
    params = tree()
    opt = wrapped(oc.Adam(params))
    kept = [leaf.tobytes() for leaf in (params["K"], params["layers"][0]["b"], params["scale"])]
    for i in range(1, 7):
        grads = tree(seed=i)
        grads["K"] = grads["layers"][0]["b"] = grads["scale"] = None
        step(opt, grads)
    assert kept == [p.tobytes() for p in (params["K"], params["layers"][0]["b"], params["scale"])]
    assert opt.step_count >= 2


def test_groups(wrapped: Callable[[Any], Any]) -> None:
    """With the rates of a single group, the same bits as without groups."""
    one, two = tree(np.float32), tree(np.float32)
    plain = wrapped(oc.Adam(one, lr=0.1))
    grouped = wrapped(
        oc.Adam(
            [{"params": two["layers"]}, {"params": {k: two[k] for k in ("K", "scale")}}], lr=0.1
        )
    )
    for i in range(1, 7):
        grads = tree(np.float32, seed=i)
        grads["empty"] = None
        step(plain, grads)
        step(grouped, [grads["layers"], {k: grads[k] for k in ("K", "scale")}])
    assert bits(one) == bits(two)
    assert len(grouped.groups) == 2
    grouped.groups[1]["lr"] = 0.5
    assert [g["lr"] for g in grouped.optimizer.groups] == [0.1, 0.5]


def test_closures(wrapped: Callable[[Any], Any]) -> None:
    one, two = tree(), tree()
    first, second = wrapped(oc.Adam(one)), wrapped(oc.Adam(two))
    for i in range(1, 7):
        assert first.step(closure=lambda i=i: (float(i), tree(seed=i))) == float(i)
        step(second, tree(seed=i))
    assert bits(one) == bits(two)
    with pytest.raises(TypeError, match="got both"):
        first.step(tree(), closure=lambda: (0.0, tree()))
    with pytest.raises(TypeError, match="return \\(loss, grads\\)"):
        first.step(closure=lambda: tree())


def test_a_closure_that_steps_is_refused(wrapped: Callable[[Any], Any]) -> None:
    params = tree()
    opt = wrapped(oc.Adam(params))
    before = everything(opt, params)
    with pytest.raises(RuntimeError, match="is in use"):
        opt.step(closure=lambda: (step(opt, tree()), tree()))
    assert everything(opt, params) == before
    step(opt, tree())


def test_two_threads_are_refused() -> None:
    opt = oc.Lookahead(oc.SGD(np.ones(2)))
    inside, leave, errors = threading.Event(), threading.Event(), []

    def closure() -> tuple[float, np.ndarray]:
        inside.set()
        assert leave.wait(30)
        return 0.0, np.ones(2)

    thread = threading.Thread(target=lambda: opt.step(closure=closure))
    thread.start()
    assert inside.wait(30)
    try:
        opt.step(np.ones(2))
    except RuntimeError as error:
        errors.append(str(error))
    leave.set()
    thread.join()
    assert errors
    assert "this Lookahead is in use" in errors[0]
    assert opt.step_count == 1


def test_numbers_stand_for_gradients_without_axes(wrapped: Callable[[Any], Any]) -> None:
    one, two = {"s": np.array(2.0)}, {"s": np.array(2.0)}
    first, second = wrapped(oc.Adam(one)), wrapped(oc.Adam(two))
    for i in range(1, 7):
        step(first, {"s": float(i)})
        step(second, {"s": np.array(float(i))})
    assert one["s"] == two["s"] != 2.0


def test_bound_gradients(wrapped: Callable[[Any], Any]) -> None:
    one, two = tree(), tree()
    first, second = wrapped(oc.Adam(one)), wrapped(oc.Adam(two))
    grads = tree()
    first.bind(grads)
    with pytest.raises((KeyError, TypeError)):
        first.bind({"x": np.ones(2)})
    for i in range(1, 7):
        for mine, new in zip(leaves(grads), leaves(tree(seed=i)), strict=True):
            mine[...] = new
        if isinstance(first, oc.SAM):
            first.first_step()
            first.second_step()
        else:
            first.step()
        step(second, tree(seed=i))
    assert bits(one) == bits(two)
    first.bind(None)
    with pytest.raises(TypeError, match=r"^grads: expected gradients, got None"):
        first.first_step() if isinstance(first, oc.SAM) else first.step()


def test_gradients_are_zeroed_once_used(wrapped: Callable[[Any], Any]) -> None:
    params = tree(np.float32)
    opt = wrapped(oc.Adam(params, zero_grads=True, nonfinite="skip"))
    for i in range(1, 7):
        bad = tree(np.float32, seed=i)
        bad["K"][...] = np.nan
        step(opt, bad)
        assert all(leaf.any() for leaf in leaves(bad) if leaf.size)
        grads = tree(np.float32, seed=i)
        step(opt, grads)
        assert not any(leaf.any() for leaf in leaves(grads))


def test_gradients_are_read_only_otherwise(wrapped: Callable[[Any], Any]) -> None:
    """In any layout and real type, and the bits of the result do not depend on the layout."""
    one, two = tree(np.float32), tree(np.float32)
    first, second = wrapped(oc.Adam(one)), wrapped(oc.Adam(two))
    for i in range(1, 7):
        grads = tree(np.float64, seed=i)
        strided = mapped(lambda g: np.stack([g, g], axis=-1)[..., 0], grads)
        for leaf in leaves(strided):
            leaf.setflags(write=False)
        before = bits(strided)
        step(first, grads)
        step(second, strided)
        assert bits(strided) == before
    assert bits(one) == bits(two)


def test_bits_do_not_depend_on_threads(wrapped: Callable[[Any], Any]) -> None:
    results = []
    for threads in (1, 3):
        rng = np.random.default_rng(0)
        params = {"W": rng.normal(size=(300, 400)).astype(np.float32)}
        opt = wrapped(oc.Adam(params, threads=threads, clip_norm=1.0))
        for _ in range(4):
            step(opt, {"W": rng.normal(size=(300, 400)).astype(np.float32)})
        results.append(bits(params))
    assert results[0] == results[1]


def test_what_belongs_to_the_optimizer_is_at_hand(wrapped: Callable[[Any], Any]) -> None:
    params = tree()
    inner = oc.AdamW(params, lr=0.1, clip_norm=1.0, stats=True, ema=oc.EMA(0.5))
    opt = wrapped(inner)
    run(opt, 6)
    assert opt.lr == 0.1
    assert opt.step_count == inner.step_count
    assert opt.grad_norm == inner.grad_norm > 0
    assert opt.stats == inner.stats
    assert bits(opt.ema_params) == bits(inner.ema_params)
    opt.lr = oc.schedules.Constant(0.25)
    opt.clip_norm, opt.clip_value, opt.threads = 2.0, 3.0, 1
    assert (inner.lr, inner.clip_norm, inner.clip_value, inner.threads) == (0.25, 2.0, 3.0, 1)
    assert (opt.clip_norm, opt.clip_value, opt.threads) == (2.0, 3.0, 1)
    assert opt.state["K"]["exp_avg"] is inner.state["K"]["exp_avg"]
    assert repr(inner) in repr(opt)
    with pytest.raises(AttributeError, match="no_such"):
        _ = opt.no_such
    with pytest.raises(AttributeError):
        _ = opt._no_such


def test_no_way_past_a_wrapper() -> None:
    """What a wrapper inside adds would not count for those around it."""
    w = np.ones(2)
    assert not hasattr(oc.Lookahead(oc.SAM(oc.SGD(w))), "first_step")
    assert not hasattr(oc.AGC(oc.GradientAccumulation(oc.SGD(w), every=2)), "flush")


def test_wrappers_are_not_copied(wrapped: Callable[[Any], Any]) -> None:
    opt = wrapped(oc.SGD(tree()))
    for use in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            use(opt)


def test_lookahead_counts_the_steps_of_an_accumulation() -> None:
    w = np.zeros(1)
    opt = oc.Lookahead(oc.GradientAccumulation(oc.SGD(w, lr=1.0), every=2), k=2, alpha=0.5)
    assert [opt.step(np.array([-1.0])) for _ in range(4)] == [False, True, False, True]
    assert w[0] == 1.0


def test_a_wrapper_around_sam() -> None:
    w = np.array([1.0])
    opt = oc.Lookahead(oc.SAM(oc.SGD(w, lr=0.1), rho=0.5), k=1, alpha=0.5)
    assert opt.step(closure=lambda: (float(w[0]), 2 * w)) == 1.0
    np.testing.assert_allclose(w, [0.85], rtol=1e-12)
    with pytest.raises(TypeError, match="SAM needs the gradient twice"):
        opt.step(np.array([1.0]))


# Bad arguments. -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda o: oc.Lookahead([np.ones(2)]), TypeError, "^optimizer: expected an optimizer"),
        (lambda o: oc.Lookahead(o, k=0), ValueError, "^k: expected 1 or more, got 0"),
        (lambda o: oc.Lookahead(o, k=2.5), TypeError, "^k: expected an int, got 2.5"),
        (lambda o: oc.Lookahead(o, k=True), TypeError, "^k: expected an int, got True"),
        (lambda o: oc.Lookahead(o, alpha=1.5), ValueError, "^alpha: expected 0 to 1, got 1.5"),
        (lambda o: oc.Lookahead(o, alpha="a"), TypeError, "^alpha: expected a number"),
        (lambda o: oc.Lookahead(o, alpha=float("nan")), ValueError, "^alpha: expected 0 to 1"),
        (lambda o: oc.SWA(o, start=-1), ValueError, "^start: expected 0 or more"),
        (lambda o: oc.SWA(o, every=0), ValueError, "^every: expected 1 or more"),
        (lambda o: oc.SAM(o, rho=-1), ValueError, "^rho: expected a finite number, 0 or more"),
        (lambda o: oc.SAM(o, rho=float("inf")), ValueError, "^rho: expected a finite number"),
        (lambda o: oc.SAM(o, adaptive=1), TypeError, "^adaptive: expected True or False"),
        (lambda o: oc.GradientAccumulation(o, every=0), ValueError, "^every: expected 1 or more"),
        (lambda o: oc.GradientAccumulation(o, 2, "max"), ValueError, "^reduction: expected one of"),
        (lambda o: oc.AGC(o, clip=-0.1), ValueError, "^clip: expected a finite number"),
        (lambda o: oc.AGC(o, eps="a"), TypeError, "^eps: expected a number"),
        (lambda o: oc.AGC(o, axis=2), ValueError, "^axis: expected an axis that every matrix has"),
        (lambda o: oc.AGC(o, axis=0.0), TypeError, "^axis: expected an int"),
        (lambda o: oc.AGC(o, exclude=["X"]), KeyError, "exclude: expected paths of parameters"),
        (lambda o: oc.AGC(o, exclude="K"), TypeError, "^exclude: expected a list of paths"),
        (lambda o: oc.AGC(o, exclude=None), TypeError, "^exclude: expected a list of paths"),
        (lambda o: oc.GradientCentralization(o, axis=None), TypeError, "^axis: expected an int"),
    ],
)
def test_wrong_options(make: Callable[[Any], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make(oc.SGD(tree()))


def test_sam_wants_a_closure() -> None:
    w = np.ones(2)
    with pytest.raises(TypeError, match=r"^step: expected a closure, as SAM needs"):
        oc.SAM(oc.SGD(w)).step(np.ones(2))


@pytest.mark.parametrize("wrap", [lambda opt: oc.GradientAccumulation(opt, 2), oc.SAM])
def test_zeroed_gradients_under_a_transform_are_those_of_the_user(wrap):
    """A loop that adds to its gradients ends where it ends without the transform, which is idle."""

    def trained(outer):
        w, g = np.array([1.0, -2.0]), np.zeros(2)
        opt = outer(wrap(oc.SGD(w, lr=0.1, zero_grads=True)))
        for _ in range(4):

            def closure():
                g[...] += w
                return 0.0, g

            opt.step(closure=closure)
        return w

    assert np.array_equal(trained(lambda opt: opt), trained(lambda opt: oc.AGC(opt, clip=1e9)))


def test_rows_are_refused_by_what_reads_gradients():
    w = np.ones((3, 2))
    rows = oc.Rows([0], np.ones((1, 2)))
    for wrapper in (oc.AGC(oc.SGD({"w": w})), oc.GradientAccumulation(oc.SGD({"w": w}), 2)):
        with pytest.raises(TypeError, match="grads/w: expected an array, as a wrapper"):
            wrapper.step({"w": rows})
    assert np.all(w == 1)
