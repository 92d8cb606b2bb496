"""L-BFGS over torch tensors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.autograd.graph import increment_version

from ..optimizers import hyper
from ..optimizers import lbfgs as numpy_door
from ..optimizers.curvature import Pair
from ..optimizers.flat import Flat
from ..optimizers.lbfgs_step import Objective, Options, Progress, descend
from ..typing import Array
from . import tensors, values
from .loading import KeptFormats


class LBFGS(KeptFormats):
    """L-BFGS with the steps of `optcore.LBFGS`, which says what they are.

    State is torch's, kept as torch keeps it, in `state[params[0]]`: `old_dirs`, `old_stps` and the
    rest are vectors of all parameters. State dicts go from and to `torch.optim.LBFGS`. Steps are
    torch's up to rounding, but for what mends torch's: a search stays within `max_eval`, its
    bracket keeps hold of a point that descends enough, and no step is taken along a direction that
    is not finite.

    Args:
        params: float32, float64 or complex tensors in the CPU's memory, one group. A complex number
            is a pair of real ones. 16 bits are a TypeError: differences of gradients would drown.
        lr: the learning rate, a number; as the others, it is read from the group at each step.
        max_iter: iterations in a step.
        max_eval: evaluations in a step; None for max_iter·5/4. A search has one trial at least.
        tolerance_grad: a step ends where max |g| is no larger,
        tolerance_change: or where the slope, the change of the parameters or of the loss is not.
        history_size: how many pairs are kept.
        line_search_fn: "strong_wolfe", or None for steps of lr.
        maximize: climb instead.
        nonfinite: "propagate": a step ends where the gradient is not finite, and a loss that is not
            is compared as it is; "raise": either is an error, and the step is undone.
        threads: threads for the work on vectors; None takes the default (`set_num_threads`).

    Example:
        >>> import torch, optcore.torch as ot
        >>> x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
        >>> opt = ot.LBFGS([x], max_iter=50, line_search_fn="strong_wolfe")
        >>> def closure():
        ...     opt.zero_grad()
        ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        ...     loss.backward()
        ...     return loss
        >>> round(opt.step(closure).item(), 6)
        24.2
        >>> x.detach().round(decimals=4)
        tensor([1., 1.], dtype=torch.float64)
    """

    def __init__(
        self,
        params: Any,
        lr: float | torch.Tensor = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        maximize: bool = False,
        nonfinite: str = "propagate",
        threads: int | None = None,
    ):
        given = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
            "maximize": maximize,
        }
        _options(given)
        hyper.thread_count(threads)
        if nonfinite not in ("propagate", "raise"):
            raise ValueError(
                f"nonfinite: expected 'propagate' or 'raise', got {nonfinite!r}; pass one of them"
            )
        if max_eval is None:
            given["max_eval"] = max_iter * 5 // 4
        self._nonfinite, self._threads = nonfinite, threads
        super().__init__(params, given)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Takes the one group there may be."""
        super().add_param_group(param_group)
        try:
            if len(self.param_groups) > 1:
                raise ValueError(
                    "LBFGS doesn't support per-parameter options (parameter groups): expected one "
                    "group, got another; pass all parameters in one list"
                )
            _options(self.param_groups[0])
            for param, name in zip(self._params, self._param_names(), strict=True):
                _check(param, name, allow_meta=True)
        except BaseException:
            del self.param_groups[-1]
            raise

    @property
    def _params(self) -> list[torch.Tensor]:
        params: list[torch.Tensor] = self.param_groups[0]["params"]
        return params

    def _param_names(self) -> list[str]:
        return list(self.param_groups[0].get("param_names") or map(str, range(len(self._params))))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("maximize", False)  # torch's has none

    def __getstate__(self) -> dict[str, Any]:
        own = {"_nonfinite": self._nonfinite, "_threads": self._threads}
        return {**super().__getstate__(), **own}

    # Steps. ------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Runs up to `max_iter` iterations, which change the parameters in place.

        Args:
            closure: evaluates the model anew, with gradients, and returns the loss. It is called
                several times. A gradient that is None is zero; a sparse one is made dense.

        Returns:
            The first loss, from before any change.

        Raises:
            TypeError: there is no closure, or its loss is no number.
            FloatingPointError: with `nonfinite="raise"`, a loss or a gradient is not finite. (An
                infinite loss at a trial point of the line search is no error: it goes back.)

        On any error no parameter and no state has changed.
        """
        if not callable(closure):
            raise TypeError(
                "LBFGS.step() missing 1 required positional argument: 'closure': expected a "
                f"function that returns the loss, got {closure!r:.80}; L-BFGS evaluates several "
                "points in a step, so pass step(closure)"
            )
        options, params, names = _options(self.param_groups[0]), self._params, self._param_names()
        for param, name in zip(params, names, strict=True):
            _check(param, name)
        flat = _Tensors(params)
        tensors.check_apart(flat.arrays, names)

        def evaluated() -> tuple[Any, Callable[[], Array]]:
            with torch.enable_grad():
                loss = closure()
            return loss, partial(flat.gradient, names)

        sign, strict = -1.0 if options.maximize else 1.0, self._nonfinite == "raise"
        objective = Objective(evaluated, flat, names, sign, strict=strict)
        past, before = self._progress(flat), flat.copies()
        threads = hyper.thread_count(self._threads)
        try:
            with torch.no_grad():
                progress = descend(objective, flat, options, past, threads)
        except BaseException:
            flat.restore(before)
            raise
        self._keep(progress)
        return objective.first_loss

    # State. ------------------------------------------------------------------------------------

    def _progress(self, flat: Flat) -> Progress:
        """What earlier steps have left in the state, whoever took them."""
        state = self.state.get(self._params[0], {})
        progress = Progress(evals=state.get("func_evals", 0), iterations=state.get("n_iter", 0))
        if state.get("d") is None:
            return progress

        def vectors(name: str) -> list[Array]:
            return [_vector(each, flat, f"{name}[{i}]") for i, each in enumerate(state[name])]

        pairs = zip(vectors("old_stps"), vectors("old_dirs"), map(float, state["ro"]), strict=True)
        return Progress(
            evals=progress.evals,
            iterations=progress.iterations,
            pairs=tuple(Pair(*pair) for pair in pairs),
            scale=float(state["H_diag"]),
            direction=_vector(state["d"], flat, "d"),
            length=float(state["t"]),
            grad=_vector(state["prev_flat_grad"], flat, "prev_flat_grad"),
        )

    def _keep(self, progress: Progress) -> None:
        state = self.state[self._params[0]]
        state.update(func_evals=progress.evals, n_iter=progress.iterations)
        if progress.direction is None or progress.grad is None:
            return
        state.update(
            d=torch.from_numpy(progress.direction),
            t=progress.length,
            old_dirs=[torch.from_numpy(pair.y) for pair in progress.pairs],
            old_stps=[torch.from_numpy(pair.s) for pair in progress.pairs],
            ro=[pair.rho for pair in progress.pairs],
            H_diag=progress.scale,
            prev_flat_grad=torch.from_numpy(progress.grad),
            prev_loss=progress.loss,
        )


class _Tensors(Flat):
    """Tensors as one vector: each in the order of its axes, as torch's L-BFGS has them."""

    def __init__(self, params: list[torch.Tensor]):
        self._tensors = params
        self.arrays = [tensors.array_of(param) for param in params]
        super().__init__(self.arrays)

    def write(self, vector: Array) -> None:
        """Sets the parameters to a vector, and tells autograd that they have changed."""
        super().write(vector)
        increment_version(self._tensors)

    def restore(self, copies: Any) -> None:
        """Puts back what `copies` gave."""
        super().restore(copies)
        increment_version(self._tensors)

    def _row(self, array: Array) -> Array:
        return array

    def _index_of(self, array: Array, element: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(element, array.shape))

    def gradient(self, names: list[str]) -> Array:
        """The parameters' gradients as they are now, in a new vector."""
        every = zip(self._tensors, self.arrays, names, strict=True)
        return self.joined([_gradient(param, array, name) for param, array, name in every])


def _gradient(param: torch.Tensor, array: Array, where: str) -> Array:
    found = tensors.gradient_of(param, where, whole=True)
    return np.zeros(array.shape, array.dtype) if found is None else np.asarray(found)


def _options(group: dict[str, Any]) -> Options:
    """A group's hyperparameters, checked."""
    given = {name: values.settled(group[name], name) for name in Options.names()}
    if given["max_eval"] is not None and given["line_search_fn"] is not None:
        given["max_eval"] = max(2, given["max_eval"])  # torch's search has one trial at least
    for name in ("tolerance_grad", "tolerance_change"):  # torch takes ±inf
        given[name] = min(max(given[name], 0.0), sys.float_info.max)
    return numpy_door.LBFGS._checked(given)


def _check(param: torch.Tensor, where: str, allow_meta: bool = False) -> None:
    tensors.check(param, where, allow_meta=allow_meta)
    tensors.check_sharding(param, where, "LBFGS", "works on one vector of all parameters")
    if param.dtype.itemsize == 2:
        raise TypeError(
            f"{where}: expected a float32, float64 or complex tensor, got {param.dtype}; L-BFGS "
            "lives on differences of gradients, which drown in the rounding to 16 bits: keep "
            "float32 parameters, and round them in the closure"
        )


def _vector(value: torch.Tensor, flat: Flat, name: str) -> Array:
    """A vector of the state, as a step takes it: not copied, where it is of the right format."""
    if value.numel() != flat.size:
        raise ValueError(
            f"state[{name!r}]: expected {flat.size} elements, as the parameters have, got "
            f"{value.numel()}; is it the state of other parameters?"
        )
    return np.ascontiguousarray(tensors.array_of(value).reshape(-1), flat.dtype)
