"""How far a comparison is: a bar of tqdm's, where there is tqdm and someone to look."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from .run import Run


class Progress:
    """A bar over all evaluations of all runs; nothing where it is not wanted.

    Args:
        total: how many evaluations there will be.
        shown: True for a bar, False for none; None for one on a terminal or in a notebook, where
            there is tqdm.

    Raises:
        ModuleNotFoundError: a bar is asked for, and there is no tqdm.
    """

    def __init__(self, total: int, shown: bool | None):
        self._bar: Any = None
        someone_looks = sys.stderr is not None and sys.stderr.isatty()
        if shown or (shown is None and (someone_looks or "ipykernel" in sys.modules)):
            try:
                from tqdm.auto import tqdm
            except ModuleNotFoundError as error:
                if shown is None:
                    return
                raise ModuleNotFoundError(
                    "progress=True needs tqdm: pip install tqdm", name=error.name
                ) from None
            self._bar = tqdm(total=total, unit="epoch", dynamic_ncols=True, leave=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, run: Run) -> None:
        """Names the run that is about to be trained."""
        if self._bar is not None:
            self._bar.set_description_str(f"{run.label}, seed {run.seed}")

    def tick(self, run: Run) -> None:
        """One evaluation more."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {run.final_loss:.3g}", refresh=False)
            self._bar.update()

    def end(self, ticks: int) -> None:
        """Counts the evaluations of a run that ended early."""
        if self._bar is not None:
            self._bar.update(ticks)
