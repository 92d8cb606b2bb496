"""`optcore demo`: thirteen optimizers on real data, against the same step in plain NumPy."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import Any

from ..demo.optimizers import CHOICES, DEFAULT_EPOCHS, Choice
from .arguments import integer, png
from .extras import require

PLOT_NAME = "optcore-demo.png"


def add_parser(subparsers: Any) -> None:
    """Adds `demo` to the command line."""
    parser = subparsers.add_parser(
        "demo",
        help="train a network on handwritten digits with thirteen optimizers",
        description="Train a multilayer perceptron, written in NumPy, on scikit-learn's "
        "handwritten digits with thirteen optimizers. Print a table of loss, accuracy and times, "
        "next to the same step written in plain NumPy, and draw the convergence.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--optimizer",
        action="append",
        type=_optimizer,
        metavar="NAME",
        default=argparse.SUPPRESS,
        help=f"train with this one; may be repeated (default: all of {', '.join(CHOICES)})",
    )
    parser.add_argument(
        "--epochs",
        type=integer(1),
        metavar="N",
        default=DEFAULT_EPOCHS,
        help="passes over the training data",
    )
    parser.add_argument(
        "--batch-size",
        type=integer(1),
        metavar="N",
        default=32,
        help="examples in a mini-batch",
    )
    parser.add_argument(
        "--seed",
        type=integer(0),
        metavar="N",
        default=0,
        help="of the initial weights and of the order of the examples",
    )
    parser.add_argument(
        "--out",
        type=png(PLOT_NAME),
        metavar="PATH",
        default=PLOT_NAME,
        help="where the plot goes: a .png file, or a directory",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains, prints the table, draws the plot."""
    require(
        "demo",
        "demo",
        {"sklearn": "scikit-learn", "matplotlib": "matplotlib", "tqdm": "tqdm"},
    )
    from ..demo import plot, progress, table, training
    from ..problems import data

    choices: list[Choice] = list(dict.fromkeys(getattr(args, "optimizer", CHOICES.values())))
    setting = training.Setting(epochs=args.epochs, batch_size=args.batch_size, seed=args.seed)
    digits = data.digits()
    print(table.heading(digits, setting), flush=True)

    runs: list[training.Run] = []
    interrupted = False
    try:
        for choice in choices:
            runs.append(progress.show(choice, digits, setting))
    except KeyboardInterrupt:
        interrupted = True
    if runs:
        print()
        print(table.table(runs), flush=True)
    if interrupted:
        raise KeyboardInterrupt

    try:
        path = plot.save(runs, args.out)
    except OSError as error:
        reason = error.strerror or str(error)
        print(f"optcore demo: cannot write the plot to {args.out}: {reason}", file=sys.stderr)
        return 1
    print(f"\nplot: {path}")
    return 0


def _optimizer(text: str) -> Choice:
    name = text.strip().lower().replace("_", "-").replace(" ", "-")
    if name in CHOICES:
        return CHOICES[name]
    near = difflib.get_close_matches(name, CHOICES, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "pick one of these"
    raise argparse.ArgumentTypeError(f"expected one of {', '.join(CHOICES)}, got {text!r}; {hint}")
