"""What Prodigy and D-Adaptation share among all parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import optcore as oc

KINDS = (oc.Prodigy, oc.DAdaptAdam, oc.DAdaptSGD)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)


def scalars(opt: Any) -> list[dict[str, float]]:
    return [{k: float(x) for k, x in s.items() if x.shape == ()} for s in opt.state.values()]


@kinds
def test_one_estimate_for_all_parameters(kind):
    """Also for one without a gradient, for an empty one, and for one whose group rests."""
    shapes = {"a": (4,), "b": (3, 5), "none": (0, 2)}
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=s) for k, s in shapes.items()}
    rests = {"c": rng.normal(size=6)}
    before = rests["c"].copy()
    opt = kind([{"params": params}, {"params": rests, "lr": 0.0}])
    for t in range(40):
        grads = {k: p + 0.1 * rng.normal(size=p.shape) for k, p in params.items()}
        grads["b"] = None if t % 3 == 1 else grads["b"]
        opt.step([grads, {"c": rng.normal(size=6)}])
        assert all(each == scalars(opt)[0] for each in scalars(opt)), t
    assert opt.d == scalars(opt)[0]["d"] > 1e-3
    assert np.array_equal(rests["c"], before)
    assert all(not np.any(x) for k, x in opt.state["c"].items() if k in ("s", "exp_avg"))


@kinds
def test_gradients_of_zero_and_a_rate_of_zero_change_nothing(kind):
    w = np.array([1.0, -2.0])
    opt = kind(w, weight_decay=0.0)
    opt.step(np.zeros(2))
    opt.lr = 0.0
    opt.step(np.ones(2))
    assert w.tolist() == [1.0, -2.0]
    assert opt.d == 1e-6
    assert set(scalars(opt)[0].values()) == {0.0}
    opt.lr = 1.0
    opt.step(np.ones(2))
    assert (w < [1.0, -2.0]).all()


@kinds
def test_what_decides_the_estimate_is_one_for_all_groups(kind):
    groups = [{"params": [np.ones(2)]}, {"params": {"b": np.ones(2)}, "growth_rate": 1.5}]
    with pytest.raises(ValueError, match=r"^groups\[1\]/growth_rate: expected inf, as in groups"):
        kind(groups)
    opt = kind(np.ones(2))
    with pytest.raises(ValueError, match="d0"):
        opt.groups[0]["d0"] = 1.0
    for bad in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match=r"Invalid d0 value: .*above 0"):
            kind(np.ones(2), d0=bad)
    with pytest.raises(ValueError, match="Invalid growth_rate value"):
        kind(np.ones(2), growth_rate=0.5)
    with pytest.raises(TypeError, match=r"^d0: expected a number"):
        kind(np.ones(2), d0=oc.schedules.Constant(1.0))
