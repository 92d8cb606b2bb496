"""ReduceOnPlateau: when it fires, what it writes, its state, and bad input."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import optcore as oc
from optcore.schedules import Constant, ReduceOnPlateau


def sgd(lr: Any = 1.0) -> oc.SGD:
    return oc.SGD(np.ones(2), lr=lr)


def two_groups() -> oc.Adam:
    groups = [{"params": {"a": np.ones(2)}, "lr": 0.5}, {"params": {"b": np.ones(2)}, "lr": 0.25}]
    return oc.Adam(groups)


def rates(plateau: ReduceOnPlateau, opt: Any, metrics: list[float]) -> list[float]:
    found = []
    for metric in metrics:
        before = opt.lr
        reduced = plateau.step(metric)
        assert reduced == (opt.lr < before)
        found.append(opt.lr)
    return found


# When it fires. ----------------------------------------------------------------------------------


def test_torch_fires_when_bad_metrics_exceed_the_patience():
    opt = sgd()
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=2)
    assert rates(plateau, opt, [1.0] * 8) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert (plateau.best, plateau.num_bad) == (1.0, 1)


def test_optax_fires_when_bad_metrics_reach_the_patience():
    opt = sgd()
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=2, convention="optax")
    assert rates(plateau, opt, [1.0] * 8) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_an_improvement_begins_the_count_anew():
    opt = sgd()
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=1)
    assert rates(plateau, opt, [3.0, 3.0, 2.0, 2.0, 1.0, 1.0]) == [1.0] * 6
    assert plateau.num_bad == 1


def test_metrics_in_a_cooldown_are_not_counted():
    opt = sgd()
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=0, cooldown=2)
    assert rates(plateau, opt, [1.0] * 8) == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_the_window_is_judged_by_its_mean():
    opt = sgd()
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=1, convention="optax", accumulation_size=2)
    assert rates(plateau, opt, [1.0, 3.0, 0.0, 5.0]) == [1, 1, 1, 0.5]
    assert plateau.best == 2.0


@pytest.mark.parametrize(
    ("options", "better", "worse"),
    [
        ({"threshold": 0.1}, 8.9, 9.1),
        ({"threshold": 0.5, "threshold_mode": "abs"}, 9.4, 9.6),
        ({"mode": "max", "threshold": 0.1}, 11.1, 10.9),
        ({"mode": "max", "threshold": 0.5, "threshold_mode": "abs"}, 10.6, 10.4),
        ({"convention": "optax", "rtol": 0.1, "atol": 0.5}, 8.4, 8.6),
        ({"convention": "optax", "mode": "max", "rtol": 0.1, "atol": 0.5}, 11.6, 11.4),
    ],
)
def test_how_much_better_is_better(options, better, worse):
    plateau = ReduceOnPlateau(sgd(), **options)
    plateau.step(10.0)
    plateau.step(worse)
    assert (plateau.best, plateau.num_bad) == (10.0, 1)
    plateau.step(better)
    assert (plateau.best, plateau.num_bad) == (better, 0)


def test_nan_and_the_worst_are_not_better():
    plateau = ReduceOnPlateau(sgd())
    for metric in (math.nan, math.inf):
        plateau.step(metric)
    assert (plateau.best, plateau.num_bad) == (math.inf, 2)
    plateau.step(-math.inf)
    assert (plateau.best, plateau.num_bad) == (-math.inf, 0)


# What it writes. ---------------------------------------------------------------------------------


def test_every_group_has_its_own_rate_and_limit():
    opt = two_groups()
    plateau = ReduceOnPlateau(opt, factor=0.1, patience=0, min_lr=[0.01, 0.2])
    for _ in range(5):
        plateau.step(1.0)
    assert [group["lr"] for group in opt.groups] == [0.01, 0.2]


def test_small_changes_are_left_out():
    opt = sgd(1e-3)
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=0, eps=3e-4)
    assert rates(plateau, opt, [1.0] * 4) == [1e-3, 5e-4, 5e-4, 5e-4]


def test_the_step_uses_the_reduced_rate():
    w = np.zeros(1)
    opt = oc.SGD(w, lr=1.0)
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=0)
    for _ in range(2):
        plateau.step(1.0)
    opt.step(np.ones(1))
    assert w[0] == -0.5


@pytest.mark.parametrize(
    "make",
    [lambda: oc.Lookahead(sgd()), lambda: oc.LBFGS(np.ones(2)), lambda: oc.Muon(np.ones((2, 2)))],
    ids=["wrapper", "without groups", "matrices"],
)
def test_whatever_has_a_rate(make):
    opt = make()
    before = opt.lr
    plateau = ReduceOnPlateau(opt, factor=0.5, patience=0)
    plateau.step(1.0)
    assert plateau.step(np.float32(1.0))
    assert opt.lr == before * 0.5


# Its state. --------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["torch", "optax"])
def test_it_goes_on_from_its_state(convention):
    random = np.random.default_rng(5)
    metrics = random.normal(size=60).tolist()
    options = {"factor": 0.9, "patience": 1, "cooldown": 1, "convention": convention}
    options |= {"accumulation_size": 3}
    whole = sgd()
    wanted = rates(ReduceOnPlateau(whole, **options), whole, metrics)
    for cut in (1, 20, 31):
        first = sgd()
        plateau = ReduceOnPlateau(first, **options)
        found = rates(plateau, first, metrics[:cut])
        saved = json.loads(json.dumps(plateau.state_dict()))
        second = sgd()
        second.load_state_dict(first.state_dict())
        again = ReduceOnPlateau(second, mode="max")
        again.load_state_dict(saved)
        assert again.state_dict() == saved
        assert repr(again) == repr(plateau)
        assert found + rates(again, second, metrics[cut:]) == wanted
    assert wanted[-1] < 0.9**3


def test_repr_shows_options_and_progress():
    plateau = ReduceOnPlateau(sgd(), patience=3)
    plateau.step(2.0)
    plateau.step(2.0)
    shown = repr(plateau)
    for part in ("mode='min'", "patience=3", "threshold=0.0001", "best=2.0", "num_bad=1"):
        assert part in shown
    assert "rtol" not in shown


SPOILT = [
    ({"kind": "early_stopping"}, ValueError, "state_dict/kind: expected 'reduce_on_plateau'"),
    ({"format": 2}, ValueError, "state_dict/format: expected 1, got 2"),
    ({"more": 1}, KeyError, r"these differ: \['more'\]"),
    ({"best": "low"}, TypeError, "state_dict/best: expected a number"),
    ({"num_bad": -1}, ValueError, "state_dict/num_bad: expected 0 to"),
    ({"window_count": 0.5}, TypeError, "state_dict/window_count: expected an int"),
    ({"options": {}}, KeyError, "state_dict/options: expected a dict of"),
]


@pytest.mark.parametrize(("change", "error", "message"), SPOILT, ids=lambda value: str(value)[:30])
def test_a_spoilt_state_changes_nothing(change, error, message):
    plateau = ReduceOnPlateau(sgd())
    plateau.step(1.0)
    before = plateau.state_dict()
    with pytest.raises(error, match=message):
        plateau.load_state_dict({**before, **change})
    wrong = {**before["options"], "factor": 2.0}
    with pytest.raises(ValueError, match="state_dict/options/factor: expected 0 to 1, got 2"):
        plateau.load_state_dict({**before, "best": 0.0, "options": wrong})
    with pytest.raises(TypeError, match="expected a dict that state_dict"):
        plateau.load_state_dict([])
    assert plateau.state_dict() == before


def test_a_state_of_other_groups_is_refused():
    plateau = ReduceOnPlateau(sgd())
    with pytest.raises(ValueError, match=r"state_dict/options/min_lr: expected a number or 1"):
        plateau.load_state_dict(ReduceOnPlateau(two_groups()).state_dict())


# Bad input. --------------------------------------------------------------------------------------

OPTAX = {"convention": "optax"}
BAD = [
    ({"mode": "least"}, ValueError, "mode: expected one of min, max, got 'least'"),
    ({"factor": 1.0}, ValueError, "factor: expected a number between 0 and 1"),
    ({"factor": 0.0}, ValueError, "factor: expected a number between 0 and 1"),
    ({"factor": math.nan}, ValueError, "factor: expected 0 to 1, got nan"),
    ({"factor": "0.1"}, TypeError, "factor: expected a number"),
    ({"patience": -1}, ValueError, "patience: expected 0 or more"),
    ({"patience": 1.5}, TypeError, "patience: expected an int"),
    ({"patience": 0, **OPTAX}, ValueError, "patience: expected 1 or more"),
    ({"threshold": -1e-4}, ValueError, "threshold: expected a finite number"),
    ({"threshold": 0.1, **OPTAX}, ValueError, "threshold: expected None in optax's.*use rtol"),
    ({"threshold_mode": "relative"}, ValueError, "threshold_mode: expected one of rel, abs"),
    ({"threshold_mode": "abs", **OPTAX}, ValueError, "threshold_mode: expected 'rel' in optax's"),
    ({"cooldown": -1}, ValueError, "cooldown: expected 0 or more"),
    ({"min_lr": -0.1}, ValueError, "min_lr: expected a finite number"),
    ({"min_lr": [0.1, 0.1]}, ValueError, "min_lr: expected a number or 1, one per group, got 2"),
    ({"min_lr": [None]}, TypeError, r"min_lr\[0\]: expected a number"),
    ({"eps": math.inf}, ValueError, "eps: expected a finite number"),
    ({"convention": "keras"}, ValueError, "convention: expected one of torch, optax"),
    ({"rtol": 0.1}, ValueError, "rtol: expected None in torch's convention.*use threshold"),
    ({"atol": 0.1}, ValueError, "atol: expected None in torch's convention"),
    ({"rtol": 1.5, **OPTAX}, ValueError, "rtol: expected 0 to 1"),
    ({"accumulation_size": 0}, ValueError, "accumulation_size: expected 1 or more"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=[m[:40] for _, _, m in BAD])
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        ReduceOnPlateau(sgd(), **options)


@pytest.mark.parametrize("metric", ["1", None, True, 1j, [1.0], np.ones(1)], ids=repr)
def test_a_metric_that_is_no_number_changes_nothing(metric):
    plateau = ReduceOnPlateau(sgd())
    before = plateau.state_dict()
    with pytest.raises(TypeError, match="metric: expected one number, got"):
        plateau.step(metric)
    assert plateau.state_dict() == before


@pytest.mark.parametrize("lr", [Constant(0.1), lambda k: 0.1], ids=["schedule", "function"])
def test_a_scheduled_rate_is_refused(lr):
    message = r"groups\[0\]/lr: expected a number, got .*scale the schedule yourself"
    with pytest.raises(TypeError, match=message):
        ReduceOnPlateau(sgd(lr))
    opt = sgd()
    plateau = ReduceOnPlateau(opt, patience=0)
    plateau.step(1.0)
    before = plateau.state_dict()
    opt.lr = lr
    with pytest.raises(TypeError, match=message):
        plateau.step(1.0)
    assert plateau.state_dict() == before


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="optimizer: expected an optimizer or a wrapper, got"):
        ReduceOnPlateau({})
