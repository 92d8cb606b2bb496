"""What a comparison came to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from . import export, table
from .run import DIVERGED, DONE, FAILED, Run
from .summary import Row, summarised

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass
class Result:
    """The runs of a comparison, and what is made of them.

    Attributes:
        problem: the problem in a line.
        loss_name, metric_name: what loss and metric are.
        target, target_of: what was to be reached, of "loss" or "metric"; None for nothing.
        total: the steps of a run.
        planned: how many runs there were to be.
        labels: the optimizers, in order.
        runs: one for each optimizer and seed, in the order in which they were trained.
        interrupted: whether Ctrl-C ended it.
    """

    problem: str
    loss_name: str = "loss"
    metric_name: str = ""
    target: float | None = None
    target_of: str = "loss"
    total: int = 0
    planned: int = 0
    labels: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    interrupted: bool = False

    @property
    def seeds(self) -> list[int]:
        """The seeds, in order."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    def of(self, label: str) -> list[Run]:
        """One optimizer's runs, by seed.

        Raises:
            KeyError: there is no such label.
        """
        if label not in self.labels:
            raise KeyError(f"{label!r}: expected one of {', '.join(self.labels)}")
        return [run for run in self.runs if run.label == label]

    @property
    def rows(self) -> list[Row]:
        """The table, a row for each optimizer that has run, over its seeds."""
        found = [(label, self.of(label)) for label in self.labels]
        return [
            summarised(label, runs, self.target, self.target_of) for label, runs in found if runs
        ]

    @property
    def best(self) -> str | None:
        """The optimizer with the least final loss; None if none ended.

        That is the median over the seeds, in which a run that diverged or failed is the worst.
        """
        ranked = [(self._median(row.label), row.label) for row in self.rows if row.done]
        return min(ranked)[1] if ranked else None

    def _median(self, label: str) -> float:
        """The median of the final losses, infinite for what came to nothing."""
        lost = (DIVERGED, FAILED)
        runs = [run for run in self.of(label) if run.status in (DONE, *lost)]
        return median(math.inf if run.status in lost else run.final_loss for run in runs)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the losses by step, seeds as bands. Needs matplotlib.

        Args:
            ax: where; None makes a new figure.

        More can be chosen with `optcore.plot.curves(result, ...)`.
        """
        from ..plot import curves

        return curves(self, ax=ax)

    def to_pandas(self, what: str = "runs") -> Any:
        """A pandas DataFrame.

        Args:
            what: "runs" has a row for each optimizer and seed, "summary" one for each optimizer,
                "curves" one for each evaluation.

        Raises:
            ModuleNotFoundError: there is no pandas.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "to_pandas needs pandas: pip install pandas; to_csv does without", name=error.name
            ) from None
        return pandas.DataFrame(export.records(self, what))

    def to_csv(self, path: str | Path | None = None, what: str = "runs") -> str:
        """The same as comma-separated values: returned, and written to a file if there is a path.

        Raises:
            OSError: the file cannot be written. The result is still here.
        """
        return export.written(export.csv_text(self, what), path)

    def to_json(self, path: str | Path | None = None) -> str:
        """Everything but the parameters as JSON: returned, and written if there is a path.

        What is no finite number is null.

        Raises:
            OSError: the file cannot be written. The result is still here.
        """
        return export.written(export.json_text(self), path)

    @classmethod
    def from_json(cls, text: str | Path) -> Result:
        """A result from `to_json`: its text, or the path of a file.

        Raises:
            ValueError: it is something else.

        >>> import optcore as oc
        >>> result = oc.compare("beale", "adam", steps=5)
        >>> oc.comparison.Result.from_json(result.to_json()).runs[0].losses == result.runs[0].losses
        True
        """
        facts, runs = export.read_json(text)
        return cls(**facts, runs=runs)

    def __str__(self) -> str:
        return table.text(self)

    def __repr__(self) -> str:
        return f"Result({self.problem!r}, {len(self.runs)} of {self.planned} runs)"

    def _repr_html_(self) -> str:
        return table.html(self)
