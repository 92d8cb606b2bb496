"""The kernels equal the NumPy reference bit for bit, whatever the length, alignment, ISA level,
number of threads, split, layout, type of the gradient, and door."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rule_list import ROWS, RULES, Options, Rule, digest, gradients, is_elementwise, row_id

import optcore
from optcore import _core, reference

LENGTHS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 1000, 4099)
SHAPES = ((1, 1), (1, 9), (9, 1), (3, 5), (17, 33), (65, 66), (2, 1030), (2, 3, 5), (3, 1, 9))
STEPS = 10
SENTINEL = 7.25
MARGIN = 8

pytestmark = pytest.mark.usefixtures("restored_runtime")

rows = pytest.mark.parametrize("row", ROWS, ids=row_id)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal bits, but for the payloads of NaN."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    unsigned = np.uint32 if a.dtype == np.float32 else np.uint64
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return bool(np.all((a.view(unsigned) == b.view(unsigned)) | (np.isnan(a) & np.isnan(b))))


def check(name: str, got: np.ndarray, want: np.ndarray, where: object) -> None:
    if not same_bits(got, want):
        different = np.argwhere(~((got == want) | (np.isnan(got) & np.isnan(want))))
        at = tuple(different[0]) if len(different) else ()
        raise AssertionError(
            f"{name} at {where}: {len(different)} of {got.size} differ, first at {at}: "
            f"got {got[at]!r}, reference {want[at]!r}"
        )


def check_all(p, state, wanted, where) -> None:
    check("p", p, wanted[0], where)
    assert list(state) == list(wanted[1])
    for name, x in state.items():
        check(name, x, wanted[1][name], where)


def trajectory(rule: Rule, options: Options, p: np.ndarray, grads: list[np.ndarray]) -> list:
    """The reference's parameter and state after each step."""
    path, state = [], rule.start(p, options)
    for t, g in enumerate(grads, 1):
        p, state = rule.reference(p, g, state, step=t, **options)
        path.append((p, state))
    return path


def case(rule: Rule, options: Options, shape: tuple[int, ...], dtype, steps: int, order: str = "C"):
    """A parameter, its gradients, and what the reference makes of them."""
    rng = np.random.default_rng([*shape, 1])
    p = np.asarray(rng.normal(size=shape).astype(dtype), order=order)
    grads = [g for _, g in zip(range(steps), gradients(rng, shape, dtype), strict=False)]
    grads = [np.asarray(g, order=order) for g in grads]
    return p, grads, trajectory(rule, options, p, grads)


class Guarded:
    """Copies of arrays at odd offsets, each between sentinels."""

    def __init__(self) -> None:
        self._buffers: list[tuple[np.ndarray, int, int]] = []

    def copy(self, x: np.ndarray, offset: int) -> np.ndarray:
        """A copy that begins `offset` elements behind a 64-byte boundary."""
        whole = np.full(x.size + 2 * MARGIN + 64, SENTINEL, dtype=x.dtype)
        first = MARGIN + -(whole.ctypes.data // x.itemsize + MARGIN) % (64 // x.itemsize) + offset
        self._buffers.append((whole, first, first + x.size))
        view = whole[first : first + x.size].reshape(x.shape, order="A")
        if x.ndim > 1 and x.flags.f_contiguous and not x.flags.c_contiguous:
            view = whole[first : first + x.size].reshape(x.T.shape).T
        view[...] = x
        return view

    def check(self) -> None:
        for whole, first, end in self._buffers:
            assert np.all(whole[:first] == SENTINEL)
            assert np.all(whole[end:] == SENTINEL)


def run_guarded(rule: Rule, options: Options, p, grads, wanted, offset: int, where) -> None:
    guard = Guarded()
    mine = guard.copy(p, offset)
    state = {
        # scalar state is float64 and has no alignment to vary
        k: guard.copy(v, (offset + 2 + i) % 4 if v.dtype == p.dtype else 0)
        for i, (k, v) in enumerate(rule.start(p, options).items())
    }
    g = guard.copy(grads[0], (offset + 1) % 4)
    for t, grad in enumerate(grads, 1):
        g[...] = grad
        rule.step(mine, g, state, t, options)
        check_all(mine, state, wanted[t - 1], (*where, f"offset {offset}", f"step {t}"))
        check("the gradient", g, grad, where)
    guard.check()


@rows
@both_dtypes
def test_lengths_alignments_and_levels(row, dtype):
    rule, options = row
    for n in LENGTHS:
        p, grads, wanted = case(rule, options, (n,), dtype, STEPS)
        for isa in optcore.available_isas():
            _core.use_isa(isa)
            for offset in range(4) if n < 1000 else (0, 3):
                run_guarded(rule, options, p, grads, wanted, offset, (isa, f"length {n}"))


@pytest.mark.parametrize("order", ["C", "F"])
@both_dtypes
@pytest.mark.parametrize("row", [r for r in ROWS if r[0].name == "adafactor"], ids=row_id)
def test_matrices(row, dtype, order):
    rule, options = row
    for shape in SHAPES:
        if len(shape) > 2 and order == "F":
            continue
        p, grads, wanted = case(rule, options, shape, dtype, STEPS, order)
        for isa in optcore.available_isas():
            _core.use_isa(isa)
            run_guarded(rule, options, p, grads, wanted, 1, (isa, f"shape {shape}"))


@rows
@both_dtypes
def test_threads(row, dtype):
    """More than 32768 elements, below which everything is serial."""
    rule, options = row
    shapes = [(40_001,)] if rule.elementwise else [(40_001,), (130, 310), (40, 1030)]
    for shape in shapes:
        p, grads, wanted = case(rule, options, shape, dtype, 3)
        for isa in optcore.available_isas():
            _core.use_isa(isa)
            for threads in (1, 2, 3):
                optcore.set_num_threads(threads)
                run_guarded(rule, options, p, grads, wanted, 1, (isa, f"{threads} threads"))


@pytest.mark.parametrize("row", [r for r in ROWS if is_elementwise(r)], ids=row_id)
@both_dtypes
def test_stepping_slices_equals_stepping_the_whole(row, dtype):
    rule, options = row
    p, grads, wanted = case(rule, options, (1000,), dtype, 5)
    state = rule.start(p, options)
    for t, g in enumerate(grads, 1):
        after = {}
        for part in (slice(0, 1), slice(1, 8), slice(8, 500), slice(500, 1000)):
            pieces = {k: v[part] if v.ndim else v.copy() for k, v in state.items()}
            rule.step(p[part], g[part], pieces, t, options)
            after = {k: state[k] if state[k].ndim else pieces[k] for k in state}
        state = after
        check_all(p, state, wanted[t - 1], f"step {t}")


def layouts(shape: tuple[int, int], dtype) -> dict[str, np.ndarray]:
    rows, cols = shape
    return {
        "C": np.zeros((rows, cols), dtype),
        "F": np.zeros((rows, cols), dtype, order="F"),
        "slice": np.zeros((2 * rows, 3 * cols), dtype)[::2, ::3],
        "backwards": np.zeros((rows, cols), dtype)[::-1, ::-1],
        "half": np.zeros((rows, cols), np.float16),
        "single": np.zeros((rows, cols), np.float32, order="F"),
        "double": np.zeros((rows, cols), np.float64),
        "long double": np.zeros((rows, cols), np.longdouble),
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("order", ["C", "F"])
@both_dtypes
def test_layouts_and_types_of_gradients(rule, order, dtype):
    """A gradient may have any strides and any real float type; it is rounded once."""
    options = rule.options[1]
    rng = np.random.default_rng(3)
    for name, g in layouts((67, 71), dtype).items():
        p = np.asarray(rng.normal(size=g.shape).astype(dtype), order=order)
        state = {k: np.asarray(v, order=order) for k, v in rule.start(p, options).items()}
        if rule.factored:
            state = {k: np.ascontiguousarray(v) for k, v in state.items()}
        wanted = (p, state)
        mine, mine_state = p.copy(order="K"), {k: v.copy(order="K") for k, v in state.items()}
        for t in range(1, 4):
            g[...] = rng.normal(size=g.shape)
            wanted = rule.reference(wanted[0], g, wanted[1], step=t, **options)
            rule.step(mine, g, mine_state, t, options)
            check_all(mine, mine_state, wanted, (name, f"step {t}"))


@rows
@both_dtypes
def test_special_values(row, dtype):
    """Infinities, NaN, zeros of both signs, subnormals and the largest numbers."""
    rule, options = row
    info = np.finfo(dtype)
    values = [0, -0.0, 1, -1, np.inf, -np.inf, np.nan, info.max, -info.max, info.tiny]
    values += [info.smallest_subnormal, -info.smallest_subnormal, info.tiny / 8, info.eps, 3e-20]
    if rule.elementwise:
        cases = [np.array([v for v in values for _ in values], dtype)]
        grads = [np.array(values * len(values), dtype)]
    else:  # one of them would spoil a whole tensor
        cases = [np.array([0.5, v, -1.25, 2.0], dtype) for v in values for _ in range(2)]
        grads = [np.array(v, dtype) for v in values for v in ([1, v, 1, 2], [v, 1, v, 0])]
    for p, g in zip(cases, grads, strict=True):
        wanted = trajectory(rule, options, p, [g] * 4)
        for isa in optcore.available_isas():
            _core.use_isa(isa)
            run_guarded(rule, options, p, [g] * 4, wanted, 1, (isa, g))


@rows
@both_dtypes
def test_optimizer_classes(row, dtype):
    """The classes step a whole tree by the same bits, clipping by the norm of all included."""
    rule, options = row
    rng = np.random.default_rng(4)
    shapes = {"w": (17, 33), "b": (33,), "s": (), "none": (0, 3)}
    params = {k: np.asarray(rng.normal(size=s)).astype(dtype) for k, s in shapes.items()}
    params["f"] = np.asarray(rng.normal(size=(5, 7)).astype(dtype), order="F")
    wanted = {k: (p.copy(order="K"), rule.start(p, options)) for k, p in params.items()}
    optimizer = rule.optimizer(params, **options, clip_norm=3.0)
    for t in range(1, 6):
        grads = {k: np.asarray(rng.normal(size=p.shape)).astype(dtype) for k, p in params.items()}
        optimizer.step(grads)
        norm = reference.global_norm(list(grads.values()), list(params.values()))
        scale = reference.clip_factor(norm, 3.0)
        rule.reference_steps(wanted, grads, dict.fromkeys(grads, t), options, grad_factor=scale)
        for k in grads:
            state = {name: np.asarray(optimizer.state[k][name]) for name in wanted[k][1]}
            check_all(params[k], state, wanted[k], (k, f"step {t}"))


@pytest.mark.parametrize("row", [r for r in ROWS if is_elementwise(r)], ids=row_id)
@both_dtypes
def test_decoupled_decay_of_any_rule(row, dtype):
    """The core has it for every rule, also for those whose classes, as torch's, have none."""
    rule, options = row
    if "decoupled_weight_decay" not in inspect.signature(rule.reference).parameters:
        return  # adamw and its like are another rule with this very option
    options = {**options, "weight_decay": 0.25, "decoupled_weight_decay": True}
    kind = rule.optimizer
    defaults = {k: v.default for k, v in inspect.signature(kind).parameters.items()}
    values = {**defaults, **options}
    hypers = [float(kind._scalars(values)[name]) for name in kind.hypers()]
    p, grads, wanted = case(rule, options, (33,), dtype, 3)
    state = rule.start(p, options)
    for t, g in enumerate(grads, 1):
        _core.apply(
            kind.rule,
            kind._variant(values),
            [p],
            [g],
            [[v for k, v in state.items() if k not in kind.scalar_names()]],
            [[state[k] for k in kind.scalar_names()]],
            hypers,
            True,
            values["maximize"],
            False,
            values.get("cautious_weight_decay", False),
            [t],
            np.inf,
            values.get("clip_value", np.inf),
            0,
        )
        check_all(p, state, wanted[t - 1], f"step {t}")


@both_dtypes
def test_global_norm(dtype):
    rng = np.random.default_rng(5)
    shapes = [(), (0,), (1,), (17,), (4096,), (4097,), (100, 130), (3, 5, 7), (33_000,)]
    grads = [
        np.asarray(rng.normal(size=s) * 10 ** rng.uniform(-3, 3, s)).astype(dtype) for s in shapes
    ]
    grads += [np.asfortranarray(grads[6]), grads[6][::-1, ::-2], grads[7].transpose(1, 2, 0)]
    wanted = reference.global_norm(grads)
    for isa in optcore.available_isas():
        _core.use_isa(isa)
        for threads in (1, 2, 3):
            optcore.set_num_threads(threads)
            assert optcore.global_norm(grads) == wanted, (isa, threads)
            for g in grads:
                assert optcore.global_norm([g]) == reference.global_norm([g]), (isa, threads)
    exact = np.sqrt(sum(float(np.sum(np.square(g.astype(np.longdouble)))) for g in grads))
    assert wanted == pytest.approx(exact, rel=1e-14)


def test_clip_factor():
    for norm in (0.0, 1e-300, 0.5, 1.0, 1 - 1e-6, 3.0, np.inf, np.nan):
        for limit in (0.0, 1e-8, 1.0, 5.0):
            ours, theirs = _core.clip_factor(norm, limit), reference.clip_factor(norm, limit)
            assert ours == theirs or (np.isnan(ours) and np.isnan(theirs))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's tunables")
def test_bits_do_not_depend_on_libm_variants():
    environment = {
        **os.environ,
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable",
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        ),
    }
    program = "import rule_list; print(rule_list.digest())"
    masked = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert masked.stdout.strip() == digest()
