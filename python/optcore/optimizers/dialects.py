"""Dialects: one name, another framework's formula and defaults.

A class lists in `_dialects` what each framework has otherwise than the class itself; `dialect=`
fills that in for what the caller has left out. The class's own defaults are the dialect "torch",
or, where torch lacks the rule, those of its paper or author.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .signature import keywords_of, refuse_unknown

Table: TypeAlias = "Mapping[str, Mapping[str, Any]]"
"""By dialect, the arguments that differ from the class's defaults."""

DEFAULT = "torch"
NAMES = (DEFAULT, "keras", "optax", "paper")


def spoken(init: Callable[..., None], table: Table) -> Callable[..., None]:
    """An `__init__` that knows `dialect=`: it takes from the table what the caller leaves out.

    A misspelt argument is told near ones. The dialect is passed on, so that the class it inherits
    from fills in what it does not name; `Optimizer` refuses a dialect that the class lacks.

    >>> class Rule:
    ...     def __init__(self, params, lr=0.1, *, eps=1e-8, dialect="torch"):
    ...         self.values = (lr, eps)
    >>> Rule.__init__ = spoken(Rule.__init__, {"keras": {"lr": 0.5, "eps": 1e-7}})
    >>> Rule([]).values, Rule([], dialect="keras").values, Rule([], 0.2, dialect="keras").values
    ((0.1, 1e-08), (0.5, 1e-07), (0.2, 1e-07))
    """
    parameters = inspect.signature(init).parameters
    in_order = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    keywords = keywords_of(init)

    @functools.wraps(init)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        if keywords is not None:
            public = (name for name in kwargs if not name.startswith("_"))
            refuse_unknown(public, keywords[1:], type(args[0]).__name__)
        dialect = kwargs.get("dialect")
        if isinstance(dialect, str) and dialect in table:
            given = {*in_order[: len(args)], *kwargs}
            missing = {
                k: v for k, v in table[dialect].items() if k in parameters and k not in given
            }
            kwargs = {**kwargs, **missing}
        init(*args, **kwargs)

    return wrapped


def known(table: Table) -> list[str]:
    """The dialects that a rule has: its own default, and those in its table.

    >>> known({"optax": {}})
    ['torch', 'optax']
    """
    return [name for name in NAMES if name == DEFAULT or name in table]


def check(dialect: object, table: Table, name: str) -> None:
    """A ValueError that lists the dialects that the rule has, if this is none of them."""
    if not isinstance(dialect, str) or dialect not in known(table):
        raise ValueError(
            f"dialect: expected one of {', '.join(known(table))} for {name}, got {dialect!r}; "
            "pick one, or leave it out"
        )


def check_table(table: Table, init: Callable[..., None], name: str) -> None:
    """A TypeError where a table is at odds with its class: a slip is found on import."""
    parameters = inspect.signature(init).parameters
    for dialect, differing in table.items():
        unknown = [k for k in differing if k not in parameters]
        if dialect not in NAMES[1:] or unknown:
            raise TypeError(
                f"{name}._dialects[{dialect!r}]: expected one of {', '.join(NAMES[1:])}, with "
                f"arguments of {name}; got {unknown or dialect}"
            )
