"""Programs in C and C++ that use optcore, built in every way that it can be had: their numbers are
Python's to the bit, and no compile flag of ours reaches them.

What is installed with the package is always tried. What `cmake --install` installs comes from a
build of tests/consumers/add_subdirectory: OPTCORE_SUBDIRECTORY names its folder, and
OPTCORE_TEST_BUILD=1 makes one, which takes minutes.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from native_builds import configure, run, tool, wheel_prefix

import optcore

ROOT = Path(__file__).parents[1]
CONSUMERS = ROOT / "tests" / "consumers"

pytestmark = [
    pytest.mark.skipif(not CONSUMERS.exists(), reason="no sources here"),
    pytest.mark.skipif(sys.platform == "win32", reason="calls compilers as on Unix"),
]


# Where optcore is. -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def from_wheel() -> Path:
    """The package as pip installed it."""
    return wheel_prefix()


@pytest.fixture(scope="session")
def subdirectory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the project that optcore is a folder of."""
    if given := os.environ.get("OPTCORE_SUBDIRECTORY"):
        return Path(given)
    if not os.environ.get("OPTCORE_TEST_BUILD"):
        pytest.skip("OPTCORE_SUBDIRECTORY=build, or OPTCORE_TEST_BUILD=1 to build for minutes")
    build = tmp_path_factory.mktemp("subdirectory")
    configure(CONSUMERS / "add_subdirectory", build, OPTCORE_INSTALL="ON")
    run(tool("cmake"), "--build", build, "--parallel", os.cpu_count())
    return build


@pytest.fixture(scope="session")
def from_cmake(subdirectory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that it was installed into."""
    prefix = tmp_path_factory.mktemp("prefix") / "a b"  # blanks are legal in paths
    run(tool("cmake"), "--install", subdirectory, "--prefix", prefix)
    return prefix


@pytest.fixture(params=["wheel", "cmake"])
def prefix(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(f"from_{request.param}")
    return found


@pytest.fixture(params=[("gcc", "g++"), ("clang", "clang++")], ids=["gcc", "clang"])
def compilers(request: pytest.FixtureRequest) -> tuple[str, str]:
    c, cpp = request.param
    return tool(c), tool(cpp)


# What they have to print. ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wanted() -> list[str]:
    """The steps of consumer.c in Python."""
    i, j = np.arange(35), np.arange(6)
    params = {"W": ((i - 17) / 16).astype(np.float32).reshape(5, 7), "b": j / 8}
    opt = optcore.AdamW(
        params,
        lr=optcore.schedules.WarmupCosine(peak=0.05, warmup=3, total=10),
        weight_decay=0.1,
        clip_norm=1.0,
    )
    for k in range(10):
        dW = (((i * 7 + k * 3) % 11 - 5) / 8).astype(np.float32).reshape(5, 7)
        opt.step({"W": dW, "b": ((j * 5 + k) % 7 - 3) / 4})
    W, b = params["W"].ravel().view(np.uint32), params["b"].view(np.uint64)
    return [f"{x:08x}" for x in W] + [f"{x:016x}" for x in b]


def check(program: Path, wanted: list[str], **environment: str) -> None:
    assert run(program, **environment).split() == wanted, program


# The ways. ---------------------------------------------------------------------------------------


def build_all(build: Path) -> None:
    run(tool("cmake"), "--build", build)


def flags_of_consumers(build: Path) -> list[list[str]]:
    """What the programs are compiled with, but for the compiler and the names of files."""
    flags = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]).parent == CONSUMERS:
            words = shlex.split(entry["command"])[1:]
            end = words.index("-o") if "-o" in words else len(words)
            flags.append(words[:end])
    return flags


def check_flags(build: Path) -> None:
    """An include folder, and nothing else that the project did not say itself."""
    found = flags_of_consumers(build)
    assert found
    for words in found:
        plain = [w for w in words if not w.startswith(("-I", "-std="))]
        if "-isystem" in plain:
            at = plain.index("-isystem")
            del plain[at : at + 2]
        assert plain == ["-O3", "-DNDEBUG"], words


def test_find_package(
    prefix: Path, compilers: tuple[str, str], wanted: list[str], tmp_path: Path
) -> None:
    c, cpp = compilers
    for project in ("find_package", "find_package_c"):
        build = tmp_path / project
        more = {"CMAKE_CXX_COMPILER": cpp} if project == "find_package" else {}
        configure(CONSUMERS / project, build, CMAKE_PREFIX_PATH=prefix, CMAKE_C_COMPILER=c, **more)
        build_all(build)
        check_flags(build)
    kinds = ("static", "shared", "optcore")
    for program in [f"{language}_{kind}" for language in ("c", "cpp") for kind in kinds]:
        check(tmp_path / "find_package" / program, wanted)
    check(tmp_path / "find_package_c" / "c_optcore", wanted)


def test_the_entry_point_leads_cmake_to_the_package(from_wheel: Path) -> None:
    """scikit-build-core makes such an entry the variable optcore_ROOT."""
    (entry,) = [
        e for e in importlib.metadata.entry_points(group="cmake.root") if e.name == "optcore"
    ]
    found = importlib.util.find_spec(entry.value)
    assert found is not None
    assert from_wheel in [Path(p).resolve() for p in found.submodule_search_locations or ()]


def test_pkg_config(
    prefix: Path, compilers: tuple[str, str], wanted: list[str], tmp_path: Path
) -> None:
    (folder,) = {p.parent for p in prefix.rglob("optcore.pc")}

    def asked(*options: str) -> list[str]:
        words = run(tool("pkg-config"), *options, "optcore", PKG_CONFIG_PATH=str(folder))
        return shlex.split(words)

    assert asked("--modversion") == [optcore.__version__]
    (include,) = asked("--cflags")
    assert Path(include[2:], "optcore", "optcore.h").is_file()
    libdir = next(w[2:] for w in asked("--libs") if w.startswith("-L"))
    for compiler, name in zip(compilers, ("consumer.c", "consumer.cpp"), strict=True):
        program = tmp_path / name.replace(".", "_")
        standard = "-std=c99" if name.endswith(".c") else "-std=c++17"
        run(
            compiler, standard, CONSUMERS / name, *asked("--cflags", "--libs"),
            f"-Wl,-rpath,{libdir}", "-o", program,
        )  # fmt: skip
        check(program, wanted)


def test_a_plain_line(
    prefix: Path, compilers: tuple[str, str], wanted: list[str], tmp_path: Path
) -> None:
    """`cc` alone, with the shared library and with the static one."""
    cc, libdir = compilers[0], next(prefix.rglob("liboptcore.a")).parent
    line = [cc, "-std=c99", CONSUMERS / "consumer.c", f"-I{prefix / 'include'}"]
    shared, static = tmp_path / "shared", tmp_path / "static"
    run(*line, f"-L{libdir}", "-loptcore", f"-Wl,-rpath,{libdir}", "-o", shared)
    check(shared, wanted)
    pc = next(prefix.rglob("optcore.pc")).read_text(encoding="utf-8")
    private = next(w for w in pc.splitlines() if w.startswith("Libs.private:")).split()[1:]
    run(*line, libdir / "liboptcore.a", *private, "-o", static)
    check(static, wanted)
    if sys.platform == "linux":
        assert "liboptcore" not in run("readelf", "-d", static)


def test_add_subdirectory(subdirectory: Path, wanted: list[str]) -> None:
    check_flags(subdirectory)
    kinds = ("static", "shared", "optcore")
    for program in [f"{language}_{kind}" for language in ("c", "cpp") for kind in kinds]:
        check(subdirectory / program, wanted)


def test_fetch_content_compiles_the_same(tmp_path: Path) -> None:
    """It is add_subdirectory by another name, so the commands are looked at, not run. The host's
    fast math stays with the host, and nothing of ours is installed along with it."""
    cc, cxx = tool("gcc"), tool("g++")
    commands = {}
    for project in ("fetch_content", "add_subdirectory"):
        build = tmp_path / project
        configure(
            CONSUMERS / project, build, OPTCORE_SOURCE=ROOT, CMAKE_C_COMPILER=cc,
            CMAKE_CXX_COMPILER=cxx, CMAKE_CXX_FLAGS="-ffast-math -flto", OPTCORE_OPENMP="OFF",
        )  # fmt: skip
        entries = json.loads((build / "compile_commands.json").read_text())
        ours = [e for e in entries if Path(e["file"]).is_relative_to(ROOT / "cpp")]
        commands[project] = {
            (e["file"], tuple(w for w in shlex.split(e["command"]) if w.startswith("-")))
            for e in ours
        }
        assert not (build / "optcore" / "optcoreConfig.cmake").exists()
    assert commands["fetch_content"] == commands["add_subdirectory"]
    assert len(commands["add_subdirectory"]) > 40
    for file, words in commands["add_subdirectory"]:
        assert words.index("-ffast-math") < words.index("-fno-fast-math"), file
        assert words.index("-fno-fast-math") < words.index("-ffp-contract=off"), file
        assert "-fopenmp" not in words, file
        if any(w.startswith("-DOPTCORE_ISA=") for w in words):
            assert words.index("-fno-fast-math") < words.index("-fno-math-errno"), file
            assert words.index("-flto") < words.index("-fno-lto"), file
