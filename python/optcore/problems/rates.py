"""Learning rates that suit a problem, for those who name none."""

from __future__ import annotations

ADAM_LIKE = (
    "adam",
    "amsgrad",
    "adamw",
    "nadam",
    "nadamw",
    "radam",
    "adamax",
    "adamaxw",
    "adabelief",
    "yogi",
    "adan",
    "adopt",
    "ademamix",
    "novograd",
    "mars",
    "lamb",
)
"""Optimizers whose steps are about as long as their rate."""


def suitable(sgd: float, momentum: float, adam: float) -> dict[str, float]:
    """Rates for the optimizers that most people compare, from three of them.

    >>> suitable(sgd=0.1, momentum=0.02, adam=2e-3)["rmsprop"]
    0.001
    """
    found = dict.fromkeys(ADAM_LIKE, adam)
    found |= dict.fromkeys(("sgd", "asgd"), sgd)
    found |= dict.fromkeys(("momentum", "nesterov"), momentum)
    found |= dict.fromkeys(("signsgd", "signum", "lion"), adam / 5)
    return found | {"rmsprop": adam / 2, "adagrad": 10 * adam, "adadelta": 1.0}
