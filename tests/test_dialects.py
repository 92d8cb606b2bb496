"""The keyword `dialect`: what it fills in, and what it leaves as the caller has it."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np
import pytest

import optcore as oc
from optcore.optimizers import dialects


class Named(oc.Adam):
    """A class that names its options."""

    _dialects: ClassVar[dialects.Table] = {
        "keras": {"eps": 1e-7, "lr": 0.5},
        "optax": {"amsgrad": True},
    }

    def __init__(self, params: Any, lr: Any = 0.1, *, eps: Any = 1e-8, amsgrad: bool = False, **c):
        super().__init__(params, lr, (0.9, 0.999), eps, 0.0, amsgrad, **c)


def values(opt: oc.Optimizer, *names: str) -> tuple[Any, ...]:
    return tuple(opt.groups[0][name] for name in names)


W = np.zeros(3)


def test_it_fills_in_what_is_left_out():
    assert values(Named(W), "lr", "eps", "amsgrad") == (0.1, 1e-8, False)
    assert values(Named(W, dialect="torch"), "lr", "eps", "amsgrad") == (0.1, 1e-8, False)
    assert values(Named(W, dialect="keras"), "lr", "eps", "amsgrad") == (0.5, 1e-7, False)


def test_what_is_given_wins_by_name_and_by_place_even_if_it_is_the_default():
    assert values(Named(W, 0.1, dialect="keras"), "lr", "eps") == (0.1, 1e-7)
    assert values(Named(W, lr=0.1, eps=1e-8, dialect="keras"), "lr", "eps") == (0.1, 1e-8)
    assert values(Named(params=W, eps=0.0, dialect="keras"), "lr", "eps") == (0.5, 0.0)


def test_a_group_wins_over_the_dialect():
    groups = [{"params": [np.zeros(2)]}, {"params": {"b": np.zeros(2)}, "eps": 0.25}]
    opt = Named(groups, dialect="keras")
    assert [g["eps"] for g in opt.groups] == [1e-7, 0.25]
    assert [g["lr"] for g in opt.groups] == [0.5, 0.5]


def test_a_schedule_is_given_too():
    opt = Named(W, oc.schedules.Constant(0.3), dialect="keras")
    assert values(opt, "lr", "eps") == (0.3, 1e-7)


def test_an_option_of_the_dialect_makes_its_state():
    assert "max_exp_avg_sq" in Named(W, dialect="optax").state[""]


@pytest.mark.parametrize("dialect", ["paper", "Keras", "", None, 3, ["keras"]])
def test_an_unknown_dialect(dialect):
    w = np.ones(3)
    with pytest.raises(ValueError, match="dialect: expected one of torch, keras, optax for Named"):
        Named(w, dialect=dialect)
    with pytest.raises(ValueError, match="dialect: expected one of torch for Momentum"):
        oc.Momentum(w, dialect="keras")
    assert np.array_equal(w, np.ones(3))


def test_wrong_arguments_are_still_refused_by_name():
    with pytest.raises(TypeError, match="betta"):
        Named(W, betta=1.0, dialect="keras")
    with pytest.raises(TypeError, match="params"):
        Named(dialect="keras")


class Inner(Named):
    """A user's class that passes everything on: the class it inherits from fills in the rest."""

    def __init__(self, params: Any, **common: Any):
        super().__init__(params, eps=0.25, **common)


def test_a_class_in_between():
    assert values(Inner(W), "lr", "eps") == (0.1, 0.25)
    assert values(Inner(W, dialect="keras"), "lr", "eps") == (0.5, 0.25)
    assert values(Inner(W, lr=0.2, dialect="keras"), "lr", "eps") == (0.2, 0.25)


@pytest.mark.parametrize("table", [{"tensorflow": {}}, {"torch": {}}, {"keras": {"epsilon": 1.0}}])
def test_a_slip_in_a_table_is_found_on_import(table):
    with pytest.raises(TypeError, match=r"Slip\._dialects"):
        type("Slip", (oc.Adam,), {"_dialects": table})


def kinds() -> list[type[oc.Optimizer]]:
    found = [getattr(oc, name) for name in dir(oc)]
    classes = [c for c in found if isinstance(c, type) and issubclass(c, oc.Optimizer)]
    return [c for c in classes if c is not oc.Optimizer]


TABLES = [(kind, dialect) for kind in kinds() for dialect in kind._dialects]


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.__name__)
def test_torch_is_the_default(kind):
    parameters = inspect.signature(kind.__init__).parameters
    assert "dialect" not in parameters  # it is one of `common`
    w = np.zeros((2, 3))
    assert dict(kind(w).groups[0]) == dict(kind(w, dialect="torch").groups[0])


@pytest.mark.parametrize(("kind", "dialect"), TABLES)
def test_every_table_holds_and_differs(kind, dialect):
    """Each entry is an option of the class with another value than its default, and is taken."""
    parameters = inspect.signature(kind.__init__).parameters
    table = kind._dialects[dialect]
    for name, value in table.items():
        assert parameters[name].default != value, name
    group = kind(np.zeros((2, 3)), dialect=dialect).groups[0]
    assert {name: group[name] for name in table} == dict(table)
