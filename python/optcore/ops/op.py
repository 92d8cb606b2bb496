"""An op made from the class of its rule: one list of hyperparameters for both."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..optimizers.base import Optimizer
from ..optimizers.directed import DirectedOptimizer
from .apply import Arrays, Gradients, State, Steps, apply_
from .directed import apply_directed_

_DOC = """One step of `optcore.{kind}` on given arrays, in place.

The formula, its source and the hyperparameters are those of the class.

Args:
    p: the parameter, dense and writable; or a list of them.
    g: the gradient, of the same shape and any real float type; None skips it.
    {slots}: state, updated in place, as `optcore.{kind}` keeps it and starts it; or lists.{axes}
    step: the number of this step, from 1; with lists, one number for all or a list.

Raises:
    TypeError, ValueError: an argument does not fit; nothing has been written then.
"""


_AXES = """
    state: by keyword, for each axis that the class keeps some for, {names}; in a list
        None where a parameter has none."""


def op(kind: type[Optimizer], name: str, **fixed: Any) -> Callable[..., None]:
    """The op of that name for an optimizer class, some of whose values are fixed.

    >>> import numpy as np
    >>> from optcore import SGD
    >>> w = np.array([1.0, -2.0])
    >>> op(SGD, "sgd_")(w, np.array([1.0, 1.0]), step=1, lr=0.5)
    >>> w
    array([ 0.5, -2.5])
    """
    slots, needed = kind.slot_names()
    slots = [*needed, *(each for each in slots if each not in needed)]
    axes = kind.axis_names()
    signature = _signature(kind, slots, needed, axes)
    own = {each.name: each.default for each in _hyperparameters(kind)}
    step_with = (
        functools.partial(apply_directed_, kind)
        if issubclass(kind, DirectedOptimizer)
        else functools.partial(apply_, kind)
    )

    def step_(
        p: Arrays,
        g: Gradients,
        *arrays: State | None,
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
        for each in [each for each in values if _of_axis(each, axes)]:
            state[each] = values.pop(each)
        for each in values:
            if each not in own:
                near = difflib.get_close_matches(each, [*signature.parameters], n=2)
                raise TypeError(
                    f"{name}: expected one of {', '.join(own)}, got {each!r}"
                    + (f"; did you mean {' or '.join(near)}?" if near else "; leave it out")
                )
        step_with(
            p,
            g,
            state,
            step,
            kind._initial_values() | own | values | fixed,
            clip_norm=clip_norm,
            clip_value=clip_value,
            threads=threads,
        )

    step_.__name__ = step_.__qualname__ = name
    step_.__doc__ = _DOC.format(
        kind=kind.__name__,
        slots=", ".join(slots) or "(none)",
        axes=_AXES.format(names=", ".join(f"{each}_0, ..." for each in axes)) if axes else "",
    )
    step_.__module__ = __package__
    # For help(), editors, and the stub that is made from it.
    step_.__signature__ = signature  # type: ignore[attr-defined]
    return step_


def _of_axis(name: str, axes: list[str]) -> bool:
    """Whether this names the state array of an axis.

    >>> _of_axis("q_1", ["gg", "q"]), _of_axis("q", ["gg", "q"])
    (True, False)
    """
    stem, _, number = name.rpartition("_")
    return stem in axes and number.isdecimal()


def _hyperparameters(kind: type[Optimizer]) -> list[inspect.Parameter]:
    """Those of a class that an op has as well: all but what only a first step needs."""
    own = [
        each.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            annotation=str(each.annotation).replace("Scalar", "float"),
        )
        for each in inspect.signature(kind).parameters.values()
        if each.name not in ("params", "common") and not each.name.startswith("initial_")
    ]
    masks = ("cautious", "cautious_weight_decay") if kind.maskable() else ()
    return own + [_keyword(each, "bool", False) for each in masks]


def _keyword(name: str, annotation: str, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _signature(
    kind: type[Optimizer], slots: list[str], needed: list[str], axes: list[str]
) -> inspect.Signature:
    """What a caller may pass; a schedule is no number here."""
    required = inspect.Parameter.empty
    arrays = [_keyword("p", "Arrays", required), _keyword("g", "Gradients", required)]
    for each in slots:
        optional = each not in needed
        annotation = "State | None" if optional else "State"
        arrays.append(_keyword(each, annotation, None if optional else required))
    keywords = [
        _keyword("step", "Steps", required),
        *_hyperparameters(kind),
        _keyword("clip_norm", "float | None", None),
        _keyword("clip_value", "float | None", None),
        _keyword("threads", "int | None", None),
    ]
    if axes:
        state = _keyword("state", "State | None", required)
        keywords.append(state.replace(kind=inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(
        [*(each.replace(kind=each.POSITIONAL_OR_KEYWORD) for each in arrays), *keywords],
        return_annotation="None",
    )
