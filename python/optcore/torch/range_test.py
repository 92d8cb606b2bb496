"""The learning-rate range test over a torch training loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from ..range_test.result import RangeTest
from ..range_test.watch import Watch
from .hyperparameter import Hyperparameter
from .optimizer import TorchOptimizer


def lr_range_test(
    optimizer: torch.optim.Optimizer,
    closure: Callable[[], Any],
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    *,
    model: torch.nn.Module | None = None,
    smoothing: float = 0.8,
    diverged_at: float = 4.0,
) -> RangeTest:
    """Trains for a few steps with ever larger rates, to see which are good, and undoes it all.

    The same as `optcore.lr_range_test`, over any torch optimizer, torch's own included. Afterwards
    parameters, gradients, state and parameter groups are what they were, to the bit, and the very
    same tensors. What the closure has drawn, batches or random numbers, stays drawn.

    Args:
        optimizer: any `torch.optim.Optimizer`; all its groups get the same rate.
        closure: as `optimizer.step` takes it: it zeroes the gradients, works out the loss of the
            next batch, calls `backward()`, and returns the loss.
        low: the first rate.
        high: the last.
        steps: how many, at least 3.
        model: its buffers, such as the running averages of batch norm, are brought back as well,
            and the gradients of parameters that the optimizer does not have.
        smoothing: the weight of what was before in the running average, 0 for none.
        diverged_at: above 1.

    Returns:
        Rates and losses, with `suggestion` and `plot()`.

    Raises:
        TypeError, ValueError: an argument is of another kind or out of range, or the first loss is
            not finite.

    Example:
        >>> import torch, optcore.torch as ot
        >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
        >>> opt = torch.optim.SGD([w], lr=0.5)
        >>> def closure():
        ...     opt.zero_grad()
        ...     loss = w.square().sum()
        ...     loss.backward()
        ...     return loss
        >>> found = ot.lr_range_test(opt, closure, low=1e-4, high=100.0)
        >>> found.diverged, found.suggestion.steepest < 1
        (True, True)
        >>> w.tolist(), w.grad, opt.param_groups[0]["lr"]
        ([3.0, -2.0], None, 0.5)
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer: expected a torch.optim.Optimizer, got a {type(optimizer).__name__}; one "
            "of NumPy arrays goes to optcore.lr_range_test"
        )
    if not callable(closure):
        raise TypeError(
            f"closure: expected a function that returns the loss, got {closure!r:.80}; pass the "
            "one that optimizer.step takes"
        )
    if model is not None and not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model: expected a torch.nn.Module or None, got a {type(model).__name__}; it is for "
            "its buffers"
        )
    watch = Watch(low, high, steps, smoothing, diverged_at)
    kept = _Kept(optimizer, model)
    try:
        _train(optimizer, closure, watch)
    finally:
        kept.bring_back()
    return watch.result()


def _train(optimizer: torch.optim.Optimizer, closure: Callable[[], Any], watch: Watch) -> None:
    lr = Hyperparameter.named("lr", optimizer.param_groups)

    def step(rate: float, seen: list[Any]) -> None:
        def observed() -> Any:
            loss = closure()
            seen.append(loss.detach() if isinstance(loss, torch.Tensor) else loss)
            return loss

        for group in optimizer.param_groups:
            lr.write(group, rate)
        optimizer.step(observed)

    watch.train(step)


class _Tensor:
    """A tensor and what it held."""

    def __init__(self, tensor: torch.Tensor):
        self._tensor, self._before = tensor, tensor.detach().clone()

    def bring_back(self) -> torch.Tensor:
        """The same tensor with what it held."""
        with torch.no_grad():
            self._tensor.detach().copy_(self._before)
        return self._tensor


def _kept(value: Any) -> Any:
    return _Tensor(value) if isinstance(value, torch.Tensor) else copy.deepcopy(value)


def _back(value: Any) -> Any:
    return value.bring_back() if isinstance(value, _Tensor) else value


class _Kept:
    """Everything that steps change, to be put back."""

    def __init__(self, optimizer: torch.optim.Optimizer, model: torch.nn.Module | None):
        self._optimizer = optimizer
        self._groups = [
            {name: _kept(value) for name, value in group.items() if name != "params"}
            for group in optimizer.param_groups
        ]
        params = [param for group in optimizer.param_groups for param in group["params"]]
        if model is not None:  # those that are not trained get gradients as well
            owned = set(map(id, params))
            params += [param for param in model.parameters() if id(param) not in owned]
        self._params = [
            (param, _Tensor(param), None if param.grad is None else _Tensor(param.grad))
            for param in params
        ]
        self._state = {
            key: {name: _kept(value) for name, value in state.items()}
            for key, state in optimizer.state.items()
        }
        self._buffers = [
            (module, name, _Tensor(buffer))
            for module in (() if model is None else model.modules())
            for name, buffer in module._buffers.items()
            if buffer is not None
        ]
        self._stepped = vars(optimizer).get("_opt_called")  # what torch's schedulers look at
        if isinstance(optimizer, TorchOptimizer):
            # It knows step numbers and has counted skipped steps; the test gets another.
            self._engine, optimizer._engine = optimizer._engine, None

    def bring_back(self) -> None:
        """Puts it back."""
        optimizer = self._optimizer
        for group, kept in zip(optimizer.param_groups, self._groups, strict=True):
            for name in set(group) - set(kept) - {"params"}:
                del group[name]
            group.update({name: _back(value) for name, value in kept.items()})
        for param, before, gradient in self._params:
            before.bring_back()
            param.grad = None if gradient is None else gradient.bring_back()
        for key in [key for key in optimizer.state if key not in self._state]:
            del optimizer.state[key]
        for key, state in self._state.items():
            now = optimizer.state[key]
            for name in set(now) - set(state):
                del now[name]
            now.update({name: _back(value) for name, value in state.items()})
        for module, name, buffer in self._buffers:
            module._buffers[name] = buffer.bring_back()
        if self._stepped is None:
            vars(optimizer).pop("_opt_called", None)
        if isinstance(optimizer, TorchOptimizer):
            optimizer._engine = self._engine
