"""`optcore info`: what a bug report needs."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds `info` to the command line."""
    parser = subparsers.add_parser(
        "info",
        help="show version, instruction sets, OpenMP, threads, CPU",
        description="Show the version, the instruction set levels compiled and in use, OpenMP, "
        "threads and CPU.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the facts about this build and this machine."""
    from ..config import show_config

    show_config()
    return 0
