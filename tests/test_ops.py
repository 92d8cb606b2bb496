"""Ops: what the classes do, on arrays that the caller keeps."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from rule_list import RULES

import optcore as oc
from optcore import ops

Arrays = dict[str, np.ndarray]

OPS = {name.replace("_", ""): getattr(ops, name) for name in ops.__all__}
NAMES = [rule["name"] for rule in oc.rules() if rule["name"] != "LBFGS"]
every_rule = pytest.mark.parametrize("name", NAMES)

DIRECTED: dict[str, list[dict[str, Any]]] = {
    "Muon": [{"momentum_form": "heavy_ball", "maximize": True}],
    "Shampoo": [
        {"momentum": 0.9, "weight_decay": 0.1, "graft": "adagrad", "max_precond_dim": 4},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "precondition_frequency": 2},
    ],
    "SOAP": [{"precondition_1d": True, "precondition_frequency": 2}, {"max_precond_dim": 3}],
    "SM3": [{"momentum": 0.0, "weight_decay": 0.1}, {"beta": 0.9, "maximize": True}],
}


def options_of(name: str) -> list[dict[str, Any]]:
    """Those of the list of rules; some of one's own for rules that are not in it."""
    listed = [options for r in RULES if r.optimizer_name == name for options in r.options]
    return listed or [{}, {"lr": 0.02}, *DIRECTED.get(name, [])]


def op_of(name: str) -> Callable[..., None]:
    return OPS[name.lower()]


def model(name: str, dtype: Any) -> Arrays:
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"W": (4, 6), "V": (5, 2)}
    if name not in ("Muon", "Adafactor"):
        shapes |= {"b": (5,), "T": (2, 3, 4), "none": (0, 3)}
        if name != "RowwiseAdagrad":
            shapes["s"] = ()
    params = {k: np.asarray(rng.normal(size=shape), dtype) for k, shape in shapes.items()}
    if name != "RowwiseAdagrad":
        params["F"] = np.asfortranarray(rng.normal(size=(3, 5)).astype(dtype))
    return params


def copied(arrays: Arrays) -> Arrays:
    return {k: x.copy(order="K") for k, x in arrays.items()}


def slots_of(states: list[Arrays]) -> dict[str, Any]:
    """State by name, as ops take it for a list of parameters."""
    names = dict.fromkeys(name for state in states for name in state)
    return {
        "row_var" if name == "variance" else name: [state.get(name) for state in states]
        for name in names
    }


def bits(*groups: Arrays) -> list[bytes]:
    return [x.tobytes() for group in groups for x in group.values()]


# The same as the classes. -------------------------------------------------------------------------


def test_every_rule_has_an_op() -> None:
    assert {name.lower() for name in NAMES} <= set(OPS)
    assert set(OPS) == {name.lower() for name in NAMES} | {"sophiahessian"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_rule
def test_a_list_of_arrays_is_stepped_as_by_the_class(name: str, dtype: Any) -> None:
    """To the bit, with all options of the list of rules, and one norm for all gradients."""
    rng = np.random.default_rng(1)
    for options in options_of(name):
        mine = model(name, dtype)
        theirs = copied(mine)
        clip = {k: options[k] for k in ("clip_value",) if k in options} | {"clip_norm": 2.0}
        opt = getattr(oc, name)(theirs, **options, clip_norm=2.0)
        states = [copied(dict(opt.state[k])) for k in mine]
        own = {k: v for k, v in options.items() if not k.startswith("initial_")} | clip
        for t in range(1, 5):
            grads = {k: np.asarray(rng.normal(size=p.shape), dtype) for k, p in mine.items()}
            opt.step(grads)
            op_of(name)([*mine.values()], [*grads.values()], **slots_of(states), step=t, **own)
            assert bits(mine) == bits(theirs), (options, t)
            assert bits(*states) == bits(*(dict(opt.state[k]) for k in mine)), (options, t)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", list(DIRECTED))
def test_a_direction_for_16_bits_is_that_of_the_class(name: str, dtype: Any) -> None:
    """One array at a time; the gradient in another type and other memory order."""
    rng = np.random.default_rng(2)
    for key, p in model(name, dtype).items():
        q = p.copy(order="K")
        opt = getattr(oc, name)(q, lr=0.05)
        state = copied(dict(opt.state[""]))
        for t in range(1, 4):
            g = np.asarray(rng.normal(size=p.shape).T.copy().T)
            opt.step(g)
            op_of(name)(p, g, **state, step=t, lr=0.05)
        assert p.tobytes() == q.tobytes(), key
        assert bits(state) == bits(dict(opt.state[""])), key


@pytest.mark.parametrize("name", list(DIRECTED))
def test_a_parameter_without_gradient_stays(name: str) -> None:
    """And its state; the others' steps have numbers of their own."""
    params = model(name, np.float64)
    opt = getattr(oc, name)(copied(params))
    states = [copied(dict(opt.state[k])) for k in params]
    before = bits(params, *states)
    op_of(name)([*params.values()], [None] * len(params), **slots_of(states), step=1)
    assert bits(params, *states) == before
    p, state, steps = params["W"], states[0], [3, *range(1, len(params))]
    grads = [np.ones((4, 6)), *[None] * (len(params) - 1)]
    q, other = p.copy(), copied(state)
    op_of(name)([*params.values()], grads, **slots_of(states), step=steps)
    op_of(name)(q, grads[0], **other, step=3)
    assert bits({"": p}, state) == bits({"": q}, other)
    assert bits(params, *states)[1 : len(params)] == before[1 : len(params)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_estimates_of_the_hessian_are_taken_in_as_by_the_class(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    mine = model("Sophia", dtype)
    theirs = copied(mine)
    values: dict[str, Any] = {"lr": 0.05, "rho": 0.5, "betas": (0.9, 0.75)}
    opt = oc.Sophia(theirs, **values)
    states = [copied(dict(opt.state[k])) for k in mine]
    for t in range(1, 5):
        h, g = ([np.asarray(rng.normal(size=p.shape), dtype) for p in mine.values()] for _ in "hg")
        opt.update_hessian(dict(zip(mine, h, strict=True)))
        opt.step(dict(zip(mine, g, strict=True)))
        params, slots = [*mine.values()], slots_of(states)
        ops.sophia_hessian_(params, h, **slots, step=t, betas=(0.9, 0.75))
        ops.sophia_(params, g, **slots, step=t, **values)
        assert bits(mine, *states) == bits(theirs, *(dict(opt.state[k]) for k in mine))


# Bad input. ---------------------------------------------------------------------------------------


class World:
    """Good arguments for a call, and what they were."""

    def __init__(self, name: str) -> None:
        self.op = op_of(name)
        self.p = np.arange(6.0).reshape(2, 3)
        self.g = np.ones((2, 3))
        opt = getattr(oc, name)(self.p)
        self.state = copied(dict(opt.state[""]))
        self.before = bits({"p": self.p, "g": self.g}, self.state)

    def refuses(self, error: type[Exception], *words: str, p: Any = None, **changed: Any) -> None:
        """The call with some arguments changed: an error with these words, and nothing written."""
        given: dict[str, Any] = {"g": self.g, "step": 1, **self.state, **changed}
        with pytest.raises(error) as caught:
            self.op(self.p if p is None else p, **given)
        for word in words:
            assert word in str(caught.value), str(caught.value)
        assert bits({"p": self.p, "g": self.g}, self.state) == self.before


directed = pytest.mark.parametrize("name", list(DIRECTED))
SLOT = {"Muon": "momentum_buffer", "Shampoo": "pre_cond_1", "SOAP": "q_1", "SM3": "accumulator_1"}


@directed
def test_state_that_does_not_fit_is_refused(name: str) -> None:
    world, slot = World(name), SLOT[name]
    good = world.state[slot]
    mend = f"make it with np.zeros({good.shape}, np.float64) and keep it"
    world.refuses(ValueError, f"{slot}: expected shape", mend, **{slot: np.zeros(7)})
    world.refuses(TypeError, f"{slot}: expected a float64 array, got float32", mend,
                  **{slot: good.astype(np.float32)})  # fmt: skip
    world.refuses(TypeError, f"{slot}: expected an array, got a list", **{slot: good.tolist()})
    world.refuses(TypeError, f"{slot}: expected", "got None", mend, **{slot: None})
    locked = good.copy()
    locked.flags.writeable = False
    world.refuses(ValueError, f"{slot}: expected a writable array", **{slot: locked})
    shared = np.zeros(good.size + 6)
    p, mine = shared[:6].reshape(2, 3), shared[5:-1].reshape(good.shape)
    world.refuses(ValueError, f"p and {slot} overlap in memory", p=p, **{slot: mine})
    assert not shared.any()


@every_rule
def test_each_state_array_is_asked_for_and_looked_at(name: str) -> None:
    for slot in World(name).state:
        world = World(name)
        wrong = {slot: np.zeros(7, world.state[slot].dtype)}
        world.refuses(ValueError, f"{slot}: expected", "got", **wrong)
        world.refuses(TypeError, f"{slot}: expected", "float16", **{slot: np.zeros(7, np.float16)})
        del world.state[slot]
        world.before = bits({"p": world.p, "g": world.g}, world.state)
        world.refuses(TypeError, slot, "expected", "keep it")


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("Shampoo", "momentum_buffer"),
        ("Shampoo", "pre_cond_2"),
        ("SOAP", "q_2"),
        ("SM3", "accumulator_2"),
    ],
)
def test_state_that_nothing_uses_is_refused(name: str, slot: str) -> None:
    words = f"{slot}: expected None, as the state of shape (2, 3) is", "got an array"
    World(name).refuses(TypeError, *words, **{slot: np.zeros((2, 3))})


@every_rule
def test_more_arrays_than_there_is_state_are_refused(name: str) -> None:
    arrays = [np.zeros(3) for _ in range(9)]
    with pytest.raises(TypeError, match=r"expected at most \d state arrays \(.*\), got 9"):
        op_of(name)(np.ones(3), np.ones(3), *arrays, step=1)
    assert not any(x.any() for x in arrays)


@every_rule
def test_an_unknown_keyword_is_refused_with_a_near_name(name: str) -> None:
    world = World(name)
    world.state = {"row_var" if k == "variance" else k: x for k, x in world.state.items()}
    world.refuses(TypeError, "got 'clip_nrm'; did you mean clip_norm", clip_nrm=0.1)
    world.refuses(TypeError, "got 'qwxyz'; leave it out", qwxyz=0.1)


@directed
def test_other_arguments_are_checked_before_anything_is_written(name: str) -> None:
    world = World(name)
    world.refuses(TypeError, "lr: expected a number, got", lr=oc.schedules.Cosine(0.1, 10))
    world.refuses(ValueError, "-1.0", lr=-1.0)
    world.refuses(ValueError, "step: expected 1 to", step=0)
    world.refuses(TypeError, "clip_norm: expected a number or None", clip_norm="1")
    world.refuses(ValueError, "clip_value: expected a number above 0", clip_value=0.0)
    world.refuses(TypeError, "threads: expected an int", threads=1.5)
    world.refuses(ValueError, "g: expected shape (2, 3)", g=np.ones((3, 2)))
    world.refuses(TypeError, "g: expected a real float array", g=np.ones((2, 3), int))
    world.refuses(TypeError, "p: expected a NumPy", p=3.0)
    world.refuses(ValueError, "expected a list of 2 arrays", p=[world.p, world.g])
    world.refuses(TypeError, "g: expected an array, as ops step whole parameters, got rows",
                  g=oc.Rows([0], np.ones((1, 3))))  # fmt: skip


def test_muon_refuses_a_vector() -> None:
    m = np.zeros(3)
    with pytest.raises(ValueError, match=r"p\[1\]: expected a matrix"):
        ops.muon_([np.ones((2, 2)), np.ones(3)], [None, None], [np.zeros((2, 2)), m], step=1)


def test_a_factorization_that_fails_changes_nothing() -> None:
    """LAPACK gives up in the second parameter; the first stays too."""
    params = [np.ones((2, 2)), np.ones((2, 2))]
    states = [copied(dict(oc.Shampoo(p).state[""])) for p in params]
    grads = [np.eye(2), np.eye(2)]
    before = bits(dict(enumerate(params)), *states)

    def fails(*_: Any, **__: Any) -> Any:
        fails.calls += 1
        if fails.calls == 2:
            raise np.linalg.LinAlgError("no convergence")
        return np.eye(2), {k: x + 1 for k, x in states[0].items()}

    fails.calls = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oc.Shampoo, "direction", staticmethod(fails))
        with pytest.raises(np.linalg.LinAlgError, match=r"p\[1\]: expected a state whose"):
            ops.shampoo_(params, grads, **slots_of(states), step=1)
    assert fails.calls == 2
    assert bits(dict(enumerate(params)), *states) == before


# What help() and editors see. ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ops.__all__)
def test_help_shows_what_can_be_passed(name: str) -> None:
    function = getattr(ops, name)
    parameters = list(inspect.signature(function).parameters.values())
    assert [each.name for each in parameters[:2]] == ["p", "g"]
    names = [each.name for each in parameters]
    assert set(names) >= {"step", "clip_norm", "clip_value", "threads"}
    assert all(each.annotation is not each.empty for each in parameters)
    text = pydoc.plain(pydoc.render_doc(function))
    for each in parameters:
        assert each.name in text
    assert "nothing has been written then" in text


def test_state_of_axes_is_passed_by_name() -> None:
    last = list(inspect.signature(ops.soap_).parameters.values())[-1]
    assert (last.name, last.kind) == ("state", inspect.Parameter.VAR_KEYWORD)
    assert "gg_0, ..., q_0, ..." in (ops.soap_.__doc__ or "")
    assert "for each axis" not in (ops.adam_.__doc__ or "")
