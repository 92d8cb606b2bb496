"""Gradients that name rows: only these change, by the rule's own bits."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from rule_list import ROWS, ROWWISE, RULES, Options, Rule, gradients, is_elementwise, row_id
from stored import Twin, check

import optcore as oc
from optcore import _core, reference

pytestmark = pytest.mark.usefixtures("restored_runtime")

ROWWISE_ROWS = [(ROWWISE, options) for options in ROWWISE.options]
BY_ROWS = [row for row in ROWS if is_elementwise(row)] + ROWWISE_ROWS
rows_of_rules = pytest.mark.parametrize("row", BY_ROWS, ids=row_id)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
INTEGERS = [np.dtype(code) for code in "bhiqBHIQ"]
WIDTHS = (1, 3, 7, 16, 33, 64)
BF16 = ml_dtypes.bfloat16
NAMES = {rule.name: rule for rule in (*RULES, ROWWISE)}


def named(
    rng: np.random.Generator, rows: int, count: int, width: tuple[int, ...], dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Random rows, with repeats, and their values, of every size."""
    values = np.ldexp(rng.normal(size=(count, *width)), rng.integers(-8, 9, (count, *width)))
    return rng.integers(0, rows, count), values.astype(dtype)


class Expected:
    """A table that the reference steps."""

    def __init__(self, rule: Rule, options: Options, p: np.ndarray):
        self.rule, self.options = rule, options
        self.p, self.state, self.steps = p.copy(), rule.start(p, options), 0

    def step(self, indices: np.ndarray, values: np.ndarray, **more: Any) -> None:
        self.steps += 1
        self.p, self.state = reference.step_rows(
            self.rule.reference, self.p, np.asarray(indices), values, self.state,
            step=self.steps, **self.options, **more,
        )  # fmt: skip

    def check(self, opt: Any, p: np.ndarray, path: str, where: object) -> None:
        check("parameter", p, self.p, where)
        assert list(opt.state[path]) == list(self.state)
        for name, x in self.state.items():
            check(name, opt.state[path][name], x, where)


# The rules. --------------------------------------------------------------------------------------


@rows_of_rules
@both_dtypes
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_equal_the_reference(row, dtype, width):
    rule, options = row
    rng = np.random.default_rng(width)
    p = rng.normal(size=(29, width)).astype(dtype)
    want = Expected(rule, options, p)
    opt = rule.optimizer({"E": p}, **options)
    for step in range(4):
        indices, values = named(rng, 29, 17, (width,), dtype)
        want.step(indices, values)
        opt.step({"E": oc.Rows(indices.astype(INTEGERS[step % 8]), values)})
        want.check(opt, p, "E", step)


@pytest.mark.parametrize("shape", [(31,), (31, 2, 5), (31, 1, 3, 1), (1, 4), (31, 5000)], ids=str)
@pytest.mark.parametrize("rule", ["adam", "rowwise_adagrad"])
@both_dtypes
def test_any_number_of_axes(shape, rule, dtype):
    rng = np.random.default_rng(1)
    p = rng.normal(size=shape).astype(dtype)
    options: Options = {"weight_decay": 0.1, "lr": 0.5}
    want = Expected(NAMES[rule], options, p)
    opt = NAMES[rule].optimizer(p, **options)
    for step in range(3):
        indices, values = named(rng, shape[0], 20, shape[1:], dtype)
        want.step(indices, values)
        opt.step(oc.Rows(indices, values))
        want.check(opt, p, "", step)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rule", ["adamw", "nadam", "rowwise_adagrad"])
@pytest.mark.parametrize("width", [1, 33, 9000])
def test_neither_level_nor_threads_change_a_bit(isa, threads, rule, width):
    count = 40_000 // width + 6
    rng = np.random.default_rng(2)
    p = rng.normal(size=(2 * count, width)).astype(np.float32)
    want = Expected(NAMES[rule], {}, p)
    _core.use_isa(isa)
    opt = NAMES[rule].optimizer({"E": p}, threads=threads, clip_norm=1.0)
    for step in range(2):
        indices, values = named(rng, len(p), 2 * count, (width,), np.float32)
        _, sums = reference.coalesced(indices, values, np.float32)
        assert sums.size > 32768
        norm = reference.global_norm([sums])
        want.step(indices, values, grad_factor=reference.clip_factor(norm, 1.0))
        opt.step({"E": oc.Rows(indices, values)})
        assert opt.grad_norm == norm
        want.check(opt, p, "E", step)


@rows_of_rules
@both_dtypes
def test_all_rows_once_are_a_dense_step(row, dtype):
    """In any order; a clip norm included."""
    rule, options = row
    rng = np.random.default_rng(3)
    p = rng.normal(size=(50, 6)).astype(dtype)
    q = p.copy()
    dense = rule.optimizer({"E": p}, **options, clip_norm=2.0)
    sparse = rule.optimizer({"E": q}, **options, clip_norm=2.0)
    for k in range(4):
        g = rng.normal(size=p.shape).astype(dtype)
        order = np.arange(50) if k == 0 else rng.permutation(50)
        dense.step({"E": g})
        sparse.step({"E": oc.Rows(order, g[order])})
        assert dense.grad_norm == sparse.grad_norm
        check("parameter", q, p, k)
        for name, x in dense.state["E"].items():
            check(name, sparse.state["E"][name], x, k)


def test_rows_and_dense_gradients_take_turns():
    """One state and one step number."""
    rng = np.random.default_rng(4)
    p = rng.normal(size=(12, 5))
    rule = NAMES["nadam"]
    want = Expected(rule, {}, p)
    opt = rule.optimizer({"E": p})
    for k in range(6):
        if k % 2:
            g = rng.normal(size=p.shape)
            want.step(np.arange(12), g)
            opt.step({"E": g})
        else:
            indices, values = named(rng, 12, 7, (5,), np.float64)
            want.step(indices, values)
            opt.step({"E": oc.Rows(indices, values)})
        want.check(opt, p, "E", k)
    assert opt.state_dict()["param_steps"] == {"E": 6}


def test_a_vector_by_rows_is_adagrad():
    rng = np.random.default_rng(5)
    p = rng.normal(size=40).astype(np.float32)
    q = p.copy()
    by_rows = oc.RowwiseAdagrad(p, lr=0.1, weight_decay=0.01, eps=1e-10)
    plain = oc.Adagrad(q, lr=0.1, weight_decay=0.01)
    for _ in range(5):
        rows = oc.Rows(*named(rng, 40, 30, (), np.float32))
        by_rows.step(rows)
        plain.step(rows)
        check("parameter", p, q, "")


# Row-wise Adagrad on arrays. ---------------------------------------------------------------------

SHAPES = [(), (1,), (40_001,), (5, 4097), (300, 161), (7, 3, 5), (0, 3), (3, 0), (1, 12_289)]
rowwise_rows = pytest.mark.parametrize("row", ROWWISE_ROWS, ids=row_id)


@rowwise_rows
@both_dtypes
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rowwise_adagrad_equals_the_reference(row, dtype, shape):
    """Through `ops`, at every level and number of threads, with gradients of any layout."""
    rule, options = row
    rng = np.random.default_rng(15)
    start = rng.normal(size=shape).astype(dtype)
    for isa, threads in [(isa, n) for isa in _core.available_isas() for n in (1, 2, 3)]:
        _core.use_isa(isa)
        p, state = start.copy(), rule.start(start, options)
        want, after = start.copy(), rule.start(start, options)
        for t, g in zip((1, 2), gradients(np.random.default_rng(3), shape, dtype), strict=False):
            given = g if t == 1 else np.array(g, np.float64, order="F")
            want, after = rule.reference(want, given, after, step=t, **options)
            rule.step(p, given, state, t, options, threads=threads)
            check("parameter", p, want, (isa, threads, t))
            check("sum", state["sum"], after["sum"], (isa, threads, t))


@rowwise_rows
@both_dtypes
def test_rowwise_adagrad_with_all_that_goes_around_a_step(row, dtype):
    rule, options = row
    rng = np.random.default_rng(16)
    params = {"E": rng.normal(size=(40, 9)).astype(dtype), "b": rng.normal(size=7).astype(dtype)}
    want = {path: Expected(rule, options, p) for path, p in params.items()}
    averages = {path: p.copy() for path, p in params.items()}
    copies = (
        None if dtype == np.float64 else {k: np.zeros(p.shape, BF16) for k, p in params.items()}
    )
    opt = rule.optimizer(
        params, **options, clip_norm=2.0, ema=oc.EMA(0.75), copy_to=copies, stats=True,
        zero_grads=True, nonfinite="raise",
    )  # fmt: skip
    for k in range(3):
        before = {path: p.copy() for path, p in params.items()}
        grads = {path: rng.normal(size=p.shape).astype(dtype) for path, p in params.items()}
        norm = reference.global_norm(list(grads.values())) / 2
        factor = reference.clip_factor(norm, 2.0) / 2
        for path, g in grads.items():
            want[path].step(np.arange(len(g)), g, grad_factor=factor)
        opt.step(grads, grad_scale=2.0)
        assert opt.grad_norm == norm
        for path, p in params.items():
            check("parameter", p, want[path].p, (path, k))
            check("sum", opt.state[path]["sum"], want[path].state["sum"], (path, k))
            averages[path] = reference.average(averages[path], p, 0.75 if k else 0.0)
            check("ema", opt.state[path]["ema"], averages[path], (path, k))
            if copies is not None:
                check("copy", copies[path], p.astype(BF16), (path, k))
            update = reference.update_sums(before[path], p)[0]
            assert opt.stats.parameters[path].update_norm == math.sqrt(update)
            assert not grads[path].any()


# What rows look like. ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("stride", [1, 3, -2])
def test_indices_of_every_integer_type(dtype, stride):
    rng = np.random.default_rng(6)
    for rows in (5, min(np.iinfo(dtype).max + 1, 70_000)):
        indices = np.zeros(3 * 25, dtype)[::stride][:25]
        indices[...] = rng.integers(0, rows, 25)
        indices[3] = rows - 1
        p = np.zeros((rows, 2))
        opt = oc.SGD(p, lr=1.0)
        values = rng.normal(size=(25, 2))
        opt.step(oc.Rows(indices, values))
        want = np.zeros_like(p)
        for index, value in zip(indices.tolist(), values, strict=True):
            want[index] -= value
        assert np.array_equal(p, want)


def test_indices_may_be_lists_or_misaligned():
    p = np.zeros((3, 1))
    opt = oc.SGD(p, lr=1.0)
    opt.step(oc.Rows([2, 0, 2], [[1.0], [2.0], [3.0]]))
    assert p.tolist() == [[-2], [0], [-4]]
    raw = np.zeros(17, np.uint8)[1:].view(np.int64)
    assert not raw.flags.aligned
    raw[:] = [1, 1]
    opt.step(oc.Rows(raw, np.ones((2, 1))))
    assert p.tolist() == [[-2], [-2], [-4]]


@pytest.mark.parametrize("grad", [np.float32, np.float64, np.float16, BF16, np.longdouble])
@pytest.mark.parametrize("layout", ["C", "F", "reversed", "strided"])
@both_dtypes
@pytest.mark.parametrize("rule", ["adam", "rowwise_adagrad"])
def test_values_of_every_type_and_layout(grad, layout, dtype, rule):
    rng = np.random.default_rng(7)
    p = rng.normal(size=(21, 10)).astype(dtype)
    want = Expected(NAMES[rule], {}, p)
    opt = NAMES[rule].optimizer(p)
    for step in range(2):
        indices, values = named(rng, 21, 13, (10,), grad)
        given = {
            "C": values,
            "F": np.asfortranarray(values),
            "reversed": np.ascontiguousarray(values[::-1, ::-1])[::-1, ::-1],
            "strided": np.repeat(values, 3, axis=1)[:, ::3],
        }[layout]
        want.step(indices, values)
        opt.step(oc.Rows(indices, given))
        want.check(opt, p, "", step)


def test_repeats_are_added_in_order_of_appearance():
    p = np.zeros((2, 1), np.float32)
    opt = oc.SGD(p, lr=1.0)
    opt.step(oc.Rows([1, 0, 1, 1], np.float32([[1e8], [1], [-1e8], [1]])))
    assert p.ravel().tolist() == [-1, -1]
    opt.step(oc.Rows([1, 1, 1], np.float32([[1e8], [1], [-1e8]])))
    assert p.ravel().tolist() == [-1, -1]  # the one was lost in 1e8
    opt.step(oc.Rows([0, 0], np.array([[1e8], [1.0]])))  # each is rounded to float32 first
    assert p[0] == -1e8


@pytest.mark.parametrize("count", [0, 1])
def test_no_rows_at_all_count_as_a_step(count):
    """As in torch: the step number, and with it the bias correction, goes on."""
    rng = np.random.default_rng(8)
    p = rng.normal(size=(4, 3))
    want = Expected(NAMES["nadam"], {"weight_decay": 0.5}, p)
    opt = oc.NAdam({"E": p, "b": np.zeros(2)}, weight_decay=0.5, clip_norm=1e9)
    for k in range(3):
        indices, values = named(rng, 4, 3 * (k % 2), (3,), np.float64)
        want.step(indices, values)
        given = oc.Rows([], np.zeros((0, 3))) if len(indices) == 0 else oc.Rows(indices, values)
        opt.step({"E": given, "b": None if count == 0 else np.ones(2)})
        want.check(opt, p, "E", k)
    assert opt.state_dict()["param_steps"] == {"E": 3, "b": 3 * count}


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (5, 0, 2)], ids=str)
@pytest.mark.parametrize("kind", [oc.Adam, oc.RowwiseAdagrad])
def test_empty_tables(shape, kind):
    opt = kind(np.zeros(shape), clip_norm=1.0, nonfinite="raise")
    n = min(shape[0], 2)
    opt.step(oc.Rows([1] * n, np.zeros((n, *shape[1:]))))
    opt.step(np.zeros(shape))
    assert opt.step_count == 2
    assert opt.grad_norm == 0


def test_rows_stay_as_they_were_made():
    rows = oc.Rows([1, 2], np.zeros((2, 3), np.float32))
    assert len(rows) == 2
    assert repr(rows) == "Rows(2 indices, values (2, 3) float32)"
    for change in (lambda: setattr(rows, "values", 1), lambda: delattr(rows, "indices")):
        with pytest.raises(AttributeError, match="stay as they were made"):
            change()


# What goes around the rule. ----------------------------------------------------------------------


@both_dtypes
def test_one_clip_norm_for_dense_rows_and_none(dtype):
    rng = np.random.default_rng(9)
    params = {
        "E": rng.normal(size=(300, 16)).astype(dtype),
        "W": rng.normal(size=(70, 80)).astype(dtype),
        "N": rng.normal(size=(3, 3)).astype(dtype),
        "V": rng.normal(size=(9, 5)).astype(dtype),
    }
    adam = NAMES["adam"]
    options: Options = {"lr": 0.1, "weight_decay": 0.05, "maximize": True, "clip_value": 0.5}
    want = {path: Expected(adam, options, p) for path, p in params.items()}
    opt = oc.Adam(params, **options, clip_norm=1.5)
    for k in range(3):
        e = named(rng, 300, 280, (16,), dtype)
        v = named(rng, 9, 4, (5,), np.float64)
        w = rng.normal(size=(70, 80)).astype(dtype)
        parts = [reference.coalesced(*e, dtype)[1], w, reference.coalesced(*v, dtype)[1]]
        norm = reference.global_norm(parts) / 8
        factor = reference.clip_factor(norm, 1.5) / 8
        want["E"].step(*e, grad_factor=factor)
        want["W"].step(np.arange(70), w, grad_factor=factor)
        want["V"].step(*v, grad_factor=factor)
        opt.step({"E": oc.Rows(*e), "W": w, "N": None, "V": oc.Rows(*v)}, grad_scale=8.0)
        assert opt.grad_norm == norm
        for path, p in params.items():
            want[path].check(opt, p, path, k)
    assert opt.state_dict()["param_steps"] == {"E": 3, "W": 3, "N": 0, "V": 3}


def test_groups():
    rng = np.random.default_rng(10)
    a, b = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    want = [Expected(NAMES["rowwise_adagrad"], {"lr": lr}, p) for lr, p in ((0.5, a), (0.1, b))]
    opt = oc.RowwiseAdagrad([{"params": {"a": a}, "lr": 0.5}, {"params": {"b": b}}], lr=0.1)
    for k in range(3):
        given = [named(rng, 6, 5, (4,), np.float64) for _ in want]
        for each, (indices, values) in zip(want, given, strict=True):
            each.step(indices, values)
        opt.step([{"a": oc.Rows(*given[0])}, {"b": oc.Rows(*given[1])}])
        want[0].check(opt, a, "a", k)
        want[1].check(opt, b, "b", k)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [oc.Adam, oc.RowwiseAdagrad])
def test_a_sum_that_is_not_finite_is_refused(bad, kind):
    p = np.ones((9, 2, 3), np.float32)
    b = np.ones(3)
    opt = kind({"b": b, "E": p}, nonfinite="raise")
    values = np.zeros((4, 2, 3), np.float32)
    values[2, 1, 0] = bad
    before = p.tobytes(), {k: x.tobytes() for k, x in opt.state["E"].items()}
    with pytest.raises(oc.NonFiniteError) as caught:
        opt.step({"b": np.ones(3), "E": oc.Rows([3, 8, 7, 0], values)})
    assert (caught.value.path, caught.value.index) == ("E", (7, 1, 0))
    assert (p.tobytes(), {k: x.tobytes() for k, x in opt.state["E"].items()}) == before
    assert opt.step_count == 0
    assert np.all(b == 1)


def test_a_sum_that_overflows_is_refused():
    p = np.zeros((3, 2), np.float32)
    opt = oc.SGD(p, lr=1.0, nonfinite="skip")
    huge = np.full((2, 2), 3e38, np.float32)
    opt.step(oc.Rows([1, 1], huge))
    assert opt.skipped_steps == 1
    opt.step(oc.Rows([1, 2], huge))
    assert p[1:].max() == -np.float32(3e38)


def test_the_average_goes_on_in_all_rows():
    rng = np.random.default_rng(11)
    p = rng.normal(size=(8, 3)).astype(np.float32)
    want, average = Expected(NAMES["adam"], {}, p), p.copy()
    opt = oc.Adam(p, ema=oc.EMA(0.9))
    for k in range(4):
        indices, values = named(rng, 8, 3, (3,), np.float32)
        want.step(indices, values)
        average = reference.average(average, want.p, 0.9 if k else 0.0)
        opt.step(oc.Rows(indices, values))
        check("parameter", p, want.p, k)
        check("ema", opt.state[""]["ema"], average, k)


@pytest.mark.parametrize("kind", [oc.Adam, oc.RowwiseAdagrad])
@pytest.mark.parametrize("to", [np.float16, BF16])
@pytest.mark.parametrize("ema", [None, oc.EMA(0.5)])
def test_the_copy_follows(kind, to, ema):
    rng = np.random.default_rng(12)
    p = rng.normal(size=(8, 5)).astype(np.float32)
    narrow = np.zeros(p.shape, to)
    opt = kind(p, lr=0.5, copy_to=narrow, ema=ema)
    for _ in range(3):
        opt.step(oc.Rows(*named(rng, 8, 4, (5,), np.float32)))
        check("copy", narrow, p.astype(to), "")


def test_values_are_zeroed():
    rng = np.random.default_rng(13)
    wide = rng.normal(size=(6, 4, 2))
    values = wide[..., 0]
    p, b = np.zeros((9, 4)), np.zeros(2)
    g = np.ones(2)
    for ema in (None, oc.EMA(0.5)):
        opt = oc.SGD({"E": p, "b": b}, zero_grads=True, ema=ema)
        values[...] = 1.0
        untouched = wide[..., 1].copy()
        opt.step({"E": oc.Rows([1, 2, 1, 8, 0, 1], values), "b": g})
        assert not values.any()
        assert not g.any()
        assert np.array_equal(wide[..., 1], untouched)


# Number formats. ---------------------------------------------------------------------------------

FORMATS = [
    (BF16, "float32", "nearest"),
    (BF16, "bfloat16", "nearest"),
    (BF16, "bfloat16", "master"),
    (BF16, "float32", "split"),
    (BF16, "bfloat16", "stochastic"),
    (np.float16, "float32", "nearest"),
    (np.float16, "bfloat16", "master"),
    (np.float32, "bfloat16", "nearest"),
]


def step_twin(twin: Twin, indices: np.ndarray, values: np.ndarray) -> Twin:
    """A dense step, and then the rows that are not named as they were."""
    rows, sums = reference.coalesced(indices, values, np.float32)
    g = np.zeros(twin.p.shape, np.float32)
    g[rows] = sums
    after = copy.deepcopy(twin)
    after.step(g)
    others = np.setdiff1d(np.arange(len(g)), rows)
    after.p[others] = twin.p[others]
    for name, x in after.state.items():
        if x.ndim:
            x[others] = twin.state[name][others]
    if after.kept is not None:
        after.kept[others] = twin.kept[others]
    return after


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: "-".join(map(str, form)))
@pytest.mark.parametrize("width", [1, 2, 7, 33, 2049])
@pytest.mark.parametrize("grad", [np.float32, BF16, np.float16])
def test_formats(form, width, grad):
    """Odd widths as well: where a row begins inside a pair of bfloat16."""
    dtype, state, rounding = form
    for name in ("adam", "sgd", "nadam"):
        options: Options = {"momentum": 0.9} if name == "sgd" else {"weight_decay": 0.1}
        rng = np.random.default_rng(width)
        p = rng.normal(size=(11, width)).astype(dtype)
        twin = Twin(NAMES[name], options, p, state, rounding, path="E", seed=5)
        asked = None if rounding == "nearest" else rounding
        more: Any = {"low_precision": asked, "state_dtype": state, "seed": 5}
        opt = NAMES[name].optimizer({"E": p}, **options, **more)
        for k in range(3):
            indices, values = named(rng, 11, 8, (width,), grad)
            if k == 2:  # no repeats: runs straight over the values
                indices = rng.permutation(11)[:8]
            twin = step_twin(twin, indices, values.astype(np.float32))
            opt.step({"E": oc.Rows(indices, values)})
            twin.check_in(opt, p, (name, k))


# Bad input. --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    rows: Callable[[], Any]
    error: type[Exception]
    message: str
    options: Options | None = None
    kind: Any = oc.Adam
    param: Callable[[], np.ndarray] = lambda: np.ones((6, 3))


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


BAD = {
    "an index too large": Bad(
        lambda: oc.Rows([0, 6], zeros(2, 3)), ValueError,
        r"grads/E\.indices: expected rows of params/E, 0 to 5, got 6 at position 1",
    ),
    "a negative index": Bad(
        lambda: oc.Rows([0, 1, -1], zeros(3, 3)), ValueError,
        r"grads/E\.indices: .* 0 to 5, got -1 at position 2",
    ),
    "an index beyond int64": Bad(
        lambda: oc.Rows(np.uint64([2**64 - 1]), zeros(1, 3)), ValueError,
        r"got 18446744073709551615 at position 0",
    ),
    "an index into nothing": Bad(
        lambda: oc.Rows([0], zeros(1, 3)), ValueError, "the parameter has no rows",
        param=lambda: np.ones((0, 3)),
    ),
    "values too narrow": Bad(
        lambda: oc.Rows([1, 2], zeros(2, 2)), ValueError,
        r"grads/E\.values: expected shape \(2, 3\), .*, got \(2, 2\)",
    ),
    "too few values": Bad(
        lambda: oc.Rows([1, 2], zeros(1, 3)), ValueError, r"expected shape \(2, 3\), .*\(1, 3\)"
    ),
    "values of another number of axes": Bad(
        lambda: oc.Rows([1, 2], zeros(6)), ValueError, r"expected shape \(2, 3\), .*\(6,\)"
    ),
    "values without rows": Bad(
        lambda: oc.Rows([], zeros(0)), ValueError, r"expected shape \(0, 3\), .*\(0,\)"
    ),
    "indices of two axes": Bad(
        lambda: oc.Rows([[1, 2]], zeros(1, 2, 3)), ValueError,
        r"grads/E\.indices: expected one axis, got shape \(1, 2\)",
    ),
    "one index": Bad(lambda: oc.Rows(1, zeros(3)), ValueError, r"one axis, got shape \(\)"),
    "indices of floats": Bad(
        lambda: oc.Rows([1.0, 2.0], zeros(2, 3)), TypeError,
        r"grads/E\.indices: expected an array of integers, got a float64 array",
    ),
    "a mask": Bad(
        lambda: oc.Rows(np.ones(6, bool), zeros(6, 3)), TypeError, r"got a bool array.*flatnonzero"
    ),
    "indices in foreign byte order": Bad(
        lambda: oc.Rows(np.array([1], ">i4"), zeros(1, 3)), ValueError,
        r"grads/E\.indices: expected native byte order, got >i4",
    ),
    "values in foreign byte order": Bad(
        lambda: oc.Rows([1], zeros(1, 3).astype(">f8")), ValueError,
        r"grads/E\.values: expected native byte order",
    ),
    "values of integers": Bad(
        lambda: oc.Rows([1], np.zeros((1, 3), int)), TypeError,
        r"grads/E\.values: expected a real float array, got a int64 array",
    ),
    "a rule of whole matrices": Bad(
        lambda: oc.Rows([1], zeros(1, 3)), TypeError, "the rule looks at whole tensors, got rows",
        kind=oc.Adafactor,
    ),
    "a rule with a trust ratio": Bad(
        lambda: oc.Rows([1], zeros(1, 3)), TypeError, "the rule looks at whole tensors, got rows",
        kind=oc.LAMB,
    ),
    "a mask that looks at whole tensors": Bad(
        lambda: oc.Rows([1], zeros(1, 3)), TypeError, "as cautious=True looks at whole tensors",
        {"cautious": True},
    ),
    "8-bit state": Bad(
        lambda: oc.Rows([1], np.zeros((1, 3), np.float32)), TypeError,
        "state is 8-bit, got rows; blocks of 256", {"state_dtype": "8bit"},
        param=lambda: np.ones((6, 3), np.float32),
    ),
    "stats": Bad(lambda: oc.Rows([1], zeros(1, 3)), TypeError, "as stats is on", {"stats": True}),
    "a table by columns": Bad(
        lambda: oc.Rows([1], zeros(1, 3)), ValueError,
        r"params/E: expected a C-contiguous array, as its gradient names rows, got strides",
        param=lambda: np.ones((6, 3), order="F"),
    ),
    "a table upside down": Bad(
        lambda: oc.Rows([1], zeros(1, 3)), ValueError, "expected a C-contiguous array",
        param=lambda: np.ones((6, 3))[::-1],
    ),
    "a parameter without axes": Bad(
        lambda: oc.Rows([0], zeros(1)), ValueError, "the parameter has no axes",
        param=lambda: np.ones(()),
    ),
    "read-only values to be zeroed": Bad(
        lambda: oc.Rows([1], np.broadcast_to(0.0, (1, 3))), ValueError,
        r"grads/E\.values: expected a writable array", {"zero_grads": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_changes_nothing(case):
    bad = BAD[case]
    p, b = bad.param(), np.ones(2, np.float32)
    opt = bad.kind({"b": b, "E": p}, **bad.options or {})
    before = p.tobytes(), [x.tobytes() for x in opt.state["E"].values()]
    with pytest.raises(bad.error, match=bad.message):
        opt.step({"b": np.ones(2), "E": bad.rows()})
    assert (p.tobytes(), [x.tobytes() for x in opt.state["E"].values()]) == before
    assert np.all(b == 1)
    assert opt.step_count == 0
    opt.step({"b": np.ones(2), "E": None})


WHOLE = {rule["name"] for rule in oc.rules() if rule["kind"] in ("per_tensor", "global")}


@pytest.mark.parametrize("flags", [{}, {"clip_norm": 1.0}, {"nonfinite": "raise"}])
@pytest.mark.parametrize("name", sorted(WHOLE - {"LBFGS", "RowwiseAdagrad"}))
def test_rules_that_look_at_whole_tensors_take_no_rows(name, flags):
    """Not in the core, and not where NumPy works out the direction; a group is named."""
    p, b = np.ones((6, 3)), np.ones((2, 2))
    opt = getattr(oc, name)([{"params": {"b": b}}, {"params": {"E": p}}], **flags)
    before = [x.tobytes() for k in "bE" for x in opt.state[k].values()]
    words = r"^grads\[1\]/E: expected an array, as the rule looks at whole .*, got rows; scatter"
    with pytest.raises(TypeError, match=words):
        opt.step([{"b": np.ones((2, 2))}, {"E": oc.Rows([7], np.zeros((1, 3)))}])
    with pytest.raises(TypeError, match="got rows"):
        opt.bind([{"b": np.ones((2, 2))}, {"E": oc.Rows([1], np.zeros((1, 3)))}])
    assert [x.tobytes() for k in "bE" for x in opt.state[k].values()] == before
    assert np.all(p == 1)
    assert np.all(b == 1)
    assert opt.step_count == 0
    opt.step([{"b": np.ones((2, 2))}, {"E": np.ones((6, 3))}])
    assert opt.step_count == 1


def test_lbfgs_takes_no_rows():
    p = np.ones((6, 3))
    opt = oc.LBFGS({"E": p})
    with pytest.raises(TypeError, match=r"/E: expected an array, as the rule looks at all grad"):
        opt.step(lambda: (1.0, {"E": oc.Rows([1], np.ones((1, 3)))}))
    assert np.all(p == 1)
    assert (opt.step_count, opt.n_evals) == (0, 0)


def test_rows_cannot_be_bound():
    opt = oc.Adam({"E": np.ones((3, 2))})
    with pytest.raises(TypeError, match="grads/E: expected an array, as it stays bound, got rows"):
        opt.bind({"E": oc.Rows([1], np.zeros((1, 2)))})
    with pytest.raises(TypeError, match="grads: expected gradients, got None"):
        opt.step()


def test_values_that_overlap_the_table_are_refused():
    p = np.ones((6, 3))
    opt = oc.SGD({"E": p}, lr=1.0)
    with pytest.raises(ValueError, match=r"grads/E and params/E overlap in memory"):
        opt.step({"E": oc.Rows([1, 2], p[1:3])})
    assert np.all(p == 1)


@pytest.mark.parametrize("name", ["indices", "values"])
def test_masked_arrays_are_refused(name):
    given: dict[str, Any] = {"indices": [1, 2], "values": np.zeros((2, 3))}
    given[name] = np.ma.masked_array(given[name])
    with pytest.raises(TypeError, match=f"{name}: expected a plain array, got a masked one"):
        oc.Rows(**given)


@pytest.mark.parametrize("dtype", [np.float16, BF16])
def test_rowwise_adagrad_refuses_16_bits(dtype):
    with pytest.raises(TypeError, match="expected a float32 or float64 array, got 16 bits"):
        oc.RowwiseAdagrad({"E": np.ones((3, 2), dtype)})


def test_rowwise_adagrad_refuses_tables_that_lie_otherwise():
    with pytest.raises(ValueError, match="C-contiguous array, as the rule's state is by rows"):
        oc.RowwiseAdagrad({"E": np.ones((3, 2), order="F")})
    with pytest.raises(TypeError, match="state_dtype: expected None for params/E"):
        oc.RowwiseAdagrad({"E": np.ones((3, 2), np.float32)}, state_dtype="bfloat16")


def test_rowwise_adagrad_saves_and_loads():
    rng = np.random.default_rng(14)
    p = rng.normal(size=(7, 4))
    q = p.copy()
    opt, other = oc.RowwiseAdagrad({"E": p}), oc.RowwiseAdagrad({"E": q})
    opt.step({"E": oc.Rows(*named(rng, 7, 5, (4,), np.float64))})
    q[...] = p
    other.load_state_dict(opt.state_dict(copy=True))
    rows = oc.Rows(*named(rng, 7, 5, (4,), np.float64))
    for each in (opt, other):
        each.step({"E": rows})
    check("parameter", p, q, "")
    check("sum", opt.state["E"]["sum"], other.state["E"]["sum"], "")
