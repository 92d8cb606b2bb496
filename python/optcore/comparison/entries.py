"""Who takes part: optimizers from names, classes and options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import optimizers
from ..schedules import Schedule
from ..spelling import closest, listed, parsed
from ..typing import Tree
from .muon import MuonAndAdamW
from .options import checked, known
from .rates import schedule_of

Make = Callable[..., Any]

_FORMS: dict[str, tuple[Make, dict[str, Any]]] = {
    "momentum": (optimizers.Momentum, {}),
    "nesterov": (optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    "amsgrad": (optimizers.Adam, {"amsgrad": True}),
    "muon": (MuonAndAdamW, {}),
}
"""Names that people use for a form of another rule, or for several rules together."""

_LABELS = {"nesterov": "Nesterov", "amsgrad": "AMSGrad", "muon": "Muon"}

_CLASSES: dict[str, Make] = {
    name.lower(): getattr(optimizers, name)
    for name in optimizers.__all__
    if name not in ("EMA", "Optimizer")
}


@dataclass(frozen=True)
class Entry:
    """An optimizer in a comparison.

    Attributes:
        label: what tables and legends call it.
        key: the name of its rule in lower case, by which a problem knows a rate for it; empty where
            it takes no rate.
        make: the class, or a function of the parameters and `lr` that returns an optimizer.
        options: what it is made with; `schedule` among them is a shape for the rate.
    """

    label: str
    key: str
    make: Make
    options: Mapping[str, Any]

    def made(self, params: Tree, total: int, rates: Mapping[str, float]) -> tuple[Any, str]:
        """An optimizer over these parameters, for so many steps, and its rate as a text."""
        options = dict(self.options)
        shape = options.pop("schedule", None)
        if "lr" not in options and self.key in rates:
            options["lr"] = rates[self.key]
        if shape is not None:
            peak = options["lr"] if "lr" in options else self.make(params, **options).lr
            options["lr"] = schedule_of(shape, peak, total)
        optimizer = self.make(params, **options)
        return optimizer, _rate_text(options.get("lr", getattr(optimizer, "lr", None)), total)


def names() -> list[str]:
    """The names that `compare` knows, in lower case.

    >>> {"adam", "momentum", "nesterov", "schedulefreeadamw"} <= set(names())
    True
    """
    return sorted({*_CLASSES, *_FORMS})


def entries(given: Any) -> list[Entry]:
    """Who is meant, each with a label of its own.

    Args:
        given: names, classes, functions that make an optimizer, or pairs of one of these and a dict
            of options, in a list; or a mapping of labels to them; or a single one; or names in one
            string, as on the command line, "sgd,adam:lr=1e-3".

    Raises:
        TypeError: something is none of these.
        ValueError: a name is unknown, or there is nothing.
    """
    if isinstance(given, Mapping):
        found = [replace(_entry(spec), label=str(label)) for label, spec in given.items()]
    elif isinstance(given, str):
        found = [_entry(spec) for spec in listed(given)]
    elif _is_single(given) or not isinstance(given, Iterable):
        found = [_entry(given)]
    else:
        found = [_entry(spec) for spec in given]
    if not found:
        raise ValueError("optimizers: expected at least one, got none; pass e.g. ['sgd', 'adam']")
    return _distinct(found)


def _is_single(given: Any) -> bool:
    """Whether this is one optimizer with its options, not several."""
    pair = isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping)
    return isinstance(given, str) or pair


def _entry(spec: Any) -> Entry:
    given: dict[str, Any] = {}
    if isinstance(spec, Entry):
        return spec
    if _is_single(spec) and not isinstance(spec, str):
        spec, given = spec[0], dict(spec[1])
    if isinstance(spec, str):
        name, options = parsed(spec, "optimizer")
        key = closest(name, names(), "optimizer")
        make, own = _FORMS.get(key) or (_CLASSES[key], {})
        label = _LABELS.get(key, make.__name__)
        more = checked(make, label, {**options, **given})
        return Entry(_labelled(label, more), key, make, {**own, **more})
    if callable(spec):
        label = getattr(spec, "__name__", type(spec).__name__)
        given = checked(spec, label, given)
        taken = known(spec)
        key = label.lower() if taken is None or "lr" in taken else ""
        return Entry(_labelled(label, given), key, spec, given)
    raise TypeError(
        "optimizers: expected names, classes, or pairs of one and a dict of options, got "
        f"{spec!r:.80}; pass e.g. ['sgd', oc.Adam, (oc.AdamW, {{'lr': 1e-3}})]"
    )


def _labelled(label: str, options: Mapping[str, Any]) -> str:
    """The name, with the options that have no column of their own."""
    shown = [_option(k, v) for k, v in options.items() if k not in ("lr", "schedule")]
    return " ".join([label, *shown])


def _option(name: str, value: Any) -> str:
    """An option in few letters: a switch that is on by its name, a word by itself."""
    if value is True:
        return name
    return value if isinstance(value, str) else f"{name}={_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "/".join(map(_short, value))
    if isinstance(value, Schedule):
        return type(value).__name__
    return f"{value:g}" if isinstance(value, float) else str(value)


def _distinct(found: list[Entry]) -> list[Entry]:
    """Labels that differ: by the rate, then by a number."""
    counts: dict[str, int] = {}
    for entry in found:
        counts[entry.label] = counts.get(entry.label, 0) + 1
    taken: set[str] = set()
    result = []
    for entry in found:
        label = entry.label
        if counts[label] > 1:
            rate = [
                f"{k}={_short(entry.options[k])}" for k in ("lr", "schedule") if k in entry.options
            ]
            label = " ".join([label, *rate])
        base, k = label, 2
        while label in taken:
            label, k = f"{base} ({k})", k + 1
        taken.add(label)
        result.append(replace(entry, label=label))
    return result


def _rate_text(lr: Any, total: int) -> str:
    if isinstance(lr, Schedule):
        peak = float(np.max(lr.values(total)))
        return f"{peak:g} {type(lr).__name__}"
    if isinstance(lr, (int, float, np.number)):
        return f"{float(lr):g}"
    return "function" if callable(lr) else ""
