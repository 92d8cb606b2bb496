"""What the compiler made of the kernels: the objects themselves, one per ISA level.

The linker keeps one copy of a function that several objects define, and may keep the one that
needs AVX; so each object may define one symbol and no more. Contraction would change bits, so no
fused multiply-add may appear; and a sweep that silently did not vectorize is a defect.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from optcore import _core

ROOT = Path(__file__).parents[1]
X86 = platform.machine() in ("x86_64", "AMD64")
LEVELS = ("baseline", "x86_64_v3", "x86_64_v4") if X86 else ("baseline",)

# What a compiler may call on its own accord, and libm's correctly rounded square root.
MAY_CALL = {"memcpy", "memmove", "memset", "sqrt", "sqrtf", "_GLOBAL_OFFSET_TABLE_"}

FUSED = re.compile(r"^(vfn?m(add|sub)|fn?m(add|sub|la|ls)$)")
AVX = re.compile(r"^v[a-z]|[yz]mm\d")

# The functions that go over elements.
LOOPS = re.compile(
    r"::(sweep(_bf16)?|masked_sweep|rule_sums|agreeing|factored_(stats|update_sums|apply|vector_sums|vector_apply)"
    r"|rowwise_(sum|apply)|sum_squares(_16)?|stream|vector_(dot|axpy|scale))<"
)
WIDTHS = {"baseline": 16, "x86_64_v3": 32, "x86_64_v4": 64}


def tool(name: str) -> str | None:
    """Where a tool is: beside this Python first, where pip put it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which(name, path=path)


CXX = os.environ.get("CXX") or tool("g++") or tool("c++")
TOOLS = {"nm": tool("nm"), "objdump": tool("objdump"), "cmake": tool("cmake"), "g++": CXX}
MISSING = [name for name, path in TOOLS.items() if path is None]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into ELF objects"),
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)} here"),
    pytest.mark.skipif(not (ROOT / "CMakeLists.txt").exists(), reason="no sources here"),
]


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Instruction:
    mnemonic: str
    operands: str


@dataclass
class Object:
    """One object file and what the compiler said about it."""

    level: str
    path: Path
    remarks: str

    def symbols(self) -> Iterator[tuple[str, str]]:
        """Kind (nm's letter) and demangled name of every symbol."""
        for line in run(TOOLS["nm"], "-C", self.path).splitlines():
            _, kind, name = re.fullmatch(r"([0-9a-f]*)\s+(\S) (.*)", line).groups()
            yield kind, name

    def functions(self) -> dict[str, list[Instruction]]:
        """The instructions of every function."""
        found: dict[str, list[Instruction]] = {}
        name = ""
        listing = run(TOOLS["objdump"], "-d", "-C", "--no-show-raw-insn", "-w", self.path)
        for line in listing.splitlines():
            if label := re.fullmatch(r"[0-9a-f]+ <(.*)>:", line):
                name = label[1]
                found[name] = []
            elif code := re.match(r"\s*[0-9a-f]+:\s+(\S+)\s*(.*)", line):
                found[name].append(Instruction(code[1], code[2]))
        return found


def compiled(folder: Path, build_type: str) -> dict[str, Object]:
    """The ISA objects, compiled with the flags that CMake gives them."""
    ninja = tool("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    run(
        TOOLS["cmake"], "-S", ROOT, "-B", folder, *generator, f"-DCMAKE_CXX_COMPILER={CXX}",
        f"-DCMAKE_BUILD_TYPE={build_type}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
    )  # fmt: skip
    entries = json.loads((folder / "compile_commands.json").read_text())
    objects, running = {}, []
    for entry in entries:
        command = shlex.split(entry["command"])
        level = next((c[14:] for c in command if c.startswith("-DOPTCORE_ISA=")), None)
        if level is None:
            continue
        assert not {"-ffast-math", "-Ofast"} & set(command)
        path, remarks = folder / f"{level}.o", folder / f"{level}.txt"
        command[command.index("-o") + 1] = str(path)
        if is_gcc():
            command.append(f"-fopt-info-vec-optimized-missed={remarks}")
        running.append(subprocess.Popen(command, cwd=entry["directory"]))
        objects[level] = Object(level, path, "")
    assert all(process.wait() == 0 for process in running)
    for one in objects.values():
        report = one.path.with_suffix(".txt")
        one.remarks = report.read_text() if report.exists() else ""
    return objects


def is_gcc() -> bool:
    return "Free Software Foundation" in run(CXX, "--version")


def loops_of_rules() -> dict[str, int]:
    """k options make 2^k variants, each with and without coupled decay unless that is the rule's
    own affair: `sweep` in two dtypes, and `sweep_bf16` with two kinds of state. Sums and masks are
    in two dtypes as well."""
    loops = dict.fromkeys(("::sweep<", "::sweep_bf16<", "::rule_sums<", "::masked_sweep<"), 0)
    for rule in _core.rules():
        variants = 2 * len(rule["slots"]) * (1 if rule["own_decay"] else 2)
        if rule["name"] in ("adafactor", "rowwise_adagrad"):
            continue
        loops["::sweep<"] += variants
        loops["::sweep_bf16<"] += variants
        loops["::rule_sums<"] += variants if rule["sums"] else 0
        loops["::masked_sweep<"] += 2 * len(rule["slots"]) if rule["maskable"] else 0
    return loops | {"::agreeing<": loops["::masked_sweep<"]}


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    return compiled(tmp_path_factory.mktemp("release"), "Release")


@pytest.fixture(scope="session")
def debug(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Object]:
    return compiled(tmp_path_factory.mktemp("debug"), "Debug")


@pytest.fixture(params=["release", "debug"])
def objects(request: pytest.FixtureRequest) -> dict[str, Object]:
    return request.getfixturevalue(request.param)


def test_every_level_has_an_object(objects: dict[str, Object]) -> None:
    assert tuple(objects) == LEVELS


@pytest.mark.parametrize("level", LEVELS)
def test_defines_its_table_and_nothing_else(objects: dict[str, Object], level: str) -> None:
    # Lower case is local to the object, except u (unique), v and w (weak).
    symbols = list(objects[level].symbols())
    outside = [(k, name) for k, name in symbols if k != "U" and (k.isupper() or k in "uvw")]
    assert [name for _, name in outside] == [f"optcore::{level}::table"]
    assert outside[0][0] in "RD"


@pytest.mark.parametrize("level", LEVELS)
def test_calls_next_to_nothing(objects: dict[str, Object], level: str) -> None:
    called = {name for kind, name in objects[level].symbols() if kind == "U"}
    assert called <= MAY_CALL


@pytest.mark.parametrize("level", LEVELS)
def test_runs_nothing_when_loaded(objects: dict[str, Object], level: str) -> None:
    sections = run(TOOLS["objdump"], "-h", objects[level].path)
    assert not re.search(r"\.(init_array|ctors|preinit_array|bss\.\S+|tbss|tdata)\b", sections)


@pytest.mark.parametrize("level", LEVELS)
def test_fuses_nothing(objects: dict[str, Object], level: str) -> None:
    for name, code in objects[level].functions().items():
        assert not [i for i in code if FUSED.match(i.mnemonic)], name


@pytest.mark.skipif(not X86, reason="x86-64 only")
def test_baseline_is_free_of_avx(objects: dict[str, Object]) -> None:
    for name, code in objects["baseline"].functions().items():
        assert not [i for i in code if AVX.match(i.mnemonic) or AVX.search(i.operands)], name


def test_engine_and_schedules_are_built_for_any_cpu(release: dict[str, Object]) -> None:
    """Only the ISA objects may have flags that not every CPU understands."""
    folder = release["baseline"].path.parent
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        command = shlex.split(entry["command"])
        if not any(c.startswith("-DOPTCORE_ISA=") for c in command):
            assert not [c for c in command if c.startswith("-m")], entry["file"]
            assert "-ffp-contract=off" in command, entry["file"]


@pytest.mark.skipif(not X86, reason="x86-64 only")
@pytest.mark.parametrize(("level", "register"), [("x86_64_v3", "ymm"), ("x86_64_v4", "zmm")])
def test_every_loop_is_vectorized(release: dict[str, Object], level: str, register: str) -> None:
    """Each loop does its arithmetic in packed registers of the level's full width."""
    packed = re.compile(r"^v((add|sub|mul|div|sqrt|max|min)p[sd]|paddw)$")
    loops = {n: code for n, code in release[level].functions().items() if LOOPS.search(n)}
    for kind, count in loops_of_rules().items():
        assert sum(kind in name for name in loops) == count, kind
    for name, code in loops.items():
        arithmetic = [i for i in code if packed.match(i.mnemonic) and register in i.operands]
        assert arithmetic, f"{name} does not use {register} registers"


@dataclass
class Remarks:
    """What GCC says of the loop of one line, of all of its instances together."""

    full: int = 0
    """Vectorized at the level's full width."""
    narrower: int = 0
    """Vectorized at less: the rest behind a vectorized loop, at most one for each."""
    missed: int = 0


def remarks_by_loop(one: Object) -> dict[str, Remarks]:
    found: dict[str, Remarks] = {}
    for line in one.remarks.splitlines():
        where = re.search(r"(\w+\.h:\d+):\d+: ", line)
        if where is None:
            continue
        loop = found.setdefault(where[1], Remarks())
        width = re.search(r"loop vectorized using (\d+) byte vectors", line)
        if width and int(width[1]) == WIDTHS[one.level]:
            loop.full += 1
        elif width:
            loop.narrower += 1
        elif "couldn't vectorize loop" in line or "loop versioned" in line:
            loop.missed += 1
    return found


def independent_loops() -> list[str]:
    """Where the loops are that carry the independence pragma: header and line."""
    places = []
    for path in sorted((ROOT / "cpp/kernels").glob("*.h")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if line.strip() == "OPTCORE_INDEPENDENT":
                assert lines[number].strip().startswith("for ("), f"{path.name}:{number + 1}"
                places.append(f"{path.name}:{number + 1}")
    return places


@pytest.mark.skipif(not X86, reason="x86-64 only")
@pytest.mark.parametrize("level", LEVELS)
def test_the_compiler_says_so_too(release: dict[str, Object], level: str) -> None:
    """Of every instance of every loop that is meant to: the rules' and those that convert."""
    if not is_gcc():
        pytest.skip("only GCC reports which loops it vectorized in this form")
    loops, remarks = independent_loops(), remarks_by_loop(release[level])
    assert {"sweep.h", "convert.h", "code8.h", "tile.h", "vectors.h"} <= {
        name.split(":")[0] for name in loops
    }
    for name in loops:
        said = remarks.get(name, Remarks())
        assert said.full > 0, name
        assert said.missed == 0, name
        assert said.narrower <= said.full, f"{name}: an instance has narrow vectors only"

    names = [name for _, name in release[level].symbols() if re.search(r"::sweep(_bf16)?<", name)]
    count = loops_of_rules()
    assert len(names) == len(set(names)) == count["::sweep<"] + count["::sweep_bf16<"]
    in_sweep = [remarks[name].full for name in loops if name.startswith("sweep.h")]
    assert in_sweep == [count["::sweep<"] + count["::masked_sweep<"], count["::sweep_bf16<"]]


def test_the_extension_leaves_flush_to_zero_alone() -> None:
    """Linked with -ffast-math, a library changes the arithmetic of the process that loads it."""
    names = run(TOOLS["nm"], "-C", _core.__file__) + run(TOOLS["nm"], "-CD", _core.__file__)
    assert "set_fast_math" not in names
    code = (
        "import threading, numpy as np\n"
        "tiny = np.float32(1e-45)\n"
        "def alive(): assert tiny * np.float32(1) != 0\n"
        "alive()\n"
        "import optcore\n"
        "alive()\n"
        "failed = []\n"
        "threading.excepthook = failed.append\n"
        "thread = threading.Thread(target=alive); thread.start(); thread.join()\n"
        "assert not failed\n"
    )
    run(sys.executable, "-c", code)


def test_the_extension_exports_nothing_of_its_own() -> None:
    """Beside Python's entry point only what the C++ library's templates leave behind."""
    symbols = run(TOOLS["nm"], "-CD", "--defined-only", _core.__file__).splitlines()
    names = [line.split(" ", 2)[2] for line in symbols]
    assert "PyInit__core" in names
    assert not [name for name in names if "optcore" in name or "OMP" in name]
