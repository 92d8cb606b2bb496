"""All that surrounds a rule in one step: unscaling, gradients that are not finite, averages,
copies, zeroed gradients, statistics. What a step does is composed here from the reference."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from rule_list import ROWS, RULES, Options, Rule, gradients, row_id
from stored import (
    BF16,
    Twin,
    bits,
    check,
    narrowed,
    share_what_was_learned,
    state_kinds,
    whole_sums,
)

import optcore as oc
from optcore import _core, reference
from optcore.reference.common import laid_out
from optcore.reference.sums import memory_index

pytestmark = pytest.mark.usefixtures("restored_runtime")

rows = pytest.mark.parametrize("row", ROWS, ids=row_id)
rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])

ADAM = next(rule for rule in RULES if rule.name == "adam")
GRADS = (np.float32, np.float64, BF16, np.float16)


def as_dtype(x: Any, dtype: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


def compute_dtype(p: np.ndarray) -> Any:
    return np.float64 if p.dtype == np.float64 else np.float32


def flat(opt: Any) -> list[np.ndarray]:
    """Everything that an optimizer keeps."""
    return [x for slots in opt.state.values() for x in slots.values()]


@dataclass
class Expected:
    """Parameters by path, and all that a step does to them, in the order of its docstring."""

    twins: dict[str, Twin]
    clip_norm: float | None = None
    decay: Callable[[int], float] | None = None
    copy: Any = None
    steps: int = 0
    ema: dict[str, np.ndarray] = field(default_factory=dict)
    copies: dict[str, np.ndarray] = field(default_factory=dict)
    norm: float = math.nan
    norms: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ema = {path: laid_out(twin.value(), twin.p) for path, twin in self.twins.items()}
        self._copy()

    def _copy(self) -> None:
        if self.copy is not None:
            self.copies = {
                path: narrowed(twin.value(), np.dtype(self.copy).name)
                for path, twin in self.twins.items()
            }

    def step(self, grads: dict[str, np.ndarray | None], scale: float = 1.0, **more: Any) -> None:
        given = {path: g for path, g in grads.items() if g is not None}
        like = [self.twins[path].p for path in given]
        rounded = [as_dtype(g, compute_dtype(p)) for g, p in zip(given.values(), like, strict=True)]
        self.norm = reference.global_norm(rounded, like) / scale
        factor = 1 / scale
        if self.clip_norm is not None:
            factor = reference.clip_factor(self.norm, self.clip_norm) / scale
        self.norms = {}
        twins, every = list(self.twins.values()), [grads[path] for path in self.twins]
        more |= whole_sums(twins, every, grad_factor=factor, **more)
        for path, twin in self.twins.items():
            before = laid_out(twin.value(), twin.p)
            twin.step(grads[path], grad_factor=factor, **more)
            after = laid_out(twin.value(), twin.p)
            squares = 0.0
            if path in given:
                squares = reference.sum_squares(rounded[list(given).index(path)], like=twin.p)
                self.norms[path] = (
                    math.sqrt(squares) / scale,
                    *reference.update_sums(before, after),
                )
            if self.decay is not None:
                keep = 0.0 if self.steps == 0 else self.decay(self.steps)
                self.ema[path] = laid_out(reference.average(self.ema[path], after, keep), twin.p)
        share_what_was_learned(twins, every)
        self._copy()
        self.steps += 1

    def check(self, opt: Any, params: dict[str, np.ndarray], where: object) -> None:
        for path, twin in self.twins.items():
            twin.check_in(opt, params[path], where)
            if self.decay is not None:
                check("ema", opt.state[path]["ema"], self.ema[path], (path, where))
        if self.clip_norm is not None:
            assert same_number(opt.grad_norm, self.norm), where

    def check_stats(self, stats: Any, where: object) -> None:
        def sums(k: int) -> Iterator[float]:
            return (each[k] for each in self.norms.values())

        def root(x: float) -> float:
            return math.sqrt(x) if x == x else x

        want = (self.norm, root(sum(sums(1))), root(sum(sums(2))), max(sums(3), default=0.0))
        assert all(map(same_number, numbers(stats), want)), (where, numbers(stats), want)
        assert list(stats.parameters) == list(self.twins)
        for path, (grad, update, param, largest) in self.norms.items():
            got = numbers(stats.parameters[path])
            want = (grad, root(update), root(param), largest)
            assert all(map(same_number, got, want)), (where, path, got, want)


def numbers(stats: Any) -> tuple[float, float, float, float]:
    return stats.grad_norm, stats.update_norm, stats.param_norm, stats.largest_update


def same_number(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


SHAPES: dict[str, tuple[int, ...]] = {"W": (17, 33), "b": (67,), "s": (), "none": (0, 3)}


def model(rng: np.random.Generator, dtype: Any, large: bool = False) -> dict[str, np.ndarray]:
    params = {path: as_dtype(rng.normal(size=s), dtype) for path, s in SHAPES.items()}
    params["F"] = np.asfortranarray(as_dtype(rng.normal(size=(5, 7)), dtype))
    if large:
        params["large"] = as_dtype(rng.normal(size=(9, 5000)), dtype)
    return params


def some_grads(rng: np.random.Generator, params: dict[str, np.ndarray], dtype: Any) -> dict:
    return {k: as_dtype(rng.normal(size=p.shape), dtype) for k, p in params.items()}


def expected(rule: Rule, options: Options, params: dict, state: str = "float32", **more: Any):
    own = {k: more.pop(k) for k in ("rounding", "seed") if k in more}
    twins = {path: Twin(rule, options, p, state, path=path, **own) for path, p in params.items()}
    return Expected(twins, **more)


# Unscaling. -------------------------------------------------------------------------------------


@rows
@both_dtypes
def test_grad_scale_by_a_power_of_two_changes_no_bit(row, dtype):
    rule, options = row
    rng = np.random.default_rng(0)
    shape = (9, 7)
    p = as_dtype(rng.normal(size=shape), dtype)
    q = p.copy()
    plain = rule.optimizer({"w": p}, **options)
    scaled = rule.optimizer({"w": q}, **options)
    for k, g in zip((0, 1, 10, -3, 20), gradients(rng, shape, dtype), strict=False):
        scale = 2.0**k
        plain.step({"w": g})
        scaled.step({"w": g * dtype(scale)}, grad_scale=scale)
        check("w", q, p, scale)
        for x, y in zip(flat(scaled), flat(plain), strict=True):
            check("state", x, y, scale)


@rows
@both_dtypes
@pytest.mark.parametrize("clip_norm", [None, 2.5], ids=["plain", "clipped"])
def test_grad_scale_and_clipping_are_one_factor(row, dtype, clip_norm):
    """Rounded once: min(1, clip_norm/(norm + 1e-6))/scale, of the norm as it is without scale."""
    rule, options = row
    rng = np.random.default_rng(1)
    params = model(rng, dtype)
    want = expected(rule, options, params, clip_norm=clip_norm)
    opt = rule.optimizer(params, **options, clip_norm=clip_norm)
    for scale in (3.0, 1000.0, 0.7, 1.0, 65536.0):
        grads = {k: g * dtype(scale) for k, g in some_grads(rng, params, dtype).items()}
        want.step(grads, scale)
        opt.step(grads, grad_scale=scale)
        want.check(opt, params, scale)


def test_the_norm_is_unscaled():
    opt = oc.SGD({"w": np.zeros(2)}, clip_norm=math.inf)
    for scale in (1.0, 4.0, 1024.0):
        opt.step({"w": np.array([3.0, 4.0]) * scale}, grad_scale=scale)
        assert opt.grad_norm == 5.0
    opt.step({"w": np.array([3.0, 4.0])}, grad_scale=np.float32(0.5))
    assert opt.grad_norm == 10.0
    opt.step({"w": np.array([3.0, 4.0])}, grad_scale=2)
    assert opt.grad_norm == 2.5


def test_grad_scale_with_bind_and_closures():
    p, q, g = np.ones(3), np.ones(3), np.full(3, 8.0)
    bound, called = oc.SGD({"w": p}, lr=0.5), oc.SGD({"w": q}, lr=0.5)
    bound.bind({"w": g})
    bound.step(grad_scale=16.0)
    bound.step()
    assert called.step(closure=lambda: (7, {"w": g}), grad_scale=16.0) == 7
    called.step({"w": g})
    assert p.tolist() == q.tolist() == [1 - 0.25 - 4] * 3


# Gradients that are not finite. -----------------------------------------------------------------

BAD = (math.nan, math.inf, -math.inf)
N = 67


def laid(g: np.ndarray, layout: str) -> np.ndarray:
    """A gradient of zeros in this layout; the dense one is g itself."""
    if layout == "dense":
        return g
    wide = np.zeros((*g.shape[:-1], 3 * g.shape[-1]), g.dtype)
    return wide[..., ::-3]


class Frozen:
    """All memory in sight, and the counters of an optimizer."""

    def __init__(self, opt: Any, *arrays: Any):
        self.opt = opt
        self.arrays = [*arrays, *flat(opt)]
        self.before = [x.tobytes() for x in self.arrays]
        self.facts = self._facts()

    def _facts(self) -> object:
        saved = self.opt.state_dict()
        return saved["step"], saved["param_steps"], self.opt.lr

    def unchanged(self) -> bool:
        return [x.tobytes() for x in self.arrays] == self.before and self._facts() == self.facts


def watched(rule: Rule, mode: str, dtype: Any, grad: Any, layout: str, shape: Any) -> tuple:
    """An optimizer with everything turned on that a step must not touch, after two steps."""
    rng = np.random.default_rng(0)
    params = {
        "a": as_dtype(rng.normal(size=5), dtype),
        "w": as_dtype(rng.normal(size=shape), dtype),
    }
    copies = (
        {k: np.zeros(p.shape, BF16) for k, p in params.items()} if dtype != np.float64 else None
    )
    grads = {"a": as_dtype(rng.normal(size=5), grad), "w": laid(np.zeros(shape, grad), layout)}
    opt = rule.optimizer(
        params,
        lr=oc.schedules.Exponential(0.5, gamma=0.9),
        nonfinite=mode,
        zero_grads=True,
        ema=oc.EMA(0.9),
        copy_to=copies,
        threads=1,
    )
    for _ in range(2):
        grads["w"][...] = as_dtype(rng.normal(size=shape), grad)
        opt.step(grads)
    return opt, params, copies, grads


@rules
@pytest.mark.parametrize("layout", ["dense", "strided"])
@pytest.mark.parametrize("mode", ["skip", "raise"])
@both_dtypes
def test_a_gradient_that_is_not_finite_is_refused(rule, mode, layout, dtype):
    """At every index, of every type: nothing at all has changed, and the place is told."""
    shapes = [(N,)] if rule.elementwise else [(N,), (9, 8)]
    for grad in GRADS:
        for shape in shapes:
            opt, params, copies, grads = watched(rule, mode, dtype, grad, layout, shape)
            g = grads["w"]
            grads["a"][...] = 0.5
            g[...] = 0.25
            skipped = 0
            for index in np.ndindex(shape):
                for bad in BAD:
                    g[index] = bad
                    frozen = Frozen(
                        opt, *params.values(), *(copies or {}).values(), *grads.values()
                    )
                    if mode == "raise":
                        with pytest.raises(oc.NonFiniteError) as caught:
                            opt.step(grads)
                        assert (caught.value.path, caught.value.index) == ("w", index)
                    else:
                        opt.step(grads)
                        skipped += 1
                    assert frozen.unchanged(), (grad, index, bad)
                    assert opt.skipped_steps == skipped
                g[index] = 0.25
            opt.step(grads)
            assert opt.step_count == 3
            assert np.all(g == 0), "zero_grads"


LIMITED = {"rprop", "lion", "signum", "signsgd", "sophia", "adopt"}
"""Rules to which an infinite gradient is a sign like another, or one beyond their limit."""


@rules
@pytest.mark.parametrize("layout", ["dense", "strided"])
@both_dtypes
def test_a_gradient_that_is_not_finite_is_propagated(rule, layout, dtype):
    """At every index: as if nobody looked, which is what the reference does."""
    for grad in GRADS:
        rng = np.random.default_rng(0)
        p = as_dtype(rng.normal(size=N), dtype)
        g = laid(np.zeros(N, grad), layout)
        twin = Twin(rule, {}, p, path="w")
        opt = rule.optimizer({"w": p}, stats=layout == "dense")
        for i in range(N if rule.elementwise else 3):
            g[...] = as_dtype(rng.normal(size=N), grad)
            g[i] = BAD[i % 3]
            twin.step(np.array(g))
            opt.step({"w": g})
            twin.check_in(opt, p, (grad, i))
            assert not np.isfinite(p[i]) or (rule.name in LIMITED and not np.isnan(BAD[i % 3]))
            if layout == "dense":
                assert opt.stats.first_nonfinite == ("w", (i,))
        assert opt.skipped_steps == 0


@rows
@both_dtypes
def test_after_a_refused_step_all_goes_on_as_if_it_had_not_been(row, dtype):
    rule, options = row
    rng = np.random.default_rng(2)
    params = model(rng, dtype)
    other = {k: laid_out(p, p) for k, p in params.items()}
    clean = rule.optimizer(params, **options, clip_norm=3.0)
    tried = rule.optimizer(other, **options, clip_norm=3.0, nonfinite="skip")
    for t in range(4):
        grads = some_grads(rng, params, dtype)
        clean.step(grads)
        tried.step(grads)
        bad = {k: g.copy() for k, g in grads.items()}
        bad["W"][t, t] = BAD[t % 3]
        tried.step(bad)
        assert not math.isfinite(tried.grad_norm)
    assert (tried.step_count, tried.skipped_steps) == (4, 4)
    for x, y in zip([*other.values(), *flat(tried)], [*params.values(), *flat(clean)], strict=True):
        check("state", x, y, "after")


def test_random_bits_after_a_refused_step():
    rng = np.random.default_rng(0)
    p = as_dtype(rng.normal(size=500), BF16)
    q, g = p.copy(), as_dtype(rng.normal(size=500), BF16)
    clean = oc.SGD(p, lr=1e-4, low_precision="stochastic")
    tried = oc.SGD(q, lr=1e-4, low_precision="stochastic", nonfinite="skip")
    for _ in range(3):
        tried.step(np.full(500, np.nan, BF16))
        tried.step(g)
        clean.step(g)
    check("p", q, p, "")


def test_nonfinite_error():
    w = np.ones((2, 3))
    opt = oc.SGD(w, nonfinite="raise")
    with pytest.raises(oc.NonFiniteError, match=r"^grads\[1, 2\]: expected finite.*skip") as caught:
        opt.step(np.array([[0, 0, 0], [0, 0, np.inf]]))
    assert isinstance(caught.value, FloatingPointError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.path, again.index, str(again)) == ("", (1, 2), str(caught.value))
    opt = oc.SGD({"a/b": [np.ones(())]}, nonfinite="raise")
    with pytest.raises(oc.NonFiniteError, match=r"^grads/a~1b/0\[\]: expected finite"):
        opt.step({"a/b": [np.nan]})


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.copy,
    "F": np.asfortranarray,
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "one axis backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "F, one axis backwards": lambda x: np.asfortranarray(x[::-1])[::-1],
    "subslice": lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
}


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "subslice"])
@pytest.mark.parametrize("grad_layout", LAYOUTS)
@pytest.mark.parametrize("grad", GRADS, ids=lambda d: np.dtype(d).name)
def test_the_first_one_in_memory_is_told(layout, grad_layout, grad):
    """The first of several, in the memory order of the parameter; the index is that of NumPy."""
    rng = np.random.default_rng(0)
    shape = (65, 71)  # more than a block
    for dtype in (np.float32, np.float64):
        p = LAYOUTS[layout](np.zeros(shape, dtype))
        opt = oc.SGD({"x": [np.zeros(3), {"p": p}]}, nonfinite="raise")
        for count in (1, 2, 5):
            g = np.zeros(shape, grad)
            g.reshape(-1)[rng.choice(g.size, count, replace=False)] = rng.choice(BAD, count)
            places = memory_index(p)[~np.isfinite(g.astype(np.float64))]
            want = tuple(int(i[0]) for i in np.nonzero(memory_index(p) == places.min()))
            with pytest.raises(oc.NonFiniteError) as caught:
                opt.step({"x": [np.zeros(3), {"p": LAYOUTS[grad_layout](g)}]})
            assert (caught.value.path, caught.value.index) == ("x/1/p", want)


def test_the_first_parameter_is_told_also_in_groups():
    groups = [
        {"params": {"a": np.ones(2)}},
        {"params": [np.ones((2, 2), np.float32), np.ones((), BF16)], "lr": 0.5},
    ]
    opt = oc.SGD(groups, nonfinite="raise", stats=True)
    good = [{"a": np.ones(2)}, [np.ones((2, 2)), np.ones(())]]
    opt.step(good)
    for path, index, place in (("0", (1, 0), good[1][0]), ("1", (), good[1][1])):
        place[index] = np.inf
        with pytest.raises(oc.NonFiniteError) as caught:
            opt.step(good)
        assert (caught.value.path, caught.value.index) == (path, index)
        good[1][1][...] = np.nan  # behind the first
        with pytest.raises(oc.NonFiniteError) as caught:
            opt.step(good)
        assert (caught.value.path, caught.value.index) == (path, index)
        place[index] = 1
        good[1][1][...] = 1
    opt.step(good)
    assert opt.step_count == 2
    none = [{"a": None}, [None, np.full((), np.nan)]]
    with pytest.raises(oc.NonFiniteError, match=r"^grads/1\[\]"):
        opt.step(none)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_large_gradients_with_threads(threads):
    p = np.zeros(200_001, np.float32)
    opt = oc.SGD(p, nonfinite="raise", threads=threads)
    g = np.ones(200_001, np.float32)
    for i in (0, 4095, 4096, 131_072, 200_000):
        g[i] = np.inf
        with pytest.raises(oc.NonFiniteError) as caught:
            opt.step(g)
        assert caught.value.index == (i,)
        g[i] = 1
    assert not np.any(p)
    opt.step(g)
    assert np.all(p < 0)


class TestWhatIsFinite:
    """A gradient is looked at as the rule sees it, and the norm may overflow on its own."""

    @staticmethod
    def stepped(p: np.ndarray, g: Any, scale: float = 1.0, **options: Any) -> bool:
        opt = oc.SGD(p, lr=1e-3, nonfinite="skip", **options)
        before = p.copy()
        opt.step(g, grad_scale=scale)
        assert opt.skipped_steps == 1 - opt.step_count
        assert opt.skipped_steps == 0 or np.array_equal(p, before)
        assert np.all(np.isfinite(p))
        return opt.step_count == 1

    def test_large_float64(self):
        for g in (1e200, -1e308, 1.7976931348623157e308):
            assert self.stepped(np.ones(5), np.full(5, g))
        assert not self.stepped(np.ones(5), np.full(5, 1e200), scale=1e-200)
        assert not self.stepped(np.ones(5, np.float32), np.full(5, 1e39)), "infinite in float32"
        assert not self.stepped(np.ones(5, BF16), np.full(5, 1e39))

    def test_large_float32(self):
        huge = np.full(5000, np.finfo(np.float32).max)
        assert self.stepped(np.ones(5000, np.float32), huge)
        assert self.stepped(np.ones(5000), huge)
        assert self.stepped(np.ones(5000, np.float32), huge, scale=2.0)

    def test_overflow_by_the_scale(self):
        for dtype, large, scale in ((np.float32, 1e30, 1e-10), (np.float64, 1e300, 1e-10)):
            g = np.array([1.0, large, -large], dtype)
            p = np.ones(3, dtype)
            opt = oc.SGD({"w": p}, nonfinite="raise")
            with pytest.raises(oc.NonFiniteError) as caught:
                opt.step({"w": g}, grad_scale=scale)
            assert caught.value.index == (1,)
            assert self.stepped(p, g, scale=1e10)
        for grad in (BF16, np.float16):
            assert not self.stepped(np.ones(3, np.float32), np.full(3, 1.0, grad), scale=1e-39)

    @pytest.mark.parametrize("clip_norm", [None, 1.0, math.inf])
    def test_overflow_by_rounding(self, clip_norm):
        """g/scale is below the largest float32, but not what is left when both are rounded."""
        largest = float(np.finfo(np.float32).max)
        rng, found = np.random.default_rng(0), 0
        for scale in rng.uniform(0.25, 1, 20_000):
            g = np.float32(largest * scale)
            with np.errstate(over="ignore"):
                over = np.isinf(g * np.float32(1 / scale))
            if over and float(g) / scale <= largest:
                found += 1
                assert not self.stepped(
                    np.ones(1, np.float32), np.array([g]), float(scale), clip_norm=clip_norm
                )
        assert found > 3

    @pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e-40), (np.float64, 5e-309)])
    def test_a_factor_that_overflows(self, dtype, scale):
        """0·∞ is not a number either."""
        assert not self.stepped(np.ones(3, dtype), np.zeros(3, dtype), scale)


# Averages of the parameters. --------------------------------------------------------------------


def warming(k: int) -> float:
    return min((1 + k) / (10 + k), 0.99)


@pytest.mark.parametrize("row", [(rule, rule.options[-1]) for rule in RULES], ids=row_id)
@both_dtypes
@pytest.mark.parametrize("decay", [0.9, 0.0, 1.0, warming], ids=["0.9", "0.0", "1.0", "warming"])
def test_average(row, dtype, decay):
    """After every step; the first one copies; a parameter without a gradient is averaged too."""
    rule, options = row
    rng = np.random.default_rng(0)
    params = model(rng, dtype)
    want = expected(rule, options, params, decay=decay if callable(decay) else lambda k: decay)
    opt = rule.optimizer(params, **options, ema=oc.EMA(decay))
    for k, x in opt.ema_params.items():
        check("ema", x, params[k], "at first")
    for t in range(5):
        grads = some_grads(rng, params, dtype)
        if t in (0, 2):
            grads["W"] = None
        if t == 3:
            grads = dict.fromkeys(grads)
        want.step(grads)
        opt.step(grads)
        want.check(opt, params, t)
        if t == 0:
            for k, x in opt.ema_params.items():
                assert np.array_equal(x, params[k])


def test_average_of_large_parameters_at_every_level():
    rng = np.random.default_rng(0)
    start = as_dtype(rng.normal(size=40_001), np.float32)
    for isa in oc.available_isas():
        _core.use_isa(isa)
        for threads in (1, 2, 3):
            p = {"w": start.copy()}
            want = expected(ADAM, {}, p, decay=lambda k: 0.7)
            opt = oc.Adam(p, ema=oc.EMA(0.7), threads=threads)
            for t in range(2):
                g = {"w": as_dtype(np.sin(np.arange(40_001) + t), np.float32)}
                want.step(g)
                opt.step(g)
                want.check(opt, p, (isa, threads))


@pytest.mark.parametrize("decay", [0.75, oc.schedules.Polynomial(0.1, total=4, end=0.9)], ids=str)
def test_average_of_stored_parameters(decay):
    """Of what the parameter stands for: the master, both halves of a split one, the rounded one."""
    rng = np.random.default_rng(0)
    for dtype, rounding in ((BF16, None), (np.float16, None), (BF16, "master"), (BF16, "split"),
                            (np.float16, "master"), (BF16, "stochastic")):  # fmt: skip
        params = model(rng, dtype)
        want = expected(
            ADAM,
            {"lr": 1e-3},
            params,
            rounding=rounding or "nearest",
            seed=3,
            decay=decay if callable(decay) else lambda k: decay,
        )
        opt = oc.Adam(params, lr=1e-3, ema=oc.EMA(decay), low_precision=rounding, seed=3)
        for t in range(4):
            grads = some_grads(rng, params, np.float32)
            if t == 1:
                grads["F"] = None
            want.step(grads)
            opt.step(grads)
            want.check(opt, params, (dtype, rounding, t))
        assert all(x.dtype == np.float32 for x in opt.ema_params.values())


def test_average_in_arrays_of_ones_own():
    params = {"w": np.arange(5.0), "x": [np.asfortranarray(np.ones((2, 3), np.float32))]}
    weights = {"x": (np.zeros((3, 2), np.float32).T,), "w": np.full(5, np.nan)}
    opt = oc.SGD(params, lr=0.5, ema=oc.EMA(0.5, weights=weights))
    assert weights["w"].tolist() == params["w"].tolist()
    assert opt.ema_params["w"] is weights["w"] is opt.state["w"]["ema"]
    assert opt.ema_params["x"][0] is weights["x"][0]
    for _ in range(2):
        opt.step({"w": np.ones(5), "x": [np.ones((2, 3))]})
    assert weights["x"][0].tolist() == [[0.25] * 3] * 2
    given = oc.EMA(0.5, weights={"w": None, "x": weights["x"]})
    opt = oc.SGD(params, lr=0.5, ema=given)  # None makes a new one
    assert opt.ema_params["w"] is not weights["w"]
    assert opt.ema_params["x"][0] is weights["x"][0]


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        (lambda: np.ones(2), lambda e: isinstance(e, np.ndarray)),
        (lambda: np.ones(()), lambda e: e.shape == ()),
        (lambda: {"a": [np.ones(2), (np.ones(3), {})]}, lambda e: e["a"][1][0].shape == (3,)),
        (lambda: (np.ones(2), [np.ones(3)]), lambda e: isinstance(e, tuple) and len(e[1]) == 1),
        (lambda: {3: np.ones(2), "e": {}}, lambda e: list(e) == [3, "e"]),
        (
            lambda: [{"params": {"a": np.ones(2)}}, {"params": np.ones(3), "lr": 0.1}],
            lambda e: e[0]["a"].shape == (2,) and e[1].shape == (3,),
        ),
    ],
    ids=["array", "number", "nested", "tuple", "int key", "groups"],
)
def test_ema_params_are_nested_as_the_parameters(params, shown):
    opt = oc.Adam(params(), ema=oc.EMA(0.5))
    assert shown(opt.ema_params)
    assert [x.shape for x in leaves(opt.ema_params)] == [s["ema"].shape for s in opt.state.values()]
    assert all(
        a is s["ema"] for a, s in zip(leaves(opt.ema_params), opt.state.values(), strict=True)
    )


def leaves(nest: Any) -> list[Any]:
    if isinstance(nest, dict):
        return [leaf for item in nest.values() for leaf in leaves(item)]
    if isinstance(nest, (list, tuple)):
        return [leaf for item in nest for leaf in leaves(item)]
    return [nest]


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [(np.float32, None), (np.float64, None), (BF16, None), (np.float16, "master"), (BF16, "master"),
     (BF16, "split"), (BF16, "stochastic")],
    ids=lambda v: getattr(v, "__name__", str(v)),
)  # fmt: skip
@pytest.mark.parametrize("fails", [False, True], ids=["well", "with an exception"])
def test_averaged(dtype, rounding, fails):
    """The average is in the parameters for a while, and then the very bits that were there."""
    rng = np.random.default_rng(0)
    params = model(rng, dtype)
    special = (0.0, -0.0, 1e-7, np.nan, np.inf)
    params["b"][:5] = as_dtype(special, dtype)
    twin = {k: laid_out(p, p) for k, p in params.items()}
    make: Any = {"lr": 1e-3, "ema": oc.EMA(0.5), "low_precision": rounding}
    opt, other = oc.Adam(params, **make), oc.Adam(twin, **make)
    for t in range(5):
        grads = some_grads(rng, params, np.float32)
        opt.step(grads)
        other.step(grads)
        kept = [x.copy() for x in (*params.values(), *flat(opt))]
        try:
            with opt.averaged():
                for k, p in params.items():
                    check(k, p, as_dtype(opt.ema_params[k], dtype), t)
                with pytest.raises(RuntimeError, match=r"^step: expected .*averaged\(\).*after"):
                    opt.step(grads)
                with (
                    pytest.raises(RuntimeError, match=r"^averaged: expected no averaged"),
                    opt.averaged(),
                ):
                    pass
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            assert fails
        after = [*params.values(), *flat(opt)]
        assert all(x.tobytes() == y.tobytes() for x, y in zip(kept, after, strict=True))
        assert opt.step_count == t + 1
    for x, y in zip([*params.values(), *flat(opt)], [*twin.values(), *flat(other)], strict=True):
        check("state", x, y, "after")


def test_averaged_while_a_step_is_under_way():
    """It is refused, and can be had afterwards."""
    refused = []

    def lr(k: int) -> float:
        if k == 1:
            with pytest.raises(RuntimeError, match="in use") as caught, opt.averaged():
                pass
            refused.append(caught.value)
        return 0.5

    p = np.ones(2)
    opt = oc.SGD(p, lr=lr, ema=oc.EMA(0.5))
    for _ in range(3):
        opt.step(np.ones(2))
    assert len(refused) == 1
    with opt.averaged():
        assert p.tolist() == [0.5 * (0.5 * 0.5 + 0.5 * 0) + 0.5 * -0.5] * 2
    assert p.tolist() == [-0.5] * 2


def test_without_an_average():
    opt = oc.SGD(np.ones(2))
    for use in (lambda: opt.ema_params, lambda: opt.averaged().__enter__()):
        with pytest.raises(AttributeError, match=r"^ema: .*expected ema=oc.EMA\(0.999\)"):
            use()
    assert oc.EMA(0.5) == oc.EMA(decay=0.5)
    assert oc.EMA().decay == 0.999


@pytest.mark.parametrize("row", [(rule, rule.options[0]) for rule in RULES], ids=row_id)
@pytest.mark.parametrize("rounding", ["nearest", "master", "split", "stochastic"])
def test_state_dict_round_trip(row, rounding):
    """Saved in the middle and loaded elsewhere, everything goes on with the same bits."""
    rule, options = row
    rng = np.random.default_rng(0)
    dtype = np.float32 if rule.factored else BF16
    if rounding != "nearest" and rule.factored:
        return  # Adafactor has no parameters of 16 bits
    params = model(rng, dtype)
    names = [n for n in rule.start(np.zeros(1, np.float32), options) if n not in rule.scalars]
    make: Any = {**options, "ema": oc.EMA(warming), "seed": 9}
    if not rule.factored:
        make["low_precision"] = None if rounding == "nearest" else rounding
        make["state_dtype"] = state_kinds(names, "mixed", rule.optimizer._mirrors) or None
    opt = rule.optimizer(params, **make)
    grads = [some_grads(rng, params, np.float32) for _ in range(8)]
    for g in grads[:4]:
        opt.step(g)
    saved = opt.state_dict(copy=True)
    middle = {k: laid_out(p, p) for k, p in params.items()}
    for g in grads[4:]:
        opt.step(g)
    again = rule.optimizer(middle, **make)
    again.load_state_dict(saved)
    for g in grads[4:]:
        again.step(g)
    assert set(again.state["W"]) == set(opt.state["W"]) >= {"ema"}
    for x, y in zip([*middle.values(), *flat(again)], [*params.values(), *flat(opt)], strict=True):
        check("state", x, y, "loaded")


# Copies. ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [(rule, rule.options[-1]) for rule in RULES], ids=row_id)
@pytest.mark.parametrize("copy", [BF16, np.float16], ids=["bf16", "f16"])
def test_copies(row, copy):
    """The rounding of the parameters, from the beginning on, with and without a gradient."""
    rule, options = row
    rng = np.random.default_rng(0)
    params = model(rng, np.float32)
    params["b"][:9] = 0.0, -0.0, 1e-45, 1e-6, 65519, 65520, 3e38, 3.4e38, np.inf
    copies = {k: laid_out(np.zeros(p.shape, copy), p) for k, p in params.items()}
    want = expected(rule, options, params, copy=copy)
    opt = rule.optimizer(params, **options, copy_to=copies)
    for t in range(4):
        for k, x in copies.items():
            check("copy", x, want.copies[k], (k, t))
        grads = some_grads(rng, params, np.float32)
        if t == 2:
            grads["W"] = None
            params["W"][0, 0] = 7.0
            want.twins["W"].p[0, 0] = 7.0
        want.step(grads)
        opt.step(grads)
        want.check(opt, params, t)
    for k, x in copies.items():
        check("copy", x, want.copies[k], (k, "at last"))


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [(BF16, None), (np.float16, None), (BF16, "master"), (np.float16, "master"), (BF16, "split"),
     (BF16, "stochastic")],
    ids=lambda v: getattr(v, "__name__", str(v)),
)  # fmt: skip
def test_copies_of_stored_parameters(dtype, rounding):
    """The other 16 bits, of what the parameter stands for: the master, or what was rounded."""
    rng = np.random.default_rng(0)
    for copy in (BF16, np.float16):
        params = model(rng, dtype)
        copies = {k: laid_out(np.zeros(p.shape, copy), p) for k, p in params.items()}
        want = expected(ADAM, {}, params, rounding=rounding or "nearest", copy=copy)
        opt = oc.Adam(params, copy_to=copies, low_precision=rounding)
        for t in range(3):
            grads = some_grads(rng, params, np.float32)
            want.step(grads)
            opt.step(grads)
            for k, x in copies.items():
                check("copy", x, want.copies[k], (k, copy, t))


@pytest.mark.filterwarnings("error")
def test_copies_overflow_in_silence():
    p = np.array([1e6, -1e6], np.float32)
    copy = np.zeros(2, np.float16)
    with np.errstate(all="raise"):
        opt = oc.SGD(p, lr=1.0, copy_to=copy)
        assert copy.tolist() == [np.inf, -np.inf]
        opt.step(np.zeros(2, np.float32))
        assert copy.tolist() == [np.inf, -np.inf]
        half = np.array([60000.0], np.float16)
        opt = oc.SGD(half, lr=1.0, low_precision="master", ema=oc.EMA(0.5))
        for _ in range(2):
            opt.step(np.array([-60000.0], np.float32))
        with opt.averaged():
            assert half.tolist() == [np.inf]


def test_copies_of_some():
    params = {"w": np.ones(3, np.float32), "x": np.ones(2)}
    copy = np.zeros(3, BF16)
    opt = oc.SGD(params, lr=0.5, copy_to={"w": copy, "x": None})
    opt.step({"w": np.ones(3), "x": np.ones(2)})
    assert copy.tolist() == [0.5] * 3
    groups = [{"params": np.ones(3, np.float32)}, {"params": [np.ones(2, np.float32)]}]
    copies = [np.zeros(3, BF16), [np.zeros(2, np.float16)]]
    opt = oc.SGD(groups, lr=0.5, copy_to=copies)
    opt.step([np.ones(3), [np.ones(2)]])
    assert copies[0].tolist() == [0.5] * 3
    assert copies[1][0].tolist() == [0.5] * 2


# Zeroed gradients. ------------------------------------------------------------------------------


@rules
@pytest.mark.parametrize("threads", [1, 2])
def test_zeroed_gradients(rule, threads):
    """Whatever their layout and type, and nothing beside them; the step is the same."""
    rng = np.random.default_rng(0)
    shape = (40, 1030)
    for grad in (*GRADS, np.longdouble):
        for name, lay in LAYOUTS.items():
            p = as_dtype(rng.normal(size=shape), np.float32)
            q, v = p.copy(), np.ones(3, np.float32)
            g = lay(as_dtype(rng.normal(size=shape), grad))
            around = whole(g)
            gaps = np.ones(around.shape, bool)
            np.lib.stride_tricks.as_strided(
                gaps.reshape(-1)[byte_offset(g) // g.itemsize :],
                g.shape,
                [s // g.itemsize for s in g.strides],
            )[...] = False
            beside = around[gaps].copy()
            rule.optimizer({"w": q, "v": np.ones(3, np.float32)}, threads=threads).step(
                {"w": g.copy(), "v": None}
            )
            opt = rule.optimizer({"w": p, "v": v}, zero_grads=True, threads=threads)
            opt.step({"w": g, "v": None})
            assert not np.any(g.astype(np.float64)), name
            assert not np.any(np.signbit(g.astype(np.float64)))
            assert np.array_equal(around[gaps], beside), name
            check("w", p, q, (name, grad))


def whole(x: np.ndarray) -> np.ndarray:
    """The array that this is a view of, in memory order."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x.T if x.flags.f_contiguous and not x.flags.c_contiguous else x


def byte_offset(x: np.ndarray) -> int:
    return x.ctypes.data - whole(x).ctypes.data


def test_zeroed_gradients_that_are_repeated_numbers():
    """A writable array of strides 0 is one number, and becomes one zero."""
    p = np.zeros((3, 4))
    one = np.full(1, 2.0)
    g = np.lib.stride_tricks.as_strided(one, (3, 4), (0, 0))
    oc.SGD(p, lr=0.5, zero_grads=True).step(g)
    assert np.all(p == -1)
    assert one.tolist() == [0.0]


def test_zeroed_gradients_that_are_bound():
    p, g = np.zeros(5), np.ones(5)
    opt = oc.SGD({"w": p, "none": np.zeros((0, 2))}, lr=1.0, zero_grads=True)
    opt.bind({"w": g, "none": np.zeros((0, 2))})
    for _ in range(3):
        g += 1
        opt.step()
        assert not np.any(g)
    opt.step()
    assert p.tolist() == [-4.0] * 5
    strided = np.ones(10)
    opt.bind({"w": strided[::2], "none": None})
    opt.step()
    assert strided.tolist() == [0.0, 1.0] * 5


def test_gradients_that_cannot_be_zeroed():
    p = {"a": np.ones(3), "b": np.ones(3), "s": np.ones(())}
    opt = oc.SGD(p, zero_grads=True)
    one = np.ones(3)
    fixed = np.ones(3)
    fixed.setflags(write=False)
    good: dict[str, Any] = {"a": np.ones(3), "b": np.ones(3), "s": np.ones(())}
    for change, error, words in (
        ({"a": fixed}, ValueError, r"^grads/a: expected a writable array, as zero_grads"),
        ({"a": np.broadcast_to(1.0, 3)}, ValueError, r"^grads/a: expected a writable array"),
        ({"s": 1.0}, TypeError, r"^grads/s: expected an array, as zero_grads is on, got a float"),
        ({"s": np.float32(1)}, TypeError, r"^grads/s: expected an array, as zero_grads"),
        ({"a": one, "b": one}, ValueError, r"^grads/a and grads/b are the same array; expected"),
        ({"a": one, "b": one[::-1]}, ValueError, r"^grads/a and grads/b overlap in memory"),
    ):
        grads = {**good, **change}
        for use in (opt.step, opt.bind):
            with pytest.raises(error, match=words):
                use(grads)
        arrays = [*p.values(), *(g for g in grads.values() if isinstance(g, np.ndarray))]
        assert all(np.all(x == 1) for x in arrays)
    assert opt.step_count == 0
    opt.step(good)
    columns = np.ones((3, 2))
    opt.step({**good, "a": columns[:, 0], "b": columns[:, 1]})
    assert not np.any(columns)
    oc.SGD({"a": np.ones(3), "b": np.ones(3)}).step({"a": one, "b": one})  # else it may be shared


# Statistics. ------------------------------------------------------------------------------------


@rows
@both_dtypes
def test_stats(row, dtype):
    """Sums of the reference, over all and over each; the step itself has the same bits."""
    rule, options = row
    rng = np.random.default_rng(0)
    params = model(rng, dtype)
    plain = {k: laid_out(p, p) for k, p in params.items()}
    want = expected(rule, options, params)
    opt, other = rule.optimizer(params, **options, stats=True), rule.optimizer(plain, **options)
    for t in range(4):
        grads = some_grads(rng, params, (dtype, np.float64, np.float16, BF16)[t])
        if t == 2:
            grads["b"] = None
        scale = (1.0, 8.0, 3.0, 1.0)[t]
        want.step(grads, scale)
        opt.step(grads, grad_scale=scale)
        other.step(grads, grad_scale=scale)
        want.check(opt, params, t)
        want.check_stats(opt.stats, t)
        for k, p in params.items():
            check(k, p, plain[k], "statistics change nothing")
        assert opt.stats.first_nonfinite is None
        assert opt.grad_norm == opt.stats.grad_norm
    norm = oc.global_norm({k: g.astype(dtype) for k, g in grads.items()})
    assert opt.stats.grad_norm == pytest.approx(norm, rel=1e-14)


STORED = (
    (np.float32, "8bit", None),
    (BF16, "bfloat16", None),
    (BF16, "float32", None),
    (BF16, "8bit", "stochastic"),
    (BF16, "mixed", "master"),
    (BF16, "float32", "split"),
    (np.float16, "8bit", None),
    (np.float16, "float32", "master"),
)


@pytest.mark.parametrize(("dtype", "state", "rounding"), STORED, ids=lambda v: str(v)[:20])
def test_stats_of_stored_parameters(dtype, state, rounding):
    """Of the parameters as they are stored: rounded, or with what is kept beside them."""
    rng = np.random.default_rng(0)
    params = model(rng, dtype)
    want = expected(ADAM, {}, params, state, rounding=rounding or "nearest")
    kinds = want.twins["W"].kinds if state == "mixed" else state
    opt = oc.Adam(params, stats=True, low_precision=rounding, state_dtype=kinds)
    for t, grad in enumerate((dtype, np.float32, np.float64)):
        grads = some_grads(rng, params, grad)
        want.step(grads)
        opt.step(grads)
        want.check(opt, params, t)
        want.check_stats(opt.stats, t)


@rules
@both_dtypes
def test_stats_do_not_depend_on_threads_or_level(rule, dtype):
    rng = np.random.default_rng(0)
    start = model(rng, dtype, large=True)
    grads = some_grads(rng, start, dtype)
    results = set()
    for isa in oc.available_isas():
        _core.use_isa(isa)
        for threads in (1, 2, 3):
            params = {k: laid_out(p, p) for k, p in start.items()}
            opt = rule.optimizer(params, stats=True, zero_grads=True, threads=threads)
            for _ in range(2):
                opt.step({k: laid_out(g, g) for k, g in grads.items()})
            parts = [numbers(part) for part in opt.stats.parameters.values()]
            results.add((numbers(opt.stats), *parts, *(p.tobytes() for p in params.values())))
    assert len(results) == 1
    want = expected(rule, {}, start)
    for _ in range(2):
        want.step(grads)
    want.check_stats(opt.stats, "reference")


def test_stats_in_numbers():
    """Against what one would write down in NumPy."""
    w, b = np.array([3.0, 4.0]), np.array([[12.0]])
    opt = oc.SGD({"w": w, "b": b}, lr=0.5, stats=True)
    opt.step({"w": np.array([6.0, 8.0]), "b": np.array([[0.0]])}, grad_scale=2.0)
    stats = opt.stats
    assert (stats.grad_norm, stats.update_norm, stats.param_norm) == (5.0, 2.5, 13.0)
    assert stats.largest_update == 2.0
    assert stats.update_ratio == 2.5 / 13
    assert stats.parameters["w"].update_ratio == 0.5
    assert stats.parameters["b"].update_ratio == 0.0
    assert (opt.grad_norm, stats.first_nonfinite) == (5.0, None)
    with pytest.raises(TypeError):
        stats.parameters["w"] = None
    before = stats
    opt.step({"w": np.zeros(2), "b": np.zeros((1, 1))})
    assert before.update_norm == 2.5, "statistics once taken stay"
    zero = oc.SGD(np.zeros(2), lr=1.0, stats=True)
    zero.step(np.zeros(2))
    assert zero.stats.update_ratio == 0.0
    zero.step(np.ones(2))
    assert zero.stats.update_ratio == math.inf


def test_stats_of_what_is_not_finite():
    for zero_grads in (False, True):
        p = {"a": np.ones(3), "w": np.ones((2, 3), np.float32, order="F")}
        opt = oc.SGD(p, lr=1.0, stats=True, zero_grads=zero_grads)
        g = {"a": np.ones(3), "w": np.ones((2, 3))}
        g["w"][1, 1] = np.inf
        opt.step(g)
        assert opt.stats.first_nonfinite == ("w", (1, 1))
        assert opt.stats.grad_norm == math.inf
        assert opt.stats.largest_update == math.inf
        assert opt.stats.parameters["a"].grad_norm == math.sqrt(3)
        g["w"][...], g["a"][...] = 1, 1
        g["a"][2] = np.nan
        opt.step(g)
        assert opt.stats.first_nonfinite == ("a", (2,))
        assert math.isnan(opt.stats.largest_update)
        assert math.isnan(opt.stats.parameters["a"].update_norm)
        g["a"][...] = 1
        opt.step(g)
        assert opt.stats.first_nonfinite is None


def test_stats_that_are_not_there():
    opt = oc.SGD(np.ones(2))
    opt.step(np.ones(2))
    with pytest.raises(AttributeError, match=r"^stats: .*expected stats=True"):
        opt.stats  # noqa: B018
    opt = oc.SGD(np.ones(2), stats=True)
    with pytest.raises(AttributeError, match=r"^stats: no step.*call step first"):
        opt.stats  # noqa: B018
    opt = oc.SGD({"w": np.ones(2)}, stats=True)
    opt.step({"w": None})
    assert numbers(opt.stats) == (0.0, 0.0, 0.0, 0.0)


# All of it together. ----------------------------------------------------------------------------


@rows
@pytest.mark.parametrize("case", ["f32", "f64", "bf16", "split", "master", "stochastic"])
def test_everything_at_once(row, case):
    """With two threads, at the several levels, against the composition of the reference: unscaled,
    checked, clipped, stepped, rounded, averaged, copied; and the gradients are zero afterwards."""
    rule, options = row
    if rule.factored and case not in ("f32", "f64"):
        return  # Adafactor has no parameters of 16 bits
    dtype = {"f32": np.float32, "f64": np.float64}.get(case, BF16)
    rounding = case if case in ("split", "master", "stochastic") else "nearest"
    names = [n for n in rule.start(np.zeros(1, np.float32), options) if n not in rule.scalars]
    mirrors = rule.optimizer._mirrors
    state = "mixed" if not rule.factored and dtype != np.float64 and names else "float32"
    copy = None if dtype == np.float64 else np.float16
    rng = np.random.default_rng(0)
    start = model(rng, dtype, large=rule.name in ("adam", "adafactor"))
    want = expected(rule, options, start, state, rounding=rounding, seed=11, clip_norm=4.0,
                    decay=warming, copy=copy)  # fmt: skip
    plan = []
    for t in range(4):
        scale = (1024.0, 3.0, 1.0, 0.5)[t]
        grads = some_grads(rng, start, GRADS[t])
        grads = {k: as_dtype(g * as_dtype(scale, g.dtype), g.dtype) for k, g in grads.items()}
        if t == 1:
            grads["s"] = None
            grads["W"] = laid(grads["W"], "strided")
            grads["W"][...] = as_dtype(rng.normal(size=start["W"].shape), GRADS[t])
        plan.append((grads, scale))

    made = []
    for isa in oc.available_isas():
        params = {k: laid_out(p, p) for k, p in start.items()}
        copies = copy and {k: laid_out(np.zeros(p.shape, copy), p) for k, p in params.items()}
        opt = rule.optimizer(
            params,
            **options,
            clip_norm=4.0,
            nonfinite="skip",
            zero_grads=True,
            ema=oc.EMA(warming),
            copy_to=copies,
            low_precision=None if rounding == "nearest" else rounding,
            seed=11,
            state_dtype=state_kinds(names, state, mirrors) if state == "mixed" else None,
            stats=True,
            threads=2,
        )
        made.append((isa, params, copies, opt))
    for t, (grads, scale) in enumerate(plan):
        want.step(grads, scale)
        for isa, params, copies, opt in made:
            _core.use_isa(isa)
            given = {k: None if g is None else g.copy(order="K") for k, g in grads.items()}
            if t == 1:
                given["W"] = laid(given["W"], "strided")
                given["W"][...] = grads["W"]
            bad = {k: None if g is None else g.copy() for k, g in given.items()}
            bad["F"][2, 3] = BAD[t % 3]
            opt.step(bad, grad_scale=scale)
            assert np.isnan(bad["F"][2, 3]) or np.isinf(bad["F"][2, 3])
            opt.step(given, grad_scale=scale)
            where = (isa, t)
            want.check(opt, params, where)
            want.check_stats(opt.stats, where)
            assert opt.skipped_steps == t + 1
            assert opt.stats.first_nonfinite is None
            for k, g in given.items():
                assert g is None or not np.any(bits(g)), (k, where)
                if copies:
                    check("copy", copies[k], want.copies[k], (k, where))


def test_the_tests_know_bfloat16():
    """NumPy and ml_dtypes agree with the reference on what the helpers of these tests build on."""
    x = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert np.array_equal(narrowed(x, "bfloat16"), x.astype(ml_dtypes.bfloat16))
    assert np.array_equal(narrowed(x, "float16"), x.astype(np.float16))
