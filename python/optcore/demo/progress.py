"""Training in sight: a bar on a terminal, a line of text elsewhere."""

from __future__ import annotations

import sys

from ..problems.data import Data
from .optimizers import Choice
from .training import Run, Setting, train

LABEL_WIDTH = 20


def show(choice: Choice, data: Data, setting: Setting) -> Run:
    """Trains with one optimizer and shows how far it is."""
    if not sys.stderr.isatty():
        run = train(choice, data, setting)
        print(
            f"{choice.label:{LABEL_WIDTH}} loss {run.losses[-1]:.2e}, "
            f"test accuracy {100 * run.accuracy:.1f} %",
            flush=True,
        )
        return run

    from tqdm import tqdm

    with tqdm(
        total=setting.epochs,
        desc=f"{choice.label:{LABEL_WIDTH}}",
        unit="epoch",
        bar_format="{desc} {bar} {n_fmt:>4}/{total_fmt}{postfix}",
        dynamic_ncols=True,
    ) as bar:

        def advance(run: Run) -> None:
            bar.set_postfix_str(f"loss {run.losses[-1]:.2e}", refresh=False)
            bar.update()

        return train(choice, data, setting, progress=advance)
