"""EarlyStopping: when it stops, what it keeps and brings back, its state, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

import optcore as oc


def tree() -> dict:
    return {
        "W": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "layers": [np.ones(3, np.float32), np.array(0.5), np.ones(2, np.float16)],
    }


def arrays(params: dict) -> list[np.ndarray]:
    return [params["W"], *params["layers"]]


def fill(params: dict, seed: int) -> list[bytes]:
    random = np.random.default_rng(seed)
    for array in arrays(params):
        array[...] = random.normal(size=array.shape)
    return [array.tobytes() for array in arrays(params)]


# When it stops. ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "metrics", "stops", "best_step"),
    [
        ({"patience": 2}, [3.0, 2.0, 2.0, 2.5], 3, 1),
        ({"patience": 1}, [3.0, 2.0, 2.0], 2, 1),
        ({"patience": 2, "mode": "max"}, [3.0, 4.0, 4.0, 3.5], 3, 1),
        ({"patience": 2, "min_delta": 0.5}, [3.0, 2.6, 2.5], 2, 0),
        ({"patience": 2, "min_delta": 0.5, "mode": "max"}, [3.0, 3.4, 3.6, 4.0, 4.1], 4, 2),
        ({"patience": 2}, [1.0, math.nan, math.nan], 2, 0),
        ({"patience": 3}, [math.nan, math.inf, math.nan], 2, None),
        ({"patience": 2}, [math.nan, 5.0, math.nan, 4.0, 5.0, 6.0], 5, 3),
    ],
)
def test_it_stops_when_patience_is_out(options, metrics, stops, best_step):
    stopping = oc.EarlyStopping(**options)
    said = [stopping.step(metric) for metric in metrics]
    assert said == [i >= stops for i in range(len(metrics))]
    assert stopping.best_step == best_step
    assert stopping.best == (metrics[best_step] if best_step is not None else math.inf)


# What it keeps. ----------------------------------------------------------------------------------


def test_the_best_parameters_come_back_to_the_bit():
    params = tree()
    stopping = oc.EarlyStopping(params, patience=2)
    fill(params, 0)
    stopping.step(1.0)
    params["W"][0, 0] = math.nan
    params["W"][0, 1] = -0.0
    best = fill(params, 1)
    stopping.step(0.5)
    fill(params, 2)
    assert not stopping.step(0.7)
    fill(params, 3)
    before = arrays(params)
    assert stopping.step(0.5)
    assert [array.tobytes() for array in arrays(params)] == best
    assert all(a is b for a, b in zip(arrays(params), before, strict=True))


def test_odd_bits_come_back_too():
    w = np.array([math.nan, -0.0, 5e-324, -math.inf])
    w.view(np.uint64)[0] |= 12345
    bits = w.tobytes()
    stopping = oc.EarlyStopping(w)
    stopping.step(1.0)
    w[:] = 0.0
    stopping.restore()
    assert w.tobytes() == bits


def test_restore_at_any_time():
    w = np.zeros(2)
    stopping = oc.EarlyStopping(w, patience=5)
    stopping.step(1.0)
    w += 1.0
    stopping.step(2.0)
    assert w.tolist() == [1.0, 1.0]
    stopping.restore()
    assert w.tolist() == [0.0, 0.0]


def test_memory_is_taken_once():
    params = tree()
    stopping = oc.EarlyStopping(params)
    held = [id(array) for array in stopping._kept]
    for k in range(5):
        fill(params, k)
        stopping.step(-float(k))
    assert [id(array) for array in stopping._kept] == held
    layout = [array.strides for array in arrays(params)]
    assert [array.strides for array in stopping._kept] == layout


def test_groups_as_an_optimizer_takes_them():
    a, b = np.zeros(2), np.zeros(3, np.float32)
    groups = [{"params": {"a": a}, "lr": 0.1}, {"params": {"b": b}}]
    opt, stopping = oc.SGD(groups, lr=1.0), oc.EarlyStopping(groups, patience=1)
    stopping.step(1.0)
    opt.step([{"a": np.ones(2)}, {"b": np.ones(3, np.float32)}])
    assert a[0] != 0
    assert stopping.step(1.0)
    assert not a.any()
    assert not b.any()


def test_without_parameters_nothing_is_kept():
    w = np.zeros(1)
    for stopping in (oc.EarlyStopping(patience=1), oc.EarlyStopping(w, 1, restore_best=False)):
        stopping.step(1.0)
        w += 1.0
        assert stopping.step(1.0)
        with pytest.raises(RuntimeError, match="told to keep none"):
            stopping.restore()
    assert w[0] == 2.0


def test_nothing_is_restored_before_the_first_number():
    w = np.zeros(1)
    stopping = oc.EarlyStopping(w, patience=1)
    w += 1.0
    assert stopping.step(math.nan)
    assert w[0] == 1.0
    with pytest.raises(RuntimeError, match="no metric was better"):
        stopping.restore()


# Its state. --------------------------------------------------------------------------------------


def test_it_goes_on_from_its_state():
    params = tree()
    stopping = oc.EarlyStopping(params, patience=3, min_delta=0.1)
    best = fill(params, 0)
    stopping.step(1.0)
    fill(params, 1)
    stopping.step(0.95)
    saved = stopping.state_dict(copy=True)
    others = tree()
    again = oc.EarlyStopping(others, patience=9, mode="max")
    again.load_state_dict(saved)
    assert repr(again) == repr(stopping)
    assert not again.step(1.0)
    assert again.step(0.95)
    assert [array.tobytes() for array in arrays(others)] == best
    assert (again.best, again.best_step, again.num_bad) == (1.0, 0, 3)


def test_a_copied_state_stays_as_it_is():
    w = np.zeros(1)
    stopping = oc.EarlyStopping(w)
    stopping.step(1.0)
    copied, shared = stopping.state_dict(copy=True), stopping.state_dict()
    w += 1.0
    stopping.step(0.5)
    assert copied["params"][""][0] == 0.0
    assert shared["params"][""][0] == 1.0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"mode": "least"}, ValueError, "state_dict/mode: expected one of"),
        ({"patience": 0}, ValueError, "state_dict/patience: expected 1 or more"),
        ({"min_delta": None}, TypeError, "state_dict/min_delta: expected a number"),
        ({"best": None}, TypeError, "state_dict/best: expected a number"),
        ({"best_step": -1}, ValueError, "state_dict/best_step: expected 0 to"),
        ({"count": 1.5}, TypeError, "state_dict/count: expected an int"),
        ({"kind": "adam"}, ValueError, "state_dict/kind: expected 'early_stopping'"),
        ({"params": {}}, KeyError, r"state_dict/params: expected exactly \[''\]"),
        ({"params": {"": np.zeros(2)}}, ValueError, r"state_dict/params/: expected shape \(1,\)"),
        ({"params": {"": np.zeros(1, int)}}, TypeError, "expected a float array"),
    ],
)
def test_a_spoilt_state_changes_nothing(change, error, message):
    w = np.ones(1)
    stopping = oc.EarlyStopping(w)
    stopping.step(1.0)
    before, shown = stopping.state_dict(copy=True), repr(stopping)
    spoilt = {**before, "best": 0.0, "params": {"": np.zeros(1)}, **change}
    with pytest.raises(error, match=message):
        stopping.load_state_dict(spoilt)
    assert repr(stopping) == shown
    assert stopping.state_dict()["params"][""][0] == 1.0


# Bad input. --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"patience": 0}, ValueError, "patience: expected 1 or more, got 0"),
        ({"patience": 2.0}, TypeError, "patience: expected an int"),
        ({"min_delta": -0.1}, ValueError, "min_delta: expected a finite number, 0 or more"),
        ({"min_delta": math.nan}, ValueError, "min_delta: expected a finite number"),
        ({"mode": "auto"}, ValueError, "mode: expected one of min, max, got 'auto'"),
        ({"restore_best": 1}, TypeError, "restore_best: expected True or False, got 1"),
        ({"params": {}}, ValueError, "empty parameter list"),
        ({"params": {"a": np.arange(3)}}, TypeError, "params/a"),
        ({"params": {"a": [1.0]}}, TypeError, "params/a"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        oc.EarlyStopping(**options)


def test_a_metric_that_is_no_number_changes_nothing():
    stopping = oc.EarlyStopping(np.zeros(1))
    shown = repr(stopping)
    for metric in ("1", None, False, np.zeros(1)):
        with pytest.raises(TypeError, match="metric: expected one number, got"):
            stopping.step(metric)
    assert repr(stopping) == shown


def test_a_replaced_array_is_refused():
    params = {"w": np.zeros(1)}
    stopping = oc.EarlyStopping(params)
    stopping.step(1.0)
    shown = repr(stopping)
    params["w"] = np.ones(1)
    for call in (lambda: stopping.step(0.5), stopping.restore):
        with pytest.raises(ValueError, match="params/w: expected the array that was there"):
            call()
    assert repr(stopping) == shown
    params["more"] = np.ones(1)
    with pytest.raises(ValueError, match=r"params: expected the paths \['w'\], as at the start"):
        stopping.step(0.5)
    assert repr(stopping) == shown
