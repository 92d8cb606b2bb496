"""An op made from the class of its rule: one list of hyperparameters for both."""

from __future__ import annotations

import difflib
import inspect
from typing import Any, Protocol

from ..optimizers.base import Optimizer
from ..optimizers.signature import defaults_of
from .apply import Arrays, Steps, apply_


class Op(Protocol):
    """One step of a rule on given arrays, in place."""

    def __call__(
        self,
        p: Arrays,
        g: Arrays,
        *state: Arrays | None,
        step: Steps,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        threads: int | None = None,
        **values: Any,
    ) -> None:
        """See `optcore.ops` for the arrays, and the rule's class for its hyperparameters."""


_DOC = """One step of `optcore.{kind}` on given arrays, in place.

The formula, its source and the hyperparameters are those of the class.

Args:
    p: the parameter, dense and writable; or a list of them.
    g: the gradient, of the same shape and any real float type; None skips it.
    {slots}: state, updated in place, as `optcore.{kind}` keeps it and starts it; or lists.
    step: the number of this step, from 1; with lists, one number for all or a list.

Raises:
    TypeError, ValueError: an argument does not fit; nothing has been written then.
"""


def op(kind: type[Optimizer], name: str, **fixed: Any) -> Op:
    """The op of that name for an optimizer class, some of whose values are fixed.

    >>> import numpy as np
    >>> from optcore import SGD
    >>> w = np.array([1.0, -2.0])
    >>> op(SGD, "sgd_")(w, np.array([1.0, 1.0]), step=1, lr=0.5)
    >>> w
    array([ 0.5, -2.5])
    """
    slots, needed = kind.slot_names()
    defaults = {k: v for k, v in defaults_of(kind).items() if not k.startswith("initial_")}

    if kind.maskable():
        defaults |= {"cautious": False, "cautious_weight_decay": False}

    def step_(
        p: Arrays,
        g: Arrays,
        *arrays: Arrays | None,
        step: Steps,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        threads: int | None = None,
        **values: Any,
    ) -> None:
        if len(arrays) > len(slots):
            raise TypeError(
                f"{name}: expected at most {len(slots)} state arrays ({', '.join(slots)}), "
                f"got {len(arrays)}"
            )
        state: dict[str, Any] = dict.fromkeys(slots)
        state.update(zip(slots, arrays, strict=False))
        for each in slots[len(arrays) :]:
            if each in values:
                state[each] = values.pop(each)
            elif each in needed:
                raise TypeError(
                    f"{name}: expected the state array {each}, got none; "
                    "make it as the optimizer's class does, and keep it between steps"
                )
        for each in values:
            if each not in defaults:
                near = difflib.get_close_matches(each, [*defaults, *slots], n=2)
                raise TypeError(
                    f"{name}: expected one of {', '.join(defaults)}, got {each!r}"
                    + (f"; did you mean {' or '.join(near)}?" if near else "; leave it out")
                )
        apply_(
            kind,
            p,
            g,
            state,
            step,
            kind._initial_values() | defaults | values | fixed,
            clip_norm=clip_norm,
            clip_value=clip_value,
            threads=threads,
        )

    step_.__name__ = step_.__qualname__ = name
    step_.__doc__ = _DOC.format(kind=kind.__name__, slots=", ".join(slots) or "(none)")
    step_.__module__ = __package__
    # Typing sees `Op`; help() and editors see the hyperparameters as well.
    step_.__signature__ = _signature(slots, needed, defaults)  # type: ignore[attr-defined]
    return step_


def _signature(slots: list[str], needed: list[str], defaults: dict[str, Any]) -> inspect.Signature:
    either, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    first = [inspect.Parameter(each, either) for each in ("p", "g", *needed)]
    rest = [inspect.Parameter(each, either, default=None) for each in slots if each not in needed]
    last = [inspect.Parameter("step", keyword)]
    for each, default in {
        **defaults,
        **dict.fromkeys(("clip_norm", "clip_value", "threads")),
    }.items():
        last.append(inspect.Parameter(each, keyword, default=default))
    return inspect.Signature([*first, *rest, *last])
