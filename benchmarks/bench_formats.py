"""AdamW with numbers of fewer bits: all in bfloat16, or float32 with 8-bit moments."""

from workload import BFLOAT16, EIGHT_BIT, Workload

RACES = [
    Workload("256k", format=BFLOAT16),
    Workload("16M", threads=1, format=BFLOAT16),
    Workload("16M", format=BFLOAT16),
    Workload("256k", format=EIGHT_BIT),
    Workload("16M", threads=1, format=EIGHT_BIT),
    Workload("16M", format=EIGHT_BIT),
]


def test_formats(turn, heat):
    """One step of the whole model."""
    turn(heat)
