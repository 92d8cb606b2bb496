"""What every wrapper shares: the optimizer inside, its own state, one step at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar

from ..optimizers import Optimizer, slots
from ..optimizers.storage import compute_dtype
from ..optimizers.trees import rebuilt
from ..typing import Array, Scalar, Tree
from . import state
from .parameter import Parameter


class Wrapper:
    """The base of what is put around an optimizer, and steps like one.

    Wrappers nest: `oc.AGC(oc.Lookahead(oc.AdamW(params)))`. Whatever a wrapper has not itself
    (`groups`, `stats`, `averaged()`, ...) is that of the optimizer inside. A step that the
    optimizer refuses (`nonfinite="skip"`) does not count for any wrapper; after an error neither
    the optimizer nor any wrapper has changed.

    Args:
        optimizer: an optimizer, or another wrapper.
        options: the wrapper's own options, checked.
    """

    kind: ClassVar[str]
    """The wrapper's name in a state dict."""

    _slots: ClassVar[tuple[str, ...]] = ()
    """State arrays that lie as the parameter does, in the type that a step computes in."""

    def __init__(self, optimizer: Optimizer | Wrapper, options: Mapping[str, Any]):
        if not isinstance(optimizer, (Optimizer, Wrapper)):
            raise TypeError(
                f"optimizer: expected an optimizer or a wrapper, got a {type(optimizer).__name__}; "
                "pass e.g. oc.AdamW(params)"
            )
        self._options = self._checked(options)
        self._optimizer = optimizer
        self._root: Optimizer = optimizer._root if isinstance(optimizer, Wrapper) else optimizer
        self._parameters = [
            Parameter(path, array, self._root._state[path], copied)
            for path, array, copied in zip(
                self._root._paths, self._root._arrays, self._root._copies, strict=True
            )
        ]
        memory = slots.allocate(
            [
                {name: slots.like(p.array, compute_dtype(p.array)) for name in self._slots}
                for p in self._parameters
            ]
        )
        self._state = {p.path: arrays for p, arrays in zip(self._parameters, memory, strict=True)}
        self._counters: dict[str, int] = {}
        self._lock = threading.Lock()

    # What a wrapper says of itself. --------------------------------------------------------------

    @classmethod
    def _checked(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options as they are kept, or an error that names the wrong one."""
        return dict(options)

    def _check_counters(self, options: Mapping[str, Any], counters: Mapping[str, int]) -> None:
        """A ValueError where saved counters do not go with the saved options."""

    def _check_restart(self) -> None:
        """A RuntimeError where the state cannot be saved or loaded just now."""

    def _stepped(self) -> None:
        """After a step of the optimizer that was not refused."""

    # Steps. --------------------------------------------------------------------------------------

    def step(
        self,
        grads: Tree | None = None,
        *,
        grad_scale: float = 1.0,
        closure: Callable[[], tuple[Any, Tree]] | None = None,
    ) -> Any:
        """One step of the optimizer and what the wrapper adds to it; see `Optimizer.step`."""
        with self._alone():
            before = self.step_count
            loss = self._optimizer.step(grads, grad_scale=grad_scale, closure=closure)
            if self.step_count > before:
                self._stepped()
        return loss

    def bind(self, grads: Tree | None) -> None:
        """Fixes gradient arrays that stay where they are; see `Optimizer.bind`."""
        self._optimizer.bind(grads)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuses a second thread, and a closure that steps."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                f"this {type(self).__name__} is in use, by another thread or by the call that led "
                "here; expected one step at a time: use a lock, or one for each thread"
            )
        try:
            yield
        finally:
            self._lock.release()

    # The optimizer's own. ------------------------------------------------------------------------

    @property
    def optimizer(self) -> Optimizer | Wrapper:
        """What this wrapper is put around."""
        return self._optimizer

    @property
    def options(self) -> Mapping[str, Any]:
        """The wrapper's own options."""
        return MappingProxyType(self._options)

    @property
    def groups(self) -> Any:
        """The optimizer's parameter groups."""
        return self._root.groups

    @property
    def step_count(self) -> int:
        """The number of steps that the optimizer has taken."""
        return self._root.step_count

    @property
    def grad_norm(self) -> float:
        """The norm of the gradients that the optimizer was given in the last step."""
        return self._root.grad_norm

    @property
    def lr(self) -> float:
        """The learning rate of the next step. Setting it replaces number or schedule everywhere."""
        return self._root.lr

    @lr.setter
    def lr(self, value: Scalar) -> None:
        self._root.lr = value

    @property
    def clip_norm(self) -> float | None:
        """The limit of the gradients' global norm, or None."""
        return self._root.clip_norm

    @clip_norm.setter
    def clip_norm(self, value: float | None) -> None:
        self._root.clip_norm = value

    @property
    def clip_value(self) -> float | None:
        """The limit of each gradient element, or None."""
        return self._root.clip_value

    @clip_value.setter
    def clip_value(self, value: float | None) -> None:
        self._root.clip_value = value

    @property
    def threads(self) -> int | None:
        """The threads of a step, or None for the default."""
        return self._root.threads

    @threads.setter
    def threads(self, value: int | None) -> None:
        self._root.threads = value

    def __getattr__(self, name: str) -> Any:
        """Whatever else the optimizer has; not what a wrapper inside adds, `first_step` or such.

        That would pass by the wrappers around it; it is at hand as `wrapper.optimizer`.
        """
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self._root, name)

    # State. --------------------------------------------------------------------------------------

    @property
    def state(self) -> Mapping[str, Mapping[str, Array]]:
        """The optimizer's state arrays and the wrapper's own, by parameter path and slot name."""
        inner = self._optimizer.state
        return MappingProxyType(
            {path: MappingProxyType({**inner[path], **own}) for path, own in self._state.items()}
        )

    def state_dict(self, *, copy: bool = False) -> dict[str, Any]:
        """Everything needed to go on from here, in mid-cycle too.

        Args:
            copy: False gives views of the state, which change with the next step.

        Returns:
            `{"format": 1, "wrapper", "options", "counters", "state", "optimizer"}`; the last is
            the state dict of the optimizer inside.
        """
        self._check_restart()
        return state.save(self, copy)

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes over a state dict with its options; all of it or, on an error, nothing.

        Raises:
            KeyError, ValueError, TypeError: as `Optimizer.load_state_dict`.
        """
        self._check_restart()
        with self._alone():
            state.load(self, saved)

    def _tree(self, slot: str) -> Any:
        """The wrapper's arrays of one slot, nested as the parameters are."""
        leaves = [self._state[p.path][slot] for p in self._parameters]
        return rebuilt(self._root._params, self._root._grouped, leaves)

    def __reduce__(self) -> Any:
        """Like an optimizer it belongs to the arrays it was made over."""
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied, as it updates arrays that it does "
            "not own; save state_dict(copy=True) and load it into one over the new arrays"
        )

    def __repr__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in self._options.items())
        return f"{type(self).__name__}({self._optimizer!r}{shown})"
