"""docs/embedding.md and examples/native: every block of code is compiled and run against the
installed package, every example too, and the reference is made from the headers without a warning.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from native_builds import configure, run, tool, wheel_prefix

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "embedding.md"
EXAMPLES = ROOT / "examples" / "native"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")

pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="no sources here"),
    pytest.mark.skipif(sys.platform == "win32", reason="calls compilers as on Unix"),
]


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


C, CPP, CMAKE, SHELL = (blocks(language) for language in ("c", "cpp", "cmake", "sh"))


@pytest.fixture(scope="module")
def prefix() -> Path:
    return wheel_prefix()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with main.c, where the blocks for CMake and the shell expect to be."""
    (tmp_path / "main.c").write_text(C[0], encoding="utf-8")
    return tmp_path


def shell(script: str, folder: Path) -> None:
    """Runs it with the tools that stand beside this Python in front."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run("sh", "-euc", f'cd "$0"\n{script}', folder, PATH=path)


def test_every_block_is_tried() -> None:
    found = re.findall(r"^```(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(found) == sorted(
        ["c", *["cpp"] * 2, *["cmake"] * 3, *["sh"] * 2, "python", "rust"]
    )


def test_c(prefix: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "block.c", tmp_path / "block"
    source.write_text(C[0], encoding="utf-8")
    libdir = prefix / "lib"
    run(
        tool("cc"), "-std=c99", *WARNINGS, source, f"-I{prefix / 'include'}", f"-L{libdir}",
        "-loptcore", f"-Wl,-rpath,{libdir}", "-o", program,
    )  # fmt: skip
    printed = [float(x) for x in run(program).split()]
    assert len(printed) == 3
    assert all(abs(x) < 0.1 for x in printed)


@pytest.mark.parametrize("block", CPP, ids=["quick start", "host threads"])
def test_cpp(block: str, prefix: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "block.cpp", tmp_path / "block"
    source.write_text(block, encoding="utf-8")
    libdir = prefix / "lib"
    run(
        tool("c++"), "-std=c++17", *WARNINGS, source, f"-I{prefix / 'include'}", f"-L{libdir}",
        "-loptcore", "-pthread", f"-Wl,-rpath,{libdir}", "-o", program,
    )  # fmt: skip
    printed = run(program)
    assert not printed or re.match(r"step 99, norm [0-9.]+$", printed)


def test_cmake_finds_the_wheel(prefix: Path, project: Path) -> None:
    (project / "CMakeLists.txt").write_text(CMAKE[0], encoding="utf-8")
    tool("cmake")
    shell(SHELL[0], project)
    run(project / "build" / "trainer")


@pytest.mark.parametrize("block", CMAKE[1:], ids=["add_subdirectory", "FetchContent"])
def test_cmake_takes_the_sources(block: str, project: Path) -> None:
    """Configured, not built: test_consumers.py looks at what would be compiled, and builds it."""
    (project / "CMakeLists.txt").write_text(block, encoding="utf-8")
    (project / "third_party").mkdir()
    (project / "third_party" / "optcore").symlink_to(ROOT)
    configure(project, project / "build")
    commands = json.loads((project / "build" / "compile_commands.json").read_text())
    names = {Path(entry["file"]).name for entry in commands}
    assert names >= {"main.c", "kernels.cpp", "api_optimizers.cpp"}
    assert "module.cpp" not in names


@pytest.mark.skipif(sys.platform != "linux", reason="names GNU's libraries")
def test_pkg_config_and_a_plain_line(prefix: Path, project: Path) -> None:
    for name in ("pkg-config", "cc"):
        tool(name)
    script = SHELL[1]
    if "-lgomp" not in (prefix / "lib/pkgconfig/optcore.pc").read_text(encoding="utf-8"):
        script = script.replace(" -lgomp", "")
    shell(script, project)
    assert run(project / "trainer") == run(project / "trainer_static")


def shared_library(prefix: Path) -> Path:
    (found,) = (p for p in (prefix / "lib").iterdir() if p.suffix in (".so", ".dylib"))
    return found


def test_ctypes(prefix: Path) -> None:
    (block,) = blocks("python")
    assert re.match(r"\d+\.\d+\.\d+$", run(sys.executable, "-c", block, shared_library(prefix)))


def test_rust(prefix: Path, tmp_path: Path) -> None:
    source, program = tmp_path / "main.rs", tmp_path / "main"
    (block,) = blocks("rust")
    source.write_text(block, encoding="utf-8")
    libdir = prefix / "lib"
    run(
        tool("rustc"), "--edition", "2021", source, "-L", f"native={libdir}", "-l",
        "dylib=optcore", "-C", f"link-arg=-Wl,-rpath,{libdir}", "-o", program,
    )  # fmt: skip
    run(program)


# Examples. ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def examples(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of examples as a project of its own, built."""
    build = tmp_path_factory.mktemp("examples")
    configure(EXAMPLES, build, CMAKE_PREFIX_PATH=prefix, Python_EXECUTABLE=sys.executable)
    run(tool("cmake"), "--build", build)
    return build


@pytest.mark.parametrize("name", ["logistic", "mlp", "host_threads", "ctypes", "rust"])
def test_example(name: str, examples: Path) -> None:
    """Each fails unless it learns what it should."""
    ctest = [tool("ctest"), "--test-dir", examples]
    if f"example_{name}\n" not in run(*ctest, "--show-only"):
        pytest.skip({"mlp": "no scikit-learn here", "rust": "no rustc here"}[name])
    run(*ctest, "--output-on-failure", "-R", f"^example_{name}$")


def test_every_example_has_a_test() -> None:
    files = {p.name for p in EXAMPLES.iterdir() if p.is_file() and p.suffix != ".md"}
    assert files == {
        "CMakeLists.txt", "logistic.c", "mlp.cpp", "digits.py", "host_threads.cpp", "host.py",
        "host.rs",
    }  # fmt: skip


# The reference. ----------------------------------------------------------------------------------


def test_the_reference_is_made_without_a_warning(tmp_path: Path) -> None:
    doxygen = shutil.which("doxygen")
    if doxygen is None:
        pytest.skip("no doxygen here")
    run("sh", "-euc", f'cd "$0"; {doxygen} docs/Doxyfile', ROOT, OPTCORE_REFERENCE=str(tmp_path))
    pages = {p.name for p in (tmp_path / "html").iterdir()}
    assert {"group__optimizers.html", "group__schedules.html", "group__state.html"} <= pages
    assert any("Optimizer" in name for name in pages)


def test_everything_in_the_c_header_is_documented() -> None:
    text = (ROOT / "cpp/include/optcore/optcore.h").read_text(encoding="utf-8")
    declared = re.findall(r"^OPTCORE_API|^typedef |^enum \{", text, re.MULTILINE)
    documented = re.findall(r"\*/\n(?:OPTCORE_API|typedef |enum \{)", text)
    assert len(declared) == len(documented) > 60
