"""State dicts, copies and pickles of torch optimizers: what is saved goes on where it stopped."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
from torch_list import ROWS, bits, copies, ot, rows, same, state_tensors, torch

CONFIGURED = [(row, i) for row in ROWS for i in range(len(row.configurations()))]
every_configuration = pytest.mark.parametrize(
    "case", CONFIGURED, ids=lambda case: f"{case[0].name}-{case[1]}"
)


def named(params: list[Any], names: bool) -> list[Any]:
    return [(f"name{i}", p) for i, p in enumerate(params)] if names else params


def without_names(state_dict: dict[str, Any]) -> dict[str, Any]:
    state_dict = copy.deepcopy(state_dict)
    for group in state_dict["param_groups"]:
        group.pop("param_names", None)
    return state_dict


# Saved and loaded. -------------------------------------------------------------------------------


@every_configuration
def test_what_is_loaded_goes_on_as_what_was_saved(case):
    """Bit for bit, and so does the next state dict."""
    row, which = case
    params = row.params()
    optimizer = row.ours(params, **row.configurations()[which])
    row.run(optimizer, params, 1, 5)
    other = copies(params)
    loaded = row.ours(other, **row.configurations()[which])
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for t in range(6, 11):
        row.run(optimizer, params, t, t)
        row.run(loaded, other, t, t)
        assert [bits(p) for p in params] == [bits(p) for p in other]
    assert same(loaded.state_dict(), optimizer.state_dict())


@rows()
def test_a_state_dict_is_not_written_to(row):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 3)
    saved = copy.deepcopy(optimizer.state_dict())
    kept = copy.deepcopy(saved)
    other = copies(params)
    loaded = row.ours(other)
    loaded.load_state_dict(saved)
    assert same(saved, kept)


@rows()
def test_repeated_groups_look_alike_in_a_state_dict(row):
    optimizer = row.ours(row.params())
    optimizer.param_groups.extend(optimizer.param_groups)
    groups = optimizer.state_dict()["param_groups"]
    assert same(groups[0], groups[1])


@rows()
@pytest.mark.parametrize("saved", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("loaded", [True, False], ids=["into named", "into unnamed"])
def test_names_of_parameters(row, saved, loaded):
    params = row.params()
    optimizer = row.ours(named(params, saved))
    row.run(optimizer, params, 1, 3)
    state_dict = copy.deepcopy(optimizer.state_dict())
    assert ("param_names" in state_dict["param_groups"][0]) == saved
    other = copies(params)
    second = row.ours(named(other, loaded))
    second.load_state_dict(state_dict)
    row.run(optimizer, params, 4, 6)
    row.run(second, other, 4, 6)
    assert [bits(p) for p in params] == [bits(p) for p in other]
    assert same(without_names(second.state_dict()), without_names(optimizer.state_dict()))
    if saved or loaded:
        names = [f"name{i}" for i in range(len(params))]
        assert second.state_dict()["param_groups"][0]["param_names"] == names


@rows()
@pytest.mark.parametrize("weights_only", [True, False])
def test_through_a_file(row, weights_only):
    for options in row.configurations():
        params = row.params()
        optimizer = row.ours(params, **options)
        row.run(optimizer, params, 1, 3)
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        found = torch.load(file, weights_only=weights_only)
        assert same(found, optimizer.state_dict())
        other = copies(params)
        loaded = row.ours(other)
        loaded.load_state_dict(found)
        row.run(optimizer, params, 4, 5)
        row.run(loaded, other, 4, 5)
        assert [bits(p) for p in params] == [bits(p) for p in other]


@rows()
def test_older_state_dicts_lack_what_came_later(row):
    """Options that torch added over the years, and all that are ours alone."""
    for options in row.configurations():
        params = row.params()
        optimizer = row.ours(params, **options)
        row.run(optimizer, params, 1, 3)
        old = copy.deepcopy(optimizer.state_dict())
        originals = set(row.theirs(row.params()).param_groups[0])
        for group in old["param_groups"]:
            for key in set(group) - originals | set(row.info.not_og_supported_flags):
                group.pop(key, None)
        other = copies(params)
        loaded = row.ours(other, **options)
        loaded.load_state_dict(copy.deepcopy(old))
        row.run(loaded, other, 4, 4)
        assert all(torch.isfinite(p).all() for p in other)
        optimizer.load_state_dict(old)
        row.run(optimizer, params, 4, 4)
        assert [bits(p) for p in params] == [bits(p) for p in other]


@rows()
def test_a_step_that_is_a_plain_number(row):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 3)
    state_dict = copy.deepcopy(optimizer.state_dict())
    for state in state_dict["state"].values():
        if isinstance(state.get("step"), torch.Tensor):
            state["step"] = state["step"].item()
    other = copies(params)
    loaded = row.ours(other)
    loaded.load_state_dict(state_dict)
    row.run(optimizer, params, 4, 6)
    row.run(loaded, other, 4, 6)
    assert [bits(p) for p in params] == [bits(p) for p in other]


@rows(closure=False)
def test_parameters_without_state_load_as_that(row):
    params = row.params()
    optimizer = row.ours(params)
    row.fill(params, 1)
    params[-1].grad = None
    optimizer.step()
    other = copies(params)
    loaded = row.ours(other)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    row.run(optimizer, params, 2, 4)
    row.run(loaded, other, 2, 4)
    assert [bits(p) for p in params] == [bits(p) for p in other]


@rows(groups=True)
def test_state_dicts_that_do_not_fit(row):
    optimizer = row.ours([{"params": [p]} for p in row.params()])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(row.ours(row.params()).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        row.ours(row.params()).load_state_dict(row.ours(row.params()[:1]).state_dict())


# Copies. ----------------------------------------------------------------------------------------


def public(obj: Any) -> set[str]:
    return {name for name in vars(obj) if not name.startswith("_")}


@rows()
@pytest.mark.parametrize("steps", [0, 3])
def test_deepcopy(row, steps):
    """With its parameters, as they are copied in one memo; both go on alike and apart."""
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, steps)
    before = [bits(p) for p in params]
    other, second = copy.deepcopy((params, optimizer))
    assert public(second) == public(optimizer)
    row.run(second, other, steps + 1, steps + 3)
    assert [bits(p) for p in params] == before
    row.run(optimizer, params, steps + 1, steps + 3)
    assert [bits(p) for p in params] == [bits(p) for p in other]
    assert same(second.state_dict(), optimizer.state_dict())


@rows()
@pytest.mark.parametrize("steps", [0, 3])
def test_pickle(row, steps):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, steps)
    other, second = pickle.loads(pickle.dumps((params, optimizer)))
    assert type(second) is row.ours
    row.run(second, other, steps + 1, steps + 3)
    row.run(optimizer, params, steps + 1, steps + 3)
    assert [bits(p) for p in params] == [bits(p) for p in other]
    assert same(second.state_dict(), optimizer.state_dict())


# What torch's own loading would damage. -----------------------------------------------------------

COUNTED = [r for r in ROWS if not r.closure and r.name not in ("SGD", "Muon")]
LARGE = 2**24 + 1


@pytest.mark.parametrize("row", COUNTED, ids=repr)
@pytest.mark.parametrize("kind", ["tensor", "number"])
def test_counters_beyond_the_whole_numbers_of_float32(row, kind):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 1)
    state_dict = copy.deepcopy(optimizer.state_dict())
    for state in state_dict["state"].values():
        state["step"] = (
            torch.tensor(float(LARGE), dtype=torch.float64) if kind == "tensor" else LARGE
        )
    optimizer.load_state_dict(state_dict)
    row.run(optimizer, params, 2, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = copies(params)
    loaded = row.ours(other)
    loaded.load_state_dict(torch.load(file))
    row.run(loaded, other, 4, 4)
    steps = [float(value) for _, name, value in state_tensors(loaded) if name == "step"]
    assert steps == [LARGE + 3] * len(params)


HALVES = [torch.bfloat16, torch.float16]


@rows(closure=False, sparse=False)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_float32_state_of_half_precision_survives_loading(row, dtype):
    """torch casts loaded state to its parameter's type; rounded moments would not come back."""
    params = row.params(dtype=dtype)
    optimizer = row.ours(params, state_dtype="float32")
    row.run(optimizer, params, 1, 4)
    before = [
        (i, n, bits(v), v.dtype) for i, n, v in state_tensors(optimizer) if torch.is_tensor(v)
    ]
    other = copies(params)
    loaded = row.ours(other, state_dtype="float32")
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    after = [(i, n, bits(v), v.dtype) for i, n, v in state_tensors(loaded) if torch.is_tensor(v)]
    assert after == before
    large = {v.dtype for _, n, v in state_tensors(loaded) if torch.is_tensor(v) and v.numel() > 4}
    assert large <= {torch.float32}
    row.run(optimizer, params, 5, 7)
    row.run(loaded, other, 5, 7)
    assert [bits(p) for p in params] == [bits(p) for p in other]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", [torch.float32, *HALVES], ids=str)
def test_8_bit_state_survives_loading(name, dtype):
    def optimizer_of(params: list[Any]) -> Any:
        return getattr(ot, name)(params, lr=0.01, state_dtype="8bit")

    def run(optimizer: Any, p: Any, first: int, last: int) -> None:
        for t in range(first, last + 1):
            p.grad = torch.randn(5000, generator=torch.Generator().manual_seed(t)).to(dtype)
            optimizer.step()

    p = torch.randn(5000, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    optimizer = optimizer_of([p])
    run(optimizer, p, 1, 3)
    kinds = {n: (v.dtype, bits(v)) for _, n, v in state_tensors(optimizer)}
    assert torch.uint8 in {kind for kind, _ in kinds.values()}
    [q] = copies([p])
    loaded = optimizer_of([q])
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    loaded.load_state_dict(torch.load(file))
    assert {n: (v.dtype, bits(v)) for _, n, v in state_tensors(loaded)} == kinds
    run(optimizer, p, 4, 6)
    run(loaded, q, 4, 6)
    assert bits(p) == bits(q)


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_master_weights_survive_loading(name):
    """A master parameter is finer than the parameter, and so has to be state."""
    p = torch.randn(500, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    q = p.clone()
    optimizer = getattr(ot, name)([p], lr=1e-3, low_precision="master")

    def run(optimizer: Any, p: Any, first: int, last: int) -> None:
        for t in range(first, last + 1):
            p.grad = torch.randn(500, generator=torch.Generator().manual_seed(t)).to(p.dtype)
            optimizer.step()

    run(optimizer, p, 1, 5)
    q.copy_(p)
    loaded = getattr(ot, name)([q], lr=1e-3, low_precision="master")
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert same(loaded.state_dict()["state"], optimizer.state_dict()["state"])
    run(optimizer, p, 6, 40)
    run(loaded, q, 6, 40)
    assert bits(p) == bits(q)


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_stochastic_rounding_goes_on_with_the_same_bits(name):
    p = torch.randn(500, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    options = {"lr": 1e-3, "low_precision": "stochastic", "seed": 7}

    def run(optimizer: Any, p: Any, first: int, last: int) -> None:
        for t in range(first, last + 1):
            p.grad = torch.randn(500, generator=torch.Generator().manual_seed(t)).to(p.dtype)
            optimizer.step()

    optimizer = getattr(ot, name)([p], **options)
    run(optimizer, p, 1, 5)
    q = p.clone()
    loaded = getattr(ot, name)([q], **options)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(optimizer, p, 6, 9)
    run(loaded, q, 6, 9)
    assert bits(p) == bits(q)


def test_ours_alone_of_a_group_are_saved_with_it():
    """Options that torch does not know are defaults like others, and so in every group."""
    row = next(r for r in ROWS if r.name == "AdamW")
    params = row.params()
    optimizer = row.ours(params, cautious=True)
    row.run(optimizer, params, 1, 3)
    other = copies(params)
    loaded = row.ours(other, cautious=True)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    row.run(optimizer, params, 4, 5)
    row.run(loaded, other, 4, 5)
    assert [bits(p) for p in params] == [bits(p) for p in other]
