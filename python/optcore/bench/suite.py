"""Runs the benchmarks, each file in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
_TURN = re.compile(r"(?P<file>bench_\w+\.py)::\w+\[(?P<race>.+): (?P<who>[\w-]+), lap \d+\]")
_NOTHING_CHOSEN, _BAD_CHOICE = 5, 4  # pytest's exit codes


class ChoiceError(ValueError):
    """Nothing can be made of what is to be run; the message says why."""


@dataclass(frozen=True)
class Choice:
    """What is to be run.

    Attributes:
        only: an expression over names, as pytest's `-k` takes it; empty runs everything.
        threads: the numbers of threads; none leaves each workload at its own.
        quick: shorter turns, one for each contender, and only what is ready at once.
    """

    only: str = ""
    threads: tuple[int, ...] = ()
    quick: bool = False

    def arguments(self) -> list[str]:
        """As pytest takes them."""
        words = ["-k", self.only] if self.only else []
        words += [f"--threads={n}" for n in self.threads]
        return [*words, "--quick"] if self.quick else words


@dataclass(frozen=True)
class Turn:
    """A contender that will be timed in a race, and the file that does it."""

    file: str
    race: str
    who: str


def folder() -> Path:
    """Where the benchmarks are: in the package, or in the checkout that the package is part of."""
    places = [_PACKAGE / "benchmarks", _PACKAGE.parents[1] / "benchmarks"]
    for place in places:
        if (place / "pytest.ini").exists():
            return place
    raise FileNotFoundError(
        f"expected the benchmarks in {places[0]} or {places[1]}, found neither; "
        "install optcore anew"
    )


def turns(choice: Choice) -> list[Turn]:
    """Everything that a choice would run, in order.

    Raises:
        ChoiceError: that is nothing, or `only` is no expression.
    """
    done = _pytest(["--collect-only", "--quiet", *choice.arguments()], capture_output=True)
    if done.returncode == _BAD_CHOICE:
        raise ChoiceError(
            f"expected names joined by and, or, not and brackets, got {choice.only!r}; "
            "try --only '16M and not numpy'"
        )
    if done.returncode == _NOTHING_CHOSEN:
        raise ChoiceError(
            f"nothing has a name that fits {choice.only!r}; see optcore bench --list"
            if choice.only
            else "nothing is left to run; try it without --quick"
        )
    if done.returncode != 0:
        raise RuntimeError(f"pytest found no benchmarks to run:\n{done.stdout}{done.stderr}")
    return [Turn(m["file"], m["race"], m["who"]) for m in _TURN.finditer(done.stdout)]


def run(file: str, choice: Choice, scratch: Path) -> tuple[dict[str, Any], bool]:
    """Runs one file of benchmarks, showing pytest's progress.

    Returns:
        What pytest-benchmark measured (empty if it got nowhere), and whether all went well.
    """
    path = scratch / f"{file}.json"
    options = [
        "--quiet",
        "--no-header",
        "--tb=short",
        "--benchmark-quiet",
        f"--benchmark-json={path}",
        f"--benchmark-storage=file://{scratch}",
    ]
    done = _pytest([*options, *choice.arguments()], file)
    if not path.exists():
        return {}, False
    return json.loads(path.read_text(encoding="utf-8")), done.returncode == 0


def merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several files' results as one, in pytest-benchmark's format."""
    rivals: dict[str, dict[str, Any]] = {"versions": {}, "absent": {}}
    for part in parts:
        for name, facts in part["rivals"].items():
            rivals[name].update(facts)
    benchmarks = [b for part in parts for b in part["benchmarks"]]
    return {**parts[0], "benchmarks": benchmarks, "rivals": rivals}


def _pytest(options: Sequence[str], file: str = "", **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", str(folder() / file), *options]
    return subprocess.run(
        command, env=dict(_environment()), stdin=subprocess.DEVNULL, text=True, check=False, **how
    )


def _environment() -> Iterator[tuple[str, str]]:
    """This process's, with the programs of this Python on the path; nothing for pytest."""
    for name, value in os.environ.items():
        if name == "PATH":
            yield name, os.pathsep.join([str(Path(sys.executable).parent), value])
        elif not name.startswith("PYTEST_"):
            yield name, value
