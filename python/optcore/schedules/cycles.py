"""One cycle, or cycle after cycle, with the momentum that goes with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .base import Schedule


@dataclass(frozen=True, repr=False)
class OneCycle(Schedule):
    """The one-cycle policy (Smith & Topin, 2017) as torch's OneCycleLR has it.

    From peak/div up to peak at rise·total - 1, and down to peak/(div·final_div) at total - 1, where
    it stays. With three phases it is back at peak/div at 2·(rise·total - 1) and goes on from there.

    Args:
        peak: the largest value.
        total: steps in all, at least 1.
        rise: the part of them on the way up (torch's pct_start); at most 0.5 with three phases.
        div: peak over the first value, above 0.
        final_div: the first value over the last, above 0.
        phases: 2 or 3.
        shape: "cosine", or "linear" for straight lines.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> OneCycle(1.0, total=9, rise=5 / 9, shape="linear").values(9).round(2)
    array([0.04, 0.28, 0.52, 0.76, 1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    _name = "one_cycle"
    peak: float
    total: int
    rise: float = 0.3
    div: float = 25.0
    final_div: float = 1e4
    phases: int = 2
    shape: str = "cosine"

    def momentum(self, low: float = 0.85, high: float = 0.95) -> OneCycleMomentum:
        """The momentum, or β1, that goes down while this rate goes up, and up while it goes down.

        >>> rate = OneCycle(1.0, total=9, rise=5 / 9, shape="linear")
        >>> rate.momentum().values(9).round(3)
        array([0.95 , 0.925, 0.9  , 0.875, 0.85 , 0.875, 0.9  , 0.925, 0.95 ])
        """
        return OneCycleMomentum(low, high, self.total, self.rise, self.phases, self.shape)


@dataclass(frozen=True, repr=False)
class OneCycleMomentum(Schedule):
    """The other half of `OneCycle`, which makes it: from high down to low and up to high again.

    Args:
        low: the value at the rate's peak.
        high: the value at both ends.
        total: as the rate has it, and so are the others.
        rise: the part of the steps on the way down.
        phases: 2 or 3; in the third one it stays at high.
        shape: "cosine" or "linear".

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> OneCycleMomentum(0.8, 0.9, total=5, rise=0.6, shape="linear").values(5)
    array([0.9 , 0.85, 0.8 , 0.85, 0.9 ])
    """

    _name = "one_cycle_momentum"
    low: float
    high: float
    total: int
    rise: float = 0.3
    phases: int = 2
    shape: str = "cosine"


@dataclass(frozen=True, repr=False)
class Cyclic(Schedule):
    """Cyclical rates (Smith, 2017): a triangle from low up to high and back, over and over.

    s(k) = low + (high - low)·w·f, with w from 0 up to 1 and down to 0. torch's CyclicLR.

    Args:
        low: the value at the ends of each cycle.
        high: the value at its top.
        up: steps from low to high, at least 1.
        down: steps back; as many as up if None.
        mode: f is 1 for "triangular", 2^-c in cycle c = 0, 1, … for "triangular2", and gammaᵏ for
            "exp_range".
        gamma: from 0 to 1; for "exp_range" only.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> Cyclic(0.0, 1.0, up=2, mode="triangular2").values(9)
    array([0.  , 0.5 , 1.  , 0.5 , 0.  , 0.25, 0.5 , 0.25, 0.  ])
    """

    _name = "cyclic"
    low: float
    high: float
    up: int
    down: int | None = None
    mode: str = "triangular"
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if self.down is None:
            object.__setattr__(self, "down", self.up)
        super().__post_init__()

    def momentum(self, low: float = 0.8, high: float = 0.9) -> Cyclic:
        """The momentum, or β1, that is high where this rate is low, and the other way round.

        >>> Cyclic(0.0, 1.0, up=2).momentum().values(5)
        array([0.9 , 0.85, 0.8 , 0.85, 0.9 ])
        """
        return replace(self, low=high, high=low)


@dataclass(frozen=True, repr=False)
class SlantedTriangular(Schedule):
    """A short way up and a long way down (ULMFiT: Howard & Ruder, 2018).

    s(k) = peak·(1 + p·(ratio - 1))/ratio, where p rises from 0 to 1 over the first ⌊cut·total⌋
    steps and falls to 0 over the others. The paper's way down is by a step too short where
    cut·total is no whole number, which takes it below 0; this one ends at peak/ratio.

    Args:
        peak: the largest value.
        total: steps until peak/ratio, at least 1.
        cut: the part of them on the way up, from 0 to 1.
        ratio: the peak over the smallest value, at least 1.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits.

    >>> SlantedTriangular(32.0, total=10, cut=0.2).values(11)
    array([ 1.   , 16.5  , 32.   , 28.125, 24.25 , 20.375, 16.5  , 12.625,
            8.75 ,  4.875,  1.   ])
    """

    _name = "slanted_triangular"
    peak: float
    total: int
    cut: float = 0.1
    ratio: float = 32.0
