"""The problems that have a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from . import data
from .base import Problem
from .functions import Beale, Himmelblau, Quadratic, Rosenbrock
from .rates import suitable
from .supervised import Supervised

_CONVEX = suitable(sgd=0.1, momentum=0.02, adam=0.02)
_SMALL = suitable(sgd=0.05, momentum=0.01, adam=2e-3)
_FLAT = {"target": 0.5, "rates": suitable(sgd=0.02, momentum=5e-3, adam=0.02)}


def linear(rows: int = 100, batch_size: int | None = None, epochs: int = 100) -> Supervised:
    """The tutorials' linear regression: 100 points around y = 4 + 3x, a slope and an intercept."""
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ValueError(f"rows: expected 1 or more, got {rows!r}; pass e.g. 100")
    return Supervised(
        data.line(rows),
        batch_size=batch_size,
        name="linear",
        epochs=epochs,
        target=1.0,
        rates=suitable(sgd=0.1, momentum=0.02, adam=0.1),
    )


def _network(
    set_name: str,
    name: str,
    *,
    hidden: int | Sequence[int] = (),
    activation: str = "relu",
    dropout: float = 0.0,
    batch_size: int | None = 32,
    epochs: int = 40,
    target: float | None = None,
    rates: Mapping[str, float] | None = None,
) -> Supervised:
    """A network or, without hidden layers, a regression on one of the data sets."""
    widths = (hidden,) if isinstance(hidden, int) else hidden
    return Supervised(
        data.LOADERS[set_name](),
        widths,
        activation,
        dropout,
        batch_size,
        name=name,
        epochs=epochs,
        target=target,
        rates=rates,
    )


def _family(
    set_name: str, regression: str, hidden: Sequence[int], convex: Mapping[str, Any], **deep: Any
) -> dict[str, Callable[..., Supervised]]:
    """A regression and three networks on one data set."""
    mlp = f"{set_name}-mlp"
    variants: dict[str, dict[str, Any]] = {
        mlp: {},
        f"{mlp}-tanh": {"activation": "tanh"},
        f"{mlp}-dropout": {"dropout": 0.2},
    }
    plain = f"{set_name}-{regression}"
    return {
        plain: partial(_network, set_name, plain, **{"rates": _CONVEX, **convex}),
        **{
            name: partial(_network, set_name, name, hidden=hidden, **deep, **more)
            for name, more in variants.items()
        },
    }


PROBLEMS: dict[str, Callable[..., Problem]] = {
    "quadratic": Quadratic,
    "rosenbrock": Rosenbrock,
    "beale": Beale,
    "himmelblau": Himmelblau,
    "linear": linear,
    **_family(
        "digits", "logistic", (128, 64), {"target": 0.1}, target=0.01, batch_size=16, epochs=20
    ),
    **_family("breast-cancer", "logistic", (32, 16), {"target": 0.06}, target=0.02, rates=_SMALL),
    **_family("diabetes", "linear", (32, 16), _FLAT, target=0.4, rates=_SMALL),
}
"""By name, what makes the problem; the options of each are its arguments."""
