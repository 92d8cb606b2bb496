"""What all optimizers share: trees, groups, hyperparameters, steps, clipping, state dicts."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from rule_list import ROWS, row_id

import optcore as oc
from optcore import reference
from optcore.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Lambda,
    Polynomial,
    Step,
    Warmup,
)

CLASSES = [getattr(oc, name) for name in oc.__all__ if inspect.isclass(getattr(oc, name))]
# Muon takes matrices alone: test_matrix_rules.py has it. RowwiseAdagrad takes C order alone:
# test_rows.py.
KINDS = [
    kind
    for kind in CLASSES
    if issubclass(kind, oc.Optimizer) and kind not in (oc.Optimizer, oc.Muon, oc.RowwiseAdagrad)
]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture(autouse=True)
def restored_threads():
    yield
    oc.set_num_threads(None)


def tree(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "W": rng.normal(size=(3, 4)).astype(np.float32),
        "layers": [{"b": rng.normal(size=5)}, (rng.normal(size=2).astype(np.float32), {})],
        3: np.array(rng.normal()),
        "a/b~": np.asarray(rng.normal(size=(4, 3)), order="F"),
    }


PATHS = ["W", "layers/0/b", "layers/1/0", "3", "a~1b~0"]


def leaves(nest: Any) -> list[Any]:
    """The leaves in tree order, written once more."""
    if isinstance(nest, dict):
        return [leaf for item in nest.values() for leaf in leaves(item)]
    if isinstance(nest, (list, tuple)):
        return [leaf for item in nest for leaf in leaves(item)]
    return [nest]


def arrays(opt: Any) -> list[np.ndarray]:
    return [slot for slots in opt.state.values() for slot in slots.values()]


def copied(nest: Any) -> Any:
    return copy.deepcopy(nest)


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    pairs = zip(a, b, strict=True)
    return all(x.dtype == y.dtype and np.array_equal(x, y, equal_nan=True) for x, y in pairs)


# Trees. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.kind() != "global"], ids=lambda kind: kind.__name__
)
def test_trees(kind):
    """Any nesting is stepped in place as its leaves are one by one, and paths name them."""
    params, one_by_one = tree(), leaves(tree())
    whole = kind(params)
    alone = [kind(leaf) for leaf in one_by_one]
    kept = leaves(params)
    for seed in (1, 2, 3):
        whole.step(tree(seed))
        for opt, g in zip(alone, leaves(tree(seed)), strict=True):
            opt.step(g)
    assert all(a is b for a, b in zip(leaves(params), kept, strict=True))
    assert same(kept, one_by_one)
    assert list(whole.state) == PATHS
    assert whole.groups[0].paths == PATHS
    assert same(arrays(whole), [slot for opt in alone for slot in arrays(opt)])


def test_bare_array():
    w = np.array([1.0, 2.0])
    opt = oc.SGD(w, lr=0.5, momentum=0.5)
    opt.step(np.array([2.0, 2.0]))
    assert w.tolist() == [0.0, 1.0]
    assert list(opt.state) == [""]
    assert opt.state[""]["momentum_buffer"].tolist() == [2.0, 2.0]
    s = np.array(1.0)
    oc.SGD(s, lr=0.5).step(2.0)
    assert s == 0.0


def test_gradients_may_come_in_any_order_and_in_lists_for_tuples():
    params = tree()
    grads = tree(1)
    turned = {k: grads[k] for k in reversed(list(grads))}
    turned["layers"] = (grads["layers"][0], list(grads["layers"][1]))
    other = tree()
    oc.SGD(params, lr=0.5).step(grads)
    oc.SGD(other, lr=0.5).step(turned)
    assert same(leaves(params), leaves(other))


def test_containers_may_be_replaced_while_the_arrays_stay():
    params = tree()
    opt = oc.SGD(params, lr=0.5)
    params["layers"][0] = dict(params["layers"][0])
    params["layers"] = tuple(params["layers"])
    params |= {"W": params.pop("W")}
    opt.step(tree(1))
    assert opt.step_count == 1


def test_dicts_by_their_subclasses():
    from collections import OrderedDict, defaultdict, namedtuple

    pair = namedtuple("pair", "W b")
    params = OrderedDict(x=pair(np.ones(2), np.ones(3)), y=defaultdict(list, {"z": np.ones(1)}))
    opt = oc.SGD(params, lr=0.5)
    assert list(opt.state) == ["x/0", "x/1", "y/z"]
    opt.step({"x": [np.ones(2), np.ones(3)], "y": {"z": np.ones(1)}})
    assert params["x"].b.tolist() == [0.5] * 3


def test_empty_arrays_and_containers():
    params = {"e": np.ones((0, 3)), "d": {}, "l": [], "w": np.ones(2)}
    opt = oc.Adam(params, lr=0.5)
    opt.step({"e": np.ones((0, 3)), "d": {}, "l": (), "w": None})
    assert opt.state_dict()["param_steps"] == {"e": 1, "w": 0}


# Groups. ----------------------------------------------------------------------------------------


def two_groups(**second: Any) -> list[dict[str, Any]]:
    return [
        {"params": {"a": np.ones(2)}},
        {"params": [np.ones(3, np.float32)], **second},
    ]


def ones(groups: list[dict[str, Any]]) -> list[Any]:
    return [{"a": np.ones(2)}, [np.ones(3)]][: len(groups)]


def test_groups():
    groups = two_groups(lr=0.25, weight_decay=0.5)
    opt = oc.SGD(groups, lr=0.5)
    opt.step(ones(groups))
    assert groups[0]["params"]["a"].tolist() == [0.5, 0.5]
    assert groups[1]["params"][0].tolist() == [1 - 0.25 * 1.5] * 3
    assert [group.paths for group in opt.groups] == [["a"], ["0"]]
    assert [group["lr"] for group in opt.groups] == [0.5, 0.25]
    assert [group["weight_decay"] for group in opt.groups] == [0.0, 0.5]
    with pytest.raises(ValueError, match=r"^lr: expected one .*\[0\.5, 0\.25\].*groups\[i\]"):
        opt.lr  # noqa: B018
    opt.groups[1]["lr"] = 0.5
    assert opt.lr == 0.5
    opt.groups[0]["lr"] = Exponential(1.0, gamma=0.5)
    assert opt.groups[0]["lr"] == 0.5
    assert opt.groups[0].schedule("lr") == Exponential(1.0, gamma=0.5)
    assert dict(opt.groups[1]) == {k: opt.groups[1][k] for k in opt.groups[1]}
    own = set(inspect.signature(oc.SGD).parameters) - {"params", "common"}
    assert set(opt.groups[1]) == own | {"state_dtype", "cautious", "cautious_weight_decay"}


def test_one_group_takes_a_list_of_one_tree():
    """Whoever gives groups gives as many gradient trees, one included."""
    groups = two_groups()[:1]
    opt = oc.SGD(groups, lr=0.5)
    opt.step(ones(groups))
    assert groups[0]["params"]["a"].tolist() == [0.5, 0.5]
    assert opt.groups[0].paths == ["a"]


def test_what_is_and_is_not_a_list_of_groups():
    layers = [{"params": np.ones(2)}, {"W": np.ones(2)}]
    assert list(oc.SGD(layers).state) == ["0/params", "1/W"]
    assert list(oc.SGD({"params": np.ones(2)}).state) == ["params"]
    assert list(oc.SGD(({"params": {"W": np.ones(2)}},)).state) == ["W"]


def test_per_group_state():
    opt = oc.SGD(two_groups(momentum=0.5), lr=0.5)
    assert {path: list(slots) for path, slots in opt.state.items()} == {
        "a": [],
        "0": ["momentum_buffer"],
    }
    opt = oc.Adagrad(two_groups(initial_accumulator_value=4.0))
    assert opt.state["a"]["sum"].tolist() == [0.0] * 2
    assert opt.state["0"]["sum"].tolist() == [4.0] * 3


def test_groups_are_one_optimizer():
    """One norm for all groups, and the same bits as without groups."""
    plain = {"a": np.ones(2), "0": np.ones(3, np.float32)}
    groups = two_groups()
    together = oc.Adam(plain, lr=0.5, clip_norm=0.5)
    apart = oc.Adam(groups, lr=0.5, clip_norm=0.5)
    for _ in range(3):
        together.step({"a": np.full(2, 3.0), "0": np.full(3, 4.0)})
        apart.step([{"a": np.full(2, 3.0)}, [np.full(3, 4.0)]])
    assert together.grad_norm == apart.grad_norm
    assert same(list(plain.values()), leaves([g["params"] for g in groups]))


# Hyperparameters. -------------------------------------------------------------------------------


def test_lr_is_read_and_set():
    w = np.zeros(1)
    opt = oc.SGD(w, lr=Exponential(1.0, gamma=0.5))
    read = []
    for _ in range(3):
        read.append(opt.lr)
        opt.step(np.ones(1))
    assert read == [1.0, 0.5, 0.25]
    assert w == -1.75
    opt.lr = 2
    assert isinstance(opt.lr, float)
    opt.step(np.ones(1))
    assert w == -3.75
    opt.lr = lambda k: k * 1.0
    assert opt.lr == 4.0
    opt.lr = np.float32(0.5)
    assert opt.lr == 0.5


@pytest.mark.parametrize(
    "given",
    [
        lambda k: 0.5 / (k + 1),
        Lambda(lambda k: 0.5 / (k + 1)),
        InverseTime(0.5, decay=1.0),
        Warmup(0, into=InverseTime(0.5, decay=1.0)),
    ],
    ids=["function", "Lambda", "native", "nested"],
)
def test_kinds_of_schedules(given):
    w, calls = np.zeros(1), []
    opt = oc.SGD(w, lr=given)
    for k in range(3):
        calls.append(opt.lr)
        opt.step(np.ones(1))
        assert opt.step_count == k + 1
    assert calls == [0.5, 0.25, 0.5 / 3]
    assert w == -0.5 - 0.25 - 0.5 / 3


def test_a_function_gets_each_step_number_once():
    steps = []
    opt = oc.SGD(np.zeros(1), lr=lambda k: steps.append(k) or 0.5)
    for _ in range(4):
        opt.step(np.ones(1))
    assert steps == [0, 1, 2, 3]
    assert all(type(k) is int for k in steps)


NOT_SCALAR = {"initial_accumulator_value", "graft", "d0"}


def scalar_hypers() -> list[Any]:
    """Every scalar hyperparameter of every class, with a schedule that stays in its range."""
    rows = []
    for kind in KINDS:
        for name, parameter in inspect.signature(kind).parameters.items():
            if name in {"params", "common"}:
                continue
            default = parameter.default
            if isinstance(default, (bool, str, int)) or name in NOT_SCALAR:
                continue
            if isinstance(default, tuple):
                for i in range(2):
                    rows.append(pytest.param(kind, name, i, id=f"{kind.__name__}-{name}[{i}]"))
            else:
                rows.append(pytest.param(kind, name, None, id=f"{kind.__name__}-{name}"))
    return rows


SPECIAL = {
    "beta2_decay": Polynomial(-0.9, total=5, end=-0.5),
    "d": Polynomial(1.0, total=5, end=2.0),
    "growth_rate": Polynomial(1.0, total=5, end=2.0),
    "threshold": Polynomial(6.0, total=5, end=4.0),
}


@pytest.mark.parametrize(("kind", "name", "position"), scalar_hypers())
def test_every_scalar_hyperparameter_takes_a_schedule(kind, name, position):
    """The k-th step uses s(k): the same bits as numbers written to the group before each step."""
    schedule = SPECIAL.get(name, Polynomial(0.9, total=5, end=0.25))
    if (kind, name, position) == (oc.Rprop, "etas", 1):
        schedule = Polynomial(1.5, total=5, end=1.25)

    def value(scalar: Any) -> Any:
        if position is None:
            return scalar
        pair = list(inspect.signature(kind).parameters[name].default)
        pair[position] = scalar
        return tuple(pair)

    more = {"momentum": 0.5} if name == "dampening" else {}
    shapes = {"W": (3, 4), "b": (5,)}
    p, q = ({k: np.full(s, 2.0) for k, s in shapes.items()} for _ in range(2))
    scheduled = kind(p, **{name: value(schedule)}, **more)
    written = kind(q, **{name: value(schedule(0))}, **more)
    for k in range(4):
        g = {key: np.random.default_rng(k).normal(size=s) for key, s in shapes.items()}
        written.groups[0][name] = value(schedule(k))
        assert scheduled.groups[0][name] == value(schedule(k))
        scheduled.step(g)
        written.step(g)
        assert same(leaves(p), leaves(q))
        assert same(arrays(scheduled), arrays(written))


def test_a_function_is_asked_once_per_step():
    """For all groups that share it, and for parameters of any number."""
    asked: list[int] = []

    def rate(k: int) -> float:
        asked.append(k)
        return 0.5 / (k + 1)

    groups = [{"params": {"a": np.zeros(1), "b": np.zeros(2)}}, {"params": {"c": np.zeros(1)}}]
    grads = [{"a": np.ones(1), "b": np.ones(2)}, {"c": np.ones(1)}]
    opt = oc.SGD(groups, lr=rate)
    for _ in range(3):
        opt.step(grads)
    assert asked == [0, 1, 2]
    assert groups[0]["params"]["a"][0] == groups[1]["params"]["c"][0] == -0.5 - 0.25 - 0.5 / 3
    opt.lr = lambda k: rate(k)
    asked.clear()
    for _ in range(2):
        opt.step(grads)
    assert asked == [3, 4]
    within = Warmup(5, into=Lambda(rate))
    opt = oc.Adam(groups, lr=within, betas=(0.9, within))
    asked.clear()
    opt.step(grads)
    assert asked == [0]


def test_schedules_per_group_and_by_position():
    groups = [
        {"params": {"a": np.zeros(1)}},
        {"params": {"b": np.zeros(1)}, "betas": (0.5, Step(0.9, step_size=1, gamma=0.5))},
    ]
    opt = oc.Adam(groups, lr=Cosine(1.0, total=4))
    opt.step([{"a": np.ones(1)}, {"b": np.ones(1)}])
    assert opt.groups[0]["betas"] == (0.9, 0.999)
    assert opt.groups[1]["betas"] == (0.5, 0.45)
    assert opt.groups[1].schedule("betas") == (0.5, Step(0.9, step_size=1, gamma=0.5))
    assert opt.groups[1]["lr"] == opt.groups[0]["lr"] == Cosine(1.0, total=4)(1)


def test_numbers_of_numpy():
    """NumPy scalars are as good as floats, also in the state dict."""
    opt = oc.SGD(np.zeros(1), lr=np.float64(0.5), momentum=np.float32(0.5), nesterov=np.True_)
    group = opt.state_dict()["groups"][0]
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.5, 0.5, True)
    assert type(group["lr"]) is float
    assert type(group["nesterov"]) is bool
    assert oc.SGD(np.zeros(1), lr=1).groups[0]["lr"] == 1.0


def test_writing_a_group_takes_effect_or_fails():
    w = np.zeros(1)
    opt = oc.Adam(w, amsgrad=True)
    for name, value in (("betas", (0.5, 0.25)), ("eps", 0.5), ("weight_decay", 0.1)):
        opt.groups[0][name] = value
        assert opt.groups[0][name] == value
    opt.groups[0]["maximize"] = True
    opt.step(np.ones(1))
    want, _ = reference.adam(
        np.zeros(1),
        np.ones(1),
        {},
        step=1,
        betas=(0.5, 0.25),
        eps=0.5,
        weight_decay=0.1,
        maximize=True,
        amsgrad=True,
    )
    assert same([w], [want])


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_maximize(row):
    """Climbing along g is descending along -g."""
    rule, options = row
    options = {k: v for k, v in options.items() if k != "maximize"}
    p, q = np.full((3, 4), 2.0), np.full((3, 4), 2.0)
    up = rule.optimizer({"W": p}, **options, maximize=True)
    down = rule.optimizer({"W": q}, **options)
    for k in range(3):
        g = np.random.default_rng(k).normal(size=(3, 4))
        up.step({"W": g})
        down.step({"W": -g})
    assert same([p], [q])
    assert same(arrays(up), arrays(down))


# Steps. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_none_gradients(row):
    """A parameter without a gradient keeps its bits, its state and its step number, so that its
    bias correction goes on where it was."""
    rule, options = row
    start = {"a": np.full((3, 4), 2.0), "b": np.full((3, 4), 2.0)}
    params = copied(start)
    opt = rule.optimizer(params, **options)
    rng = np.random.default_rng(0)
    state = {k: rule.start(p, options) for k, p in start.items()}
    steps = {"a": 0, "b": 0}
    for present in ("ab", "a", "a", "b", "", "ab"):
        g = {k: rng.normal(size=(3, 4)) if k in present else None for k in "ab"}
        opt.step(g)
        for k in present:
            steps[k] += 1
        tensors = {k: (start[k], state[k]) for k in "ab"}
        rule.reference_steps(tensors, g, steps, options)
        for k, (p, kept) in tensors.items():
            start[k], state[k] = p, kept
        assert opt.state_dict()["param_steps"] == steps
        for k in "ab":
            assert same([params[k]], [start[k]])
            assert same(list(opt.state[k].values()), list(state[k].values()))
    assert opt.step_count == 6


@kinds
def test_all_none(kind):
    """The optimizer's own counter still counts the step: schedules follow it."""
    params = tree()
    before = copied(params)
    opt = kind(params, lr=Step(0.5, step_size=1, gamma=0.5))
    state = [slot.copy() for slot in arrays(opt)]
    opt.step({"W": None, "layers": [{"b": None}, (None, {})], 3: None, "a/b~": None})
    assert same(leaves(params), leaves(before))
    assert same(arrays(opt), state)
    assert opt.step_count == 1
    assert set(opt.state_dict()["param_steps"].values()) == {0}
    assert opt.lr == 0.25


@kinds
def test_closures(kind):
    params, other = tree(), tree()
    opt, plain = kind(params), kind(other)
    seen = []

    def closure() -> tuple[str, Any]:
        seen.append(copied(params))
        return "loss", tree(1)

    assert opt.step(closure=closure) == "loss"
    assert plain.step(tree(1)) is None
    assert len(seen) == 1
    assert same(leaves(params), leaves(other))


def test_a_closure_that_raises():
    params = tree()
    before = copied(params)
    opt = oc.Adam(params)
    with pytest.raises(ZeroDivisionError):
        opt.step(closure=lambda: 1 / 0)
    assert same(leaves(params), leaves(before))
    assert opt.step_count == 0


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_bind(row):
    """Bound buffers are read afresh in every step, with the same bits as gradients passed."""
    rule, options = row
    params, other, buffers = tree(), tree(), tree()
    bound, plain = rule.optimizer(params, **options), rule.optimizer(other, **options)
    bound.bind(buffers)
    for seed in range(1, 5):
        for buffer, g in zip(leaves(buffers), leaves(tree(seed)), strict=True):
            buffer[...] = g
        bound.step()
        plain.step(tree(seed))
        assert same(leaves(params), leaves(other))
        assert same(arrays(bound), arrays(plain))


def test_bind_and_step_with_gradients():
    """Gradients passed while others are bound serve for that step alone."""
    w, g = np.zeros(2), np.ones(2)
    opt = oc.SGD({"w": w}, lr=1.0)
    opt.bind({"w": g})
    opt.step()
    opt.step({"w": np.full(2, 10.0)})
    g[...] = 2
    opt.step()
    assert w.tolist() == [-13.0] * 2
    opt.bind({"w": None})
    opt.step()
    assert w.tolist() == [-13.0] * 2
    opt.bind({"w": w[::-1] * 0 + 5})
    opt.step()
    assert w.tolist() == [-18.0] * 2
    opt.bind(None)
    with pytest.raises(TypeError, match=r"^grads: expected gradients, got None"):
        opt.step()
    assert opt.step_count == 5


def test_bind_keeps_the_buffers():
    w = np.zeros(100_000)
    opt = oc.SGD({"w": w}, lr=1.0)
    opt.bind({"w": np.ones(200_000)[::2]})
    gc.collect()
    np.full(200_000, 7.0)
    opt.step()
    assert np.all(w == -1)


def test_bind_in_groups():
    groups = two_groups()
    opt = oc.SGD(groups, lr=0.5)
    grads = ones(groups)
    opt.bind(grads)
    opt.step()
    grads[1][0][...] = 2
    opt.step()
    assert groups[0]["params"]["a"].tolist() == [0.0, 0.0]
    assert groups[1]["params"][0].tolist() == [-0.5] * 3


def test_optimizers_are_freed_without_the_collector():
    """State is as large as the model: it must go with the last reference."""
    gc.collect()
    gc.disable()
    try:
        opt = oc.Adam(np.ones(10))
        gone = weakref.ref(opt)
        del opt
        assert gone() is None
    finally:
        gc.enable()


# Clipping. --------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1e-3, 0.5, 5.0, 1e6, math.inf])
def test_clip_norm_is_that_of_torch(limit):
    torch = pytest.importorskip("torch")
    shapes = [(3, 4), (5,), ()]
    rng = np.random.default_rng(0)
    ours = [np.asarray(rng.normal(size=s)) for s in shapes]
    theirs = [torch.tensor(p, requires_grad=True) for p in ours]
    opt = oc.SGD(ours, lr=0.1, momentum=0.9, clip_norm=limit)
    peer = torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
    for _ in range(4):
        grads = [np.asarray(rng.normal(size=s)) for s in shapes]
        opt.step(grads)
        for t, g in zip(theirs, grads, strict=True):
            t.grad = torch.tensor(g)
        norm = torch.nn.utils.clip_grad_norm_(theirs, limit)
        peer.step()
        assert opt.grad_norm == pytest.approx(norm.item(), rel=1e-14)
        for p, t in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p, t.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_order_of_clipping():
    """First the norm, then the value, then everything else."""
    w = np.zeros(2)
    opt = oc.SGD({"w": w}, lr=1.0, weight_decay=0.0, clip_norm=1.0, clip_value=0.7, maximize=True)
    g = np.array([3.0, 4.0])
    opt.step({"w": g})
    factor = 1.0 / (5.0 + 1e-6)
    assert w.tolist() == [3.0 * factor, 0.7]
    assert opt.grad_norm == 5.0
    assert g.tolist() == [3.0, 4.0]
    w[...] = 10.0
    opt.groups[0]["weight_decay"] = 0.5
    opt.step({"w": g})
    assert w[1] == 10 - (-0.7 + 0.5 * 10.0)


def test_grad_norm():
    opt = oc.SGD({"a": np.zeros(2), "b": np.zeros(1)}, clip_norm=math.inf)
    assert math.isnan(opt.grad_norm)
    opt.step({"a": np.array([3.0, 0.0]), "b": np.array([4.0])})
    assert opt.grad_norm == 5.0
    opt.step({"a": None, "b": np.array([4.0])})
    assert opt.grad_norm == 4.0
    opt.step({"a": None, "b": None})
    assert opt.grad_norm == 0.0
    plain = oc.SGD(np.zeros(2))
    plain.step(np.ones(2))
    with pytest.raises(AttributeError, match=r"^grad_norm: .*expected clip_norm"):
        plain.grad_norm  # noqa: B018


def test_clipping_is_set_later():
    w = np.zeros(1)
    opt = oc.SGD(w, lr=1.0)
    opt.clip_value = 0.5
    opt.step(np.ones(1))
    opt.clip_value = None
    opt.clip_norm = 0.25
    opt.step(np.full(1, 1e9))
    assert w == pytest.approx(-0.75)
    opt.clip_norm = None
    opt.step(np.ones(1))
    assert w == pytest.approx(-1.75)
    assert (opt.clip_norm, opt.clip_value) == (None, None)


def test_a_norm_that_is_nan_or_infinite():
    """As torch: NaN goes everywhere, and an infinite norm turns finite elements to 0."""
    for bad, others in ((math.nan, math.nan), (math.inf, 0.0)):
        a, b = np.zeros(1), np.zeros(1)
        oc.SGD([a, b], lr=1.0, clip_norm=1.0).step([np.array([bad]), np.ones(1)])
        assert np.isnan(a[0])
        assert np.array_equal(b, [-others], equal_nan=True)


SHAPES = [(), (0,), (1,), (17,), (4096,), (4097,), (100, 130), (3, 5, 7), (40_000,)]


def grads_of(dtype: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    grads = [np.asarray(rng.normal(size=s) * 10 ** rng.uniform(-3, 3, s)) for s in SHAPES]
    grads = [g.astype(dtype) for g in grads]
    return [*grads, np.asfortranarray(grads[6]), grads[6][::-1, ::-2], grads[7].T]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_global_norm(dtype, threads):
    grads = grads_of(dtype)
    norm = oc.global_norm({"a": grads, "none": None}, threads=threads)
    assert norm == reference.global_norm(grads)
    exact = math.sqrt(math.fsum(float(x) ** 2 for g in grads for x in g.flat))
    assert norm == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_global_norm_of_other_floats(dtype):
    g = np.arange(-50, 50).astype(dtype).reshape(10, 10)
    assert oc.global_norm(g) == oc.global_norm(g.astype(np.float64))
    assert oc.global_norm(g[::2, ::-3]) == oc.global_norm(g[::2, ::-3].astype(np.float64))


def test_global_norm_of_0d_gradients():
    """What a step takes as the gradient of a number has a norm."""
    assert oc.global_norm({"s": np.array(3.0), "t": np.float64(4.0)}) == 5.0
    assert oc.global_norm({"s": 3.0, "t": np.float32(4.0)}) == 5.0
    assert oc.global_norm({}) == oc.global_norm([None, np.ones(0)]) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("limit", [0.0, 1.0, 1e9, math.inf])
def test_clip_grad_norm(dtype, threads, limit):
    """In place, by the factor of the reference: what comes of it is what clip_norm does."""
    grads = grads_of(dtype)[: len(SHAPES)]
    before = [g.copy() for g in grads]
    norm = oc.clip_grad_norm_({"x": tuple(grads)}, limit, threads=threads)
    factor = reference.clip_factor(reference.global_norm(before), limit)
    assert norm == reference.global_norm(before)
    assert same(grads, [np.asarray(g * dtype(factor)) for g in before])


def test_clip_grad_norm_is_that_of_torch():
    torch = pytest.importorskip("torch")
    grads = grads_of(np.float64)[: len(SHAPES)]
    tensors = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for t, g in zip(tensors, grads, strict=True):
        t.grad = torch.tensor(g)
    want = torch.nn.utils.clip_grad_norm_(tensors, 2.0).item()
    assert oc.clip_grad_norm_(grads, 2.0) == pytest.approx(want, rel=1e-14)
    for t, g in zip(tensors, grads, strict=True):
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-13)


# State. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_state_dict_round_trip(row):
    """Five steps, saved, five more; loaded into a new optimizer the last five are the same bits."""
    rule, options = row
    options = {**options, "lr": Cosine(0.1, total=12)}
    shapes = {"W": (6, 7), "b": (5,), "s": ()}
    params = {k: np.full(s, 2.0) for k, s in shapes.items()}
    grads = [
        {k: np.asarray(np.random.default_rng(t).normal(size=s)) for k, s in shapes.items()}
        for t in range(10)
    ]
    grads[2]["b"] = None
    opt = rule.optimizer(params, **options)
    for g in grads[:5]:
        opt.step(g)
    saved, middle = opt.state_dict(copy=True), copied(params)
    for g in grads[5:]:
        opt.step(g)

    text = json.dumps({k: v for k, v in saved.items() if k != "state"})  # plain data but arrays
    saved = {**json.loads(text), "state": saved["state"]}
    again = rule.optimizer(middle, **{**options, "lr": 0.5})
    again.load_state_dict(saved)
    assert again.groups[0].schedule("lr") == Cosine(0.1, total=12)
    assert again.step_count == 5
    for g in grads[5:]:
        again.step(g)
    assert same(leaves(middle), leaves(params))
    assert same(arrays(again), arrays(opt))
    first, second = opt.state_dict(), again.state_dict()
    assert {k: v for k, v in first.items() if k != "state"} == {
        k: v for k, v in second.items() if k != "state"
    }


def test_state_dict_of_groups():
    groups = two_groups(lr=Exponential(0.5, gamma=0.5), betas=(Constant(0.5), 0.75))
    opt = oc.Adam(groups)
    opt.step(ones(groups))
    saved = opt.state_dict()
    assert set(saved) == {"format", "rule", "options", "groups", "step", "param_steps", "state"}
    assert saved["format"] == 1
    assert saved["param_steps"] == {"a": 1, "0": 1}
    assert saved["groups"][0]["lr"] == 1e-3
    assert saved["groups"][0]["paths"] == ["a"]
    assert saved["groups"][1]["lr"] == Exponential(0.5, gamma=0.5).to_dict()
    assert saved["groups"][1]["betas"] == [Constant(0.5).to_dict(), 0.75]
    other = oc.Adam(two_groups())
    other.load_state_dict(saved)
    assert other.groups[1].schedule("betas") == (Constant(0.5), 0.75)
    assert other.groups[1]["betas"] == (0.5, 0.75)
    assert [dict(group) for group in other.groups] == [dict(group) for group in opt.groups]


def test_views_and_copies():
    w = np.ones(3)
    opt = oc.SGD({"w": w}, lr=0.5, momentum=0.5)
    views, copies = opt.state_dict(), opt.state_dict(copy=True)
    assert views["state"]["w"]["momentum_buffer"] is opt.state["w"]["momentum_buffer"]
    opt.step({"w": np.ones(3)})
    assert views["state"]["w"]["momentum_buffer"].tolist() == [1.0] * 3
    assert copies["state"]["w"]["momentum_buffer"].tolist() == [0.0] * 3
    opt.state["w"]["momentum_buffer"][...] = 0
    opt.step({"w": np.ones(3)})
    assert w.tolist() == [1 - 0.5 - 0.5] * 3
    with pytest.raises(TypeError):
        opt.state["w"] = {}
    with pytest.raises(TypeError):
        opt.state["w"]["momentum_buffer"] = np.ones(3)


def test_loading_copies():
    opt, other = (oc.SGD({"w": np.ones(3)}, lr=0.5, momentum=0.5) for _ in range(2))
    opt.step({"w": np.ones(3)})
    other.load_state_dict(opt.state_dict())
    opt.step({"w": np.ones(3)})
    assert other.state["w"]["momentum_buffer"].tolist() == [1.0] * 3
    opt.load_state_dict(opt.state_dict())
    assert opt.state["w"]["momentum_buffer"].tolist() == [1.5] * 3


@kinds
def test_loading_across_layouts_and_types(kind):
    """State goes by logical index, whatever lies where in memory."""
    start = np.random.default_rng(0).normal(size=(4, 6))
    g = np.random.default_rng(1).normal(size=(4, 6))
    rows, cols = start.copy(), np.asfortranarray(start)
    a, b = kind({"w": rows}), kind({"w": cols})
    for _ in range(3):
        a.step({"w": g})
    b.load_state_dict(a.state_dict())
    assert same([x.copy() for x in arrays(b)], [x.copy() for x in arrays(a)])
    cols[...] = rows
    for _ in range(3):
        a.step({"w": g})
        b.step({"w": g})
    if kind is oc.Adafactor:  # its sums follow the memory
        np.testing.assert_allclose(cols, rows, rtol=1e-14)
    else:
        assert same([cols], [rows])
    single = kind({"w": start.astype(np.float32)})
    single.load_state_dict(a.state_dict())
    for x, y in zip(arrays(single), arrays(a), strict=True):
        assert np.array_equal(x, y.astype(x.dtype))


def test_functions_in_a_state_dict():
    """A Python function cannot be saved; the one that is there goes on."""
    nested = Warmup(2, into=Lambda(lambda k: 0.5))
    for lr in (lambda k: 0.5, nested):
        opt = oc.SGD(np.ones(1), lr=lr)
        opt.step(np.ones(1))
        saved = json.loads(json.dumps({k: v for k, v in opt.state_dict().items() if k != "state"}))
        other = oc.SGD(np.ones(1), lr=lr)
        other.load_state_dict({**saved, "state": {"": {}}})
        assert other.lr == opt.lr
        assert other.step_count == 1


def test_step_numbers_at_their_limit():
    """A counter that cannot grow must not come round to 0, where a bias correction divides by 0."""
    w = np.ones(2)
    opt = oc.Adam(w)
    saved = opt.state_dict()
    saved["step"] = saved["param_steps"][""] = 2**64 - 2
    opt.load_state_dict(saved)
    for _ in range(3):
        opt.step(np.ones(2))
        saved = opt.state_dict()
        assert saved["step"] == saved["param_steps"][""] == 2**64 - 1
        opt.load_state_dict(saved)
    assert np.all(np.isfinite(w))
    with pytest.raises(ValueError, match=r"2\*\*64 - 1"):
        opt.load_state_dict(saved | {"step": 2**64})


@kinds
def test_repr(kind):
    shown = repr(kind(tree(), lr=Cosine(0.1, total=5)))
    assert shown.startswith(f"{kind.__name__}(5 parameters, lr=Cosine(initial=0.1, total=5")
    assert len(shown.splitlines()) == 1
    two = oc.SGD(two_groups(lr=0.5))
    assert "2 groups" in repr(two)
    assert "lr=0.5" in repr(two.groups[1]).replace("'lr': ", "lr=")


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy])
def test_no_copies(how):
    with pytest.raises(TypeError, match=r"^SGD cannot be pickled or copied.*state_dict"):
        how(oc.SGD(np.ones(2)))


# Threads. ---------------------------------------------------------------------------------------


def test_set_num_threads():
    default = oc.get_num_threads()
    assert default >= 1
    if not oc._core.openmp:
        pytest.skip("built without OpenMP")
    oc.set_num_threads(3)
    assert oc.get_num_threads() == 3
    oc.set_num_threads(np.int64(2))
    assert oc.get_num_threads() == 2
    oc.set_num_threads(None)
    assert oc.get_num_threads() == default


def test_threads_make_no_difference():
    rng = np.random.default_rng(0)
    start, g = rng.normal(size=150_000), rng.normal(size=150_000)
    results = []
    for threads in (1, 2, 3, None, 64):
        w = start.copy()
        opt = oc.Adam([w, np.ones(7)], clip_norm=1.0, threads=threads)
        for _ in range(3):
            opt.step([g, np.ones(7)])
        opt.threads = 2
        opt.step([g, np.ones(7)])
        results.append(w)
    assert all(same([results[0]], [w]) for w in results)


def test_a_schedules_class_is_no_schedule():
    with pytest.raises(TypeError, match=r"^lr: expected a number, .*'optcore.*Cosine'"):
        oc.SGD(np.zeros(3), lr=oc.schedules.Cosine)
