"""`optcore schedule`: any schedule as a picture or as numbers, several together."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from ..schedules import Schedule
from . import schedule_options
from .arguments import integer, png
from .extras import require

PLOT_NAME = "optcore-schedule.png"
STEPS = 1000


def add_parser(subparsers: Any) -> None:
    """Adds `schedule` to the command line."""
    names = ", ".join(schedule_options.families())
    parser = subparsers.add_parser(
        "schedule",
        help="plot or print learning-rate schedules",
        description="Plot or print schedules of the learning rate, several in one picture. "
        "Options are the parameters of the schedules, and go to every one that has them. "
        "--peak is the first value too, --end the floor. --warmup leads linearly into a schedule "
        "that has no warmup of its own; --total includes it.",
    )
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help=f"one of {names}; or any schedule's to_dict() as JSON",
    )
    parser.add_argument(
        "--steps",
        type=integer(1),
        metavar="N",
        help=f"how many steps are shown (default: one more than --total, else {STEPS})",
    )
    parser.add_argument(
        "--out",
        type=png(PLOT_NAME),
        metavar="PATH",
        help="where a picture goes: a .png file, or a directory",
    )
    parser.add_argument(
        "--print",
        action="store_true",
        dest="shown",
        help="print step and values, separated by tabs (default without --out)",
    )
    group = parser.add_argument_group("parameters")
    for name, is_switch in schedule_options.options().items():
        more: dict[str, Any] = {"action": "store_true"} if is_switch else {"metavar": "VALUE"}
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"parameter {name}",
            default=argparse.SUPPRESS,
            **more,
        )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes the schedules, prints their values, draws them."""
    given = {
        name.removeprefix("parameter "): value
        for name, value in vars(args).items()
        if name.startswith("parameter ")
    }
    try:
        schedules = _schedules(args.names, given)
        steps = args.steps or _steps(given)
        values = [schedule.values(steps) for schedule in schedules]
    except ValueError as error:
        print(f"optcore schedule: {error}", file=sys.stderr)
        return 2
    if args.out is not None:
        require("schedule", "plot", {"matplotlib": "matplotlib"})
    labels = [
        name if not name.lstrip().startswith("{") else repr(s)
        for name, s in zip(args.names, schedules, strict=True)
    ]
    if args.shown or args.out is None:
        print("\t".join(["step", *labels]))
        for step, row in enumerate(np.transpose(values).tolist()):
            print("\t".join([str(step), *map(repr, row)]))
    if args.out is None:
        return 0
    from .schedule_chart import save

    try:
        print(f"plot: {save(dict(zip(labels, schedules, strict=True)), steps, args.out)}")
    except OSError as error:
        reason = error.strerror or str(error)
        print(f"optcore schedule: cannot write to {args.out}: {reason}", file=sys.stderr)
        return 1
    return 0


def _schedules(names: list[str], given: dict[str, Any]) -> list[Schedule]:
    """The schedules of these names; every option has to be for one of them."""
    schedules, unused = [], set(given)
    for name in names:
        schedule, used = schedule_options.made(name, given)
        schedules.append(schedule)
        unused -= used
    if unused:
        wrong = ", ".join("--" + name.replace("_", "-") for name in sorted(unused))
        raise schedule_options.OptionError(
            f"{', '.join(names)}: no parameter for {wrong}; leave it out, or name a schedule "
            "that has it"
        )
    return schedules


def _steps(given: dict[str, Any]) -> int:
    """How many steps to show: to the end, which is one of them."""
    return int(given["total"]) + 1 if "total" in given else STEPS
