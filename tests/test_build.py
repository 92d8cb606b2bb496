"""What an installed optcore consists of, and what its sdist and wheel hold.

Building takes a minute, so the second half runs only where OPTCORE_TEST_BUILD is set.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "optcore"
BENCHMARKS = ROOT / "benchmarks"
HEADERS = ROOT / "cpp" / "include" / "optcore"
LIBRARIES = {
    "win32": {"lib/optcore.lib", "lib/optcore_static.lib", "bin/optcore.dll"},
    "darwin": {"lib/liboptcore.a", "lib/liboptcore.dylib"},
}.get(sys.platform, {"lib/liboptcore.a", "lib/liboptcore.so"})
EXTENSION = "optcore/_core.*" if sys.platform != "win32" else "optcore/_core*.pyd"

slow = pytest.mark.skipif(not os.environ.get("OPTCORE_TEST_BUILD"), reason="OPTCORE_TEST_BUILD=1")


def files(folder: Path) -> set[str]:
    """The files that belong to a folder of the source tree."""
    found = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(folder).as_posix() for p in found if p.suffix != ".md"}


def sources() -> set[str]:
    """The files of the package, and the benchmarks, which it carries along."""
    package = {f"optcore/{name}" for name in files(PACKAGE)}
    return package | {f"optcore/benchmarks/{name}" for name in files(BENCHMARKS)}


def native() -> set[str]:
    """What C and C++ need; the libraries themselves are counted apart."""
    config = ("Config", "ConfigVersion", "Targets", "Targets-release")
    headers = {f"include/optcore/{name}" for name in files(HEADERS)}
    cmake = {f"lib/cmake/optcore/optcore{name}.cmake" for name in config}
    return {f"optcore/{name}" for name in headers | cmake | {"lib/pkgconfig/optcore.pc"}}


def split(names: list[str]) -> tuple[set[str], set[str], set[str]]:
    """The package without what was compiled, what was compiled, and the metadata."""
    metadata = {n.split("/", 1)[1] for n in names if n.split("/")[0].endswith(".dist-info")}
    package = {n for n in names if n.startswith("optcore/")}
    rest = [n for n in names if n not in package and ".dist-info/" not in n]
    assert not rest, f"outside the package: {rest}"
    binary = {
        n for n in package if Path(n).suffix in (".so", ".pyd", ".dylib", ".dll", ".a", ".lib")
    }
    return package - binary, binary, metadata


def check(names: list[str]) -> None:
    package, binary, metadata = split(names)
    assert package == sources() | native()
    (extension,) = binary - {f"optcore/{name}" for name in LIBRARIES}
    assert fnmatch(extension, EXTENSION)
    assert len(binary) == 1 + len(LIBRARIES)
    assert metadata >= {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def installed() -> importlib.metadata.Distribution:
    distribution = importlib.metadata.distribution("optcore")
    if not PACKAGE.exists() or not distribution.files:
        pytest.skip("not installed from these sources")
    if '"editable": true' in (distribution.read_text("direct_url.json") or ""):
        pytest.skip("an editable install has no files of its own")
    return distribution


def test_the_installed_files_are_the_package_and_its_extension() -> None:
    there = [f for f in installed().files or [] if "__pycache__" not in f.parts]
    check([f.as_posix() for f in there if ".." not in f.parts])  # the command lies outside


def test_the_metadata_says_what_users_need() -> None:
    metadata = importlib.metadata.metadata("optcore")
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.10"
    requires = metadata.get_all("Requires-Dist") or []
    assert [r for r in requires if "extra ==" not in r] == ["numpy>=2.0"]
    entry_points = importlib.metadata.distribution("optcore").entry_points
    assert {(e.group, e.name) for e in entry_points} >= {
        ("console_scripts", "optcore"),
        ("cmake.root", "optcore"),
    }


def pip(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, command)],
        cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@slow
def test_sdist_and_wheel(tmp_path: Path) -> None:
    """The sdist builds, a wheel builds from it alone, and both hold what they should."""
    pytest.importorskip("build")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", tmp_path, ROOT],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")

    with tarfile.open(sdist) as archive:
        inside = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
    own = {p.relative_to(ROOT).as_posix() for p in (ROOT / "cpp").rglob("*") if p.is_file()}
    own |= {f"python/optcore/{name}" for name in files(PACKAGE)}
    own |= {f"benchmarks/{name}" for name in files(BENCHMARKS)}
    own |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").glob("*.py")}
    own |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "cmake").iterdir()}
    own |= {f"examples/{name}" for name in files(ROOT / "examples")}
    own |= {f"tests/consumers/{name}" for name in files(ROOT / "tests" / "consumers")}
    assert inside >= own | {"CMakeLists.txt", "pyproject.toml", "LICENSE", "README.md", "PKG-INFO"}
    unwanted = ("build/*", "dist/*", "*.so", "*.pyc", "*.o", ".git/*", "shared/*")
    assert not [n for n in inside if any(fnmatch(n, pattern) for pattern in unwanted)]

    with zipfile.ZipFile(wheel) as archive:
        check([n for n in archive.namelist() if not n.endswith("/")])
    assert wheel.stat().st_size < 8_000_000
