"""optcore's schedules as a torch scheduler."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler as TorchLRScheduler

from ..optimizers.hyper import source
from ..optimizers.state_dict import count, restored
from ..schedules import Constant, Schedule
from ..schedules.metric import Saved, saved_number
from .hyperparameter import Hyperparameter

_SAVED = Saved("LRScheduler")

Given = Schedule | Callable[[int], float] | float


class LRScheduler(TorchLRScheduler):
    """Drives any torch optimizer, torch's own included, by a schedule of ours.

    Used as torch's schedulers are: ``scheduler.step()`` after each ``optimizer.step()``. The k-th
    step of the optimizer, counted from 0, uses s(k) itself, whatever rate the optimizer was made
    with. The value never depends on the last one, so nothing drifts, and ``step(epoch=k)`` goes to
    any k, forwards or back.

    Schedules are combined before they come here, ``Warmup(100).then(s)`` or ``s * t``: this writes
    the value, it does not multiply what it finds. torch's SequentialLR may hold it. So may its
    ChainedScheduler, beside schedulers of other hyperparameters; a change of the same one by
    somebody else is overwritten, with a warning.

    Args:
        optimizer: any `torch.optim.Optimizer`.
        schedule: a schedule, or a list with one for each parameter group. A function of the step
            and a number are schedules too. One schedule also holds for groups that are added later.
        last_epoch: the step that has been taken last, to go on after it; -1 for none.
        name: what it drives: "lr", or another number of the parameter groups, as "weight_decay",
            "momentum", "betas[0]".
        every: how many calls of ``step()`` a step of the schedule lasts: the steps per epoch, for a
            schedule of epochs.

    Attributes:
        schedule: the schedule, or a tuple of them.
        last_epoch: the step whose value is in force.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of these limits, or the
            schedule's value is not finite. Nothing has changed.

    A tensor as the rate is written in place.

    >>> import torch
    >>> from optcore.schedules import OneCycle
    >>> rate = OneCycle(0.1, total=9, rise=5 / 9, shape="linear")
    >>> optimizer = torch.optim.Adam([torch.zeros(3, requires_grad=True)])
    >>> schedulers = [LRScheduler(optimizer, rate),
    ...               LRScheduler(optimizer, rate.momentum(), name="betas[0]")]
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     for scheduler in schedulers:
    ...         scheduler.step()
    >>> optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"]
    (0.1, (0.85, 0.999))
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: Given | Sequence[Given],
        last_epoch: int = -1,
        *,
        name: str = "lr",
        every: int = 1,
    ):
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer: expected a torch.optim.Optimizer, got a {type(optimizer).__name__}; "
                "optimizers of NumPy arrays take the schedule itself: oc.Adam(params, lr=schedule)"
            )
        last_epoch = _whole("last_epoch", last_epoch, least=-1)
        every = _whole("every", every, least=1)
        self.optimizer = optimizer
        self.name = name
        self._hyperparameter = Hyperparameter.named(name, optimizer.param_groups)
        schedule = _checked(schedule, len(optimizer.param_groups))
        self.schedule = schedule if every == 1 else _slowed(schedule, every)
        self._values(last_epoch + 1)  # whatever they raise comes before the first change
        if isinstance(self.schedule, tuple):
            _unshare(self._hyperparameter, optimizer.param_groups)
        for group in optimizer.param_groups:  # torch asks for it, to resume; nothing here does
            rate = group["lr"]
            group.setdefault("initial_lr", rate.clone() if torch.is_tensor(rate) else rate)
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: int | None = None) -> None:
        """On to the next step of the schedule; to be called after `optimizer.step()`.

        Args:
            epoch: the step to go to instead.

        Raises:
            TypeError, ValueError: epoch is no step, or the schedule's value there is not finite.
                Nothing has changed.
        """
        if epoch is None and self._step_count > 0:
            self._look_around()
        self._update_lr(epoch)
        self._step_count += 1

    def _update_lr(self, epoch: int | None = None) -> None:
        """Writes the values of that step, or of the next one. SequentialLR calls it as well."""
        step = self.last_epoch + 1 if epoch is None else _whole("epoch", epoch, least=0)
        values = self._values(step)
        self.last_epoch = step
        groups, number = self.optimizer.param_groups, self._hyperparameter
        for group, value in zip(groups, values, strict=True):
            number.write(group, value)
        self._last_lr = [_copied(number.read(group)) for group in groups]

    def _values(self, step: int) -> list[float]:
        """The value for each group."""
        groups = len(self.optimizer.param_groups)
        schedule = self.schedule
        if isinstance(schedule, Schedule):
            return [self._value(schedule, step)] * groups
        _check_count(len(schedule), groups)
        return [self._value(one, step) for one in schedule]

    def _value(self, schedule: Schedule, step: int) -> float:
        value = schedule(step)
        if not math.isfinite(value):
            raise ValueError(
                f"schedule: expected finite values, got {value} for {self.name} at step {step}; "
                "clip it: schedule.clip(low, high)"
            )
        return value

    def _look_around(self) -> None:
        """Warns of calls in the wrong order, and of others who write the same number."""
        if self._step_count == 1 and not self._is_stepped():
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. The first value "
                "of the schedule is never used; call `optimizer.step()` first.",
                UserWarning,
                stacklevel=3,
            )
        now = map(self._hyperparameter.read, self.optimizer.param_groups)
        if any(map(_differ, now, self._last_lr)):
            warnings.warn(
                f"{self.name}: expected what this LRScheduler wrote last, got another value in "
                "param_groups, which is overwritten now; make one schedule of several with s * t "
                "or Sequential, or make a new LRScheduler",
                UserWarning,
                stacklevel=3,
            )

    def _is_stepped(self) -> bool:
        """Whether the optimizer has taken a step, as far as torch's constructor has it counted."""
        counted = hasattr(self.optimizer.step, "_wrapped_by_lr_sched")
        return not counted or getattr(self.optimizer, "_opt_called", False)

    def get_lr(self) -> list[Any]:
        """The value for each parameter group at `last_epoch`, worked out anew."""
        return list(self._values(self.last_epoch))

    def get_last_lr(self) -> list[Any]:
        """What was written last, for each parameter group: the rates, or what `name` says."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """The schedule and its place, as plain data that JSON carries exactly.

        A Python function in a schedule is not data. It stays what it is when the rest is loaded.
        """
        return _SAVED.written(
            name=self.name,
            schedule=self.schedule.to_dict()
            if isinstance(self.schedule, Schedule)
            else [one.to_dict() for one in self.schedule],
            last_epoch=self.last_epoch,
            _step_count=self._step_count,
            _last_lr=[float(value) for value in self._last_lr],
        )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over schedule and place; all of it or, on an error, nothing.

        As with torch's, the values in force are in the optimizer's own state dict: load both, in
        any order. Without the optimizer's, ``scheduler.step(scheduler.last_epoch)`` writes them.

        Raises:
            KeyError, TypeError, ValueError: it is not from an `LRScheduler` of this hyperparameter
                and as many parameter groups.
        """
        saved = state_dict
        _SAVED.check(saved, ("name", "schedule", "last_epoch", "_step_count", "_last_lr"))
        if saved["name"] != self.name:
            raise ValueError(
                f"state_dict/name: expected {self.name!r}, got {saved['name']!r}; "
                "load it into the LRScheduler of that hyperparameter"
            )
        groups = self.optimizer.param_groups
        where = "state_dict/schedule"
        schedule = _checked(restored(saved["schedule"], self.schedule, where), len(groups), where)
        last_epoch = _whole("state_dict/last_epoch", saved["last_epoch"], least=-1)
        step_count = count(saved["_step_count"], "state_dict/_step_count")
        last = saved["_last_lr"]
        if not isinstance(last, (list, tuple)) or len(last) != len(groups):
            raise ValueError(
                f"state_dict/_last_lr: expected {len(groups)} numbers, one for each parameter "
                f"group, got {last!r:.80}; make the optimizer with as many groups"
            )
        values = [saved_number(v, f"state_dict/_last_lr/{i}") for i, v in enumerate(last)]
        kinds = [self._hyperparameter.read(group) for group in groups]
        self._last_lr = [
            torch.full_like(kind, value) if torch.is_tensor(kind) else value
            for kind, value in zip(kinds, values, strict=True)
        ]
        self.schedule, self.last_epoch, self._step_count = schedule, last_epoch, step_count

    def __repr__(self) -> str:
        return (
            f"LRScheduler({type(self.optimizer).__name__}, {self.schedule!r}, "
            f"last_epoch={self.last_epoch}, name={self.name!r})"
        )


def _checked(given: Any, groups: int, where: str = "schedule") -> Schedule | tuple[Schedule, ...]:
    """A schedule, or as many as there are groups."""
    if not isinstance(given, (list, tuple)):
        return _scheduled(given, where)
    _check_count(len(given), groups, where)
    return tuple(_scheduled(one, f"{where}[{i}]") for i, one in enumerate(given))


def _scheduled(given: Any, where: str) -> Schedule:
    value = source(given, where)
    return value if isinstance(value, Schedule) else Constant(value)


def _check_count(given: int, groups: int, where: str = "schedule") -> None:
    if given != groups:
        raise ValueError(
            f"{where}: expected one for each of the {groups} parameter groups, got {given}; "
            "pass as many, or a single one for all"
        )


def _slowed(schedule: Schedule | tuple[Schedule, ...], n: int) -> Schedule | tuple[Schedule, ...]:
    if isinstance(schedule, Schedule):
        return schedule.every(n)
    return tuple(one.every(n) for one in schedule)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or torch.is_tensor(value):
        raise TypeError(
            f"{name}: expected a whole number (int), got {type(value).__name__} {value!r:.40}; "
            "count steps from 0 on"
        )
    if not least <= operator.index(value) < 2**64 - 1:
        raise ValueError(
            f"{name}: expected {least} to 2**64 - 2, got {value}; count steps from 0 on"
        )
    return operator.index(value)


def _differ(now: Any, last: Any) -> bool:
    """Whether a number has changed. One on another device is not asked: that would wait for it."""
    there = torch.is_tensor(now) and now.device.type != "cpu"
    return not there and bool(now != last)


def _copied(value: Any) -> Any:
    return value.clone() if torch.is_tensor(value) else value


def _unshare(hyperparameter: Hyperparameter, groups: list[dict[str, Any]]) -> None:
    """Gives each group a tensor of its own, where they share one and are to differ."""
    seen: set[int] = set()
    for group in groups:
        now = hyperparameter.read(group)
        if torch.is_tensor(now) and hyperparameter.position is None:
            if id(now) in seen:
                group[hyperparameter.key] = now.detach().clone()
            seen.add(id(now))
