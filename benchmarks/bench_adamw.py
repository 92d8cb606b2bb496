"""AdamW in float32: sizes from ten elements to 124M, one tensor to a thousand."""

from workload import Workload

RACES = [
    Workload("ten"),
    Workload("24k"),
    Workload("256k", threads=1),
    Workload("256k"),
    Workload("16M", threads=1),
    Workload("16M"),
    Workload("200x1000"),
    Workload("1000x16"),
    Workload("MLP"),
    Workload("ResNet-50"),
    Workload("GPT-2"),
]


def test_adamw(turn, heat):
    """One step of the whole model."""
    turn(heat)
