"""`optcore compare`: several optimizers on one problem."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import spelling
from ..plot import figures
from .arguments import integer

if TYPE_CHECKING:
    from ..comparison import Result

JSON_NAME, RUNS_NAME, CURVES_NAME = "results.json", "runs.csv", "curves.csv"
CHART_NAME = "curves.png"


def add_parser(subparsers: Any) -> None:
    """Adds `compare` to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="train a problem with several optimizers, and print a table",
        description="Train a problem with several optimizers, each from the same starts and on the "
        "same batches. Print a table of loss, metric, steps and seconds to a target, time in the "
        "step and memory of the state; with --out, write all of it as CSV and JSON, and a chart "
        "where matplotlib is installed.",
        epilog="Options follow a name behind a colon: quadratic:condition=1000, "
        "digits-mlp:hidden=64/32,dropout=0.1, adam:lr=1e-3,betas=0.9/0.95,schedule=cosine. "
        "Schedules are constant, cosine, linear, one-cycle, warmup-cosine, wsd.",
    )
    parser.add_argument(
        "--problem",
        metavar="NAME",
        default="digits-mlp",
        help="what to train (default: digits-mlp; --list shows all)",
    )
    parser.add_argument(
        "--optimizers",
        metavar="LIST",
        help="names with commas between them (default: sgd, momentum, adagrad, adadelta, "
        "rmsprop, adam, nadam, adamw)",
    )
    parser.add_argument(
        "--seeds",
        type=integer(1),
        metavar="N",
        default=1,
        help="how many starts and orders of the data (default: 1)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs", type=integer(1), metavar="N", help="passes over the data; else the problem's"
    )
    length.add_argument("--steps", type=integer(1), metavar="N", help="the number of steps instead")
    parser.add_argument(
        "--target", type=float, metavar="X", help="the loss to reach; else the problem's"
    )
    parser.add_argument(
        "--target-of",
        choices=("loss", "metric"),
        default="loss",
        help="whether the target is a loss or a metric such as accuracy, 0 to 1",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where CSV, JSON and chart go; else nowhere"
    )
    parser.add_argument(
        "--list", action="store_true", help="show problems and optimizers, train nothing"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains, prints the table, writes the files."""
    from .. import comparison, problems

    if args.list:
        print("problems:", *problems.names(), sep="\n  ")
        print("optimizers:", *comparison.names(), sep="\n  ")
        return 0
    if args.out is not None and (trouble := _cannot_make(args.out)):
        print(f"optcore compare: cannot write to {args.out}: {trouble}", file=sys.stderr)
        return 1
    chosen = comparison.DEFAULT if args.optimizers is None else spelling.listed(args.optimizers)
    try:
        result = comparison.compare(
            args.problem,
            chosen,
            seeds=args.seeds,
            epochs=args.epochs,
            steps=args.steps,
            target=args.target,
            target_of=args.target_of,
        )
    except (TypeError, ValueError) as error:
        print(f"optcore compare: {error}", file=sys.stderr)
        return 2
    # Files first: who reads the table may have gone, or have no room for it.
    folder = None if args.out is None or not result.runs else _written(result, args.out)
    print(result, flush=True)
    if folder is not None:
        names = [JSON_NAME, RUNS_NAME, CURVES_NAME, *_drawn(result, folder)]
        print(f"\nwritten to {folder.resolve()}: {', '.join(names)}")
    if result.interrupted:
        raise KeyboardInterrupt
    return 0 if folder in (None, args.out) else 1


def _cannot_make(folder: Path) -> str:
    """Why a folder cannot be written to; empty if it can. Better known before than after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except FileExistsError:
        return "it is there, and no folder"
    except OSError as error:
        return error.strerror or str(error)


def _written(result: Result, folder: Path) -> Path:
    """Writes the files, and says where: in a temporary folder if that one has become unwritable."""
    try:
        _write(result, folder)
        return folder
    except OSError as error:
        spare = Path(tempfile.mkdtemp(prefix="optcore-compare-"))
        _write(result, spare)
        reason = os.strerror(error.errno) if error.errno else error
        print(
            f"optcore compare: cannot write to {folder}: {reason}; the results are in {spare} "
            "instead",
            file=sys.stderr,
        )
        return spare


def _write(result: Result, folder: Path) -> None:
    result.to_json(folder / JSON_NAME)
    result.to_csv(folder / RUNS_NAME)
    result.to_csv(folder / CURVES_NAME, "curves")


def _drawn(result: Result, folder: Path) -> list[str]:
    """Draws the chart, and gives its name; says why if there is none."""
    try:
        figures.need("the chart")
        figure = figures.hidden((9.0, 4.8))
        result.plot(figure.subplots())
        figures.write(figure, folder / CHART_NAME)
        return [CHART_NAME]
    except (ImportError, OSError, ValueError) as error:
        print(f"optcore compare: no chart: {error}", file=sys.stderr)
        return []
