"""Several optimizers on one problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..optimizers.hyper import one_of
from ..optimizers.trees import copied
from ..problems import Problem, as_problem, named
from ..typing import Tree
from .checks import check_problem
from .entries import Entry, entries
from .progress import Progress
from .result import Result
from .training import Training

DEFAULT = ("sgd", "momentum", "adagrad", "adadelta", "rmsprop", "adam", "nadam", "adamw")
"""Who is compared unless someone is named."""


def compare(
    problem: Any,
    optimizers: Any = DEFAULT,
    *,
    seeds: int | Iterable[int] = 1,
    epochs: int | None = None,
    steps: int | None = None,
    target: float | None = None,
    target_of: str = "loss",
    progress: bool | None = None,
    check: bool = True,
) -> Result:
    """Trains a problem with several optimizers, from the same start and on the same batches.

    Args:
        problem: the name of one that is built in (`optcore.problems.names()`), with options if you
            like, such as "quadratic:condition=1000"; a `Problem`; any object with `initial(seed)`
            and `loss_and_grads(params)`; or a pair of a start and a function: the start an array, a
            tree of arrays or a function of the seed that makes one, the function from parameters to
            `(loss, grads)`.
        optimizers: a list of names, "adam" or "adam:lr=1e-3,betas=0.9/0.95"; classes; functions of
            the parameters that return an object with `step(grads)`; and pairs of one of these and a
            dict of options. A dict gives them labels of your own. Beside the class's options there
            is `schedule`: "constant", "cosine", "linear", "one-cycle", "warmup-cosine" or "wsd", or
            a function of the highest rate and the number of steps, makes a schedule over the whole
            training out of lr. Without lr the rate is the one that the problem suggests, else the
            class's default; the table shows it.
        seeds: how many, from 0 up, or which. A seed decides on start and batches.
        epochs: how often to go through the batches; None for what the problem suggests. Where every
            step sees everything, an epoch is a step.
        steps: the number of steps instead.
        target: a loss worth reaching, or a metric: the table says how long it took. It is looked at
            where the loss is evaluated, after every epoch. None for what the problem suggests.
        target_of: "loss" or "metric".
        progress: a bar of tqdm's; None shows it on a terminal and in notebooks, if there is tqdm.
        check: hold the gradients of a problem of your own against its loss before training, and
            warn where they do not fit.

    Returns:
        The runs, with a table: `print(result)`, `to_pandas()`, `to_csv(path)`, `to_json(path)`,
        `plot()`. After Ctrl-C it holds what was done until then, and `interrupted` is True.

    Raises:
        ValueError: an unknown name, an option out of range, or a gradient of the wrong shape.
        TypeError: an argument of another type.
        KeyError: a gradient is missing or has no parameter.
        ModuleNotFoundError: the problem's data need scikit-learn, or `progress=True` tqdm.

    A run that diverges, or whose optimizer raises an error, is reported as such in the table, and
    the others go on. What is evaluated are the parameters, those of eval mode where an optimizer
    has one; not averages that it keeps beside them, as with `ema` or `SWA`. Times are wall times of
    this process: the first optimizer may pay for what is warm for the others.

    Example:
        >>> import optcore as oc
        >>> result = oc.compare("quadratic", ["sgd", "sgd:lr=3", "lbfgs"], epochs=100)
        >>> [(run.label, run.status) for run in result.runs]
        [('SGD', 'done'), ('SGD lr=3', 'diverged'), ('LBFGS', 'done')]
        >>> result.best
        'LBFGS'
    """
    chosen = named(problem) if isinstance(problem, str) else as_problem(problem)
    members = entries(optimizers)
    seeds = _seeds(seeds)
    total = _total(chosen, epochs, steps)
    one_of(target_of, ("loss", "metric"), "target_of")
    if target is None and target_of == "loss":
        target = chosen.target
    if target is not None and not (
        isinstance(target, (int, float, np.number)) and math.isfinite(target)
    ):
        raise ValueError(f"target: expected a finite number, got {target!r:.80}; pass e.g. 0.1")
    if target_of == "metric" and not chosen.metric_name:
        raise ValueError(f"target_of: expected 'loss', as {chosen.name} has no metric")
    starts = {seed: chosen.initial(seed) for seed in seeds}
    first = starts[seeds[0]]
    if check:
        check_problem(chosen, first, np.random.default_rng([seeds[0], 0]))
    _check_options(members, chosen, first, total)
    result = Result(
        problem=chosen.described(),
        loss_name=chosen.loss_name,
        metric_name=chosen.metric_name,
        target=None if target is None else float(target),
        target_of=target_of,
        total=total,
        planned=len(members) * len(seeds),
        labels=[entry.label for entry in members],
    )
    ticks = -(-total // chosen.steps_per_epoch)
    with Progress(ticks * result.planned, progress) as shown:
        try:
            for seed, start in starts.items():
                for entry in members:
                    _train(chosen, entry, start, seed, total, shown, ticks, result)
        except KeyboardInterrupt:
            result.interrupted = True
    return result


def _train(
    problem: Problem,
    entry: Entry,
    start: Tree,
    seed: int,
    total: int,
    shown: Progress,
    ticks: int,
    result: Result,
) -> None:
    """One run, into the result; what there is of it if Ctrl-C ends it."""
    training = Training(problem, entry, start, seed, total, shown.tick)
    shown.begin(training.run)
    result.runs.append(training.run)
    training.train()
    shown.end(max(0, ticks + 1 - len(training.run.steps)))


def _check_options(members: Sequence[Entry], problem: Problem, start: Tree, total: int) -> None:
    """Makes every optimizer once, so that wrong options are found before hours of training."""
    for entry in members:
        try:
            made, _ = entry.made(copied(start), total, problem.rates)
        except (TypeError, ValueError) as error:
            raise type(error)(f"optimizers: {entry.label}: {error}") from error
        if not callable(getattr(made, "step", None)):
            raise TypeError(
                f"optimizers: {entry.label}: expected step(grads) of an optimizer, got {made!r:.80}"
            )


def _seeds(seeds: int | Iterable[int]) -> list[int]:
    if isinstance(seeds, Iterable):
        numbers = list(seeds)
    else:
        whole = isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool)
        numbers = list(range(int(seeds))) if whole else []
    fine = all(isinstance(n, (int, np.integer)) and n >= 0 for n in numbers)
    if not numbers or not fine or len(set(numbers)) < len(numbers):
        raise ValueError(
            "seeds: expected how many, 1 or more, or different whole numbers from 0 up, got "
            f"{seeds!r:.80}; pass e.g. 3 or [0, 7]"
        )
    return [int(n) for n in numbers]


def _total(problem: Problem, epochs: int | None, steps: int | None) -> int:
    """The number of steps."""
    if epochs is not None and steps is not None:
        raise ValueError(f"steps: expected epochs or steps, got {epochs} and {steps}; pass one")
    name, value = ("epochs", epochs) if steps is None else ("steps", steps)
    if value is None:
        value = problem.epochs
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name}: expected a whole number, 1 or more, got {value!r}; pass e.g. 10")
    return int(value) * (1 if steps is not None else problem.steps_per_epoch)
