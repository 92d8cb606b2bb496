"""PyTorch's own test suite of optimizers, run over the classes of optcore.torch.

The suite is `test/test_optim.py` in PyTorch's repository; no wheel holds it, and nothing of it is
kept here. With PyTorch's folder `test/` of the release that is installed:

    OPTCORE_PYTORCH_TESTS=/path/to/pytorch/test python tests/conformance.py

The suite takes what it tests from a list in the wheel, `optim_db` (`torch_db.py`). Two fresh
processes run its CPU tests: one with the list as it is, one with optcore's class of the same name
in each row. A test that passes with torch's class has to pass with ours: else it is named, and the
exit status is 1.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import types
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

from torch_db import database

VARIABLE = "OPTCORE_PYTORCH_TESTS"
SUITE = "TestOptimRenewedCPU"


def with_classes_of(door: types.ModuleType, rows: list[Any]) -> list[Any]:
    """The rows with the class of that name in `door`, which cannot be differentiated through."""
    found = []
    for row in rows:
        if not hasattr(door, row.name):
            continue
        name, row = row.name, copy.copy(row)
        row.optim_cls = getattr(door, name)
        row.supported_impls = tuple(x for x in row.supported_impls if x != "differentiable")
        found.append(row)
    return found


class Outcomes(unittest.TestResult):
    """One word for each test, and the end of its traceback where it failed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str]] = {}

    def note(self, test: unittest.TestCase, word: str, text: str = "") -> None:
        name = test.id().rpartition(".")[2]
        if self.found.get(name, ("pass",))[0] == "pass":
            self.found[name] = word, text

    def addSuccess(self, test: Any) -> None:  # noqa: N802
        self.note(test, "pass")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.note(test, "skip", reason)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addFailure(test, err)
        self.note(test, "fail", self.failures[-1][1])

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self.note(test, "fail", self.errors[-1][1])

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self.note(test, "pass")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        self.note(test, "fail", "passes, and was not expected to")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            super().addSubTest(test, subtest, err)
            self.note(test, "fail", self._exc_info_to_string(err, test))  # type: ignore[attr-defined]


def child(door: str, folder: str, pattern: str, target: str) -> None:
    """Run the suite in this process, and write the outcomes down."""
    rows = database()
    if door != "torch.optim":
        rows[:] = with_classes_of(importlib.import_module(door), rows)
    sys.path.insert(0, folder)
    case = getattr(importlib.import_module("test_optim"), SUITE)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    outcomes = Outcomes()
    for test in tests:
        if re.search(pattern, test.id()):
            test(outcomes)
    Path(target).write_text(json.dumps(outcomes.found))


def run(door: str, folder: str, pattern: str) -> dict[str, tuple[str, str]]:
    """The outcome of each test in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place, "outcomes.json")
        command = [sys.executable, __file__, "--child", str(target), "--door", door, "-k", pattern]
        environment = {**os.environ, VARIABLE: folder}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if not target.exists():
            raise SystemExit(f"The suite did not run with {door}:\n{done.stdout}{done.stderr}")
        return json.loads(target.read_text())  # type: ignore[no-any-return]


def class_of(test: str, names: list[str]) -> str:
    return next(name for name in names if f"_{name}_cpu" in test)


def last_line(text: str) -> str:
    lines = [
        x for x in text.strip().splitlines() if x and not x.startswith((" ", "To execute", "This"))
    ]
    return lines[-1][:160] if lines else ""


def report(
    theirs: dict[str, tuple[str, str]],
    ours: dict[str, tuple[str, str]],
    names: list[str],
    full: bool,
) -> int:
    """Print the table; the number of tests that torch's class passes and ours does not."""
    lost = []
    print(
        f"{'class':<11} {'torch: pass fail skip':>22} {'optcore: pass fail skip':>25}  absent  lost"
    )
    for name in names:
        rows = [test for test in theirs if class_of(test, names) == name]
        count = Counter(theirs[test][0] for test in rows)
        own = Counter(ours[test][0] if test in ours else "absent" for test in rows)
        missing = [
            t for t in rows if theirs[t][0] == "pass" and ours.get(t, ("absent",))[0] != "pass"
        ]
        lost += missing
        print(
            f"{name:<11} {count['pass']:12} {count['fail']:4} {count['skip']:4}"
            f" {own['pass']:15} {own['fail']:4} {own['skip']:4} {own['absent']:7} {len(missing):5}"
        )
    known = {class_of(test, names) for test in ours}
    for name in sorted({class_of(test, names) for test in lost} - known):
        print(f"  {name} is not there")
    together: dict[tuple[str, str], list[str]] = {}
    for test in lost:
        if (name := class_of(test, names)) not in known:
            continue
        word, text = ours.get(test, ("absent", ""))
        why = text if full else last_line(text)
        together.setdefault((test.partition(f"_{name}_cpu")[0], f"{word}: {why}"), []).append(name)
    for (test, why), classes in together.items():
        print(f"  {test} ({', '.join(classes)})\n      {why}")
    passed = sum(word == "pass" for word, _ in theirs.values())
    print(f"{passed - len(lost)} of the {passed} tests that torch's classes pass")
    return len(lost)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--door", default="optcore.torch", help="the module whose classes are tested"
    )
    parser.add_argument("-k", dest="pattern", default="", help="only tests whose names match")
    parser.add_argument("--full", action="store_true", help="whole tracebacks")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        print(f"PyTorch's own suite was not run: {VARIABLE} names no folder test/ of PyTorch's.")
        return 0
    if not Path(folder, "test_optim.py").is_file():
        print(f"{VARIABLE} is {folder}, where there is no test_optim.py.")
        return 2
    if options.child:
        child(options.door, folder, options.pattern, options.child)
        return 0
    names = sorted((row.name for row in database()), key=len, reverse=True)
    theirs, ours = (run(d, folder, options.pattern) for d in ("torch.optim", options.door))
    return 1 if report(theirs, ours, sorted(names), options.full) else 0


if __name__ == "__main__":
    sys.exit(main())
