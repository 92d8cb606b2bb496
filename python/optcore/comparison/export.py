"""A comparison as records, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .run import Run

if TYPE_CHECKING:
    from .result import Result

FORMAT = 1
_FACTS = (
    "problem",
    "loss_name",
    "metric_name",
    "target",
    "target_of",
    "total",
    "planned",
    "labels",
    "interrupted",
)
_OF_RUN = ("label", "seed", "rate", "status", "message", "steps", "seconds", "losses", "metrics")
_MORE_OF_RUN = ("batch_losses", "step_seconds", "state_bytes", "total_seconds")
_FLOATS = ("seconds", "losses", "metrics", "batch_losses", "step_seconds")


def records(result: Result, what: str) -> list[dict[str, Any]]:
    """A dict for every row of one of the tables: "runs", "summary" or "curves"."""
    if what == "summary":
        return [asdict(row) for row in result.rows]
    if what == "runs":
        return [_run_record(run, result) for run in result.runs]
    if what == "curves":
        return [
            {
                "optimizer": run.label,
                "seed": run.seed,
                "step": step,
                "seconds": seconds,
                "loss": loss,
                "metric": metric,
            }
            for run in result.runs
            for step, seconds, loss, metric in zip(
                run.steps, run.seconds, run.losses, run.metrics, strict=True
            )
        ]
    raise ValueError(f"what: expected 'runs', 'summary' or 'curves', got {what!r}")


def csv_text(result: Result, what: str) -> str:
    """One of the tables with commas between its columns."""
    rows = records(result, what)
    file = io.StringIO()
    if rows:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file.getvalue()


def json_text(result: Result) -> str:
    """Everything but the parameters."""
    runs = [
        {
            **{name: getattr(run, name) for name in (*_OF_RUN, *_MORE_OF_RUN)},
            "path": None if run.path is None else run.path.tolist(),
        }
        for run in result.runs
    ]
    facts = {name: getattr(result, name) for name in _FACTS}
    return json.dumps(_finite({"format": FORMAT, **facts, "runs": runs}), allow_nan=False)


def read_json(text: str | Path) -> tuple[dict[str, Any], list[Run]]:
    """What `json_text` wrote: the facts about the comparison, and its runs."""
    if isinstance(text, Path):
        text = text.read_text(encoding="utf-8")
    try:
        saved = json.loads(text)
        if saved["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}, got {saved['format']!r}")
        runs = [_read_run(each) for each in saved["runs"]]
        return {name: saved[name] for name in _FACTS}, runs
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected what to_json() gave, got {text!r:.60}: {error!r}") from None


def written(text: str, path: str | Path | None) -> str:
    """The text, which is in the file as well if there is a path. Missing folders are made."""
    if path is not None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise type(error)(
                error.errno,
                f"cannot write to {path}: {error.strerror or error}; choose another path, the "
                "result is still here",
            ) from None
    return text


def _run_record(run: Run, result: Result) -> dict[str, Any]:
    met = None if result.target is None else run.reached(result.target, result.target_of)
    steps = len(run.step_seconds)
    return {
        "optimizer": run.label,
        "rate": run.rate,
        "seed": run.seed,
        "status": run.status,
        "message": run.message,
        "steps": steps,
        "loss": run.final_loss,
        "metric": run.final_metric,
        "steps_to_target": met[0] if met else math.nan,
        "seconds_to_target": met[1] if met else math.nan,
        "seconds": run.total_seconds,
        "step_seconds": float(np.median(run.step_seconds)) if steps else math.nan,
        "steps_seconds": sum(run.step_seconds),
        "state_bytes": run.state_bytes,
    }


def _read_run(saved: dict[str, Any]) -> Run:
    values = {name: saved[name] for name in (*_OF_RUN, *_MORE_OF_RUN)}
    for name in _FLOATS:
        values[name] = [math.nan if x is None else x for x in values[name]]
    path = saved["path"]
    return Run(**values, path=None if path is None else np.array(path, np.float64))


def _finite(value: Any) -> Any:
    """The same without what JSON has no word for."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
