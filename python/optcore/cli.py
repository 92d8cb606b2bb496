"""The command `optcore`. Each subcommand is a module of `optcore.commands`."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from . import commands, embedding
from ._core import __version__
from .commands.extras import MissingExtraError

FOLDERS = {
    "include-dir": (embedding.get_include, "print the folder of the C and C++ headers"),
    "cmake-dir": (embedding.get_cmake_dir, "print the folder of optcoreConfig.cmake"),
    "pkgconfig-dir": (embedding.get_pkgconfig_dir, "print the folder of optcore.pc"),
}
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, with all subcommands."""
    top = argparse.ArgumentParser(
        prog="optcore", description="The optimizer step of a training loop, in C++."
    )
    top.add_argument("--version", action="version", version=f"optcore {__version__}")
    for name, (_, words) in FOLDERS.items():
        top.add_argument(f"--{name}", action="append_const", dest="folders", const=name, help=words)
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND")
    for command in commands.ALL:
        command.add_parser(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code.

    Args:
        argv: the arguments; None takes the process's own.

    Returns:
        0, or 1 where the command failed, 2 where the arguments make no sense, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without µ shows a question mark
    try:
        code = _run(argv)
        print(end="", flush=True)
        return code
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        _drop_output()
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _drop_output()
        print(f"optcore: cannot write the output: {error.strerror}", file=sys.stderr)
        return 1
    except (MissingExtraError, embedding.NotInstalledError) as error:
        print(f"optcore: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\noptcore: interrupted", file=sys.stderr)
        return INTERRUPTED


def _drop_output() -> None:
    """Lets what is still to be written go nowhere, or Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: Sequence[str] | None) -> int:
    top = parser()
    try:
        args = top.parse_args(argv)
    except SystemExit as end:  # argparse has printed the help, the version or what is wrong
        return end.code if isinstance(end.code, int) else 2
    for name in args.folders or ():
        print(FOLDERS[name][0]())
    if args.folders and not hasattr(args, "run"):
        return 0
    if not hasattr(args, "run"):
        top.print_help(sys.stderr)
        return 2
    code: int = args.run(args)
    return code
