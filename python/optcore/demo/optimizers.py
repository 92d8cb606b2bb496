"""Every optimizer, with a rate that suits the digits, and its counterpart in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import optimizers as compiled
from ..schedules import Constant, Cosine, Schedule, WarmupCosine
from ..typing import Array, Tree
from . import plain

DEFAULT_EPOCHS = 40

Rate = Callable[[int], Schedule]
"""From the number of steps in all to a schedule."""


@dataclass(frozen=True, eq=False)
class Choice:
    """One row of the demo's table, one curve of its plot."""

    name: str
    label: str
    family: str
    compiled_class: Callable[..., compiled.Optimizer]
    plain_class: Callable[..., plain.Plain]
    rate: Rate
    rate_text: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def compiled(self, params: Tree, steps: int) -> compiled.Optimizer:
        """optcore's optimizer."""
        return self.compiled_class(params, lr=self.rate(steps), **self.options)

    def plain(self, arrays: Sequence[Array]) -> plain.Plain:
        """The same in plain NumPy; the rate is an argument of its step."""
        return self.plain_class(arrays, **self.options)


def _constant(lr: float) -> tuple[Rate, str]:
    return lambda steps: Constant(lr), f"{lr:g}"


def _cosine(lr: float) -> tuple[Rate, str]:
    return lambda steps: Cosine(lr, total=steps), f"{lr:g} cosine"


def _warmup(lr: float) -> tuple[Rate, str]:
    return (
        lambda steps: WarmupCosine(lr, warmup=steps // 10, total=steps),
        f"{lr:g} warmup",
    )


_PLAIN, _ADAPTIVE, _ADAM = "SGD and momentum", "Adaptive rates", "Adam and its kin"

_ALL = (
    Choice("sgd", "SGD", _PLAIN, compiled.SGD, plain.SGD, *_constant(0.1)),
    Choice(
        "sgd-momentum",
        "SGD, momentum",
        _PLAIN,
        compiled.SGD,
        plain.SGD,
        *_cosine(0.05),
        {"momentum": 0.9},
    ),
    Choice(
        "sgd-nesterov",
        "SGD, Nesterov",
        _PLAIN,
        compiled.SGD,
        plain.SGD,
        *_constant(0.04),
        {"momentum": 0.9, "nesterov": True},
    ),
    Choice(
        "momentum-velocity",
        "Momentum (velocity)",
        _PLAIN,
        compiled.Momentum,
        plain.Momentum,
        *_constant(0.02),
        {"momentum": 0.9, "form": "velocity"},
    ),
    Choice(
        "momentum-average",
        "Momentum (average)",
        _PLAIN,
        compiled.Momentum,
        plain.Momentum,
        *_constant(0.3),
        {"momentum": 0.9, "form": "average"},
    ),
    Choice("adagrad", "Adagrad", _ADAPTIVE, compiled.Adagrad, plain.Adagrad, *_constant(0.02)),
    Choice(
        "rmsprop",
        "RMSprop",
        _ADAPTIVE,
        compiled.RMSprop,
        plain.RMSprop,
        *_cosine(1e-3),
        {"alpha": 0.9},
    ),
    Choice("adadelta", "Adadelta", _ADAPTIVE, compiled.Adadelta, plain.Adadelta, *_constant(1.0)),
    Choice(
        "adafactor", "Adafactor", _ADAPTIVE, compiled.Adafactor, plain.Adafactor, *_constant(0.02)
    ),
    Choice("adam", "Adam", _ADAM, compiled.Adam, plain.Adam, *_constant(2e-3)),
    Choice(
        "amsgrad", "AMSGrad", _ADAM, compiled.Adam, plain.Adam, *_constant(2e-3), {"amsgrad": True}
    ),
    Choice("adamw", "AdamW", _ADAM, compiled.AdamW, plain.AdamW, *_warmup(3e-3)),
    Choice("nadam", "NAdam", _ADAM, compiled.NAdam, plain.NAdam, *_constant(2e-3)),
)

CHOICES: dict[str, Choice] = {choice.name: choice for choice in _ALL}
"""By the names that the command line takes."""
