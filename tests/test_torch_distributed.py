"""optcore.torch in two processes: DDP, ZeRO, FSDP2 and their checkpoints, by torch.distributed.

Both processes see the same batch, so that the mean of their gradients is each of them exactly, and
parameters have to come out with the bits of a single process.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_processes import Pair

import optcore
from optcore import _core

torch = pytest.importorskip("torch")

if not torch.distributed.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)

with warnings.catch_warnings():  # torch's own deprecated calls
    warnings.simplefilter("ignore")
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.optim import ZeroRedundancyOptimizer
    from torch.distributed.tensor import DTensor, Partial, Replicate, distribute_tensor
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        RowwiseParallel,
        parallelize_module,
    )
    from torch.nn.parallel import DistributedDataParallel

    import optcore.torch as ot

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.distributed is disabled")

KINDS = {rule["name"]: rule["kind"] for rule in optcore.rules() if rule["name"] != "LBFGS"}
ELEMENTWISE = [name for name, kind in KINDS.items() if kind == "elementwise"]
PER_TENSOR = [name for name, kind in KINDS.items() if kind == "per_tensor"]
GLOBAL = [name for name, kind in KINDS.items() if kind == "global"]

Weights = list[np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("pair")) as both:
        yield both


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the two processes: BLAS adds in another order with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# What all of them train. -----------------------------------------------------------------------


def network() -> Any:
    """Rows that halves do not divide, and a last layer of one row: the second gets none of it."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 7), torch.nn.Tanh(), torch.nn.Linear(7, 1))


def matrices() -> Any:
    """The same without biases, as Muon takes nothing but matrices."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(6, 7, bias=False), torch.nn.Linear(7, 2, bias=False)
    return torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])


def model_for(name: str) -> Any:
    return matrices() if name == "Muon" else network()


def optimizer_for(name: str, params: Any, **options: Any) -> Any:
    return getattr(ot, name)(params, lr=1e-2, **options)


def train(model: Any, optimizer: Any, steps: range, rank: int = 0) -> Any:
    """Gradients of `rank`'s batches: rank 0 for all of them makes gradients equal."""
    for step in steps:
        rng = torch.Generator().manual_seed(100 * rank + step)
        X = torch.randn(8, 6, generator=rng).to(next(model.parameters()).dtype)
        optimizer.zero_grad()
        (model(X) - X[:, :1] ** 2).square().mean().backward()
        optimizer.step()
    return model


def weights(model: Any) -> Weights:
    full = (p.full_tensor() if hasattr(p, "full_tensor") else p for p in model.parameters())
    return [p.detach().float().numpy().copy() for p in full]


def alone(name: str, steps: int, **options: Any) -> Weights:
    model = model_for(name)
    return weights(train(model, optimizer_for(name, model.parameters(), **options), range(steps)))


def assert_same_bits(got: Weights, wanted: Weights, what: str = "") -> None:
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == b.dtype, what
        np.testing.assert_array_equal(a.view(np.int32), b.view(np.int32), err_msg=what)


# DistributedDataParallel. ----------------------------------------------------------------------


def with_ddp(names: list[str], different: bool, views: bool = False) -> list[Weights]:
    found = []
    for name in names:
        model = DistributedDataParallel(model_for(name), gradient_as_bucket_view=views)
        optimizer = optimizer_for(name, model.parameters())
        found.append(weights(train(model, optimizer, range(4), different * dist.get_rank())))
    return found


def test_ddp_has_the_bits_of_one_process(pair: Pair) -> None:
    """Every rule: each process has whole gradients."""
    names = list(KINDS)
    for found in pair(with_ddp, names, False):
        for name, got in zip(names, found, strict=True):
            assert_same_bits(got, alone(name, 4), name)


def test_ddp_with_gradients_that_lie_in_buckets(pair: Pair) -> None:
    for found in pair(with_ddp, ["AdamW", "Muon"], False, True):
        assert_same_bits(found[0], alone("AdamW", 4))
        assert_same_bits(found[1], alone("Muon", 4))


def embedded(name: str, parallel: bool = True) -> Weights:
    """An embedding whose gradient names the rows that a batch has touched."""
    torch.manual_seed(0)
    table = torch.nn.Embedding(10, 4, sparse=True)
    model = DistributedDataParallel(table) if parallel else table
    optimizer = optimizer_for(name, model.parameters())
    for step in range(3):
        optimizer.zero_grad()
        rows = torch.tensor([step, 7, step + 1, 7])
        (model(rows) ** 2).sum().backward()
        optimizer.step()
    return weights(model)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "SparseAdam"])
def test_ddp_with_sparse_gradients(pair: Pair, name: str) -> None:
    for got in pair(embedded, name):
        assert_same_bits(got, embedded(name, parallel=False))


def test_ddp_keeps_processes_together_on_different_batches(pair: Pair) -> None:
    first, second = pair(with_ddp, ["AdamW", "LAMB", "Prodigy"], True)
    for a, b in zip(first, second, strict=True):
        assert_same_bits(a, b)
    with pytest.raises(AssertionError):
        assert_same_bits(first[0], alone("AdamW", 4))


def on_different_cpus() -> Weights:
    """The second process steps at the lowest level of instructions."""
    before = optcore.isa()
    if dist.get_rank() == 1:
        _core.use_isa(optcore.available_isas()[0])
    try:
        return with_ddp(["AdamW"], True)[0]
    finally:
        _core.use_isa(before)


def test_ddp_keeps_different_cpus_together(pair: Pair) -> None:
    """Each takes the step on its own, and nothing would tell if they came apart."""
    first, second = pair(on_different_cpus)
    assert_same_bits(first, second)


# ZeroRedundancyOptimizer. ----------------------------------------------------------------------


def with_zero(names: list[str], views: bool) -> list[tuple[Weights, Any]]:
    found = []
    for name in names:
        model = DistributedDataParallel(model_for(name))
        optimizer = ZeroRedundancyOptimizer(
            model.parameters(),
            optimizer_class=getattr(ot, name),
            parameters_as_bucket_view=views,
            lr=1e-2,
        )
        train(model, optimizer, range(4))
        owned = sum(any(t.numel() for t in s.values()) for s in optimizer.optim.state.values())
        found.append((weights(model), owned))
    return found


@pytest.mark.parametrize("views", [False, True])
def test_zero_has_the_bits_of_one_process(pair: Pair, views: bool) -> None:
    """Rules of one element or one tensor: ZeRO gives every process whole tensors."""
    names = ELEMENTWISE + PER_TENSOR
    both = pair(with_zero, names, views)
    for found in both:
        for name, (got, _) in zip(names, found, strict=True):
            assert_same_bits(got, alone(name, 4), name)
    for name, (_, first), (_, second) in zip(names, *both, strict=True):
        if name != "SGD":  # it has no state
            assert first
            assert second
            assert first + second == len(list(model_for(name).parameters())), name


def scheduled_zero() -> Weights:
    model = DistributedDataParallel(network())
    optimizer = ZeroRedundancyOptimizer(
        model.parameters(), optimizer_class=ot.AdamW, lr=1e-2, betas=(0.9, 0.99)
    )  # it knows as defaults what it is given; the schedule looks there for betas
    return scheduled(model, optimizer)


def scheduled(model: Any, optimizer: Any) -> Weights:
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=6)
    for step in range(5):
        train(model, optimizer, range(step, step + 1))
        schedule.step()
    return weights(model)


def test_zero_follows_a_schedule_of_rate_and_betas(pair: Pair) -> None:
    """It copies every entry of its groups into those of the optimizer at each step."""
    model = network()
    optimizer = ot.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    wanted = scheduled(model, optimizer)
    for got in pair(scheduled_zero):
        assert_same_bits(got, wanted)


def zero_saves(name: str) -> Any:
    model = DistributedDataParallel(network())
    optimizer = ZeroRedundancyOptimizer(
        model.parameters(), optimizer_class=getattr(ot, name), lr=1e-2
    )
    train(model, optimizer, range(3))
    optimizer.consolidate_state_dict(to=0)
    if dist.get_rank() == 0:
        state = optimizer.state_dict()
        arrays = {
            i: {key: t.numpy() for key, t in slots.items()} for i, slots in state["state"].items()
        }
        return weights(model), arrays, state["param_groups"]
    return None


def zero_loads(name: str, saved: tuple[Weights, Any, Any]) -> Weights:
    module, state = restored(saved)
    model = DistributedDataParallel(module)
    optimizer = ZeroRedundancyOptimizer(
        model.parameters(), optimizer_class=getattr(ot, name), lr=1e-2
    )
    optimizer.load_state_dict(state)
    return weights(train(model, optimizer, range(3, 6)))


def restored(saved: tuple[Weights, Any, Any]) -> tuple[Any, Any]:
    arrays, state, groups = saved
    module = network()
    with torch.no_grad():
        for p, array in zip(module.parameters(), arrays, strict=True):
            p.copy_(torch.from_numpy(array))
    tensors = {
        i: {key: torch.from_numpy(a).clone() for key, a in slots.items()}
        for i, slots in state.items()
    }
    return module, {"state": tensors, "param_groups": groups}


@pytest.mark.parametrize("name", ["AdamW", "LAMB"])
def test_a_checkpoint_of_zero_goes_on_in_one_process_and_in_two(pair: Pair, name: str) -> None:
    saved = pair(zero_saves, name)[0]
    wanted = alone(name, 6)
    module, state = restored(saved)
    optimizer = optimizer_for(name, module.parameters())
    optimizer.load_state_dict(state)
    assert_same_bits(weights(train(module, optimizer, range(3, 6))), wanted)
    for got in pair(zero_loads, name, saved):
        assert_same_bits(got, wanted)


# fully_shard. ----------------------------------------------------------------------------------


def sharded(model: Any) -> Any:
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for layer in model:
        if list(layer.parameters()):
            fully_shard(layer, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def with_fsdp(names: list[str], options: dict[str, Any]) -> list[Weights]:
    found = []
    for name in names:
        model = sharded(model_for(name))
        optimizer = optimizer_for(name, model.parameters(), **options)
        found.append(weights(train(model, optimizer, range(4))))
    return found


def test_fsdp_has_the_bits_of_one_process(pair: Pair) -> None:
    for found in pair(with_fsdp, ELEMENTWISE, {}):
        for name, got in zip(ELEMENTWISE, found, strict=True):
            assert_same_bits(got, alone(name, 4), name)


@pytest.mark.parametrize(
    "options",
    [{"clip_value": 0.01}, {"cautious_weight_decay": True}, {"state_dtype": torch.bfloat16}],
    ids=str,
)
def test_fsdp_has_the_bits_of_one_process_with(pair: Pair, options: dict[str, Any]) -> None:
    for found in pair(with_fsdp, ["AdamW", "Lion"], options):
        for name, got in zip(["AdamW", "Lion"], found, strict=True):
            assert_same_bits(got, alone(name, 4, **options), name)


def averages(parallel: bool = True) -> tuple[Weights, Weights, Weights]:
    """The average beside AdamW; what a schedule-free rule evaluates, and what it goes on with."""
    model = sharded(network()) if parallel else network()
    optimizer = optimizer_for("AdamW", model.parameters(), ema=optcore.EMA(0.9))
    train(model, optimizer, range(3))
    with optimizer.averaged():
        averaged = weights(model)
    model = sharded(network()) if parallel else network()
    optimizer = optimizer_for("ScheduleFreeAdamW", model.parameters())
    train(model, optimizer, range(3))
    optimizer.eval()
    evaluated = weights(model)
    optimizer.train()
    return averaged, evaluated, weights(train(model, optimizer, range(3, 5)))


def test_averages_of_shards(pair: Pair) -> None:
    one = averages(parallel=False)
    for found in pair(averages):
        for got, wanted in zip(found, one, strict=True):
            assert_same_bits(got, wanted)


def sharded_afterwards() -> Weights:
    """The optimizer is made first, and given the shards later, as accelerate does it."""
    model = network()
    optimizer = optimizer_for("AdamW", model.parameters())
    sharded(model)
    optimizer.param_groups[0]["params"] = list(model.parameters())
    return weights(train(model, optimizer, range(4)))


def test_parameters_that_are_replaced_by_shards(pair: Pair) -> None:
    for got in pair(sharded_afterwards):
        assert_same_bits(got, alone("AdamW", 4))


def shards() -> list[tuple[int, set[int]]]:
    """How many elements of each parameter are here, and how many of its state."""
    model = sharded(network())
    optimizer = optimizer_for("AdamW", model.parameters())
    train(model, optimizer, range(2))
    found = []
    for p in model.parameters():
        state = [optimizer.state[p][key] for key in ("exp_avg", "exp_avg_sq")]
        assert all(slot.shape == p.shape and slot.placements == p.placements for slot in state)
        assert float(optimizer.state[p]["step"]) == 2
        found.append((p.to_local().numel(), {slot.to_local().numel() for slot in state}))
    return found


def test_a_process_has_state_for_its_shards_only(pair: Pair) -> None:
    """7 rows are cut into 4 and 3, one row into one and none."""
    first, second = pair(shards)
    assert first == [(24, {24}), (4, {4}), (7, {7}), (1, {1})]
    assert second == [(18, {18}), (3, {3}), (0, {0}), (0, {0})]


def clipped() -> Weights:
    model = sharded(network())
    optimizer = optimizer_for("AdamW", model.parameters())
    train(model, Clipping(model, optimizer), range(4))
    return weights(model)


class Clipping:
    """torch's clipping before every step."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer, self.zero_grad = model, optimizer, optimizer.zero_grad

    def step(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 0.1)
        self.optimizer.step()


def test_torch_clips_shards(pair: Pair) -> None:
    """To a relative 1e-5: the norm is added up in another order."""
    model = network()
    train(model, Clipping(model, optimizer_for("AdamW", model.parameters())), range(4))
    for got in pair(clipped):
        for a, b in zip(got, weights(model), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def refusal(name: str, options: dict[str, Any]) -> str:
    """The error of a step on shards; "" if there is none or something has changed."""
    model = sharded(model_for(name))
    before = weights(model)
    try:
        train(model, optimizer_for(name, model.parameters(), **options), range(1))
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        assert_same_bits(weights(model), before)
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("name", PER_TENSOR + GLOBAL)
def test_rules_that_sharding_changes_refuse(pair: Pair, name: str) -> None:
    for error in pair(refusal, name, {}):
        assert name in error, error
        assert "shard" in error, error


@pytest.mark.parametrize(
    "options",
    [{"clip_norm": 1.0}, {"nonfinite": "skip"}, {"cautious": True}, {"state_dtype": "8bit"}],
    ids=str,
)
def test_options_that_sharding_changes_refuse(pair: Pair, options: dict[str, Any]) -> None:
    """Each process would see its own norm, skip by itself, mask or scale by its own parts."""
    for error in pair(refusal, "AdamW", options):
        assert next(iter(options)) in error, error
        assert "shard" in error, error


# Other layouts of DTensor. -----------------------------------------------------------------------


def whole_everywhere(name: str) -> Weights:
    """A matrix that all processes have, and a gradient of which each has a summand."""
    mesh = init_device_mesh("cpu", (2,))
    p = torch.nn.Parameter(distribute_tensor(torch.ones(4, 3), mesh, [Replicate()]))
    optimizer = optimizer_for(name, [p])
    share = torch.arange(12.0).reshape(4, 3) + dist.get_rank()
    p.grad = DTensor.from_local(share, mesh, [Partial()])
    optimizer.step()
    return [p.to_local().detach().numpy().copy()]


@pytest.mark.parametrize("name", ["SGD", "LAMB", "Muon"])
def test_summands_of_a_gradient_are_added_before_the_step(pair: Pair, name: str) -> None:
    p = torch.nn.Parameter(torch.ones(4, 3))
    optimizer = optimizer_for(name, [p])
    p.grad = 2 * torch.arange(12.0).reshape(4, 3) + 1
    optimizer.step()
    for got in pair(whole_everywhere, name):
        assert_same_bits(got, [p.detach().numpy()], name)


def wide() -> Any:
    """Tensor parallelism needs widths that processes divide."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    return torch.nn.Sequential(*layers)


def tensor_parallel() -> Weights:
    mesh = init_device_mesh("cpu", (2,))
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    model = parallelize_module(wide(), mesh, plan)
    return weights(train(model, optimizer_for("SGD", model.parameters()), range(4)))


def test_tensor_parallelism_by_columns_and_rows(pair: Pair) -> None:
    """Sums of the matrix products are cut, so it is close, not equal: to 1e-6."""
    model = wide()
    wanted = weights(train(model, optimizer_for("SGD", model.parameters()), range(4)))
    for got in pair(tensor_parallel):
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


# torch.distributed.checkpoint. -----------------------------------------------------------------


def save(model: Any, optimizer: Any, folder: Path) -> None:
    parts, state = get_state_dict(model, optimizer)
    dcp.save({"model": parts, "optimizer": state}, checkpoint_id=folder, no_dist=not together())


def load(model: Any, optimizer: Any, folder: Path) -> None:
    """Into a new optimizer: torch takes a step with zero gradients to see its state."""
    parts, state = get_state_dict(model, optimizer)
    dcp.load({"model": parts, "optimizer": state}, checkpoint_id=folder, no_dist=not together())
    set_state_dict(model, optimizer, model_state_dict=parts, optim_state_dict=state)


def together() -> bool:
    return dist.is_initialized()


def fsdp_saves(name: str, folder: Path) -> None:
    model = sharded(network())
    optimizer = optimizer_for(name, model.parameters())
    train(model, optimizer, range(3))
    save(model, optimizer, folder)


def fsdp_loads(name: str, folder: Path) -> Weights:
    model = sharded(network())
    optimizer = optimizer_for(name, model.parameters())
    load(model, optimizer, folder)
    return weights(train(model, optimizer, range(3, 6)))


@pytest.mark.parametrize("name", ["AdamW", "Lion", "RAdam"])
def test_a_checkpoint_of_two_goes_on_in_two_and_in_one(
    pair: Pair, name: str, tmp_path: Path
) -> None:
    pair(fsdp_saves, name, tmp_path)
    wanted = alone(name, 6)
    for got in pair(fsdp_loads, name, tmp_path):
        assert_same_bits(got, wanted)
    model = network()
    optimizer = optimizer_for(name, model.parameters())
    load(model, optimizer, tmp_path)
    assert_same_bits(weights(train(model, optimizer, range(3, 6))), wanted)


@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_a_checkpoint_of_one_goes_on_in_two(pair: Pair, name: str, tmp_path: Path) -> None:
    model = network()
    optimizer = optimizer_for(name, model.parameters())
    train(model, optimizer, range(3))
    save(model, optimizer, tmp_path)
    for got in pair(fsdp_loads, name, tmp_path):
        assert_same_bits(got, alone(name, 6))


def fsdp_saves_16_bits(options: dict[str, Any], folder: Path) -> None:
    model = sharded(network().bfloat16())
    optimizer = optimizer_for("AdamW", model.parameters(), **options)
    train(model, optimizer, range(3))
    save(model, optimizer, folder)


@pytest.mark.parametrize(
    "options",
    [{"state_dtype": torch.float32}, {"low_precision": "master"}, {"low_precision": "split"}],
    ids=str,
)
def test_a_checkpoint_keeps_the_formats_of_the_state(
    pair: Pair, options: dict[str, Any], tmp_path: Path
) -> None:
    """bfloat16 parameters; torch's own load_state_dict would round all state to that."""
    pair(fsdp_saves_16_bits, options, tmp_path)
    straight, resumed = network().bfloat16(), network().bfloat16()
    optimizer = optimizer_for("AdamW", straight.parameters(), **options)
    wanted = weights(train(straight, optimizer, range(6)))
    optimizer = optimizer_for("AdamW", resumed.parameters(), **options)
    load(resumed, optimizer, tmp_path)
    assert_same_bits(weights(train(resumed, optimizer, range(3, 6))), wanted)


def loads_without_a_step(folder: Path) -> None:
    """Loading changes neither parameters nor step numbers beyond what was saved."""
    model = sharded(network())
    optimizer = optimizer_for("AdamW", model.parameters())
    load(model, optimizer, folder)
    assert {float(optimizer.state[p]["step"]) for p in model.parameters()} == {3.0}
    assert optimizer.param_groups[0]["lr"] == 1e-2


def test_loading_counts_no_step(pair: Pair, tmp_path: Path) -> None:
    pair(fsdp_saves, "AdamW", tmp_path)
    pair(loads_without_a_step, tmp_path)
