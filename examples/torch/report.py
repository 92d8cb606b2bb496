"""Progress while two models are trained, and a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

from training import Data, Loss, Side, evaluated


class Progress:
    """A bar on a terminal with tqdm, about ten lines elsewhere."""

    def __init__(self, epochs: int):
        self._epochs, self._every, self._done = epochs, max(1, epochs // 10), 0
        self._bar = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True)

    def show(self, sides: Sequence[Side]) -> None:
        """Another epoch is over."""
        self._done += 1
        losses = ", ".join(f"{side.name} {side.losses[-1]:.4f}" for side in sides)
        if self._bar is not None:
            self._bar.set_postfix_str(f"validation loss: {losses}", refresh=False)
            self._bar.update()
        elif self._done % self._every == 0 or all(side.stopped for side in sides):
            print(f"epoch {self._done:3} of {self._epochs}, validation loss: {losses}", flush=True)

    def close(self) -> None:
        """All epochs are over."""
        if self._bar is not None:
            self._bar.close()


def table(sides: Sequence[Side], data: Data, loss: Loss, first_loss: float) -> str:
    """A row for each side, and what the columns mean."""
    lines = [
        "               training loss        test    epochs        seconds     µs a",
        "               before      after    acc.  run best    all  in step    step",
        "-----------  --------  ---------  ------  --- ----  -----  -------  ------",
    ]
    for side in sides:
        after, _ = evaluated(side.model, data.train, loss)
        _, accuracy = evaluated(side.model, data.test, loss)
        best = (side.stopping.best_step or 0) + 1
        lines.append(
            f"{side.name:11}  {first_loss:8.6f}  {after:9.7f}  {100 * accuracy:4.1f} %  "
            f"{len(side.losses):3} {best:4}  {side.seconds:5.2f}  {sum(side.step_seconds):7.3f}  "
            f"{1e6 * median(side.step_seconds):6.0f}"
        )
    ours, theirs = sides
    pairs = zip(ours.model.parameters(), theirs.model.parameters(), strict=True)
    apart = max((a - b).abs().max().item() for a, b in pairs)
    lines += [
        "",
        f"torch.optim takes {median(theirs.step_seconds) / median(ours.step_seconds):.1f} times as "
        f"long for a step, by the medians, and {theirs.seconds / ours.seconds:.2f} times in all.",
        f"The two models' weights are {apart:.0e} apart, at most. Loss after, accuracy and weights",
        "are those of the best epoch, which early stopping restores.",
    ]
    return "\n".join(lines)
