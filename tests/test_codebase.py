"""The sources themselves: types, stubs, style, and the things that must not be in them.

A check is skipped where its tool is absent; `pip install '.[dev]'` brings them all.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import optcore
from optcore import _core
from optcore.ops import stub

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "optcore"
CPP = sorted(p for p in (ROOT / "cpp").rglob("*") if p.suffix in (".h", ".hpp", ".cpp", ".def"))
PYTHON = sorted(p for p in PACKAGE.rglob("*.py"))
FOLDERS = [f for f in ("python", "tests", "benchmarks", "examples", "docs") if (ROOT / f).exists()]

pytestmark = pytest.mark.skipif(not PYTHON, reason="no sources here")


def run(*command: object) -> None:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def needs(tool: str) -> None:
    """Skips where the tool is absent, or another version than pyproject.toml asks for."""
    try:
        version = importlib.metadata.version(tool)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"no {tool} here")
    pinned = re.search(rf'"{tool}==([0-9.]+)\*"', (ROOT / "pyproject.toml").read_text("utf-8"))
    if pinned and not version.startswith(pinned[1]):
        pytest.skip(f"{tool} {version} has another taste than {pinned[1]}x")


# Tools.


def test_mypy_is_strict_and_content() -> None:
    needs("mypy")
    run(sys.executable, "-m", "mypy")


def test_the_stub_says_what_the_extension_has() -> None:
    needs("mypy")
    run(sys.executable, "-m", "mypy.stubtest", "optcore._core", "optcore.ops")


def test_the_stub_says_what_the_torch_door_has() -> None:
    needs("mypy")
    pytest.importorskip("torch")
    run(sys.executable, "-m", "mypy.stubtest", "optcore.torch")


def test_the_stub_of_ops_is_written_from_their_signatures() -> None:
    assert stub.PATH.read_text(encoding="utf-8") == stub.text(), "run python -m optcore.ops.stub"


def test_the_stub_of_the_torch_door_is_written_from_its_signatures() -> None:
    pytest.importorskip("torch")
    from optcore.torch import stub

    assert stub.PATH.read_text(encoding="utf-8") == stub.text(), "run python -m optcore.torch.stub"


USES_OPS = """\
import numpy as np
from optcore import ops

p, g, m = np.ones(3), np.ones(3), np.zeros(3)
ops.adamw_(p, g, m, p, step=1, lr=1e-3, betas=(0.9, 0.99))
ops.adam_([p], [None], [m], [p], step=[1])
ops.sm3_(p, g, m, accumulator_0=m, step=1)
ops.adamw_(p, g, m, p, step=1, learning_rate=1e-3)
ops.adamw_(p, g, m, p, step=1, lr="high")
ops.adamw_(p, g, step=1)
ops.adamw_(p, g, m, p)
ops.sm3_(p, g, m, step=1, beta3=0.1)
"""


def test_mypy_knows_the_arguments_of_ops(tmp_path: Path) -> None:
    """The last five lines have an error each, the others none."""
    needs("mypy")
    path = tmp_path / "uses_ops.py"
    path.write_text(USES_OPS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    found = re.findall(r"uses_ops\.py:(\d+): error: .*\[(.*)\]", done.stdout)
    kinds = ["call-arg", "arg-type", "call-arg", "call-arg", "arg-type"]
    first = len(USES_OPS.splitlines()) - len(kinds) + 1
    assert found == [(str(first + i), kind) for i, kind in enumerate(kinds)], done.stdout


def test_ruff_finds_nothing() -> None:
    needs("ruff")
    run(sys.executable, "-m", "ruff", "check", "--no-cache", *FOLDERS)


def test_python_is_formatted() -> None:
    needs("ruff")
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", *FOLDERS)


def test_cpp_is_formatted() -> None:
    needs("clang-format")
    clang_format = Path(sys.executable).parent / "clang-format"
    sources = [p for p in CPP if p.suffix != ".def"]
    for folder in ("tests/cpp", "tests/consumers", "examples/native"):
        sources += [p for p in (ROOT / folder).iterdir() if p.suffix in (".c", ".cpp", ".h")]
    run(clang_format, "--dry-run", "--Werror", *sources)


# One truth in one place.


def test_the_version_is_written_once() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    written = re.search(r"project\(optcore VERSION ([0-9.]+)", cmake)[1]
    assert written == _core.__version__ == optcore.__version__
    assert written == importlib.metadata.version("optcore")
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_source_is_built() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    for path in CPP:
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".cpp" and not name.startswith(("cpp/schedules/", "cpp/kernels/")):
            assert re.search(rf"^\s+{re.escape(name)}\)?$", cmake, re.M), name


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    for name in ("py.typed", "_core.pyi", "ops/__init__.pyi"):
        assert (Path(optcore.__file__).parent / name).exists(), name


def test_the_catalogue_lists_every_optimizer() -> None:
    """With a paper, and with options and state that the class really has."""
    kinds = {
        name: kind
        for name, kind in vars(optcore).items()
        if inspect.isclass(kind) and hasattr(kind, "step") and name != "Optimizer"
    }
    listed = {rule["name"]: rule for rule in optcore.rules()}
    assert set(listed) == {name for name, kind in kinds.items() if hasattr(kind, "paper")}
    for name, rule in listed.items():
        assert re.search(r", (19|20)\d\d", rule["paper"]), name
        assert rule["kind"] in ("elementwise", "per_tensor", "global"), name
        assert set(rule["options"]) <= set(inspect.signature(kinds[name]).parameters), name


# What must not be there.


def without_comments(source: str) -> str:
    """C++ with comments and strings blanked out, line by line as before."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, source, flags=re.S)


LIBM = "a?(?:cos|sin|tan)h?|atan2|cbrt|erfc?|exp2?|expm1|fma|hypot|[lt]gamma|log(?:10|1p|2)?|pow"
CALLS_LIBM = re.compile(
    rf"(?:\bstd::|(?<![:\w.>])::|\b__builtin_)(?:{LIBM})[fl]?\s*\(|(?<![:\w.>~])(?:{LIBM})[fl]?\s*\("
)
STD_LIBM = re.compile(rf"\bstd::(?:{LIBM})\b")
OWN = {"elementary.h", "elementary.cpp", "elementary_cos.cpp"}  # these define them


@pytest.mark.parametrize("path", CPP, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_cpp_calls_no_libm_transcendental(path: Path) -> None:
    """libm picks its variants by CPU, and they differ in the last bit."""
    code = without_comments(path.read_text(encoding="utf-8"))
    code = re.sub(r"\bdouble\s+\w+\(", "", code)  # definitions of our own
    pattern = STD_LIBM if path.name in OWN else CALLS_LIBM
    assert not [m[0] for m in pattern.finditer(code)]


FLAGS = re.compile(r"-ffast-math|-Ofast|-funsafe-math|-march=native|/fp:fast|-mdaz-ftz")


def test_no_build_file_asks_for_fast_math() -> None:
    files = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", ROOT / "pyproject.toml"]
    for path in [*files, *(ROOT / "cmake").iterdir(), *(ROOT / ".ci").glob("*")]:
        if path.exists():
            assert not FLAGS.search(path.read_text(encoding="utf-8")), path
    for path in CPP:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"optimize\s*\(|float_control|fp_contract\s*\(?on|STDC FP", text), path


def test_kernels_include_c_headers_only() -> None:
    """Even std::sqrt(float) would be an inline function that two ISA levels share."""
    allowed = {"<stddef.h>", "<stdint.h>", "<math.h>", "<string.h>"}
    rules = {p.name for p in CPP if p.parent.name in ("kernels", "rules")}
    included_by_all = (ROOT / "cpp/rules/all.h").read_text(encoding="utf-8")
    for path in CPP:
        in_kernel = path.parent.name == "kernels" or f'"{path.name}"' in included_by_all
        if not in_kernel or path.name not in rules:
            continue
        for included in re.findall(r"#include (\S+)", path.read_text(encoding="utf-8")):
            assert included in allowed or included[0] == '"', f"{path.name} includes {included}"


def test_only_the_bindings_know_python() -> None:
    for path in CPP:
        if path.parent.name != "bindings":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"#include\s+[<\"](pybind11|Python\.h|numpy)", text), path


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_python_runs_no_code_from_files(path: Path) -> None:
    """No pickle anywhere, in particular not through NumPy."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {getattr(node, "module", None) or "", *(a.name for a in node.names)}
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec")


# Documentation.


def modules() -> Iterator[str]:
    """Every module of the package as it is installed."""
    yield "optcore"
    for found in pkgutil.walk_packages(optcore.__path__, "optcore."):
        if found.name not in ("optcore._core", "optcore.__main__"):
            yield found.name


def imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("optcore"):
            raise
        pytest.skip(f"needs {error.name}")


@pytest.mark.parametrize("name", list(modules()))
def test_everything_public_has_a_docstring(name: str) -> None:
    module = imported(name)
    assert module.__doc__, name
    for key, value in vars(module).items():
        own = getattr(value, "__module__", None) == name
        if key.startswith("_") or not own or not (inspect.isclass(value) or callable(value)):
            continue
        assert inspect.getdoc(value), f"{name}.{key}"
        if inspect.isclass(value):
            for attribute, member in vars(value).items():
                is_code = inspect.isfunction(member) or isinstance(member, property)
                if is_code and not attribute.startswith("_"):
                    documented = inspect.getdoc(getattr(value, attribute))
                    assert documented, f"{name}.{key}.{attribute}"


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings_run(name: str) -> None:
    if name.startswith("optcore.plot."):
        pytest.importorskip("matplotlib")
    assert doctest.testmod(imported(name)).failed == 0


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_examples_in_documents_run(name: str) -> None:
    if not (ROOT / name).exists():
        pytest.skip(f"no {name} here")
    failed, _ = doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8")
    assert failed == 0
