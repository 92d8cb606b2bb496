"""The subcommands of `optcore`, one module each.

A command module has `add_parser(subparsers)`, which describes its options and ends with
`set_defaults(run=run)`, and `run(args) -> int`, which does the work and returns the exit code.
What is slow to import, or may not be installed, is imported inside `run`.
"""

from . import bench, compare, demo, info, schedule

ALL = (info, demo, compare, schedule, bench)
