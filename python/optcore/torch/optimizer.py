"""The base of the torch optimizers: torch's own class around optcore's step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch

from ..optimizers.base import Optimizer as NumPyOptimizer
from . import tensors, values
from .engine import Engine
from .loading import KeptFormats
from .members import members

STEP_OPTIONS = ("clip_norm", "clip_value", "nonfinite", "ema", "low_precision", "seed", "threads")
"""What belongs to the step as a whole, not to a group."""


class TorchOptimizer(KeptFormats):
    """A `torch.optim.Optimizer` whose step is one call of optcore's core, for all parameters.

    It holds nothing between steps but torch's own `state` and `param_groups`, so that whatever is
    done to these (schedulers, loading, `add_param_group`, sharding) holds from the next step on.

    State is made at a parameter's first gradient. `state[p]["step"]` is a float64 tensor, so that
    it counts beyond 2²⁴. State dicts go from and to `torch.optim`'s class of the same name.

    A sparse COO gradient steps the rows that it names, as `optcore.Rows` does, with every
    elementwise rule: also with those for which torch refuses it, and beside weight decay. (`SGD`
    with momentum steps all rows, as torch's.) One that names single elements (`sparse_dim` above 1)
    is made dense, but for `SparseAdam`, which leaves the others alone. Rules that look at whole
    tensors refuse a sparse gradient of rows.

    A complex number is stepped as two real ones, by elementwise rules; others refuse it.

    Args:
        params: tensors in the CPU's memory, named tensors, or groups, as torch takes them: float32,
            float64, bfloat16, float16 or complex; dense, in any order of the axes.
        given: the hyperparameters, and with them
            `foreach`, `fused`: accepted, and without effect; `capturable`, `differentiable`: False.
            `clip_norm`, `clip_value`, `nonfinite`, `ema`, `low_precision`, `seed`, `threads`,
            `state_dtype`, `cautious`, `cautious_weight_decay`: as `optcore.Optimizer` has them.
            `state_dtype=None` is the parameter's own type (float32 for float16).
    """

    _kind: ClassVar[type[NumPyOptimizer]]
    """The class of the NumPy door that takes the steps."""

    _names: ClassVar[tuple[str, ...]]
    """The hyperparameters of a group that it knows."""

    _always: ClassVar[Mapping[str, Any]] = {}
    """Those that this class has for good."""

    _stateless: ClassVar[bool] = False
    """Whether torch's class keeps no step number."""

    _example: ClassVar[tuple[str, str]] = ("torch.nn.Linear(3, 2, bias=False)", "torch.ones(1, 3)")
    """A model and its input, for the docstring."""

    _engine: Engine | None = None
    _options: dict[str, Any]
    _averaging: bool = False
    _skipped: int = 0

    def __init__(self, params: Any, given: dict[str, Any]):
        self._options = {name: given.pop(name) for name in STEP_OPTIONS}
        given |= self._always
        self._check(given)
        super().__init__(params, given)

    def _check(self, group: Mapping[str, Any]) -> None:
        """Raises an error unless a group with these hyperparameters can be stepped."""
        for name in ("capturable", "differentiable"):
            if group.get(name):
                raise RuntimeError(
                    f"{type(self).__name__} with {name}=True is not supported: the step is no "
                    f"graph of torch operations; leave {name} out, or use torch.optim"
                )
        given = values.of_group(group, self._names)
        probe = {"params": {"0": np.zeros((2, 2), np.float32)}, **given}
        self._kind([probe], **{**self._options, "low_precision": None})

    @property
    def _counts(self) -> bool:
        """Whether there is a step number in the state of a parameter."""
        needed = self._options["low_precision"] == "stochastic" or self._options["ema"] is not None
        return needed or not self._stateless

    @property
    def _together(self) -> bool:
        """Whether all parameters have state from the first step: they share what they estimate."""
        return self._kind.kind() == "global"

    def _takes_whole(self, group: Mapping[str, Any]) -> bool:
        """Whether a sparse gradient steps a whole parameter, not the rows that it names."""
        return False

    def _of_wholes(self) -> str:
        """Why a step on shards would be another one, and what to do then; "" if it would not."""
        instead = "shard whole tensors (ZeroRedundancyOptimizer)"
        if self._kind.kind() != "elementwise":
            return f"looks at whole tensors; {instead}, or take an elementwise rule"
        if self._options["clip_norm"] is not None:
            return "with clip_norm= needs the norm of all; use torch.nn.utils.clip_grad_norm_"
        if self._options["nonfinite"] == "skip":
            return "with nonfinite='skip' would skip in some processes only; use 'raise'"
        if any(group.get("cautious") for group in self.param_groups):
            return f"with cautious=True looks at whole tensors; {instead}, or leave it out"
        if any(group.get("state_dtype") == "8bit" for group in self.param_groups):
            return (
                f"with state_dtype='8bit' scales blocks, which are cut; {instead}, or leave it out"
            )
        return ""

    # Steps. ------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient, in place.

        Args:
            closure: evaluates the model anew, with gradients, and returns the loss.

        Returns:
            The closure's loss, else None.

        On any error no parameter and no state has changed.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if torch.compiler.is_dynamo_compiling():
            _untraced(self)
        else:
            self._step()
        return loss

    def _step(self) -> None:
        if self._averaging:
            raise RuntimeError(
                "step: expected the parameters themselves, but averaged() has put the average in "
                "their place; step after the with block"
            )
        engine = self._engine
        stepped = None
        if engine is not None and engine.in_step(self):
            stepped = engine.step(self)
        if stepped is None and (engine := self._engine_now()) is not None:
            stepped = self._first_step(engine)
        self._skipped += stepped is False

    def _first_step(self, engine: Engine) -> bool:
        """A new engine's first step; state that was made for it goes if it does not take place."""
        stepped = None
        try:
            stepped = engine.step(self)
            if stepped is None:
                raise RuntimeError(
                    "step: expected parameters and state that stay where they are during a step; "
                    "another thread has moved some: let it wait"
                )
        finally:
            if not stepped:
                engine.withdraw()
        return stepped

    def _engine_now(self) -> Engine | None:
        """A new engine that fits what is there now; None where nothing is to be stepped."""
        with torch.no_grad():
            self._engine = Engine(self, self._engine) if self._has_members() else None
        return self._engine

    def _has_members(self) -> bool:
        return bool(members(self, self._engine._stateless if self._engine else ()))

    def _engine_fitting(self) -> Engine | None:
        """The engine that there is, if it fits what is there now, or a new one."""
        engine = self._engine
        fits = engine is not None and engine.in_step(self) and engine.current(self)
        return engine if fits else self._engine_now()

    @property
    def grad_norm(self) -> float:
        """The gradients' norm before clipping, as the last step with `clip_norm` found it."""
        if self._engine is None:
            raise AttributeError("grad_norm: no step was taken yet; expected one: call step first")
        return float(self._engine.inner.grad_norm)

    @property
    def skipped_steps(self) -> int:
        """How many steps did nothing, with `nonfinite="skip"`."""
        return self._skipped

    # Groups and state. -------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters, as torch does; they take part in the next step."""
        if isinstance(param_group, dict):
            for name in STEP_OPTIONS:
                if name in param_group:
                    raise ValueError(
                        f"{name}: expected for the whole optimizer, got it for one group; "
                        "pass it to the constructor"
                    )
            if param_group.keys() - {"params"}:
                self._check({**self.defaults, **param_group})
        super().add_param_group(param_group)
        try:
            for i, param in enumerate(self.param_groups[-1]["params"]):
                self._check_param(param, len(self.param_groups) - 1, i)
        except BaseException:
            del self.param_groups[-1]
            raise

    def _check_param(self, param: torch.Tensor, group: int, index: int) -> None:
        """Raises an error unless this may become the parameter with these indices."""
        where = f"param_groups[{group}]['params'][{index}]"
        tensors.check(param, where, allow_meta=True)
        check = getattr(self._kind, "_check_shape", None)
        if check is not None:
            check(tuple(param.shape), where)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._engine = None
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_options": self._options}

    # The average of the parameters. --------------------------------------------------------------

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """A with block in which the parameters hold their average (`ema=`), for evaluation.

        Afterwards they hold what they held before, to the bit. No step can be taken inside.
        """
        if self._options["ema"] is None:
            raise AttributeError(
                "ema: this optimizer averages nothing; expected ema=oc.EMA(0.999) when it is made"
            )
        kept = [(p, p.detach().clone(), s["ema"]) for p, s in self.state.items() if "ema" in s]
        self._averaging = True
        try:
            with torch.no_grad():
                for param, _, average in kept:
                    param.copy_(average)
            yield
        finally:
            with torch.no_grad():
                for param, before, _ in kept:
                    param.copy_(before)
            self._averaging = False


@torch._disable_dynamo
def _untraced(optimizer: TorchOptimizer) -> None:
    """A step in a compiled function: there is no graph in it, and addresses must be real ones."""
    optimizer._step()
