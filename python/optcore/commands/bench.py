"""`optcore bench`: the optimizer step, beside the memory's speed and beside others'."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from .arguments import integer
from .extras import require

RESULTS_NAME, CHART_NAME = "results.json", "chart.png"


def add_parser(subparsers: Any) -> None:
    """Adds `bench` to the command line."""
    parser = subparsers.add_parser(
        "bench",
        help="time steps beside the memory's speed, NumPy, numba, torch, optax, DeepSpeed",
        description="Time AdamW steps of made-up and of real models, beside a loop that only moves "
        "the same bytes, plain NumPy, and numba, torch, optax and DeepSpeed where they are "
        "installed. Print a table of medians and ratios, write all times as JSON and the ratios as "
        "a bar chart. Results are compared before anything is timed.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute instead of seven: one short turn each, without the largest models and "
        "without those who compile first",
    )
    parser.add_argument(
        "--only",
        metavar="TEXT",
        default="",
        help="run what has this in its name; and, or, not as in '16M and not numpy'",
    )
    parser.add_argument(
        "--threads",
        type=integer(1),
        nargs="+",
        metavar="N",
        default=argparse.SUPPRESS,
        help="run every workload on so many threads (default: mostly 2, large ones also 1)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default="optcore-bench",
        help=f"where {RESULTS_NAME} and {CHART_NAME} go",
    )
    parser.add_argument(
        "--list", action="store_true", help="show the workloads and who takes part, run nothing"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the benchmarks, prints the tables, writes JSON and chart."""
    require(
        "bench",
        "bench",
        {"pytest": "pytest", "pytest_benchmark": "pytest-benchmark", "matplotlib": "matplotlib"},
    )
    from ..bench import chart, results, suite, table, targets

    choice = suite.Choice(args.only, tuple(getattr(args, "threads", ())), args.quick)
    try:
        turns = suite.turns(choice)
    except suite.ChoiceError as error:
        print(f"optcore bench: {error}", file=sys.stderr)
        return 2
    if args.list:
        print(table.listing(turns))
        return 0

    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return _cannot_write(args.out, error)
    _warn_of_others()
    parts, all_well = [], True
    with tempfile.TemporaryDirectory() as scratch:
        for file, members in groupby(turns, key=lambda turn: turn.file):
            print(f"{file}: {len(list(members))} turns", flush=True)
            part, went_well = suite.run(file, choice, Path(scratch))
            parts += [part] if part else []
            all_well &= went_well
    if not parts:
        print("optcore bench: nothing could be timed; see above", file=sys.stderr)
        return 1

    measured = suite.merged(parts)
    races = results.races(measured)
    print()
    print(table.table(races))
    print()
    print(table.targets(list(targets.outcomes(races))))
    if note := table.missing(measured["rivals"]):
        print(f"\n{note}")
    path = args.out / RESULTS_NAME
    try:
        path.write_text(json.dumps(measured, indent=1), encoding="utf-8")
        print(f"\ntimes: {path.resolve()}", flush=True)
        path = args.out / CHART_NAME
        print(f"chart: {chart.save(races, path)}")
    except ValueError as error:
        print(f"no chart: {error}")
    except OSError as error:
        return _cannot_write(path, error)
    return 0 if all_well else 1


def _warn_of_others() -> None:
    """A thread that waits for its core makes the step wait: ten times as long, and not evenly."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5:
        print(
            f"optcore bench: the machine is busy (load average {load:.1f}); times will be off, "
            "those with several threads most of all",
            file=sys.stderr,
        )


def _cannot_write(path: Path, error: OSError) -> int:
    print(
        f"optcore bench: cannot write to {path}: {error.strerror or error}; choose another "
        "folder with --out",
        file=sys.stderr,
    )
    return 1
