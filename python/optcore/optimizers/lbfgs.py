"""L-BFGS."""

from __future__ import annotations

import numbers
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import numpy as np

from .. import _core
from ..schedules import Schedule
from ..typing import Array, Scalar, Tree
from . import hyper, lbfgs_state
from .base import _called, _name, _split_groups
from .flat import Flat
from .group import known_name
from .lbfgs_step import Objective, Options, Progress, checked_rate, descend
from .signature import defaults_of

Loss = TypeVar("Loss")


class LBFGS:
    """L-BFGS (Liu & Nocedal, 1989; Nocedal & Wright, 2006, algorithm 7.5), as torch.optim has it.

    .. code-block:: text

        d ← −H·g              H from the last pairs s = αd, y = g' − g by the two-loop recursion,
                              starting from γ = sᵀy/yᵀy; pairs with sᵀy ≤ 10⁻¹⁰ are left out
        α = η·min(1, 1/‖g‖₁) in the very first iteration, then η
        α ← a step that meets the strong Wolfe conditions (c₁ = 10⁻⁴, c₂ = 0.9), if searched for
        θ ← θ + αd

    It is for losses without noise: all of the data in every evaluation. A `step` runs up to
    `max_iter` of these iterations and calls the closure in each. It ends before where max |g| is at
    most `tolerance_grad`, where the slope gᵀd, α·max |d| or the change of the loss is as small as
    `tolerance_change`, or after `max_eval` evaluations, which a line search obeys too.
    Near a minimum pairs fall below 10⁻¹⁰, and it goes on with those it has, more slowly: where more
    digits are wanted, scale the loss up and lower the tolerances.

    It takes memory for 2·`history_size` vectors of the size of the parameters, beside about ten
    that a step works with. History is allocated pair by pair as it grows. A step holds on to the
    history it began with until it has succeeded: that is up to `max_iter` pairs more.

    Args:
        params: a tree of float32 and float64 arrays, or a list of one group. It is one vector
            inside, of float64 if any of them is.
        lr: the learning rate η: a number, or a schedule of the number of `step` calls.
        max_iter: iterations in a step.
        max_eval: evaluations in a step; None for max_iter·5/4, and with a line search no fewer
            than 25.
        tolerance_grad: see above.
        tolerance_change: see above.
        history_size: how many pairs are kept.
        line_search_fn: "strong_wolfe", or None for steps of η.
        maximize: climb instead.
        threads: threads for the work on vectors; None takes the default (`set_num_threads`).

    Raises:
        ValueError: a value is out of range, there are several groups, or arrays share memory.
        TypeError: a parameter has 16 bits: differences of gradients would drown in the rounding.

    Results do not depend on CPU or number of threads, as far as the closure's do not. Against other
    implementations they agree to rounding only, as those sum in another order.

    Example:
        >>> import numpy as np, optcore as oc
        >>> x = np.array([-1.2, 1.0])
        >>> def rosenbrock():
        ...     a, b = x
        ...     loss = (1 - a) ** 2 + 100 * (b - a * a) ** 2
        ...     return loss, np.array([2 * (a - 1) - 400 * a * (b - a * a), 200 * (b - a * a)])
        >>> opt = oc.LBFGS(x, max_iter=50, tolerance_change=0.0, line_search_fn="strong_wolfe")
        >>> print(opt.step(rosenbrock).round(6))
        24.2
        >>> np.round(x, 6)
        array([1., 1.])
    """

    rule: ClassVar[str] = "lbfgs"
    paper: ClassVar[str] = "Liu & Nocedal, 1989: On the limited memory BFGS method"
    bits: ClassVar[bool] = False

    @classmethod
    def described(cls) -> dict[str, Any]:
        """The class's entry in `optcore.rules`."""
        return {
            "name": cls.__name__,
            "rule": cls.rule,
            "kind": "global",
            "bits": cls.bits,
            "options": {k: v for k, v in defaults_of(cls).items() if k in Options.names()},
            "state": ["d", "prev_flat_grad", "old_dirs", "old_stps"],
            "scalars": ["t", "H_diag", "ro"],
            "bytes": None,  # grows with the history and with the closure's evaluations
            "dialects": ["torch"],
            "paper": cls.paper,
        }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        maximize: bool = False,
        threads: int | None = None,
    ):
        trees, overrides, self._grouped = _split_groups(params)
        if len(trees) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups): expected one "
                f"tree or one group, got {len(trees)} groups; make one tree of them"
            )
        values = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
            "maximize": maximize,
        }
        for name in overrides[0]:
            known_name(name, list(values), "groups[0]")
        self._options = self._checked({**values, **overrides[0]})
        self._threads, self._threads_given = hyper.thread_count(threads), threads
        self._tree = trees[0]
        names = [_name(self._tree, i) for i in range(len(self._tree.paths))]
        _core.check_params(self._tree.leaves, names)
        for array, name in zip(self._tree.leaves, names, strict=True):
            if array.dtype.itemsize == 2:
                raise TypeError(
                    f"{name}: expected a float32 or float64 array, got {array.dtype}; L-BFGS lives "
                    "on differences of gradients, which drown in the rounding to 16 bits: keep "
                    "float32 parameters, and round them in the closure"
                )
        self._flat = Flat(self._tree.leaves)
        self._progress = Progress()
        self._stepping = threading.Lock()

    # Steps. ------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], tuple[Loss, Tree]] | None = None) -> Loss:
        """Runs up to `max_iter` iterations, which change the parameters in place.

        Args:
            closure: a function of no arguments that returns the loss and the gradients at the
                parameters as they stand in their arrays. It is called several times, and writes to
                no parameter. Gradients are nested as the parameters are, and read at once, so their
                arrays may be used again. None in the place of a gradient is zero: that parameter
                stays as it is.

        Returns:
            The first loss, from before any change.

        Raises:
            TypeError: there is no closure, or it returns something else.
            FloatingPointError: a loss is not finite. (An infinite one at a trial point of the
                line search is no error: the search goes back.)
            NonFiniteError: a gradient is not finite.
            RuntimeError: another thread, or the closure, is stepping this optimizer.
            KeyError, ValueError: as in `Optimizer.step`.

        On any error, also one that the closure raises, parameters, state and step numbers are what
        they were before this call, to the bit.
        """
        self._check_closure(closure)
        assert closure is not None
        self._hold("step")
        try:
            options, before = self._options, self._flat.copies()
            sign = -1.0 if options.maximize else 1.0
            evaluated = partial(self._evaluated, closure)
            objective = Objective(evaluated, self._flat, self._tree.paths, sign)
            try:
                progress = descend(objective, self._flat, options, self._progress, self._threads)
            except BaseException:
                self._flat.restore(before)
                raise
            self._progress = progress
        finally:
            self._stepping.release()
        loss: Loss = objective.first_loss
        return loss

    def _evaluated(
        self, closure: Callable[[], tuple[Loss, Tree]]
    ) -> tuple[Loss, Callable[[], Array]]:
        loss, grads = _called(closure, None)
        return loss, partial(self._gathered, grads)

    def _gathered(self, grads: Any) -> Array:
        """Gradients as one vector."""
        name = "grads"
        if self._grouped:
            if not isinstance(grads, (list, tuple)) or len(grads) != 1:
                raise TypeError(
                    f"grads: expected a list of one tree, as there is one group, got {grads!r:.80}"
                )
            (grads,), name = grads, "grads[0]"
        grad = np.empty(self._flat.size, self._flat.dtype)
        _core.gather_gradients(self._tree, grads, grad, self._tree.root, name)
        return grad

    def _check_closure(self, closure: object) -> None:
        if closure is None:
            raise TypeError(
                "LBFGS.step() missing 1 required positional argument: 'closure': expected a "
                "function that returns the loss and the gradients, got none; pass "
                "step(closure=f) with f() -> (loss, grads)"
            )
        if not callable(closure):
            raise TypeError(
                "closure: expected a function that returns the loss and the gradients, got a "
                f"{type(closure).__name__}; L-BFGS evaluates several points in a step, so pass "
                "step(closure=f) with f() -> (loss, grads) instead of gradients"
            )

    def _hold(self, what: str) -> None:
        if not self._stepping.acquire(blocking=False):
            raise RuntimeError(
                f"{what}: expected no step of this optimizer under way, got one in another thread "
                "or around the closure; wait for its end"
            )

    @property
    def step_count(self) -> int:
        """The number of calls of `step` that succeeded."""
        return self._progress.step

    @property
    def n_iter(self) -> int:
        """The number of iterations in all of these."""
        return self._progress.iterations

    @property
    def n_evals(self) -> int:
        """How often they have called the closure."""
        return self._progress.evals

    # Hyperparameters. --------------------------------------------------------------------------

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Setting it replaces number or schedule."""
        lr = self._options.lr
        return float(lr(self._progress.step)) if isinstance(lr, Schedule) else lr

    @lr.setter
    def lr(self, value: Scalar) -> None:
        self._options = replace(self._options, lr=_rate(value))

    @property
    def threads(self) -> int | None:
        """The threads of a step, or None for the default."""
        return self._threads_given

    @threads.setter
    def threads(self, value: int | None) -> None:
        self._threads, self._threads_given = hyper.thread_count(value), value

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> Options:
        max_eval, search = values["max_eval"], values["line_search_fn"]
        if search is not None and search != "strong_wolfe":
            raise ValueError(
                f"line_search_fn: only 'strong_wolfe' is supported, or None, got {search!r}; "
                "pass one of them"
            )
        least = 2 if search else 1  # a search has to look at one more point at least
        hyper.switch(values["maximize"], "maximize")
        return Options(
            lr=_rate(values["lr"]),
            max_iter=_whole(values["max_iter"], "max_iter", 1),
            max_eval=None if max_eval is None else _whole(max_eval, "max_eval", least),
            tolerance_grad=hyper.finite(values["tolerance_grad"], "tolerance_grad"),
            tolerance_change=hyper.finite(values["tolerance_change"], "tolerance_change"),
            history_size=_whole(values["history_size"], "history_size", 1),
            line_search_fn=search,
            maximize=bool(values["maximize"]),
        )

    # State. ------------------------------------------------------------------------------------

    @property
    def state(self) -> Mapping[str, Mapping[str, Array]]:
        """The vectors by parameter path and torch's names, as views that cannot be written to."""
        state = lbfgs_state.by_parameter(self)
        return MappingProxyType({path: MappingProxyType(own) for path, own in state.items()})

    def state_dict(self, *, copy: bool = False) -> dict[str, Any]:
        """Everything needed to go on from here with the same bits, as dicts, numbers and arrays.

        Args:
            copy: False gives views of the state that cannot be written to.

        Returns:
            `{"format": 1, "rule", "groups", "step", "numbers", "state"}`; numbers are those that
            belong to no parameter.
        """
        return lbfgs_state.save(self, copy)

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes over a state dict, copying its arrays; all of it or, on an error, nothing.

        Raises:
            KeyError: an entry, parameter or slot is missing or unknown.
            ValueError: another rule, format, value or shape.
            TypeError: an entry of the wrong type.
        """
        self._hold("load_state_dict")
        try:
            self._options, self._progress = lbfgs_state.loaded(self, saved)
        finally:
            self._stepping.release()

    def __reduce__(self) -> Any:
        """An optimizer belongs to the arrays it was made over, so it is not copied on its own."""
        raise TypeError(
            "LBFGS cannot be pickled or copied, as it updates arrays that it does not own; "
            "save state_dict(copy=True) and load it into an optimizer over the new arrays"
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self._options, name)!r}" for name in Options.names())
        return f"LBFGS({len(self._tree.paths)} parameters, {shown})"


def _rate(value: object) -> float | Schedule:
    given = hyper.source(value, "lr")
    return given if isinstance(given, Schedule) else checked_rate(given)


def _whole(value: object, name: str, least: int) -> int:
    """A whole number that is not too small."""
    if not isinstance(value, (numbers.Integral, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{name}: expected an int, got {value!r}; pass e.g. 20")
    if int(value) < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}; pass e.g. 20")
    return int(value)
