"""Values on the command line that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Callable


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
