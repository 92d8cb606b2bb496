"""What torch's users and its own suite take for granted of an optimizer: construction and steps."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest
from torch_list import ROWS, Row, bits, copies, memory, ot, rows, torch

CONFIGURED = [(row, i) for row in ROWS for i in range(len(row.configurations()))]


def configured(case: tuple[Row, int]) -> str:
    return f"{case[0].name}-{case[1]}"


every_configuration = pytest.mark.parametrize("case", CONFIGURED, ids=configured)


class Least:
    """Squares of a linear model; sparse gradients, matrices where the rule takes nothing else."""

    def __init__(self, row: Row, seed: int = 0, strided: bool = False):
        random = torch.Generator().manual_seed(seed)
        second = (10, 5) if row.matrices else (10,)
        drawn = [torch.randn((*s, 2), generator=random) for s in ((10, 5), second)]
        self.params = [
            torch.nn.Parameter(p[..., 0] if strided else p[..., 0].clone()) for p in drawn
        ]
        self.input = torch.randn(5, generator=random)
        self.row = row

    def loss(self) -> Any:
        weight, other = self.params
        return (
            (weight.mv(self.input) + (other.mv(self.input) if self.row.matrices else other))
            .pow(2)
            .sum()
        )

    def backward(self) -> Any:
        for p in self.params:
            p.grad = None
        loss = self.loss()
        loss.backward()
        if self.row.sparse:
            for p in self.params:
                p.grad = p.grad.to_sparse()
        return loss

    def step(self, optimizer: Any) -> Any:
        if self.row.closure:
            return optimizer.step(self.backward)
        loss = self.backward()
        optimizer.step()
        return loss


# Construction. -------------------------------------------------------------------------------


@rows()
def test_a_class_of_torch_is_a_subclass_with_its_name_and_signature(row):
    assert issubclass(row.ours, torch.optim.Optimizer)
    assert row.ours.__name__ == row.name
    theirs = inspect.signature(row.theirs.__init__).parameters
    ours = inspect.signature(row.ours.__init__).parameters
    positional = [p for p in theirs.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert list(ours)[: len(positional)] == [p.name for p in positional]
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name


@rows()
def test_errors_begin_with_torch_s_words(row):
    """Every bad input of torch's list, and its words, in the constructor or the first step."""
    checked = 0
    for wrong in row.info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        given = wrong.optimizer_error_input

        def attempt(cls: Any, given: Any = given, wrong: Any = wrong) -> None:
            optimizer = cls(given.params, **given.kwargs)
            if wrong.error_on.name == "STEP_ERROR":
                optimizer.step()

        if issubclass(wrong.error_type, Warning):
            with pytest.warns(wrong.error_type, match=wrong.error_regex):
                attempt(row.ours)
        else:
            with pytest.raises(wrong.error_type, match=wrong.error_regex):
                attempt(row.theirs)
            with pytest.raises(wrong.error_type, match=wrong.error_regex):
                attempt(row.ours)
        checked += 1
    assert checked >= 6


@rows()
def test_no_parameters(row):
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        row.ours([])
    with pytest.raises(TypeError):
        row.ours([torch.zeros(2, 2), 3.0])


@rows()
def test_what_is_no_leaf_is_refused(row):
    leaf = torch.zeros(2, 2, requires_grad=True)
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        row.ours([leaf * 2])


@rows()
def test_torch_s_ways_of_running_a_step_are_arguments(row):
    """There is one implementation: `foreach` and `fused` change nothing; the others are refused."""
    arguments = inspect.signature(row.theirs.__init__).parameters
    found = []
    for way in ({}, {"foreach": True}, {"foreach": False}, {"fused": True}, {"fused": False}):
        if set(way) <= set(arguments):
            params = row.params()
            row.run(row.ours(params, **way), params, 1, 3)
            found.append([bits(p) for p in params])
    assert all(each == found[0] for each in found)
    for flag in {"capturable", "differentiable"} & set(arguments):
        row.ours(row.params(), **{flag: False})
        with pytest.raises((ValueError, NotImplementedError, RuntimeError), match=flag):
            row.ours(row.params(), **{flag: True})


@rows()
def test_printing(row):
    for options in row.configurations():
        optimizer = row.ours(row.params(), **options)
        text = repr(optimizer)
        assert text.startswith(f"{row.name} (\nParameter Group 0")
        for name in optimizer.defaults:
            assert f"    {name}: " in text


# Direction. ----------------------------------------------------------------------------------


@every_configuration
def test_the_loss_goes_the_right_way(case):
    row, which = case
    options = row.configurations()[which]
    problem = Least(row, seed=which)
    optimizer = row.ours(problem.params, **options)
    before = problem.backward().item()
    for _ in range(20):
        problem.step(optimizer)
    after = problem.backward().item()
    assert (after > before) if options.get("maximize") else (after < before)


@rows()
def test_parameters_of_every_second_element(row):
    """What lies between their elements is not touched; the rest goes as if it lay densely."""
    sparse, dense = Least(row, strided=True), Least(row)
    optimizers = [row.ours(problem.params) for problem in (sparse, dense)]
    between = [p.detach().untyped_storage() for p in sparse.params]
    before = [torch.tensor(s, dtype=torch.uint8).view(torch.float32)[1::2].clone() for s in between]
    for _ in range(3):
        for problem, optimizer in zip((sparse, dense), optimizers, strict=True):
            problem.step(optimizer)
    for a, b in zip(sparse.params, dense.params, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
    after = [torch.tensor(s, dtype=torch.uint8).view(torch.float32)[1::2] for s in between]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


# Groups. -------------------------------------------------------------------------------------


@rows(groups=True)
def test_groups_are_optimizers_of_their_own(row):
    params = row.params()
    apart = copies(params)
    half = len(params) // 2
    together = row.ours([{"params": params[:half], "lr": 0.02}, {"params": params[half:]}], lr=0.3)
    first, second = row.ours(apart[:half], lr=0.02), row.ours(apart[half:], lr=0.3)
    for t in range(1, 4):
        row.fill(params, t)
        row.fill(apart, t)
        for optimizer in (together, first, second):
            optimizer.step()
    assert [bits(p) for p in params] == [bits(p) for p in apart]


@rows(groups=True)
def test_weight_decay_of_a_group(row):
    if "weight_decay" not in inspect.signature(row.ours.__init__).parameters:
        assert row.name in ("Rprop", "SparseAdam")
        return
    params, apart = row.params(), row.params()
    groups = [
        {"params": params[:1], "weight_decay": 0.1},
        {"params": params[1:], "weight_decay": 0.0},
    ]
    row.run(row.ours(groups), params, 1, 3)
    row.run(row.ours(apart, weight_decay=0.1), apart, 1, 3)
    assert bits(params[0]) == bits(apart[0])
    assert all(bits(a) != bits(b) for a, b in zip(params[1:], apart[1:], strict=True))


@rows(groups=True)
def test_a_rate_next_to_nothing_moves_next_to_nothing(row):
    outer = {"lr": 1e-28, **({"step_sizes": (0, 50)} if row.name == "Rprop" else {})}
    params, still = row.params(), row.params(seed=1)
    before = [p.clone() for p in still]
    optimizer = row.ours([{"params": params, "lr": 1e-2}, {"params": still}], **outer)
    for t in range(1, 6):
        row.fill([*params, *still], t)
        optimizer.step()
    torch.testing.assert_close(still, before, rtol=1e-6, atol=1e-6)
    assert all(bits(a) != bits(b) for a, b in zip(params, row.params(), strict=True))


@rows(groups=True)
def test_a_group_that_comes_later(row):
    params, later = row.params(), row.params(seed=1)
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 2)
    optimizer.add_param_group({"params": later, "lr": 0.01})
    assert len(optimizer.param_groups) == 2
    assert optimizer.param_groups[1].keys() == optimizer.param_groups[0].keys()
    both = [*params, *later]
    row.run(optimizer, both, 3, 5)

    alone, new = row.params(), row.params(seed=1)
    one, other = row.ours(alone), row.ours(new, lr=0.01)
    row.run(one, alone, 1, 2)
    for t in range(3, 6):
        row.fill([*alone, *new], t)
        one.step()
        other.step()
    assert [bits(p) for p in both] == [bits(p) for p in [*alone, *new]]


@rows(groups=True)
def test_what_is_written_in_a_group_counts_from_the_next_step(row):
    """The way in which torch's schedulers set the rate."""
    params, theirs = row.params(dtype=torch.float64), row.params(dtype=torch.float64)
    ours, peer = row.ours(params), row.theirs(theirs)
    for t in range(1, 6):
        for optimizer in (ours, peer):
            optimizer.param_groups[0]["lr"] = 0.01 * t
        for group in (params, theirs):
            row.fill(group, t)
        ours.step()
        peer.step()
    # NAdam and ASGD keep scalars in float32 in torch; torch's Muon iterates in bfloat16.
    bound = {"NAdam": 1e-6, "ASGD": 1e-6, "Muon": 3e-2}.get(row.name, 1e-10)
    torch.testing.assert_close(params, theirs, rtol=bound, atol=bound)


# Rates that are tensors. -----------------------------------------------------------------------


@rows()
@pytest.mark.parametrize("dimensions", [0, 1, 2])
def test_a_rate_that_is_a_tensor(row, dimensions):
    plain, params = row.params(), row.params()
    rate = torch.tensor(0.015625).reshape([1] * dimensions)
    ours, other = row.ours(plain, lr=0.015625), row.ours(params, lr=rate)
    row.run(ours, plain, 1, 2)
    row.run(other, params, 1, 2)
    assert [bits(p) for p in plain] == [bits(p) for p in params]
    ours.param_groups[0]["lr"] = 0.25
    other.param_groups[0]["lr"].fill_(0.25)  # as torch's schedulers do
    row.run(ours, plain, 3, 4)
    row.run(other, params, 3, 4)
    assert [bits(p) for p in plain] == [bits(p) for p in params]
    assert isinstance(other.param_groups[0]["lr"], torch.Tensor)


# Steps that change nothing. -----------------------------------------------------------------------


@rows()
def test_parameters_without_gradients_stay_as_they_are(row):
    loss = torch.tensor([1.0])
    for options in row.configurations():
        params = [p.detach() for p in row.params()]
        before = memory(params)
        optimizer = row.ours(params, **options)
        assert optimizer.step(lambda: loss) is loss
        assert memory(params) == before
        if not row.closure:
            assert optimizer.step() is None
            assert not optimizer.state, "state is made with the first gradient"


@rows()
def test_gradients_of_zero_move_nothing(row):
    """But for decay, under whichever name."""
    for options in row.configurations():
        params = row.params()
        optimizer = row.ours(params, **options)
        for name in {"weight_decay", "lambd"} & set(optimizer.param_groups[0]):
            optimizer.param_groups[0][name] = 0.0
        before = [p.clone() for p in params]
        for p in params:
            p.grad = none_of(p) if row.sparse else torch.zeros_like(p)
        row.step(optimizer)
        assert all(torch.equal(a, b) for a, b in zip(params, before, strict=True))


def none_of(p: Any) -> Any:
    """A sparse gradient that names no row."""
    rows, values = torch.empty((1, 0), dtype=torch.int64), torch.empty((0, *p.shape[1:]))
    return torch.sparse_coo_tensor(rows, values, p.shape, check_invariants=False)


@rows(sparse=False, closure=False)
def test_a_gradient_of_none_leaves_one_parameter_out(row):
    params, apart = row.params(), row.params()
    whole, part = row.ours(params), row.ours(apart[1:])
    for t in range(1, 4):
        row.fill(params, t)
        row.fill(apart, t)
        params[0].grad = None
        row.step(whole)
        row.step(part)
    assert bits(params[0]) == bits(row.params()[0])
    assert [bits(p) for p in params[1:]] == [bits(p) for p in apart[1:]]


# State. --------------------------------------------------------------------------------------


@rows()
def test_no_state_is_empty(row):
    """A look into `state[p]` makes an entry: a rule without state must not look."""
    for options in row.configurations():
        params = row.params()
        optimizer = row.ours(params, **options)
        assert not optimizer.state
        row.run(optimizer, params, 1, 2)
        assert all(len(state) > 0 for state in optimizer.state.values())


@rows()
def test_state_has_torch_s_names(row):
    for which in range(len(row.configurations())):
        params, theirs = row.params(), row.params()
        ours = row.ours(params, **row.configurations()[which])
        peer = row.theirs(theirs, **row.configurations()[which])
        row.run(ours, params, 1, 2)
        row.run(peer, theirs, 1, 2)
        for p, q in zip(params, theirs, strict=True):
            wanted = {k for k, v in peer.state.get(q, {}).items() if v is not None}
            wanted -= {"al"}  # torch's LBFGS keeps room for its recursion there
            have = {k for k, v in ours.state.get(p, {}).items() if v is not None}
            # In torch plain SGD writes down an empty momentum, and there is no step to count.
            assert have == wanted, (which, have, wanted)
            for name in wanted:
                if isinstance(peer.state[q][name], torch.Tensor) and name != "step":
                    assert torch.as_tensor(ours.state[p][name]).shape == peer.state[q][name].shape


@rows(closure=False)
def test_the_step_is_counted_from_a_parameter_s_first_gradient(row):
    params = row.params()
    optimizer = row.ours(params)
    late = params[-1]
    for t in range(1, 6):
        row.fill(params, t)
        if t < 4:
            late.grad = None
        optimizer.step()
    if "step" in optimizer.state.get(params[0], {}):
        assert float(optimizer.state[params[0]]["step"]) == 5
        assert float(optimizer.state[late]["step"]) == 2


# Parameters. ------------------------------------------------------------------------------------


@rows(matrices=False, sparse=False)
def test_a_parameter_without_dimensions(row):
    p = torch.tensor(1.5, requires_grad=True)
    optimizer = row.ours([p])
    before = p.item()
    p.grad = torch.tensor(0.25)
    row.step(optimizer)
    assert p.shape == ()
    assert p.item() < before


@rows(sparse=False, closure=False)
def test_parameters_frozen_and_unfrozen_on_the_way(row):
    """A frozen parameter has no gradient, and goes on later from the state that it had."""
    params, theirs = row.params(dtype=torch.float64), row.params(dtype=torch.float64)
    ours, peer = row.ours(params), row.theirs(theirs)
    for t in range(1, 9):
        frozen = 3 <= t <= 5
        for group in (params, theirs):
            row.fill(group, t, spread=(-1, 0))
            group[0].requires_grad_(not frozen)
            if frozen:
                group[0].grad = None
        still = bits(params[0])
        row.step(ours)
        row.step(peer)
        assert bits(params[0]) == still or not frozen
    assert bits(params[0]) != bits(row.params(dtype=torch.float64)[0])
    bound = {"NAdam": 1e-6, "ASGD": 1e-6, "Muon": 3e-2}.get(row.name, 1e-10)
    torch.testing.assert_close(params, theirs, rtol=bound, atol=bound)


@rows(sparse=False)
@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad(row, to_none):
    params = row.params()
    optimizer = row.ours(params)
    row.run(optimizer, params, 1, 1)
    kept = [p.grad for p in params]
    optimizer.zero_grad(set_to_none=to_none)
    if to_none:
        assert all(p.grad is None for p in params)
    else:
        assert all(p.grad is g for p, g in zip(params, kept, strict=True))
        assert not any(g.any() for g in kept)
    row.run(optimizer, params, 2, 2)
    assert all(torch.isfinite(p).all() for p in params)


@rows(closure=False)
def test_gradients_are_only_read(row):
    params = row.params()
    optimizer = row.ours(params)
    for t in range(1, 3):
        row.fill(params, t)
        before = [bits(p.grad) for p in params]
        kept = [p.grad for p in params]
        optimizer.step()
        assert [bits(p.grad) for p in params] == before
        assert all(p.grad is g for p, g in zip(params, kept, strict=True))


@rows(closure=False)
def test_parameters_stay_where_they_lie(row):
    params = row.params()
    optimizer = row.ours(params)
    places = [p.data_ptr() for p in params]
    row.run(optimizer, params, 1, 3)
    assert [p.data_ptr() for p in params] == places
    assert all(p.requires_grad and p.is_leaf for p in params)


@rows(closure=False)
def test_data_that_moves_between_steps_is_found(row):
    """`p.data = ...`, as ZeroRedundancyOptimizer and model surgery do it."""
    params, apart = row.params(), row.params()
    ours, other = row.ours(params), row.ours(apart)
    kept = []
    for t in range(1, 5):
        row.run(ours, params, t, t)
        row.run(other, apart, t, t)
        old = [p.data for p in params]
        before = memory(old)
        for p in params:
            p.data = p.data.clone()
        kept.append((old, before))
    assert [bits(p) for p in params] == [bits(p) for p in apart]
    assert all(memory(old) == before for old, before in kept), "a step wrote to memory left behind"


def test_no_warning_comes_from_an_ordinary_step():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row in ROWS:
            params = row.params()
            optimizer = row.ours(params)
            row.run(optimizer, params, 1, 2)


def test_every_optimizer_of_torch_is_here():
    """Those of the installed torch, not of the list alone."""
    found = {
        name for name, cls in vars(torch.optim).items()
        if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer)
    } - {"Optimizer"}  # fmt: skip
    assert found == {row.name for row in ROWS}
    assert all(hasattr(ot, name) for name in found)
