"""The gallery: every schedule with a picture and what its class says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

import files
import optcore as oc
import pictures
import rst
from optcore import schedules

STEPS = 100

GALLERY: dict[str, dict[str, list[str]]] = {
    "Down": {
        "Linear": ["Linear(1.0, total=80)", "Linear(1.0, total=80, end=0.2)"],
        "Polynomial": [
            "Polynomial(1.0, total=80, power=2)",
            "Polynomial(1.0, total=80, power=0.5)",
        ],
        "Cosine": ["Cosine(1.0, total=80)", "Cosine(1.0, total=80, floor=0.1, exponent=2)"],
        "Exponential": ["Exponential(1.0, gamma=0.97)", "Exponential(1.0, decay=0.01)"],
        "InverseTime": [
            "InverseTime(1.0, decay=0.1)",
            "InverseTime(1.0, decay=1, steps=20, staircase=True)",
        ],
        "InverseSqrt": ["InverseSqrt(1.0)", "InverseSqrt(1.0, timescale=20)"],
        "REX": ["REX(1.0, total=80)", "REX(1.0, total=80, floor=0.2)"],
        "Tanh": ["Tanh(1.0, total=80)", "Tanh(1.0, total=80, lower=-3, upper=3)"],
    },
    "In pieces": {
        "Constant": ["Constant(0.7)"],
        "Step": ["Step(1.0, step_size=30, gamma=0.5)"],
        "MultiStep": ["MultiStep(1.0, milestones=[20, 70], gamma=0.5)"],
        "PiecewiseConstant": ["PiecewiseConstant([1.0, 0.3, 0.6], boundaries=[30, 60])"],
        "PiecewiseLinear": ["PiecewiseLinear([0, 20, 80], [0.2, 1.0, 0.0])"],
    },
    "With a warm-up": {
        "Warmup": ["Warmup(30)", "Warmup(30).then(Cosine(1.0, total=60))"],
        "WarmupCosine": ["WarmupCosine(1.0, warmup=20, total=90)"],
        "WSD": ["WSD(1.0, warmup=10, total=90, decay=30)", "WSD(1.0, 10, 90, 30, tail='sqrt')"],
        "Noam": ["Noam(dim=64, warmup=30)"],
        "SlantedTriangular": ["SlantedTriangular(1.0, total=90)"],
    },
    "In cycles": {
        "CosineRestarts": ["CosineRestarts(1.0, period=14, t_mul=2, m_mul=0.8)"],
        "Cyclic": ["Cyclic(0.1, 1.0, up=12)", "Cyclic(0.1, 1.0, up=12, mode='triangular2')"],
        "OneCycle": [
            "OneCycle(1.0, total=90)",
            "OneCycle(1.0, total=90, phases=3, shape='linear')",
        ],
        "OneCycleMomentum": ["OneCycleMomentum(0.85, 0.95, total=90)"],
        "LRRangeTest": [
            "LRRangeTest(1e-3, 1.0, total=90)",
            "LRRangeTest(1e-3, 1.0, 90, shape='linear')",
        ],
    },
    "Made of others": {
        "Sequential": ["Sequential([Linear(0, total=30, end=1), Cosine(1, total=30)], [60])"],
        "Product": ["Cosine(1.0, total=90) * Cyclic(0.5, 1.0, up=5)"],
        "Sum": ["Linear(0.8, total=90) + Cyclic(0.0, 0.2, up=5)"],
        "Scaled": ["Cosine(1.0, total=80)", "0.5 * Cosine(1.0, total=80)"],
        "Shifted": ["Cosine(1.0, total=80)", "Cosine(1.0, total=80).shift(30)"],
        "Every": ["Exponential(1.0, gamma=0.7).every(10)"],
        "Clipped": ["Cosine(1.0, total=80).clip(0.2, 0.8)"],
        "Lambda": ["Lambda(lambda k: 1 / (1 + k % 25))"],
    },
    "By a metric": {"ReduceOnPlateau": []},
}
"""By section and class, what is drawn: expressions that make a schedule."""


def write(root: Path) -> None:
    """Writes the pictures, and the sections of the page."""
    shown = {name for section in GALLERY.values() for name in section} | {"Schedule"}
    if missing := set(schedules.__all__) ^ shown:
        raise ValueError(f"the gallery of schedules and optcore.schedules differ in {missing}")
    text = ""
    for title, section in GALLERY.items():
        text += f"## {title}\n\n"
        for name, expressions in section.items():
            _draw(name, expressions, root / "_generated" / "schedules" / f"{name.lower()}.png")
            text += f"### {name}\n\n" + _entry(name, expressions)
    files.put(root / "_generated" / "schedules.md", text)


def _entry(name: str, expressions: list[str]) -> str:
    drawn = " and ".join(expressions) or "a metric, and the rate that follows it"
    options = [f":alt: {drawn}", ":class: picture"]
    picture = rst.block(f"image:: /_generated/schedules/{name.lower()}.png", "", options)
    described = rst.block(f"autoclass:: optcore.schedules.{name}", "", [":members:"])
    return f"```{{eval-rst}}\n{picture}{described}```\n\n"


def _draw(name: str, expressions: list[str], path: Path) -> None:
    ax = pictures.axes(6.4, 2.7)
    if name == "ReduceOnPlateau":
        _plateau(ax)
    else:
        drawn = {each: eval(each, vars(schedules)) for each in expressions}
        oc.plot.schedules(drawn, STEPS, ax, ylabel="value", legend=False)
        if name != "OneCycleMomentum":
            ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    look = {"family": "monospace", "size": 9}
    pictures.figure_of(ax).legend(loc="outside upper left", frameon=False, prop=look)
    pictures.save(ax, path)


def _plateau(ax: Axes) -> None:
    """A metric that falls and then stalls, twice, and the rate of an optimizer that watches it."""
    opt = oc.SGD(np.zeros(1), lr=1.0)
    plateau = schedules.ReduceOnPlateau(opt, factor=0.5, patience=10)
    rates, metrics = [], []
    for step in range(STEPS):
        metrics.append(0.25 + 0.5 * max(0.0, 1 - step / 25) + 0.15 * (step < 60))
        plateau.step(metrics[-1])
        rates.append(opt.lr)
    oc.plot.curves(
        {"opt.lr": rates, "metric": metrics}, ax, log=False, ylabel="value", legend=False
    )
