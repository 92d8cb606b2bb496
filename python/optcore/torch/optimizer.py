"""The base of the torch optimizers: torch's own class around optcore's step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch

from ..optimizers.base import Optimizer as NumPyOptimizer
from . import tensors, values, words
from .engine import Engine
from .loading import KeptFormats, encode
from .members import members


def _option(name: str, what: str) -> property:
    """What holds for the steps of all groups, to be read and written."""

    def read(self: TorchOptimizer) -> Any:
        return self._options[name]

    def write(self: TorchOptimizer, value: Any) -> None:
        self._set_option(name, value)

    return property(read, write, doc=f"{what}; from the next step on, when set.")


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

    A complex number is stepped as two real ones, by elementwise rules; others refuse it. That holds
    for rows too, of which torch's Adagrad squares complex numbers as such.

    A state dict brings its groups' hyperparameters along, as in torch, and with them `state_dtype`,
    `cautious` and `cautious_weight_decay`, if it is one of ours; what it lacks stays as it was. The
    options of the step (`clip_norm`, `nonfinite`, ...) are attributes, and in no state dict.

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
        self._options = {name: given.pop(name) for name in values.STEP_OPTIONS}
        given |= self._always
        self._check(given)
        super().__init__(params, given)

    def _check(self, group: Mapping[str, Any]) -> None:
        """Raises an error unless a group with these hyperparameters can be stepped."""
        given = values.of_group(group, self._names)
        choice = given["state_dtype"]
        wide = "float64" in (choice.values() if isinstance(choice, Mapping) else [choice])
        probe = np.zeros((2, 2), np.float64 if wide else np.float32)
        try:
            self._kind([{"params": {"0": probe}, **given}], **self._options)
        except Exception as error:
            words.translate(error, {"0": "a parameter"})
            raise

    @contextmanager
    def _in_torch_words(self, estimates: bool = False) -> Iterator[None]:
        """A block in which errors of the optimizer inside are put into torch's words."""
        try:
            yield
        except Exception as error:
            words.translate(error, words.names(self), estimates)
            raise

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
        self._check_present("step")
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
        try:
            engine = self._engine
            stepped = None
            if engine is not None and engine.in_step(self):
                stepped = engine.step(self)
            if stepped is None and (engine := self._engine_now()) is not None:
                stepped = self._first_step(engine)
        except Exception as error:  # not in a with statement, which every step would pay for
            words.translate(error, words.names(self))
            raise
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
        found = members(self, self._engine.stateless if self._engine else ())
        with torch.no_grad():
            self._engine = Engine(self, found) if found else None
        return self._engine

    def _check_present(self, what: str) -> None:
        """Raises an error where other values are in the place of the parameters."""
        if self._averaging:
            raise RuntimeError(
                f"{what}: expected the parameters themselves, but averaged() has put the average "
                "in their place; leave its with block first"
            )

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

    clip_norm = _option("clip_norm", "The limit of the gradients' global norm, or None")
    clip_value = _option("clip_value", "The limit of each gradient element, or None")
    nonfinite = _option("nonfinite", "What happens when a gradient is not finite")
    threads = _option("threads", "The threads of a step, or None for the default")

    def _set_option(self, name: str, value: Any) -> None:
        before = self._options
        self._options = {**before, name: value}
        try:
            self._check(self.defaults)
            self._check_sharding()
        except BaseException:
            self._options = before
            raise
        if self._engine is not None:
            inner = self._engine.inner
            inner._set_options(replace(inner._step_options, **{name: value}))

    def _check_sharding(self) -> None:
        of_wholes = self._of_wholes()
        for group in self.param_groups:
            for i, param in enumerate(group["params"]):
                tensors.check_sharding(param, f"params[{i}]", type(self).__name__, of_wholes)

    def __repr__(self) -> str:
        lines = "".join(f"    {name}: {value}\n" for name, value in self._options.items())
        return f"{super().__repr__().removesuffix(')')}All groups\n{lines})"

    # Groups and state. -------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters, as torch does; they take part in the next step."""
        if isinstance(param_group, dict) and param_group.keys() - {"params"}:
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
        if param.requires_grad or param.dtype in tensors.STEPPED:  # else it may rest there, frozen
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
            self._encode(group)

    def _encode(self, group: Mapping[str, Any]) -> None:
        """Rounds state to 8 bits where the group wants that and it came as floats."""
        choice = values.settled(group["state_dtype"], "state_dtype")
        if choice != "8bit" and not isinstance(choice, Mapping):
            return
        signs = self._kind.signs(values.of_group(group, self._names))
        for param in group["params"]:
            if param in self.state and param.dtype != torch.float64:
                encode(self.state[param], param, choice, signs)

    def __getstate__(self) -> dict[str, Any]:
        TorchOptimizer._check_present(self, "copy")  # the copy would never have them back
        return {**super().__getstate__(), "_options": self._options}

    # The average of the parameters. --------------------------------------------------------------

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """A with block in which the parameters hold their average (`ema=`), for evaluation.

        Afterwards they hold what they held before, to the bit. No step can be taken inside, and no
        copy of the optimizer.
        """
        self._check_present("averaged")
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
