"""The one schedule with a memory: it waits for a metric to stop improving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .base import Schedule
from .metric import Saved, as_metric, saved_number, worst
from .plateau_options import OPTAX, TORCH, checked

if TYPE_CHECKING:
    from ..optimizers import LBFGS, Optimizer
    from ..wrappers import Wrapper

_SAVED = Saved("reduce_on_plateau")
_COUNTS = ("num_bad", "cooldown_left", "window_count")


class ReduceOnPlateau:
    """Multiplies every learning rate by a factor when a metric has stopped improving.

    .. code-block:: text

        better (min)   m < best·(1 − threshold), or m < best − threshold      torch
                       m < best·(1 − rtol) − atol                             optax
        num_bad        metrics in a row that were not better; 0 in a cooldown
        fires          num_bad > patience                                     torch
                       num_bad = patience                                     optax
        lr             ← max(lr·factor, min_lr)

    In mode "max" the signs are the other way round; optax itself has "min" only. After it has
    fired, `cooldown` metrics pass without being counted. A metric that is NaN is not better.

    Unlike the other schedules it is no function of the step: it has a `state_dict`, and it writes
    into the optimizer's groups. The rates themselves are in the optimizer's state dict.

    Args:
        optimizer: an optimizer or a wrapper, whose learning rates are numbers.
        mode: "min" or "max": what is better.
        factor: what rates are multiplied by, between 0 and 1.
        patience: as above; at least 1 in optax's convention.
        threshold: how much better is better, torch's; 1e-4 if None.
        threshold_mode: "rel" or "abs".
        cooldown: metrics that are not counted after a reduction.
        min_lr: the lowest rate, or one for each group. optax's min_scale is in units of the
            first rate: here it is ``min_lr = min_scale * lr``.
        eps: changes of a rate up to this are left out; if None 1e-8, in optax's convention 0.
        convention: "torch" or "optax".
        rtol: how much better is better, optax's; 1e-4 if None.
        atol: the same, as a difference; 0 if None.
        accumulation_size: how many metrics are averaged into each that is judged.

    Raises:
        TypeError: an argument of another type, or a rate is a schedule or a function.
        ValueError: an argument is out of these limits, or belongs to the other convention.

    Example:
        >>> import numpy as np, optcore as oc
        >>> opt = oc.SGD(np.ones(2), lr=0.1)
        >>> plateau = oc.schedules.ReduceOnPlateau(opt, factor=0.5, patience=1)
        >>> [plateau.step(loss) for loss in (1.0, 0.9, 0.9, 0.9)], opt.lr
        ([False, False, False, True], 0.05)
    """

    def __init__(
        self,
        optimizer: Optimizer | LBFGS | Wrapper,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float | None = None,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float | None = None,
        *,
        convention: str = TORCH,
        rtol: float | None = None,
        atol: float | None = None,
        accumulation_size: int = 1,
    ):
        groups = _groups_of(optimizer)
        self._options = checked(
            {
                "mode": mode,
                "factor": factor,
                "patience": patience,
                "threshold": threshold,
                "threshold_mode": threshold_mode,
                "cooldown": cooldown,
                "min_lr": min_lr,
                "eps": eps,
                "convention": convention,
                "rtol": rtol,
                "atol": atol,
                "accumulation_size": accumulation_size,
            },
            len(groups),
        )
        _rates(groups)
        self._groups = groups
        self._best = worst(self._options["mode"])
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._window_mean = 0.0

    @property
    def best(self) -> float:
        """The best metric so far; inf or, in mode "max", -inf before the first."""
        return self._best

    @property
    def num_bad(self) -> int:
        """How many metrics in a row were not better than the best."""
        return self._counts["num_bad"]

    def step(self, metric: float) -> bool:
        """Takes a metric in, and reduces the rates if that is due.

        Args:
            metric: a number, or an array or tensor without axes.

        Returns:
            Whether a rate was reduced.

        Raises:
            TypeError: no number; or a rate is a schedule by now. Nothing has changed then.
        """
        value = as_metric(metric)
        rates = _rates(self._groups)
        judged = self._averaged(value)
        if judged is None or not self._judge(judged):
            return False
        return self._reduce(rates)

    def _averaged(self, value: float) -> float | None:
        """The mean of a full window, which then begins anew; else None."""
        count = self._counts["window_count"] + 1
        mean = ((count - 1) * self._window_mean + value) / count
        full = count >= self._options["accumulation_size"]
        self._counts["window_count"], self._window_mean = (0, 0.0) if full else (count, mean)
        return mean if full else None

    def _judge(self, value: float) -> bool:
        """Counts a metric as good or bad. Whether the rates have to go down."""
        counts, options = self._counts, self._options
        if self._is_better(value):
            self._best = value
            counts["num_bad"] = 0
        else:
            counts["num_bad"] += 1
        if counts["cooldown_left"] > 0:
            counts["cooldown_left"] -= 1
            counts["num_bad"] = 0
            return False
        endured = options["patience"] - (options["convention"] == OPTAX)
        if counts["num_bad"] <= endured:
            return False
        counts["num_bad"], counts["cooldown_left"] = 0, options["cooldown"]
        return True

    def _is_better(self, value: float) -> bool:
        options, smaller = self._options, self._options["mode"] == "min"
        if options["convention"] == OPTAX:
            relative, absolute = options["rtol"], options["atol"]
        elif options["threshold_mode"] == "rel":
            relative, absolute = options["threshold"], 0.0
        else:
            relative, absolute = 0.0, options["threshold"]
        if smaller:
            return bool(value < (1.0 - relative) * self._best - absolute)
        return bool(value > (1.0 + relative) * self._best + absolute)

    def _reduce(self, rates: list[float]) -> bool:
        options, reduced = self._options, False
        for group, rate, least in zip(self._groups, rates, options["min_lr"], strict=True):
            lower = max(rate * options["factor"], least)
            if rate - lower > options["eps"]:
                group["lr"] = lower
                reduced = True
        return reduced

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on from here, as plain data that JSON carries."""
        options = {**self._options, "min_lr": list(self._options["min_lr"])}
        return _SAVED.written(
            options=options, best=self._best, window_mean=self._window_mean, **self._counts
        )

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes over a state dict with its options; all of it or, on an error, nothing.

        Raises:
            KeyError, TypeError, ValueError: it is none of a `ReduceOnPlateau` over as many groups.
        """
        from ..optimizers.state_dict import count

        _SAVED.check(saved, ("options", "best", "window_mean", *_COUNTS))
        given = saved["options"]
        if not isinstance(given, Mapping) or set(given) != set(self._options):
            raise KeyError(
                f"state_dict/options: expected a dict of {sorted(self._options)}, got "
                f"{given!r:.80}; pass a dict that state_dict() gave"
            )
        try:
            options = checked(given, len(self._groups))
        except (TypeError, ValueError) as error:
            raise type(error)(f"state_dict/options/{error.args[0]}") from None
        best = saved_number(saved["best"], "state_dict/best")
        mean = saved_number(saved["window_mean"], "state_dict/window_mean")
        counts = {name: count(saved[name], f"state_dict/{name}") for name in _COUNTS}
        self._options, self._best, self._counts = options, best, counts
        self._window_mean = mean

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self._options.items() if v is not None)
        return f"ReduceOnPlateau({shown}, best={self.best!r}, num_bad={self.num_bad})"


class _Whole:
    """An optimizer without groups, as the one group that it is."""

    def __init__(self, optimizer: LBFGS):
        self._optimizer = optimizer

    def schedule(self, name: str) -> Any:
        return getattr(self._optimizer._options, name)

    def __setitem__(self, name: str, value: float) -> None:
        setattr(self._optimizer, name, value)


def _groups_of(optimizer: Any) -> list[Any]:
    """What has a learning rate of its own."""
    from ..optimizers import LBFGS, Optimizer
    from ..wrappers import Wrapper

    if isinstance(optimizer, LBFGS):
        return [_Whole(optimizer)]
    if not isinstance(optimizer, (Optimizer, Wrapper)):
        raise TypeError(
            f"optimizer: expected an optimizer or a wrapper, got a {type(optimizer).__name__}; "
            "pass e.g. oc.AdamW(params)"
        )
    return list(optimizer.groups)


def _rates(groups: list[Any]) -> list[float]:
    """The learning rate of each group, or a TypeError where it is no number."""
    rates = []
    for i, group in enumerate(groups):
        given = group.schedule("lr")
        if isinstance(given, Schedule) or not isinstance(given, float):
            raise TypeError(
                f"groups[{i}]/lr: expected a number, got {given!r}; give the optimizer a number, "
                "or scale the schedule yourself: opt.lr = 0.1 * schedule"
            )
        rates.append(given)
    return rates
