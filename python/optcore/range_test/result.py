"""What a learning-rate range test has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..plot import figures, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_ROUNDING = 1e-9  # of the loss: what the averages may be off by


class Suggestion(NamedTuple):
    """Two rates that a range test suggests, by the two usual conventions.

    Attributes:
        steepest: where the smoothed loss, on its fall to the minimum, falls fastest along the
            logarithm of the rate: a good first choice for a constant rate.
        tenth_of_minimum: a tenth of the rate with the lowest smoothed loss: as large as is safe,
            such as the peak of `schedules.OneCycle`.
    """

    steepest: float
    tenth_of_minimum: float


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The losses at rising rates, up to the end of the test or to where it diverged.

    Attributes:
        rates: the learning rate of each step.
        losses: the loss before that step, (steps,).
        smoothed: the same, averaged over its neighbours on both sides, so that it does not lag.
        diverged: whether the loss had run away, which ended the test.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    diverged: bool

    @property
    def suggestion(self) -> Suggestion:
        """Two suggested rates: `steepest` and `tenth_of_minimum`.

        Raises:
            ValueError: the loss did not fall at any rate.
        """
        lowest = self._lowest()
        if lowest is None:
            raise ValueError(
                f"suggestion: expected the loss to fall somewhere, but from {self.rates[0]:.2g} to "
                f"{self.rates[-1]:.2g} it did not; start from a lower rate (low=), or check the "
                "gradients"
            )
        slopes = np.gradient(self.smoothed, np.log(self.rates))
        start = self._start(lowest)
        steepest = start + int(np.argmin(slopes[start : lowest + 1]))
        return Suggestion(float(self.rates[steepest]), float(self.rates[lowest] / 10))

    def _start(self, lowest: int) -> int:
        """Where the fall to the minimum starts; before, steep is what is noise.

        It is the last place with nine tenths of the height that the loss mostly had till then.
        """
        before = self.smoothed[: lowest + 1]
        height = np.quantile(before, 0.75) - before[-1]
        return int(np.flatnonzero(before >= before[-1] + 0.9 * height)[-1])

    def _lowest(self) -> int | None:
        """Where the smoothed loss is least; None if it did not fall by more than rounding."""
        lowest = int(np.argmin(self.smoothed))
        fall = self.smoothed[0] - self.smoothed[lowest]
        return lowest if fall > _ROUNDING * abs(self.smoothed[0]) else None

    def plot(self, ax: Axes | None = None, *, title: str | None = None) -> Axes:
        """Draws the losses by rate with matplotlib, and the suggested rates on them.

        Args:
            ax: the axes to draw on; None makes a new figure.
            title: above the axes.

        Returns:
            The axes.

        Raises:
            TypeError: `ax` is something else.
            ModuleNotFoundError: matplotlib is not installed.
        """
        ax = figures.axes(ax, "RangeTest.plot")
        ax.plot(self.rates, self.losses, color=style.FRAME, linewidth=1, label="loss", zorder=2)
        ax.plot(
            self.rates, self.smoothed, color=style.BLUE, linewidth=2, label="smoothed", zorder=3
        )
        ax.set_xscale("log")
        lowest = self._lowest()
        if lowest is not None:
            self._mark(ax)
            fall = self.smoothed[0] - self.smoothed[lowest]
            top = self.smoothed[: lowest + 1].max() + 0.35 * fall
            ax.set_ylim(self.smoothed[lowest] - 0.15 * fall, top)
        style.dress(ax)
        style.words(ax, "learning rate (log scale)", "loss", title)
        style.legend(ax, None if lowest is not None else "the loss did not fall")
        return ax

    def _mark(self, ax: Axes) -> None:
        steepest, tenth = self.suggestion
        kinds = (
            (steepest, "o", 7, style.VERMILLION, "steepest descent"),
            (tenth, "D", 10, style.GREEN, "minimum / 10"),
        )
        for rate, shape, size, colour, name in kinds:
            loss = np.interp(np.log(rate), np.log(self.rates), self.smoothed)
            ax.plot(
                rate,
                loss,
                shape,
                color=colour,
                markersize=size,
                mec="white",
                mew=1.2,
                label=f"{name}: {rate:.2g}",
                linestyle="",
                zorder=14 - size,
            )

    def __repr__(self) -> str:
        ended = "diverged" if self.diverged else "not diverged"
        return (
            f"RangeTest({len(self.rates)} rates from {self.rates[0]:.2g} to "
            f"{self.rates[-1]:.2g}, {ended})"
        )
