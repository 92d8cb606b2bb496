"""Sophia's second door: estimates of the Hessian's diagonal, checked and taken in as gradients."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from stored import bits, narrowed, widened

import optcore as oc
from optcore import reference

BF16 = ml_dtypes.bfloat16
PARAMS = (np.float32, np.float64, np.float16, BF16)
SHAPES = {"W": (17, 33), "b": (5,), "s": (), "none": (0,)}


def model(rng: np.random.Generator, dtype: Any) -> dict[str, np.ndarray]:
    return {k: np.asarray(rng.normal(size=s), dtype) for k, s in SHAPES.items()}


def snapshot(opt: oc.Sophia, params: dict[str, np.ndarray]) -> list[bytes]:
    arrays = [*params.values(), *(x for state in opt.state.values() for x in state.values())]
    return [x.tobytes() for x in arrays]


@pytest.mark.parametrize("dtype", PARAMS, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("state", ["float32", "bfloat16", "8bit"])
def test_it_is_the_reference(dtype, state):
    """The average of estimates to the bit, in every format; and a step over it afterwards."""
    if dtype == np.float64 and state != "float32":
        return  # float64 has state of its own kind alone
    kind = "float64" if dtype == np.float64 else state
    rng = np.random.default_rng(0)
    params = model(rng, dtype)
    opt = oc.Sophia(
        params,
        lr=0.05,
        betas=(0.9, 0.75),
        rho=0.5,
        eps=1e-3,
        state_dtype=None if kind == "float64" else state,
    )
    kept = {k: np.zeros(s, np.float64 if dtype == np.float64 else np.float32)
            for k, s in SHAPES.items()}  # fmt: skip
    for _ in range(4):
        before = {k: x.tobytes() for k, x in params.items()}
        momenta = {k: opt.state[k]["exp_avg"].tobytes() for k in params}
        h = {k: np.asarray(10 * rng.normal(size=s), dtype) for k, s in SHAPES.items()}
        opt.update_hessian(h)
        assert {k: x.tobytes() for k, x in params.items()} == before
        assert {k: opt.state[k]["exp_avg"].tobytes() for k in params} == momenta
        for k, each in h.items():
            new = reference.sophia_hessian(kept[k], each, beta2=0.75)
            stored = new if kind == "float64" else narrowed(new, state)
            kept[k] = new if kind == "float64" else widened(stored)
            mine = opt.state[k]["hessian"]
            codes = stored[0] if isinstance(stored, tuple) else stored
            assert np.array_equal(bits(mine), bits(codes)), k
            if isinstance(stored, tuple):
                assert np.array_equal(opt.state[k]["hessian_scale"], stored[1]), k
        opt.step({k: np.asarray(rng.normal(size=s), dtype) for k, s in SHAPES.items()})
    assert opt.step_count == 4


@pytest.mark.parametrize("isa", oc.available_isas())
@pytest.mark.usefixtures("restored_runtime")
def test_a_step_over_a_hessian_is_the_reference(isa):
    from optcore import _core

    _core.use_isa(isa)
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        p, state = rng.normal(size=67).astype(dtype), {}
        mine = p.copy()
        opt = oc.Sophia(mine, lr=0.05)
        for t in range(1, 7):
            h = (10 * rng.normal(size=67)).astype(dtype)
            g = rng.normal(size=67).astype(dtype)
            opt.update_hessian(h)
            old = state.get("hessian", np.zeros_like(p))
            state["hessian"] = reference.sophia_hessian(old, h)
            opt.step(g)
            p, state = reference.sophia(p, g, state, step=t, lr=0.05)
            assert mine.tobytes() == p.tobytes()
            assert all(opt.state[""][k].tobytes() == x.tobytes() for k, x in state.items())


@pytest.mark.parametrize("rounding", ["master", "split", "stochastic"])
def test_what_is_kept_of_narrow_parameters_stays(rounding):
    rng = np.random.default_rng(0)
    p = rng.normal(size=300).astype(BF16)
    opt = oc.Sophia(p, low_precision=rounding, ema=oc.EMA(0.5))
    opt.step(rng.normal(size=300).astype(BF16))
    before = {k: x.tobytes() for k, x in opt.state[""].items() if k != "hessian"}
    stored = p.tobytes()
    opt.update_hessian(rng.normal(size=300))
    assert p.tobytes() == stored
    assert {k: x.tobytes() for k, x in opt.state[""].items() if k != "hessian"} == before
    assert opt.state[""]["hessian"].any()


def test_none_leaves_one_alone():
    params = {"a": np.ones(3), "b": np.ones(3)}
    opt = oc.Sophia(params, betas=(0.9, 0.5))
    opt.update_hessian({"a": None, "b": np.full(3, 4.0)})
    assert opt.state["a"]["hessian"].tolist() == [0.0] * 3
    assert opt.state["b"]["hessian"].tolist() == [2.0] * 3
    assert opt.step_count == 0


def test_estimates_of_any_layout_and_type():
    p = np.zeros((3, 4), np.float32)
    h = np.arange(24.0).reshape(4, 6)[:, ::2].T
    opt = oc.Sophia(p, betas=(0.9, 0.5))
    opt.update_hessian(h)
    assert np.array_equal(opt.state[""]["hessian"], h / 2)


def test_groups_have_their_own_betas_and_schedules_the_step_s():
    groups = [
        {"params": np.zeros(2), "betas": (0.9, 0.5)},
        {"params": {"b": np.zeros(2)}, "betas": (0.9, lambda step: 0.25 * step)},
    ]
    opt = oc.Sophia(groups)
    one = np.ones(2)
    for step in range(3):
        opt.update_hessian([4 * one, {"b": 4 * one}])
        opt.step([one, {"b": one}])
        assert opt.step_count == step + 1
    assert opt.state[""]["hessian"].tolist() == [3.5, 3.5]
    # 0·0 + 1·4, then ¼·4 + ¾·4, then ½·4 + ½·4
    assert opt.state["b"]["hessian"].tolist() == [4.0, 4.0]
    opt.groups[0]["betas"] = (0.9, 0.0)
    opt.update_hessian([8 * one, {"b": None}])
    assert opt.state[""]["hessian"].tolist() == [8.0, 8.0]


GOOD = np.ones(3)
BAD = {
    "another shape": ({"a": GOOD, "b": np.ones(4)}, ValueError, "hessian/b"),
    "integers": ({"a": GOOD, "b": np.ones(3, int)}, TypeError, "hessian/b"),
    "no array": ({"a": GOOD, "b": "no"}, TypeError, "hessian/b"),
    "complex": ({"a": GOOD, "b": np.ones(3, complex)}, TypeError, "hessian/b"),
    "one missing": ({"a": GOOD}, KeyError, "b"),
    "one too many": ({"a": GOOD, "b": GOOD, "c": GOOD}, KeyError, "c"),
    "another nesting": ([GOOD, GOOD], TypeError, "hessian"),
    "none at all": (None, TypeError, "hessian"),
}


@pytest.mark.parametrize("case", BAD)
def test_on_an_error_nothing_has_changed(case):
    hessian, error, words = BAD[case]
    params = {"a": np.ones(3), "b": np.ones(3)}
    opt = oc.Sophia(params)
    opt.update_hessian({"a": GOOD, "b": GOOD})
    opt.step({"a": GOOD, "b": GOOD})
    before = snapshot(opt, params)
    with pytest.raises(error, match=words):
        opt.update_hessian(hessian)
    assert snapshot(opt, params) == before
    opt.update_hessian({"a": GOOD, "b": GOOD})  # and it goes on
    opt.step({"a": GOOD, "b": GOOD})
    assert opt.step_count == 2


def test_memory_that_is_written_is_no_estimate():
    params = {"a": np.ones(3), "b": np.ones(3)}
    opt = oc.Sophia(params)
    before = snapshot(opt, params)
    for shared in (params["b"], opt.state["b"]["hessian"], opt.state["a"]["exp_avg"]):
        with pytest.raises(ValueError, match="hessian/a"):
            opt.update_hessian({"a": shared, "b": GOOD})
    assert snapshot(opt, params) == before


def test_a_schedule_out_of_range():
    w = np.ones(3)
    opt = oc.Sophia(w, betas=(0.9, lambda step: 2.0))
    before = snapshot(opt, {"": w})
    with pytest.raises(ValueError, match="Invalid beta parameter at index 1"):
        opt.update_hessian(GOOD)
    assert snapshot(opt, {"": w}) == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite(bad):
    h = {"a": np.ones((2, 3)), "b": np.ones(3)}
    h["a"][1, 2] = bad
    for policy in ("propagate", "skip", "raise"):
        params = {"a": np.ones((2, 3)), "b": np.ones(3)}
        opt = oc.Sophia(params, nonfinite=policy)
        before = snapshot(opt, params)
        if policy == "raise":
            with pytest.raises(oc.NonFiniteError, match="a") as caught:
                opt.update_hessian(h)
            assert (caught.value.path, caught.value.index) == ("a", (1, 2))
        else:
            opt.update_hessian(h)
        assert (snapshot(opt, params) == before) == (policy != "propagate")


def test_the_hessian_is_saved_and_loaded():
    rng = np.random.default_rng(0)

    def made() -> tuple[dict[str, np.ndarray], oc.Sophia]:
        params = {"a": np.ones(7), "b": np.ones((2, 3))}
        return params, oc.Sophia(params, lr=0.1, betas=(0.9, 0.5), rho=0.1)

    def tree() -> dict[str, np.ndarray]:
        return {"a": rng.normal(size=7), "b": rng.normal(size=(2, 3))}

    first, opt = made()
    opt.update_hessian(tree())
    opt.step(tree())
    second, other = made()
    other.load_state_dict(opt.state_dict(copy=True))
    for k, x in first.items():
        second[k][...] = x
    h, g = tree(), tree()
    for each in (opt, other):
        each.update_hessian(h)
        each.step(g)
    assert snapshot(opt, first) == snapshot(other, second)


def test_it_is_refused_while_a_step_is_under_way():
    w = np.ones(3)
    refused = []

    def rate(step: int) -> float:
        try:
            opt.update_hessian(GOOD)
        except RuntimeError as error:
            refused.append(str(error))
        return 0.1

    opt = oc.Sophia(w, lr=rate)
    opt.step(GOOD)
    assert len(refused) == 1
    assert "in use" in refused[0]
    assert not opt.state[""]["hessian"].any()
