"""What tests share that build programs in C and C++."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import optcore


def tool(name: str) -> str:
    """Where a tool is, beside this Python first; skips where it is not."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"no {name} here")
    return found


def run(*command: object, **environment: str) -> str:
    words = [str(c) for c in command]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def configure(project: Path, build: Path, **definitions: object) -> None:
    defined = {"CMAKE_BUILD_TYPE": "Release", "CMAKE_EXPORT_COMPILE_COMMANDS": "ON", **definitions}
    ninja = shutil.which("ninja", path=str(Path(tool("cmake")).parent)) or shutil.which("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    run(
        tool("cmake"), "-S", project, "-B", build, *generator,
        *(f"-D{name}={value}" for name, value in defined.items()),
    )  # fmt: skip


def wheel_prefix() -> Path:
    """The folder of the package, as pip installed it, with `include` and `lib` in it."""
    try:
        return Path(optcore.get_include()).parent
    except FileNotFoundError:
        pytest.skip("this extension was built by hand, and no libraries lie beside it")
