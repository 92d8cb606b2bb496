"""Every rule that torch has too, against torch.optim, over all of its options, in float64.

Both step from the same point: after each step torch's parameter and state replace ours. So what is
compared is one step, twenty times over, from states as they really come about.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import optcore
from optcore import reference

torch = pytest.importorskip("torch")

STEPS = 20
TOLERANCE = 1e-12
# torch's ρ is the difference of numbers near 2000, one of them over a cancelled 1 − β2ᵗ.
LOOSER = {"RAdam": 1e-10}
# Arguments of torch's constructors that are no part of the formula.
NO_OPTIONS = {"params", "foreach", "capturable", "differentiable", "fused"}


@pytest.fixture(autouse=True)
def double_by_default():
    """Else torch keeps NAdam's running product in float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def grid(**axes: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def without(rows: list[dict[str, Any]], **unwanted: Any) -> list[dict[str, Any]]:
    """Rows but for those that torch refuses."""
    return [r for r in rows if not all(r[k] == v for k, v in unwanted.items())]


BOTH = (False, True)

GRIDS: dict[str, list[dict[str, Any]]] = {
    "SGD": without(
        without(
            grid(
                lr=(0.05,),
                momentum=(0.0, 0.9),
                dampening=(0.0, 0.3),
                weight_decay=(0.0, 0.1),
                nesterov=BOTH,
                maximize=BOTH,
            ),
            nesterov=True,
            momentum=0.0,
        ),
        nesterov=True,
        dampening=0.3,
    ),
    "Adagrad": grid(
        lr=(0.05,),
        lr_decay=(0.0, 0.1),
        weight_decay=(0.0, 0.1),
        initial_accumulator_value=(0.0, 0.5),
        eps=(1e-10, 1e-3),
        maximize=BOTH,
    ),
    "RMSprop": grid(
        lr=(0.05,),
        alpha=(0.99, 0.8),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        momentum=(0.0, 0.9),
        centered=BOTH,
        maximize=BOTH,
    ),
    "Adadelta": grid(
        lr=(1.0, 0.3),
        rho=(0.9, 0.6),
        eps=(1e-6, 1e-3),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
    ),
    "Adam": grid(
        lr=(0.05,),
        betas=((0.9, 0.999), (0.3, 0.9), (0.0, 0.5)),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        amsgrad=BOTH,
        maximize=BOTH,
        decoupled_weight_decay=BOTH,
    ),
    "AdamW": grid(
        lr=(0.05,),
        betas=((0.9, 0.999), (0.3, 0.9)),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        amsgrad=BOTH,
        maximize=BOTH,
    ),
    "NAdam": grid(
        lr=(0.05,),
        betas=((0.9, 0.999), (0.3, 0.9)),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        momentum_decay=(4e-3, 1.0, 0.0),
        maximize=BOTH,
        decoupled_weight_decay=BOTH,
    ),
    "Adamax": grid(
        lr=(0.05,),
        betas=((0.9, 0.999), (0.3, 0.9), (0.0, 0.5)),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
    ),
    "RAdam": grid(
        lr=(0.05,),
        betas=((0.9, 0.999), (0.3, 0.9), (0.5, 0.6)),
        eps=(1e-8, 1e-3),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
        decoupled_weight_decay=BOTH,
    ),
    "ASGD": grid(
        lr=(0.05,),
        lambd=(1e-4, 0.5),
        alpha=(0.75, 0.5),
        t0=(1e6, 5.0, 0.0, -2.5),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
    ),
    "Rprop": grid(
        lr=(0.05,),
        etas=((0.5, 1.2), (0.3, 1.5)),
        step_sizes=((1e-6, 50), (0.04, 0.06)),
        maximize=BOTH,
    ),
    "Adafactor": grid(
        lr=(1e-2, 0.5),
        beta2_decay=(-0.8, -0.3),
        eps=((None, 1e-3), (1e-3, 0.5)),
        d=(1.0, 2.0),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
    ),
}
FACTORED_SHAPES = ((5,), (), (1, 9), (9, 1), (1, 1), (4, 6), (70, 33), (2, 3, 5), (2, 1, 4))
ROWS = [(name, options, (7, 3)) for name in GRIDS if name != "Adafactor" for options in GRIDS[name]]
ROWS += [
    ("Adafactor", options, shape) for options in GRIDS["Adafactor"] for shape in FACTORED_SHAPES
]
DEFAULTS = [(name, {}, shape) for name in GRIDS for shape in ((5,), (4, 6))]


def row_id(row: tuple[str, dict[str, Any], tuple[int, ...]]) -> str:
    name, options, shape = row
    return "-".join([name, *(f"{k}={v}" for k, v in options.items()), str(shape)])


def worst(ours: np.ndarray, theirs: np.ndarray, *sizes: np.ndarray) -> float:
    """The largest error of any element, as a part of the largest of its sizes."""
    error = np.abs(ours - theirs)
    size = np.maximum.reduce([np.abs(s) for s in (theirs, *sizes)])
    return float(np.max(np.divide(error, size, out=np.zeros_like(error), where=error > 0)))


def errors(
    name: str, options: dict[str, Any], shape: tuple[int, ...]
) -> Iterator[dict[str, float]]:
    """After each step the worst error of the parameter and of each state array."""
    rule = getattr(reference, name.lower())
    rng = np.random.default_rng([len(shape), *shape])
    tensor = torch.tensor(rng.normal(size=shape), dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([tensor], **options, foreach=False)
    p, state = tensor.detach().numpy().copy(), {}
    for t in range(1, STEPS + 1):
        g = np.asarray(rng.normal(size=shape) * 10 ** rng.uniform(-3, 3, size=shape))
        tensor.grad = torch.from_numpy(g.copy())
        optimizer.step()
        new, new_state = rule(p, g, state, step=t, **options)

        after = tensor.detach().numpy().copy()
        torch_state = {
            k: v.numpy().copy() for k, v in optimizer.state[tensor].items() if v is not None
        }
        assert torch_state.pop("step", t) == t
        assert set(new_state) == set(torch_state)
        found = {"p": worst(new, after, p, after - p)}
        for k, theirs in torch_state.items():
            assert theirs.dtype == np.float64, k
            old = state.get(k, np.zeros_like(theirs))
            found[k] = worst(new_state[k], theirs, old)
        yield found
        p, state = after, torch_state


@pytest.mark.parametrize("row", ROWS + DEFAULTS, ids=row_id)
def test_torch(row):
    steps = 0
    for found in errors(*row):
        steps += 1
        assert max(found.values()) <= LOOSER.get(row[0], TOLERANCE), (found, steps)
    assert steps == STEPS


@pytest.mark.parametrize("name", GRIDS)
def test_every_option_of_torch_is_in_the_grid(name):
    """Both ways of every option occur, so that none is left out in silence."""
    options = set(inspect.signature(getattr(torch.optim, name).__init__).parameters)
    axes = {k: {str(row[k]) for row in GRIDS[name]} for k in GRIDS[name][0]}
    assert set(axes) == options - NO_OPTIONS - {"self"}
    assert all(len(values) > 1 for axis, values in axes.items() if axis != "lr")


@pytest.mark.parametrize("door", [reference, optcore], ids=["reference", "classes"])
@pytest.mark.parametrize("name", GRIDS)
def test_defaults_are_those_of_torch(name, door):
    function = getattr(door, name.lower() if door is reference else name)
    ours = inspect.signature(function).parameters
    theirs = inspect.signature(getattr(torch.optim, name).__init__).parameters
    for option in set(theirs) - NO_OPTIONS - {"self"}:
        assert ours[option].default == theirs[option].default, option


def test_clipping():
    rng = np.random.default_rng(0)
    grads = [rng.normal(size=s) for s in ((3, 4), (5,), ())]
    tensors = [
        torch.zeros(g.shape, dtype=torch.float64, requires_grad=True)
        for g in map(np.asarray, grads)
    ]
    for max_norm in (0.1, 100.0):
        for tensor, g in zip(tensors, grads, strict=True):
            tensor.grad = torch.tensor(g)
        norm = float(torch.nn.utils.clip_grad_norm_(tensors, max_norm, foreach=False))
        ours = reference.global_norm([np.asarray(g) for g in grads])
        assert ours == pytest.approx(norm, rel=1e-14)
        for tensor, g in zip(tensors, grads, strict=True):
            np.testing.assert_allclose(
                g * reference.clip_factor(ours, max_norm), tensor.grad, 1e-13
            )


@pytest.mark.parametrize("decay", [0.9, 0.5, 0.0, 0.999])
def test_the_average_is_that_of_averaged_model(decay):
    """EMA against AveragedModel with get_ema_multi_avg_fn, both after every step of Adam."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    rng = np.random.default_rng(0)
    shapes = {"weight": (3, 5), "bias": (3,)}
    params = {k: rng.normal(size=s) for k, s in shapes.items()}
    layer = torch.nn.Linear(5, 3, dtype=torch.float64)
    layer.load_state_dict({k: torch.tensor(p) for k, p in params.items()})
    peer = torch.optim.Adam(layer.parameters(), lr=0.05, foreach=False)
    averaged = AveragedModel(layer, multi_avg_fn=get_ema_multi_avg_fn(decay))
    opt = optcore.Adam(params, lr=0.05, ema=optcore.EMA(decay))
    for step in range(STEPS):
        grads = {k: rng.normal(size=s) for k, s in shapes.items()}
        if step == 7:
            grads["bias"] = None
        for k, tensor in layer.named_parameters():
            tensor.grad = None if grads[k] is None else torch.tensor(grads[k])
        peer.step()
        averaged.update_parameters(layer)
        opt.step(grads)
        for k, tensor in averaged.module.named_parameters():
            np.testing.assert_allclose(
                opt.ema_params[k], tensor.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE
            )
    with opt.averaged():
        for k, tensor in averaged.module.named_parameters():
            np.testing.assert_allclose(
                params[k], tensor.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE
            )
