"""AdamW in float32 with what goes around the step: clipping before, averaging after."""

from workload import Workload

RACES = [
    Workload(model, clip=1.0, ema=ema) for ema in (None, 0.999) for model in ("16M", "200x1000")
]


def test_around(turn, heat):
    """Clip, step, average."""
    turn(heat)
