"""The C interface against the Python one, bit for bit, through the shared library."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from ctypes import c_int64, c_void_p
from pathlib import Path
from typing import Any

import ml_dtypes
import native
import numpy as np
import pytest
from native import CallError, Gradient, Library, Native
from rule_list import RULES, Options, Rule
from schedule_list import CATALOGUE
from stored import bits

import optcore
from optcore import presets, schedules
from optcore.schedules import saving

BF16 = ml_dtypes.bfloat16
ROOT = Path(__file__).parents[1]
HEADERS = ROOT / "cpp" / "include" / "optcore"
TESTS = ROOT / "tests" / "cpp"

DTYPES = {"float32": np.float32, "float64": np.float64, "bfloat16": BF16}
SHAPES = {"W": (37, 11), "b": (700,), "scale": (), "none": (0, 3)}
OF_THEIR_OWN = ("adafactor", "rowwise_adagrad")
"""Rules that take no 16-bit parameters."""

NATIVE_RULES = [rule for rule in RULES if presets.available(rule.optimizer)]
CASES = [
    pytest.param(rule, options, dtype, id=f"{rule.name}-{i}-{dtype}")
    for rule in NATIVE_RULES
    for i, options in enumerate(rule.options)
    for dtype in DTYPES
    if dtype != "bfloat16" or rule.name not in OF_THEIR_OWN
]

sources = pytest.mark.skipif(not HEADERS.exists(), reason="no sources here")


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(native.library_path())


def arrays(dtype: Any, seed: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    drawn = {name: rng.standard_normal(shape) * scale for name, shape in SHAPES.items()}
    return {name: np.asarray(x).astype(dtype) for name, x in drawn.items()}


class Pair:
    """The same optimizer behind both doors."""

    def __init__(
        self, library: Library, name: str, dtype: Any, options: Options, **common: Any
    ) -> None:
        self.params, self.mine = arrays(dtype, 0), arrays(dtype, 0)
        self.python = getattr(optcore, name)(self.params, **options, **common)
        self.native = Native(library, name)
        self.native.set(native.values_of(self.python))
        clip_value = {"clip_value": options["clip_value"]} if "clip_value" in options else {}
        self._common(clip_value | common)
        for path, array in self.mine.items():
            self.native.add(path, array)
        self.dtype = dtype

    def _common(self, common: dict[str, Any]) -> None:
        state = common.pop("state_dtype", None)
        for slot, dtype in state.items() if isinstance(state, dict) else [(None, state)]:
            if dtype:
                self.native.state_dtype("uint8" if dtype == "8bit" else dtype, slot)
        if ema := common.pop("ema", None):
            common |= {"average": 1, "average_decay": ema.decay}
        if "low_precision" in common:
            common["low_precision"] = native.LOW_PRECISION[common["low_precision"]]
        if "nonfinite" in common:
            common["nonfinite"] = native.NONFINITE[common["nonfinite"]]
        self.native.options(**{k: v for k, v in common.items() if k != "maximize"})

    def step(self, seed: int, skip: str = "", scale: float = 1.0) -> None:
        grads: dict[str, Any] = dict(arrays(self.dtype, 100 + seed, scale))
        if skip:
            grads[skip] = None
        self.python.step(grads)
        self.native.step(list(grads.values()))

    def check(self) -> None:
        for i, (path, mine) in enumerate(self.mine.items()):
            np.testing.assert_array_equal(bits(mine), bits(self.params[path]), path)
            state, wanted = self.native.state(i), self.python.state[path]
            assert set(state) == set(wanted)
            for name, array in wanted.items():
                where = f"{name} of {path}"
                assert state[name].dtype == array.dtype, where
                assert state[name].shape == array.shape, where
                np.testing.assert_array_equal(bits(state[name]), bits(array), where)


# Steps. ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "options", "dtype"), CASES)
def test_every_rule_has_the_same_bits(
    library: Library, rule: Rule, options: Options, dtype: str
) -> None:
    pair = Pair(library, rule.optimizer_name, DTYPES[dtype], options)
    for k in range(4):
        pair.step(k, skip="b" if k == 1 else "")
    pair.check()
    assert pair.native.save()["param_steps"] == pair.python.state_dict()["param_steps"]


@pytest.mark.parametrize("state", ["float32", "bfloat16", "8bit", {"exp_avg": "bfloat16"}])
@pytest.mark.parametrize("low_precision", [None, "stochastic", "master", "split"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16], ids=lambda t: np.dtype(t).name)
def test_every_format_has_the_same_bits(
    library: Library, dtype: Any, low_precision: str | None, state: Any
) -> None:
    if dtype == np.float16 and low_precision in ("stochastic", "split"):
        opt = Native(library, "adamw")
        opt.options(low_precision=native.LOW_PRECISION[low_precision])
        opt.add("w", np.zeros(3, dtype))
        with pytest.raises(CallError, match=r"OPTCORE_BAD_DTYPE: low_precision: .* float16"):
            opt.start()
        return
    common = {"low_precision": low_precision, "state_dtype": state, "seed": 77}
    pair = Pair(library, "AdamW", dtype, {}, **common)
    for k in range(3):
        pair.step(k)
    pair.check()


@pytest.mark.parametrize("name", ["Adagrad", "RMSprop", "Rprop", "FTRL", "Yogi", "NAdam"])
def test_8_bit_state_starts_alike(library: Library, name: str) -> None:
    options = {"initial_accumulator_value": 0.3} if name not in ("Rprop", "NAdam") else {}
    pair = Pair(library, name, np.float32, options, state_dtype="8bit")
    pair.native.start()
    pair.check()
    pair.step(0)
    pair.check()


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_clipping_averaging_and_stored_mirrors(library: Library, dtype: Any) -> None:
    common: dict[str, Any] = {"clip_norm": 0.5, "ema": optcore.EMA(0.75), "threads": 1}
    for name in ("ScheduleFreeAdamW", "Prodigy", "LAMB"):
        pair = Pair(library, name, dtype, {}, **common)
        for k in range(3):
            pair.step(k, scale=3.0)
        pair.check()


@pytest.mark.parametrize("low_precision", [None, "master", "split"])
@pytest.mark.parametrize("name", ["ScheduleFreeSGD", "ScheduleFreeRAdam", "AdamW"])
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_what_to_evaluate(
    library: Library, dtype: Any, name: str, low_precision: str | None
) -> None:
    pair = Pair(library, name, dtype, {}, low_precision=low_precision)
    for k in range(7):
        pair.step(k)
    before = {path: array.copy() for path, array in pair.params.items()}
    if hasattr(pair.python, "eval"):
        pair.python.eval()
    for i, (path, mine) in enumerate(pair.mine.items()):
        x = pair.native.evaluated(i, mine).astype(dtype)
        np.testing.assert_array_equal(bits(x), bits(pair.params[path]))
    if name == "ScheduleFreeSGD":
        assert not np.array_equal(before["b"], pair.params["b"])


def test_sophias_estimates(library: Library) -> None:
    pair = Pair(library, "Sophia", np.float32, {"bias_correction": True})
    for k in range(3):
        pair.step(k)
        estimate = arrays(np.float32, 50 + k)
        pair.python.update_hessian(estimate)
        pair.native.step(list(estimate.values()), "update_hessian")
    pair.check()


def test_scheduled_values_and_groups(library: Library) -> None:
    rate = schedules.WarmupCosine(peak=0.3, warmup=2, total=6)
    momentum = schedules.Linear(0.9, 5, 0.5)
    first, second = arrays(np.float32, 0), arrays(np.float32, 1)
    mine = [{k: v.copy() for k, v in each.items()} for each in (first, second)]
    renamed = {f"second.{k}": v for k, v in second.items()}
    opt = optcore.AdamW(
        [{"params": first}, {"params": renamed, "lr": 0.01, "weight_decay": 0.5}],
        lr=rate,
        betas=(momentum, 0.99),
    )
    c = Native(library, "AdamW")
    assert c.add_group() == 1
    for group in (0, 1):
        c.set(native.values_of(opt, group), group)
    c.set_schedule("lr", library.schedule(rate), 0)
    c.set_schedule("beta1", library.schedule(momentum))
    for group, tree in enumerate(mine):
        for name, array in tree.items():
            c.add(f"second.{name}" if group else name, array, group)
    for k in range(6):
        g, h = arrays(np.float32, 100 + k), arrays(np.float32, 200 + k)
        opt.step([g, {f"second.{name}": x for name, x in h.items()}])
        c.step_plain([*g.values(), *h.values()])
    for tree, wanted in zip(mine, (first, second), strict=True):
        for name in tree:
            np.testing.assert_array_equal(bits(tree[name]), bits(wanted[name]))


@pytest.mark.parametrize("name", ["AdamW", "Lion", "Adagrad", "RowwiseAdagrad"])
def test_gradients_of_other_layouts_and_of_rows(library: Library, name: str) -> None:
    params = {
        "turned": np.asfortranarray(np.arange(12.0, dtype=np.float32).reshape(3, 4)),
        "back": np.arange(20.0)[::-1],
        "table": np.ones((9, 5), np.float32),
    }
    if name == "RowwiseAdagrad":
        del params["turned"], params["back"]
    mine = {k: np.copy(v, order="K") for k, v in params.items()}
    mine |= {"back": np.arange(20.0)[::-1]} if "back" in params else {}
    opt = getattr(optcore, name)(params, lr=0.1)
    c = Native(library, name)
    c.set(native.values_of(opt))
    for path, array in mine.items():
        c.add(path, array)
    rng = np.random.default_rng(3)
    for indices in ([1, 7, 1], [], [8]):
        index = np.array(indices, np.int32)
        values = rng.standard_normal((index.size, 5))
        grads: dict[str, Any] = {"table": optcore.Rows(index, values)}
        rows = Gradient(
            data=values.ctypes.data or 1,
            count=values.size,
            dtype=1,
            rows=index.ctypes.data,
            row_count=index.size,
            row_dtype=native.DTYPES["int32"],
        )
        given: list[Any] = [rows]
        if "turned" in params:
            grads |= {
                "turned": rng.standard_normal((6, 4))[::2],
                "back": rng.standard_normal(20).astype(np.float16)[::-1],
            }
            given = [grads["turned"], grads["back"], rows]
        opt.step(grads)
        c.step(given)
    for path, array in mine.items():
        np.testing.assert_array_equal(bits(array), bits(params[path]), path)


def test_a_large_step_on_many_threads_and_in_memory_of_ones_own(library: Library) -> None:
    params = np.linspace(-1, 1, 300_000, dtype=np.float32)
    mine, grad = params.copy(), np.sin(np.arange(300_000)).astype(np.float32)
    opt = optcore.LAMB(params, clip_norm=1.0)
    c = Native(library, "lamb")
    c.options(clip_norm=1.0, threads=2)
    c.add("", mine)
    size = ctypes.c_size_t()
    c.call("state_bytes", ctypes.byref(size))
    c.start(np.full(size.value, 255, np.uint8))
    for _ in range(3):
        opt.step(grad)
        result = c.step([grad])
    assert result.grad_norm == opt.grad_norm
    np.testing.assert_array_equal(mine, params)


def test_copies_in_16_bits(library: Library) -> None:
    params, mine = arrays(np.float32, 0), arrays(np.float32, 0)
    copies = {name: np.zeros_like(x, np.float16) for name, x in params.items()}
    copied = {name: np.zeros_like(x, np.float16) for name, x in params.items()}
    opt = optcore.SGD(params, lr=0.1, copy_to=copies)
    c = Native(library, "sgd")
    c.set(native.values_of(opt))
    for path, array in mine.items():
        c.add(path, array, copy=copied[path].ctypes.data, copy_dtype=native.DTYPES["float16"])
    for k in range(2):
        grads = arrays(np.float32, k)
        opt.step(grads)
        c.step_plain(list(grads.values()))
    for path in params:
        np.testing.assert_array_equal(copied[path], copies[path])


# State. ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", NATIVE_RULES, ids=lambda rule: rule.name)
def test_state_goes_from_python_to_c_and_back(library: Library, rule: Rule) -> None:
    options = rule.options[-1]
    pair = Pair(library, rule.optimizer_name, np.float32, options)
    other = Pair(library, rule.optimizer_name, np.float32, options)
    for k in range(3):
        pair.step(k)
    saved, mine = pair.python.state_dict(copy=True), pair.native.save()
    assert mine["rule"] == saved["rule"]
    assert mine["format"] == saved["format"]
    assert mine["step"] == saved["step"]
    assert mine["param_steps"] == saved["param_steps"]
    assert mine["values"] == [native.values_of(pair.python)]
    # Each into the other's optimizer of the second pair.
    for path in other.params:
        other.params[path][...] = pair.params[path]
        other.mine[path][...] = pair.mine[path]
    other.native.start()
    other.native.load(saved)
    keys = ("format", "rule", "step", "param_steps", "state")
    other.python.load_state_dict(saved | {key: mine[key] for key in keys})
    other.check()
    for k in range(3, 6):
        pair.step(k)
        other.step(k)
    other.check()
    for path in pair.params:
        np.testing.assert_array_equal(bits(other.mine[path]), bits(pair.params[path]))


@pytest.mark.parametrize("low_precision", ["master", "split", "stochastic"])
def test_state_of_every_format_goes_both_ways(library: Library, low_precision: str) -> None:
    common = {"low_precision": low_precision, "state_dtype": "8bit", "ema": optcore.EMA(0.5)}
    pair = Pair(library, "AdamW", BF16, {}, **common)
    other = Pair(library, "AdamW", BF16, {}, **common)
    pair.step(0)
    for path in other.params:
        other.params[path][...] = pair.params[path]
        other.mine[path][...] = pair.mine[path]
    saved, mine = pair.python.state_dict(copy=True), pair.native.save()
    other.native.start()
    other.native.load(saved)
    other.python.load_state_dict(saved | {"state": mine["state"]})
    other.step(1)
    other.check()


def test_state_that_does_not_fit_changes_nothing(library: Library) -> None:
    pair = Pair(library, "Adam", np.float32, {})
    pair.step(0)
    saved = pair.python.state_dict(copy=True)
    for change, code in (
        ({"rule": "lion"}, 'OPTCORE_BAD_STATE: state/rule: expected "adam", got "lion"'),
        ({"format": 2}, "OPTCORE_BAD_STATE: state/format"),
        ({"step": 2**64 - 1}, "OPTCORE_BAD_STATE: state/step"),
        ({"state": {}}, "OPTCORE_BAD_STATE: state/tensors"),
    ):
        with pytest.raises(CallError, match=re.escape(code)):
            pair.native.load(saved | change)
    pair.check()


# Schedules. --------------------------------------------------------------------------------------


STEPS = np.concatenate(
    [np.arange(1200, dtype=np.uint64), np.array([2**31, 2**53 + 1, 2**64 - 1], np.uint64)]
)


@pytest.mark.parametrize(
    "schedule",
    [schedule for schedule, _ in CATALOGUE if schedule._native is not None],
    ids=lambda schedule: repr(schedule)[:60],
)
def test_every_schedule_has_the_same_bits(library: Library, schedule: schedules.Schedule) -> None:
    wanted = schedule(STEPS)
    for shown in (False, True):
        handle = library.schedule(schedule, shown)
        np.testing.assert_array_equal(library.values(handle, STEPS), wanted)
        library.call("schedule_destroy", handle)


def test_every_family_of_schedules_is_tested() -> None:
    def names(schedule: Any) -> set[str]:
        inner = [v for v in schedule._arguments().values()]
        inner += [x for v in inner if isinstance(v, tuple) for x in v]
        below = [names(s) for s in inner if isinstance(s, schedules.Schedule)]
        return {schedule._native_name()}.union(*below)

    more = {"multi_step", "cosine_restarts", "warmup_cosine", "shifted", "every"}
    found = set().union(*(names(s) for s, _ in CATALOGUE if s._native is not None)) | more
    assert found >= set(optcore._core.schedule_families())


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.MultiStep(0.1, [5, 50]),
        schedules.CosineRestarts(0.1, 20, t_mul=2),
        schedules.WarmupCosine(0.1, 10, 100),
        schedules.Linear(0.1, 100).shift(7),
        schedules.Linear(0.1, 10).every(9),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_the_other_schedules(library: Library, schedule: schedules.Schedule) -> None:
    test_every_schedule_has_the_same_bits(library, schedule)


# The catalogue. ----------------------------------------------------------------------------------


@sources
def test_the_tables_are_written_from_the_classes() -> None:
    for path, text in presets.files().items():
        here = ROOT / "cpp" / path.relative_to(presets.ROOT)  # the package may lie elsewhere
        assert here.read_text(encoding="utf-8") == text, "run python -m optcore.presets"


def test_the_catalogue_is_that_of_python(library: Library) -> None:
    listed = {}
    for i in range(library.c.optcore_rule_count()):
        info = native.RuleInfo()
        library.call("rule_at", c_int64(i), ctypes.byref(info))
        listed[info.title.decode()] = info
    rules = {rule["name"]: rule for rule in optcore.rules()}
    assert set(listed) == set(rules)
    for title, info in listed.items():
        assert info.rule.decode() == rules[title]["rule"]
        assert info.kind.decode() == rules[title]["kind"]
        kind = getattr(optcore, title)
        assert bool(info.available) == presets.available(kind)
        if info.available:
            own = presets.preset(kind)
            assert info.values == len(own.values)
            assert bool(info.maskable) == kind.maskable()
            for i, each in enumerate(own.values):
                value = native.ValueInfo()
                library.call("rule_value", info.name, c_int64(i), ctypes.byref(value))
                assert value.name.decode() == each.name
                assert value.initial == each.default
                assert ("number", "switch", "option")[value.kind] == each.kind
                assert bool(value.fixed) == each.fixed


def test_the_defaults_of_schedules_are_those_of_python(library: Library) -> None:
    for name in optcore._core.schedule_families():
        kind = saving.FAMILIES["exponential" if name == "exponential_decay" else name]
        python = {f.name for f in saving.parameters(kind) if f.default is not presets.MISSING}
        for parameter, _ in library._kinds(name).items():
            info = native.ArgumentInfo()
            index = list(library._kinds(name)).index(parameter)
            library.call("schedule_argument", name.encode(), c_int64(index), ctypes.byref(info))
            optional = parameter in python and (name, parameter) != ("exponential", "gamma")
            optional = optional and (name, parameter) != ("exponential_decay", "decay")
            assert bool(info.required) != optional, (name, parameter)


def test_rules_that_need_python_are_refused(library: Library) -> None:
    for name in ("Muon", "Shampoo", "SOAP", "LBFGS", "SM3"):
        with pytest.raises(CallError, match=f"OPTCORE_UNSUPPORTED: .*{name}, which needs NumPy"):
            Native(library, name)


# The library and the headers. --------------------------------------------------------------------


def declared() -> set[str]:
    """The functions of the C header."""
    text = (HEADERS / "optcore.h").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"OPTCORE_API[^;(]*?\b(optcore_\w+)\(", text))


@sources
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("nm"), reason="needs nm and ELF")
def test_only_our_symbols_are_exported(library: Library) -> None:
    done = subprocess.run(
        ["nm", "-D", "--defined-only", native.library_path()],
        capture_output=True,
        text=True,
        check=True,
    )
    exported = sorted(line.split()[-1] for line in done.stdout.splitlines())
    listed = (TESTS / "exported_symbols.txt").read_text(encoding="utf-8").split()
    assert exported == listed
    assert set(exported) == declared()


@sources
def test_every_function_is_tried_with_null() -> None:
    text = (TESTS / "test_null_pointers.cpp").read_text(encoding="utf-8")
    without_pointers = {
        f"optcore_{name}"
        for name in (
            "abi_version",
            "version",
            "last_error",
            "status_name",
            "dtype_bytes",
            "dtype_name",
            "has_openmp",
            "set_threads",
            "rule_count",
            "schedule_count",
        )
    }
    assert declared() - without_pointers == set(re.findall(r"\b(optcore_\w+)\(", text))


COMPILERS = [
    (compiler, language, standard, header)
    for c, cpp in (("gcc", "g++"), ("clang", "clang++"))
    for compiler, language, standard, header in (
        (c, "c", "c99", "optcore.h"),
        (c, "c", "c11", "optcore.h"),
        (cpp, "c++", "c++17", "optcore.h"),
        (cpp, "c++", "c++17", "optcore.hpp"),
        (cpp, "c++", "c++17", "values.hpp"),
        (cpp, "c++", "c++17", "hyperparameters.hpp"),
    )
]


@sources
@pytest.mark.parametrize(("compiler", "language", "standard", "header"), COMPILERS)
def test_the_headers_compile_alone(
    compiler: str, language: str, standard: str, header: str, tmp_path: Path
) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")
    source = tmp_path / f"alone.{language.replace('+', 'p')}"
    source.write_text(f'#include "optcore/{header}"\nint alone;\n', encoding="utf-8")
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-std={standard}"]
    include = f"-I{HEADERS.parent}"
    done = subprocess.run(
        [compiler, *flags, include, "-x", language, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_handle_that_is_none(library: Library) -> None:
    with pytest.raises(CallError, match="OPTCORE_BAD_HANDLE"):
        library.call("schedule_destroy", c_void_p(library.c._handle))
