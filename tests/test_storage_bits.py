"""Whatever parameters and state are stored in, a step gives the bits of the reference: its rule on
float32, what is stored being widened before and narrowed behind it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from rule_list import ROWS, RULES, Options, Rule, gradients, row_id
from stored import (
    BF16,
    NON_NEGATIVE,
    STATES,
    Twin,
    check,
    narrowed,
    share_what_was_learned,
    whole_sums,
)

import optcore as oc
from optcore import _core, reference
from optcore.reference.common import laid_out

LENGTHS = (0, 1, 2, 3, 255, 256, 257, 1000, 1025, 4099)
STEPS = 6
PARAMS = (np.float32, BF16, np.float16)
GRADS = (None, np.float32, np.float64, BF16, np.float16)
"""None stands for the type of the parameter."""
MARGIN = 64

UNFACTORED = [row for row in ROWS if not row[0].factored]
pytestmark = pytest.mark.usefixtures("restored_runtime")

rows = pytest.mark.parametrize("row", UNFACTORED, ids=row_id)


def as_dtype(x: np.ndarray, dtype: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x.astype(dtype)


def states_of(rule: Rule, options: Options) -> tuple[str, ...]:
    """A rule without state has but one way to store it."""
    names = [
        name for name in rule.start(np.zeros(1, np.float32), options) if name not in rule.scalars
    ]
    return STATES if len(names) > 1 else STATES[:3] if names else STATES[:1]


class Guarded:
    """Copies of arrays that begin at odd places, each between bytes that nobody may touch."""

    def __init__(self) -> None:
        self._buffers: list[tuple[np.ndarray, int, int]] = []

    def copy(self, x: Any, offset: int) -> Any:
        """A copy that begins `offset` elements behind a 64-byte boundary; of both of a pair."""
        if isinstance(x, tuple):
            return tuple(self.copy(part, offset + k) for k, part in enumerate(x))
        whole = np.full(x.nbytes + 2 * MARGIN + 64, 0xA5, np.uint8)
        first = MARGIN + -(whole.ctypes.data + MARGIN) % 64 + offset * x.itemsize
        self._buffers.append((whole, first, first + x.nbytes))
        view = whole[first : first + x.nbytes].view(x.dtype).reshape(x.shape)
        view[...] = x
        return view

    def check(self) -> None:
        for whole, first, end in self._buffers:
            assert np.all(whole[:first] == 0xA5)
            assert np.all(whole[end:] == 0xA5)


class Run:
    """The same steps by `ops`, on guarded copies, at one level."""

    def __init__(self, twin: Twin, offset: int, isa: str):
        self.guard, self.isa = Guarded(), isa
        self.p = self.guard.copy(twin.p, offset)
        self.state = {
            name: self.guard.copy(x, (offset + 2 + k) % 5 if name not in twin.scalars else 0)
            for k, (name, x) in enumerate(twin.state.items())
        }

    def step(self, twin: Twin, g: np.ndarray, where: object, **more: Any) -> None:
        """After the twin has taken that step."""
        _core.use_isa(self.isa)
        twin.rule.step(self.p, g, self.state, twin.steps, twin.options, **more)
        twin.check(self.p, self.state, (self.isa, where, f"step {twin.steps}"))


def grads_of(rng: np.random.Generator, n: int, dtype: Any) -> Iterator[np.ndarray]:
    for g in gradients(rng, (n,), np.float64):
        yield as_dtype(g, dtype)


@rows
@pytest.mark.parametrize("dtype", PARAMS, ids=lambda d: np.dtype(d).name)
def test_every_storage(row, dtype):
    """Lengths and types of gradients go round together, so that every pair of them comes up."""
    rule, options = row
    levels = oc.available_isas()
    for s, state in enumerate(states_of(rule, options)):
        for k, n in enumerate(LENGTHS):
            grad = GRADS[(k + s + k // len(GRADS)) % len(GRADS)] or dtype
            rng = np.random.default_rng([n, s])
            twin = Twin(rule, options, as_dtype(rng.normal(size=n), dtype), state)
            runs = [Run(twin, (k + s + i) % 4, isa) for i, isa in enumerate(levels)]
            guard = Guarded()
            for _, g in zip(range(STEPS), grads_of(rng, n, grad), strict=False):
                g = guard.copy(g, (k + s + 1) % 4)
                before = g.copy()
                twin.step(g)
                for run in runs:
                    run.step(twin, g, (state, f"length {n}", g.dtype))
                check("the gradient", g, before, state)
            for run in (*runs, Run(twin, 0, levels[0])):
                run.guard.check()


@rows
def test_threads(row):
    """More than 32768 elements, below which everything is serial; ends inside of a block."""
    rule, options = row
    combinations = [(p, state) for state in states_of(rule, options) for p in PARAMS]
    for k, (dtype, state) in enumerate(combinations):
        rng = np.random.default_rng(k)
        twin = Twin(rule, options, as_dtype(rng.normal(size=40_001), dtype), state)
        ways = [(isa, threads) for isa in oc.available_isas() for threads in (1, 2, 3)]
        runs = [(Run(twin, 1, isa), threads) for isa, threads in ways]
        grad = GRADS[k % len(GRADS)] or dtype
        for _, g in zip(range(2), grads_of(rng, 40_001, grad), strict=False):
            twin.step(g)
            for run, threads in runs:
                run.step(twin, g, (dtype, state, f"{threads} threads"), threads=threads)
        for run, _ in runs:
            run.guard.check()


def layouts(shape: tuple[int, int], dtype: Any) -> dict[str, np.ndarray]:
    rows, cols = shape
    return {
        "C": np.zeros((rows, cols), dtype),
        "F": np.zeros((rows, cols), dtype, order="F"),
        "slice": np.zeros((2 * rows, 3 * cols), dtype)[::2, ::3],
        "backwards": np.zeros((rows, cols), dtype)[::-1, ::-1],
        "one axis backwards": np.zeros((rows, cols), dtype, order="F")[::-1],
    }


DENSE = ("C", "F", "backwards", "one axis backwards")


@pytest.mark.parametrize("row", [(r, r.options[0]) for r in RULES if not r.factored], ids=row_id)
@pytest.mark.parametrize("dtype", PARAMS, ids=lambda d: np.dtype(d).name)
def test_layouts(row, dtype):
    """The element of an index goes to the parameter of that index; blocks of 8-bit state and
    random bits are counted in the memory order of the parameter."""
    rule, options = row
    shape = (31, 37)
    for s, state in enumerate(states_of(rule, options)):
        for k, lay in enumerate(DENSE):
            rng = np.random.default_rng([s, k])
            p = layouts(shape, dtype)[lay]
            p[...] = as_dtype(rng.normal(size=shape), dtype)
            twin = Twin(rule, options, p, state)
            opt = rule.optimizer({"W": p}, **options, state_dtype=state_kinds_of(twin))
            twin.path = "W"
            for j, grad in enumerate(GRADS):
                for name, g in layouts(shape, grad or dtype).items():
                    g[...] = as_dtype(rng.normal(size=shape), g.dtype)
                    _core.use_isa(oc.available_isas()[(j + k) % len(oc.available_isas())])
                    twin.step(np.array(g))
                    opt.step({"W": g})
                    twin.check_in(opt, p, (state, lay, name, g.dtype))


def state_kinds_of(twin: Twin) -> Any:
    """The choice as a user makes it."""
    kinds = set(twin.kinds.values())
    return kinds.pop() if len(kinds) == 1 else dict(twin.kinds) or None


# Optimizers, and what keeps small updates. ------------------------------------------------------

ROUNDINGS = (("master", BF16), ("master", np.float16), ("split", BF16), ("stochastic", BF16))


def tree(rng: np.random.Generator, dtype: Any) -> dict[str, np.ndarray]:
    """A bit of everything, by path."""
    shapes: dict[str, tuple[int, ...]] = {"W": (17, 33), "a/b~": (257,), "s": (), "none": (0, 3)}
    params = {path: as_dtype(np.asarray(rng.normal(size=s)), dtype) for path, s in shapes.items()}
    params["F"] = np.asfortranarray(as_dtype(rng.normal(size=(5, 61)), dtype))
    params["back"] = as_dtype(rng.normal(size=301), dtype)[::-1]
    params["big"] = as_dtype(np.ldexp(rng.normal(size=4099), rng.integers(-9, 9, 4099)), dtype)
    return params


def escaped(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")


@rows
@pytest.mark.parametrize(("rounding", "dtype"), ROUNDINGS, ids=lambda v: getattr(v, "__name__", v))
def test_roundings(row, rounding, dtype):
    """Each with every kind of state, at every level and with several threads."""
    rule, options = row
    for s, state in enumerate(states_of(rule, options)):
        rng = np.random.default_rng(s)
        params = tree(rng, dtype)
        seed = (0, 1, 2**64 - 1, 77)[s]
        twins = {
            path: Twin(rule, options, p, state, rounding, escaped(path), seed)
            for path, p in params.items()
        }
        kinds = state_kinds_of(twins["W"])
        copies = [({k: laid_out(p, p) for k, p in params.items()}, isa)
                  for isa in oc.available_isas()]  # fmt: skip
        opts = [
            rule.optimizer(
                copied, **options, low_precision=rounding, seed=seed, state_dtype=kinds, threads=2
            )
            for copied, _ in copies
        ]
        for t in range(1, 5):
            given = GRADS[(t + s) % len(GRADS)] or dtype
            grads = {k: as_dtype(np.asarray(rng.normal(size=p.shape)), given)
                     for k, p in params.items()}  # fmt: skip
            if t == 3:
                grads["W"] = None
            every = list(grads.values())
            whole = whole_sums(list(twins.values()), every)
            for path, twin in twins.items():
                twin.step(grads[path], **whole)
            share_what_was_learned(list(twins.values()), every)
            for opt, (copied, isa) in zip(opts, copies, strict=True):
                _core.use_isa(isa)
                opt.step(grads)
                for path, twin in twins.items():
                    twin.check_in(opt, copied[path], (state, isa, f"step {t}"))


@pytest.mark.parametrize(("rounding", "dtype"), ROUNDINGS, ids=lambda v: getattr(v, "__name__", v))
def test_roundings_with_threads(rounding, dtype):
    """Random bits do not depend on who draws them, nor on how the gradient lies."""
    rng = np.random.default_rng(0)
    rule = next(rule for rule in RULES if rule.name == "adam")
    start = as_dtype(rng.normal(size=(9, 5003)), dtype)
    twin = Twin(rule, {}, start, "8bit", rounding, "w", 3)
    made = []
    for isa in oc.available_isas():
        for threads in (1, 2, 3):
            p = start.copy()
            options = {"low_precision": rounding, "seed": 3, "state_dtype": "8bit"}
            made.append((isa, p, oc.Adam({"w": p}, threads=threads, **options)))
    for t in range(3):
        g = as_dtype(rng.normal(size=start.shape), GRADS[t] or dtype)
        g = np.asfortranarray(g) if t == 1 else g
        twin.step(g)
        for isa, p, opt in made:
            _core.use_isa(isa)
            opt.step({"w": g})
            twin.check_in(opt, p, (isa, opt.threads, t))


@pytest.mark.parametrize("dtype", [BF16, np.float16], ids=lambda d: np.dtype(d).name)
def test_a_master_follows_what_is_written_to_its_parameter(dtype):
    rng = np.random.default_rng(0)
    rule = next(rule for rule in RULES if rule.name == "adam")
    p = as_dtype(rng.normal(size=(40, 50)), dtype)
    twin = Twin(rule, {}, p, rounding="master", path="W")
    opt = oc.Adam({"W": p}, low_precision="master")
    for t in range(6):
        g = rng.normal(size=p.shape)
        opt.step({"W": g})
        twin.step(g)
        twin.check_in(opt, p, t)
        where = rng.random(p.shape) < 0.1
        new = as_dtype(rng.normal(size=p.shape), dtype)
        p[where] = new[where]
        twin.p[where] = new[where]
    p[0, :3] = -0.0, np.nan, np.inf
    twin.p[...] = p
    opt.step({"W": np.zeros(p.shape)})
    twin.step(np.zeros(p.shape))
    twin.check_in(opt, p, "special values")


@rows
def test_state_starts_from(row):
    """What the optimizers fill their state with is what the reference would store."""
    rule, options = row
    for state in states_of(rule, options):
        p = np.ones(300, BF16)
        twin = Twin(rule, options, p, state, path="w")
        opt = rule.optimizer({"w": p}, **options, state_dtype=state_kinds_of(twin))
        twin.check_in(opt, p, state)


def test_which_slots_have_no_sign():
    """Those that hold squares, of every rule."""
    for rule in _core.rules():
        names = {name: k for slots in rule["slots"] for k, name in enumerate(slots)}
        if rule["kind"] == "elementwise":
            listed = {name for name, k in names.items() if k in rule["non_negative"]}
            assert listed == NON_NEGATIVE & set(names), rule["name"]


# Every number. ----------------------------------------------------------------------------------


def telling_numbers() -> np.ndarray:
    """float32 numbers at which a rounding turns, of every exponent, and any others."""
    rng = np.random.default_rng(0)
    bfloat16 = np.arange(2**16, dtype=np.uint32)[:, None] << 16
    near_bf16 = bfloat16 + np.uint32([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF])
    with np.errstate(all="ignore"):
        halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
        between = (halves[:-1].astype(np.float64) + halves[1:]) / 2
        turns = between.astype(np.float32).view(np.uint32)[:, None]
    near_f16 = np.concatenate([turns - 1, turns, turns + 1, halves[:-1, None].view(np.uint32)])
    others = rng.integers(2**32, size=200_000, dtype=np.uint32)
    x = np.concatenate([near_bf16.ravel(), near_f16.ravel(), others]).view(np.float32)
    x[np.isnan(x)] = np.nan
    return x


@pytest.mark.parametrize("rounding", ["nearest", "master", "split", "stochastic"])
@pytest.mark.parametrize("dtype", [BF16, np.float16], ids=lambda d: np.dtype(d).name)
def test_every_rounding_of_a_parameter(rounding, dtype):
    """0 - 1·(-x) is any x that one likes."""
    if dtype == np.float16 and rounding in ("split", "stochastic"):
        return  # bfloat16 only
    sgd = next(rule for rule in RULES if rule.name == "sgd")
    x = telling_numbers()
    for isa in oc.available_isas():
        _core.use_isa(isa)
        p = np.zeros(x.size, dtype)
        twin = Twin(sgd, {"lr": 1.0}, p, "float32", rounding, "w", 1)
        opt = oc.SGD(
            {"w": p}, lr=1.0, seed=1, low_precision=None if rounding == "nearest" else rounding
        )
        copies = {k: np.zeros(x.size, k) for k in (BF16, np.float16)}
        for copy in copies.values():
            oc.SGD(np.zeros(x.size, np.float32), lr=1.0, copy_to=copy).step(-x)
        twin.step(-x)
        opt.step({"w": -x})
        twin.check_in(opt, p, isa)
        for k, copy in copies.items():
            check("copy", copy, narrowed(x + np.float32(0), np.dtype(k).name), isa)


@pytest.mark.parametrize("signed", [False, True], ids=["non-negative", "signed"])
def test_every_code(signed):
    """Codes and scales of all kinds are read, and numbers of all sizes written."""
    rng = np.random.default_rng(0)
    name = "momentum" if signed else "rmsprop"
    options = {"momentum": 0.5} if signed else {"alpha": 0.5}
    rule = next(rule for rule in RULES if rule.name == name)
    x = telling_numbers()
    rng.shuffle(x)
    x[: x.size // 2] = np.ldexp(rng.normal(size=x.size // 2), rng.integers(-30, 1, x.size // 2))
    with np.errstate(all="ignore"):
        g = x if signed else np.sqrt(np.abs(x))
    for isa in oc.available_isas():
        _core.use_isa(isa)
        p = np.ones(x.size, np.float32)
        twin = Twin(rule, options, p, "8bit")
        ((slot, (codes, scales)),) = twin.state.items()
        codes[...] = rng.integers(256, size=x.size)
        scales[...] = np.ldexp(rng.random(scales.size), rng.integers(-126, 127, scales.size))
        scales[:5] = 0.0, np.nan, 2.0**-126, 1e-44, np.finfo(np.float32).max
        run = Run(twin, 0, isa)
        for _ in range(2):
            twin.step(g)
            run.step(twin, g, slot)
        run.guard.check()


# Lists, clipping, special values. ---------------------------------------------------------------


@pytest.mark.parametrize("row", [(r, r.options[-1]) for r in RULES if not r.factored], ids=row_id)
def test_ops_take_lists_of_any_storage(row):
    """Arrays of several types in one call, with one norm."""
    rule, options = row
    rng = np.random.default_rng(0)
    twins = []
    for dtype in PARAMS:
        for state in states_of(rule, options):
            p = as_dtype(rng.normal(size=(rng.integers(1, 600),)), dtype)
            twins.append(Twin(rule, options, p, state))
    p = [laid_out(twin.p, twin.p) for twin in twins]
    slots = [copied(twin.state) for twin in twins]
    for t in range(1, 4):
        g = [as_dtype(rng.normal(size=x.shape), GRADS[(t + i) % 5] or x.dtype)
             for i, x in enumerate(p)]  # fmt: skip
        norm = reference.global_norm([x.astype(np.float32) for x in g])
        by_name = {name: [each[name] for each in slots] for name in slots[0]}
        rule.step(p, g, by_name, t, options, clip_norm=2.0)
        more: Any = {"grad_factor": reference.clip_factor(norm, 2.0)}
        more |= whole_sums(twins, g, **more)
        for i, twin in enumerate(twins):
            twin.step(g[i], **more)
            twin.check(p[i], slots[i], (i, t))


def copied(state: dict[str, Any]) -> dict[str, Any]:
    """A copy of stored state."""
    return {
        name: tuple(part.copy() for part in x) if isinstance(x, tuple) else x.copy()
        for name, x in state.items()
    }


SPECIAL = (0.0, -0.0, 1e-45, -1e-40, 2.0**-126, 6e-8, 65504, 65519, 65520, 3.3e38, 3.4e38)
SPECIAL += (-3.4e38, np.inf, -np.inf, np.nan, 1.0)


@rows
@pytest.mark.parametrize("dtype", PARAMS, ids=lambda d: np.dtype(d).name)
def test_special_values(row, dtype):
    """Zeros with signs, subnormals, what overflows 16 bits and what is not finite, anywhere."""
    rule, options = row
    rng = np.random.default_rng(0)
    for state in states_of(rule, options):
        n = 300
        p = as_dtype(rng.choice(SPECIAL, size=n), dtype)
        twin = Twin(rule, options, p, state)
        runs = [Run(twin, 1, isa) for isa in oc.available_isas()]
        for t in range(4):
            grad = GRADS[t % 4] or dtype
            g = as_dtype(rng.choice(SPECIAL, size=n), grad)
            g[rng.random(n) < 0.5] = 0.25
            twin.step(g)
            for run in runs:
                run.step(twin, g, (state, g.dtype))


@pytest.mark.parametrize("rule", [r for r in RULES if not r.factored], ids=lambda r: r.name)
def test_every_nan_of_bfloat16_stays_one(rule):
    """Rounding adds to the bits, and must not carry a NaN over into an infinity or a zero."""
    every = np.arange(2**16).astype(np.uint16)
    nan = np.isnan(every.view(BF16).astype(np.float32))
    for state in ("bfloat16", "float32"):
        for isa in oc.available_isas():
            _core.use_isa(isa)
            p, g = every.view(BF16).copy(), np.full(2**16, 0.5, BF16)
            q, h = np.full(2**16, 0.5, BF16), every.view(BF16).copy()
            opt = rule.optimizer({"p": p, "q": q}, state_dtype=state)
            for _ in range(2):
                opt.step({"p": g, "q": h})
                assert np.all(np.isnan(p.astype(np.float32))[nan])
                assert np.all(np.isnan(q.astype(np.float32))[nan])


def test_a_norm_that_is_nan_makes_nan_of_bfloat16():
    """Also the NaN of all ones, which came in with another parameter's gradient."""
    g = np.array([0x7FFFFFFF], np.uint32).view(np.float32)
    for isa in oc.available_isas():
        _core.use_isa(isa)
        for state in ("bfloat16", "float32"):
            params = {"a": np.ones(1, np.float32), "b": np.ones(40, BF16)}
            opt = oc.SGD(params, lr=0.5, momentum=0.9, clip_norm=1.0, state_dtype=state)
            opt.step({"a": g, "b": np.ones(40, BF16)})
            assert np.all(np.isnan(params["b"].astype(np.float32)))


def test_stepping_pieces_equals_stepping_the_whole():
    """Pieces of whole blocks, as 8-bit state has one scale for each."""
    rng = np.random.default_rng(0)
    rule = next(rule for rule in RULES if rule.name == "adamw")
    for state in STATES:
        twin = Twin(rule, {}, as_dtype(rng.normal(size=5000), BF16), state)
        run = Run(twin, 0, oc.isa())
        for _ in range(3):
            g = rng.normal(size=5000)
            twin.step(g)
            for first, end in pairwise((0, 256, 1024, 1280, 4352, 5000)):
                blocks = slice(first // 256, -(-end // 256))
                pieces = {
                    name: (x[0][first:end], x[1][blocks]) if isinstance(x, tuple) else x[first:end]
                    for name, x in run.state.items()
                }
                rule.step(run.p[first:end], g[first:end], pieces, twin.steps, {})
            twin.check(run.p, run.state, state)


def test_random_bits_are_those_of_the_step_number():
    """A run that is resumed rounds on as the one that was not interrupted; None counts no step."""
    rng = np.random.default_rng(0)
    start = as_dtype(rng.normal(size=1000), BF16)
    grads = [rng.normal(size=1000) if t != 3 else None for t in range(8)]
    whole = start.copy()
    opt = oc.SGD({"w": whole}, lr=1e-4, low_precision="stochastic", seed=5)
    for t, g in enumerate(grads):
        if t == 5:
            saved, resumed = opt.state_dict(copy=True), whole.copy()
        opt.step({"w": g})
    again = oc.SGD({"w": resumed}, lr=1e-4, low_precision="stochastic", seed=5)
    again.load_state_dict(saved)
    other = resumed.copy()
    elsewhere = oc.SGD({"v": other}, lr=1e-4, low_precision="stochastic", seed=5)
    for g in grads[5:]:
        again.step({"w": g})
        elsewhere.step({"v": g})
    check("w", resumed, whole, "resumed")
    assert np.any(other != whole), "other paths have other bits"
    assert narrowed(np.float32([1]), "bfloat16").dtype == BF16
