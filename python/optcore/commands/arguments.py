"""Values on the command line that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def integer(least: int) -> Callable[[str], int]:
    """A converter for whole numbers from `least` up.

    >>> integer(1)("2")
    2
    """

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f"expected a whole number, {least} or more, got {text!r}"
            )
        return value

    return convert


def png(default: str) -> Callable[[str], Path]:
    """A converter for the path of a picture: a .png file, or a directory for the default name.

    >>> png("plot.png")("some/where").name
    'plot.png'
    """

    def convert(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() == ".png" and not path.is_dir():
            return path
        if path.is_dir() or not path.suffix:
            return path / default
        raise argparse.ArgumentTypeError(f"expected a .png file or a directory, got {text!r}")

    return convert
