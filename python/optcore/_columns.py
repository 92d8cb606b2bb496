"""Tables as text."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def columns(rows: Sequence[Sequence[str]], left: Collection[int], rule: int) -> list[str]:
    """Lines whose columns are as wide as their widest text.

    Args:
        rows: the texts.
        left: the columns that are aligned to the left; the others hold numbers.
        rule: how many rows are above the line that parts the heading from the rest.

    >>> for line in columns([("name", "value"), ("a", "1.50"), ("b", "12.25")], left={0}, rule=1):
    ...     print(line)
    name  value
    ----  -----
    a      1.50
    b     12.25
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if column in left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(rule, "  ".join("-" * width for width in widths))
    return lines
