"""Exponential decay."""

from __future__ import annotations

from dataclasses import dataclass, field

from .base import Schedule


@dataclass(frozen=True, repr=False)
class Exponential(Schedule):
    """Exponential decay, by its factor or by its rate; exactly one of the two is given.

    s(k) = initial · gamma^(k/steps), or s(k) = initial · exp(-decay·k/steps). With one step that is
    torch's ExponentialLR, with more of them the decay of Keras and optax, whose staircase is
    ``Step(initial, steps, gamma)``.

    Args:
        initial: the value at step 0.
        gamma: the factor, at least 0; above 1 the value grows, in the
            end to infinity.
        decay: the rate, at least 0.
        steps: how many steps it takes for that factor or rate, at least 1.

    Raises:
        TypeError: both or none of gamma and decay, or an argument of another kind.
        ValueError: an argument is out of these limits.

    >>> Exponential(1.0, gamma=0.5)(3)
    0.125
    >>> round(Exponential(1.0, decay=0.1)(10), 6)
    0.367879
    """

    _name = "exponential"
    initial: float
    gamma: float | None = None
    decay: float | None = field(default=None, kw_only=True)
    steps: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        if (self.gamma is None) == (self.decay is None):
            came = "neither" if self.gamma is None else "both"
            raise TypeError(
                f"Exponential: expected exactly one of gamma and decay, got {came}; "
                "pass gamma=0.99 for initial * gamma**k or decay=0.01 for initial * exp(-decay*k)"
            )
        super().__post_init__()

    def _native_name(self) -> str:
        return "exponential" if self.decay is None else "exponential_decay"
