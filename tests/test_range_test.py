"""The learning-rate range test: what it finds, and that it leaves nothing behind."""

from __future__ import annotations

import copy
import importlib
from types import SimpleNamespace

import numpy as np
import pytest

import optcore as oc
from optcore import RangeTest, lr_range_test
from optcore.range_test.watch import Watch
from optcore.schedules import Cosine, LRRangeTest


def bowl(w):
    """A loss with slopes from 1 to 10, as a closure."""
    scale = np.linspace(1, 10, w.size).reshape(w.shape)
    return lambda: (float((scale * w**2).sum()) / 2, scale * w)


def snapshot(opt, arrays):
    """Everything there is, as bytes and numbers."""
    saved = opt.state_dict(copy=True)

    def flat(value):
        if isinstance(value, dict):
            return {key: flat(each) for key, each in value.items()}
        if isinstance(value, list):
            return [flat(each) for each in value]
        return value.tobytes() if isinstance(value, np.ndarray) else value

    return flat(saved), [a.tobytes() for a in arrays], opt.lr, opt.step_count


# What it finds. --------------------------------------------------------------------------------


def test_rates_are_those_of_the_schedule_and_losses_those_of_training():
    w = np.array([3.0, -2.0])
    found = lr_range_test(oc.SGD(w), bowl(w), 1e-4, 1e-1, 20)
    np.testing.assert_array_equal(found.rates, LRRangeTest(1e-4, 1e-1, 19).values(20))
    assert found.rates[-1] == pytest.approx(1e-1, rel=1e-12)
    losses = []
    opt = oc.SGD(w)
    for rate in found.rates:
        opt.lr = rate
        losses.append(opt.step(closure=bowl(w)))
    np.testing.assert_array_equal(found.losses, losses)
    assert not found.diverged
    assert "20 rates from 0.0001 to 0.1, not diverged" in repr(found)


def test_gradient_descent_on_a_bowl_diverges_beyond_the_known_rate():
    w = np.ones(10)
    found = lr_range_test(oc.SGD(w), bowl(w), 1e-5, 1e3, 200)
    assert found.diverged
    assert len(found.rates) < 200
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    steepest, tenth = found.suggestion
    assert 1e-3 < steepest < 0.2  # 2/10 is where the steepest slope starts to grow
    assert 1e-3 < tenth < 0.2
    assert found.suggestion.steepest == steepest
    assert found.suggestion.tenth_of_minimum == tenth


def known(losses, low=1e-4, high=1.0, **options):
    """The result of a run with these losses."""
    watch = Watch(low, high, len(losses), options.get("smoothing", 0.0), 4.0)
    for loss in losses:
        if not watch.take(loss):
            break
    return watch.result()


def test_suggestions_of_a_known_curve():
    x = np.linspace(-4, 0, 81)
    losses = 2.0 - 1.5 / (1 + np.exp(-8 * (x + 2))) + 3 * np.maximum(x + 1, 0)
    found = known(losses)
    assert found.suggestion.steepest == pytest.approx(1e-2, rel=1e-6)
    assert found.suggestion.tenth_of_minimum == pytest.approx(1e-2, rel=0.1)
    np.testing.assert_array_equal(found.smoothed, losses)


def test_noise_before_the_fall_is_not_the_steepest_descent():
    x = np.linspace(-4, 0, 81)
    losses = 2.0 - 1.5 / (1 + np.exp(-8 * (x + 1.5)))
    losses[3] += 1.0
    assert known(losses).suggestion.steepest == pytest.approx(10**-1.5, rel=0.05)


def test_smoothing_does_not_lag():
    """The lowest place of a symmetric valley stays where it is."""
    x = np.linspace(-1, 1, 101)
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.normal(size=101)
    found = known(1 + x**2 + noise, smoothing=0.8)
    assert abs(np.argmin(found.smoothed) - 50) <= 10
    clean = known(1 + x**2, smoothing=0.8)
    assert np.argmin(clean.smoothed) == 50
    assert np.std(found.smoothed - clean.smoothed) < np.std(noise) / 2


def test_the_last_explosion_does_not_spoil_what_was_before():
    found = known([2.0, 1.9, 1.5, 1.0, 0.8, 0.7, 1e30], smoothing=0.8)
    assert found.diverged
    assert found.smoothed[0] < 5
    assert found.losses[-1] == 1e30


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_ends_it(bad):
    found = known([3.0, 2.0, 1.0, bad, 1.0])
    assert found.diverged
    np.testing.assert_array_equal(found.losses, [3, 2, 1])


def test_losses_near_zero_and_below_do_not_end_it_too_early():
    assert not known([1.0, 1e-9, 1e-3, 1e-2]).diverged
    assert not known([-1.0, -5.0, -4.0, -3.0]).diverged
    assert known([1.0, 0.5, 3.0]).diverged


@pytest.mark.parametrize("losses", [[1.0, 1.1, 1.2, 1.3], [0.3] * 100, [0.0] * 9])
def test_a_loss_that_never_falls_has_no_suggestion(losses):
    found = known(losses, smoothing=0.8)  # whose averages are off by rounding
    with pytest.raises(ValueError, match=r"suggestion: expected the loss to fall somewhere"):
        _ = found.suggestion


# What it leaves behind: nothing. ---------------------------------------------------------------

KINDS = [
    name
    for name in (rule["name"] for rule in oc.rules())
    if name not in ("LBFGS", "RowwiseAdagrad")
]


@pytest.mark.parametrize("name", KINDS)
def test_every_optimizer_is_what_it_was_to_the_bit(name):
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(6, 4)), "b": rng.normal(size=(3, 2)).astype(np.float32)}
    opt = getattr(oc, name)(params)

    def closure():
        return float(sum((p**2).sum() for p in params.values())), {
            key: 2 * p for key, p in params.items()
        }

    for _ in range(3):
        opt.step(closure=closure)
    before = snapshot(opt, params.values())
    found = lr_range_test(opt, closure, steps=15, diverged_at=1e9)
    assert len(found.rates) > 2
    assert not np.array_equal(found.losses, np.full(len(found.losses), found.losses[0]))
    assert snapshot(opt, params.values()) == before
    again, twin = params, {key: p.copy() for key, p in params.items()}
    other = getattr(oc, name)(twin)
    other.load_state_dict(opt.state_dict(copy=True))
    opt.step({key: 2 * p for key, p in again.items()})
    other.step({key: 2 * p for key, p in twin.items()})
    for key in params:
        assert again[key].tobytes() == twin[key].tobytes()


WRAPPED = {
    "lookahead": lambda opt: oc.Lookahead(opt, k=2),
    "swa": lambda opt: oc.SWA(opt),
    "sam": lambda opt: oc.SAM(opt),
    "accumulation": lambda opt: oc.GradientAccumulation(opt, 2),
    "agc": lambda opt: oc.AGC(opt),
    "nested": lambda opt: oc.Lookahead(oc.GradientCentralization(opt), k=2),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrappers_are_what_they_were(name):
    w = np.random.default_rng(0).normal(size=(5, 4))
    opt = WRAPPED[name](oc.Adam(w, lr=0.01))
    for _ in range(3):
        opt.step(closure=bowl(w))
    before = snapshot(opt, [w])
    found = lr_range_test(opt, bowl(w), steps=21)
    assert len(found.losses) > 10
    assert snapshot(opt, [w]) == before


def test_schedules_functions_and_groups_stay():
    params = [np.ones(3), np.ones(2)]
    rate, wave = Cosine(0.1, 100), lambda k: 0.1 / (k + 1)
    groups = [{"params": params[0], "lr": rate}, {"params": {"w": params[1]}, "lr": wave}]
    opt = oc.AdamW(groups, weight_decay=0.1)
    kept = [group.schedule("lr") for group in opt.groups]
    seen = []

    def closure():
        seen.append([group["lr"] for group in opt.groups])
        return float(sum((p**2).sum() for p in params)), [2 * params[0], {"w": 2 * params[1]}]

    found = lr_range_test(opt, closure, steps=10)
    assert [group.schedule("lr") for group in opt.groups] == kept
    assert all(group.schedule("lr") is k for group, k in zip(opt.groups, kept, strict=True))
    np.testing.assert_array_equal(seen, np.stack([found.rates, found.rates], axis=1))
    assert [group["lr"] for group in opt.groups] == [0.1, 0.1]


def test_averages_copies_and_formats_stay():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    w = np.linspace(-1, 1, 600).astype(ml_dtypes.bfloat16)
    copied = np.zeros(600, np.float16)
    opt = oc.Adam(
        w, lr=0.01, state_dtype="8bit", low_precision="split", ema=oc.EMA(0.9), copy_to=copied
    )

    def closure():
        wide = w.astype(np.float32)
        return float((wide**2).sum()), 2 * wide

    opt.step(closure=closure)
    before = snapshot(opt, [w, copied])
    found = lr_range_test(opt, closure, steps=12)
    assert found.losses.min() < found.losses[0]
    assert snapshot(opt, [w, copied]) == before


def test_a_closure_that_raises_leaves_nothing_behind():
    w = np.ones(4)
    opt = oc.Adam(w)
    calls = []

    def closure():
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return float(w @ w), 2 * w

    before = snapshot(opt, [w])
    with pytest.raises(KeyboardInterrupt):
        lr_range_test(opt, closure)
    assert len(calls) == 5
    assert snapshot(opt, [w]) == before


@pytest.mark.parametrize("nonfinite", ["propagate", "skip", "raise"])
def test_gradients_that_are_not_finite_are_no_error(nonfinite):
    w = np.ones(4)
    opt = oc.SGD(w, nonfinite=nonfinite)
    before = snapshot(opt, [w])
    calls = []

    def closure():
        calls.append(1)
        return 1.0 / len(calls), np.full(4, np.nan if len(calls) == 4 else 1.0)

    found = lr_range_test(opt, closure, 1e-3, 1.0, 10)
    assert found.diverged == (nonfinite == "raise")
    assert len(found.losses) == (4 if nonfinite == "raise" else 10)
    assert snapshot(opt, [w]) == before
    assert opt.skipped_steps == 0


def test_an_error_of_the_first_step_is_an_error():
    w = np.ones(4)
    opt = oc.SGD(w, nonfinite="raise")
    with pytest.raises(oc.NonFiniteError):
        lr_range_test(opt, lambda: (1.0, np.full(4, np.nan)))


def test_numbers_beyond_all_floats_end_it_without_an_error():
    w = np.ones(1)
    found = lr_range_test(
        oc.SGD(w), lambda: (float(w[0]) ** 4, 4 * w**3), 1.0, 1e9, 60, diverged_at=1e308
    )
    assert found.diverged


# Bad input. ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"low": 0}, ValueError, r"low, high: expected 0 < low < high, got 0 and 10"),
        ({"low": 1, "high": 1}, ValueError, r"low, high: expected 0 < low < high"),
        ({"high": np.inf}, ValueError, r"low, high"),
        ({"low": "a"}, TypeError, r"low: expected a number, got 'a'"),
        ({"steps": 2}, ValueError, r"steps: expected 3 or more, got 2"),
        ({"steps": 2.5}, TypeError, r"steps: expected an int, got 2\.5"),
        ({"smoothing": 1}, ValueError, r"smoothing: expected 0 to 1, and below 1"),
        ({"diverged_at": 1}, ValueError, r"diverged_at: expected a number above 1"),
        ({"closure": 3}, TypeError, r"closure: expected a function that returns the loss"),
        ({"closure": lambda: 3.0}, TypeError, r"closure: expected the loss and the gradients"),
        ({"closure": lambda: ("a", np.ones(2))}, TypeError, r"closure: as the loss expected one"),
        ({"closure": lambda: (np.nan, np.ones(2))}, ValueError, r"closure: expected a finite loss"),
        ({"closure": lambda: (1.0, np.ones(3))}, ValueError, r"shape"),
        ({"optimizer": 3}, TypeError, r"optimizer: expected an optimizer of optcore, got a int"),
        ({"optimizer": oc.LBFGS(np.ones(2))}, TypeError, r"got LBFGS, which searches along a line"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(given, error, words):
    w = np.ones(2)
    opt = oc.Adam(w)
    before = snapshot(opt, [w])
    with pytest.raises(error, match=words):
        lr_range_test(**{"optimizer": opt, "closure": bowl(w), **given})
    assert snapshot(opt, [w]) == before


def test_not_while_other_values_are_in_place():
    w = np.ones(2)
    opt = oc.SGD(w, ema=oc.EMA(0.5))
    with opt.averaged(), pytest.raises(RuntimeError, match="lr_range_test: expected the param"):
        lr_range_test(opt, bowl(w))


# The plot. -------------------------------------------------------------------------------------


@pytest.fixture
def ax():
    pytest.importorskip("matplotlib")
    return importlib.import_module("optcore.plot.figures").hidden((6, 4)).subplots()


def test_the_plot_marks_the_suggestions(ax):
    w = np.ones(10)
    found = lr_range_test(oc.SGD(w), bowl(w), 1e-5, 1e3, 200)
    assert found.plot(ax, title="SGD") is ax
    handles, names = ax.get_legend_handles_labels()
    steepest, tenth = found.suggestion
    assert names == [
        "loss",
        "smoothed",
        f"steepest descent: {steepest:.2g}",
        f"minimum / 10: {tenth:.2g}",
    ]
    np.testing.assert_array_equal(handles[0].get_ydata(), found.losses)
    np.testing.assert_array_equal(handles[1].get_ydata(), found.smoothed)
    assert handles[2].get_xdata()[0] == steepest
    assert handles[3].get_xdata()[0] == tenth
    assert len({handle.get_color() for handle in handles}) == 4
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "learning rate (log scale)"
    assert ax.get_title(loc="left") == "SGD"
    low, high = ax.get_ylim()
    assert low < found.smoothed.min() < found.smoothed[0] < high < 10 * found.smoothed[0]
    ax.figure.canvas.draw()


def test_the_plot_says_if_the_loss_never_fell(ax):
    known([1.0, 1.1, 1.2, 1.3]).plot(ax)
    assert ax.get_legend_handles_labels()[1] == ["loss", "smoothed"]
    assert ax.get_legend().get_title().get_text() == "the loss did not fall"
    ax.figure.canvas.draw()


def test_the_result_of_one_step_is_a_result():
    found = known([1.0, np.nan, 1.0])
    assert isinstance(found, RangeTest)
    assert len(found.losses) == 1
    with pytest.raises(ValueError, match="suggestion: expected the loss to fall"):
        _ = found.suggestion


# torch. ----------------------------------------------------------------------------------------


@pytest.fixture
def door():
    torch = pytest.importorskip("torch")
    return SimpleNamespace(torch=torch, ot=importlib.import_module("optcore.torch"))


def model_of(torch):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    )
    x = torch.randn(64, 6)
    y = x.sum(1, keepdim=True).sin()

    def closure_of(opt):
        def closure():
            opt.zero_grad()
            loss = (model(x) - y).square().mean()
            loss.backward()
            return loss

        return closure

    return model, closure_of


def torch_bytes(torch, model, opt):
    def flat(value):
        if isinstance(value, torch.Tensor):
            return id(value), value.detach().cpu().numpy().tobytes()
        if isinstance(value, dict):
            return {str(key): flat(each) for key, each in value.items()}
        return [flat(v) for v in value] if isinstance(value, (list, tuple)) else value

    return (
        {
            name: flat(tensor)
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]
        },
        [flat(p.grad) for p in model.parameters()],
        [flat(opt.state.get(p, {})) for p in model.parameters()],
        [{k: flat(v) for k, v in g.items() if k != "params"} for g in opt.param_groups],
    )


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda d, p: d.torch.optim.Adam(p, lr=0.01, amsgrad=True),
        lambda d, p: d.torch.optim.SGD(p, lr=d.torch.tensor(0.01), momentum=0.9),
        lambda d, p: d.ot.AdamW(p, lr=0.01),
        lambda d, p: d.ot.AdamW(p, lr=0.01, state_dtype="8bit", clip_norm=1.0),
        lambda d, p: d.ot.Prodigy(p),
        lambda d, p: d.ot.Muon(p),
    ],
    ids=["torch-adam", "torch-sgd", "adamw", "adamw-8bit", "prodigy", "muon"],
)
def test_torch_optimizers_are_what_they_were(make, steps, door):
    model, closure_of = model_of(door.torch)
    params = [p for p in model.parameters() if p.dim() == 2]  # Muon takes no others
    opt = make(door, params)
    closure = closure_of(opt)
    for _ in range(steps):
        opt.step(closure)
    before = torch_bytes(door.torch, model, opt)
    found = door.ot.lr_range_test(opt, closure, steps=25, model=model)
    assert found.losses.min() < found.losses[0]
    assert torch_bytes(door.torch, model, opt) == before
    twin = make(door, params)
    twin.load_state_dict(copy.deepcopy(opt.state_dict()))
    weights = [p.detach().clone() for p in model.parameters()]
    opt.step(closure)
    mine = [p.detach().clone() for p in model.parameters()]
    with door.torch.no_grad():
        for p, w in zip(model.parameters(), weights, strict=True):
            p.copy_(w)
    twin.step(closure_of(twin))
    for p, w in zip(model.parameters(), mine, strict=True):
        assert door.torch.equal(p, w)


def test_both_doors_find_the_same(door):
    start = np.linspace(1, 2, 10)
    w = start.copy()
    here = lr_range_test(oc.Adam(w, eps=1e-8), bowl(w), 1e-4, 10.0, 60)
    tensor = door.torch.tensor(start, requires_grad=True)
    scale = door.torch.linspace(1, 10, 10, dtype=door.torch.float64)
    opt = door.ot.Adam([tensor], eps=1e-8)

    def closure():
        opt.zero_grad()
        loss = (scale * tensor.square()).sum() / 2
        loss.backward()
        return loss

    there = door.ot.lr_range_test(opt, closure, 1e-4, 10.0, 60)
    np.testing.assert_array_equal(here.rates, there.rates)
    np.testing.assert_allclose(here.losses, there.losses, rtol=1e-9)
    assert here.suggestion == pytest.approx(there.suggestion)


def test_torch_schedulers_see_no_step(door):
    torch = door.torch
    tensor = torch.ones(3, requires_grad=True)
    opt = door.ot.SGD([tensor], lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(opt, 1)

    def closure():
        opt.zero_grad()
        loss = tensor.square().sum()
        loss.backward()
        return loss

    door.ot.lr_range_test(opt, closure, steps=5)
    assert tensor.tolist() == [1, 1, 1]
    with pytest.warns(UserWarning, match=r"lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"optimizer": 3}, TypeError, r"optimizer: expected a torch\.optim\.Optimizer, got a int"),
        ({"closure": 3}, TypeError, r"closure: expected a function that returns the loss"),
        ({"model": 3}, TypeError, r"model: expected a torch\.nn\.Module or None, got a int"),
        ({"low": -1}, ValueError, r"low, high: expected 0 < low < high"),
        ({"closure": lambda: None}, TypeError, r"closure: as the loss expected one number"),
    ],
)
def test_bad_input_to_the_torch_door_is_named(given, error, words, door):
    tensor = door.torch.ones(3, requires_grad=True)
    opt = door.torch.optim.SGD([tensor], lr=0.5)

    def closure():
        loss = tensor.square().sum()
        loss.backward()
        return loss

    with pytest.raises(error, match=words):
        door.ot.lr_range_test(**{"optimizer": opt, "closure": closure, **given})
    assert tensor.tolist() == [1, 1, 1]
    assert tensor.grad is None
    assert opt.param_groups[0]["lr"] == 0.5
