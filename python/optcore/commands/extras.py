"""Packages that a command needs and `pip install optcore` does not bring."""

from __future__ import annotations

import importlib


class MissingExtraError(ModuleNotFoundError):
    """A package is missing; the message says how to install it."""


def require(command: str, extra: str, packages: dict[str, str]) -> None:
    """Raises a MissingExtraError unless all packages can be imported.

    Args:
        command: who needs them.
        extra: the extra of optcore that brings them.
        packages: import name of each, and the name it goes by.

    >>> require("demo", "demo", {"math": "Math"})
    >>> require("demo", "demo", {"no_such_module": "Such"})
    Traceback (most recent call last):
    ...
    optcore.commands.extras.MissingExtraError: demo needs Such: pip install 'optcore[demo]'
    """
    missing = []
    for module, name in packages.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            missing.append(name)
    if missing:
        raise MissingExtraError(
            f"{command} needs {', '.join(missing)}: pip install 'optcore[{extra}]'"
        )
