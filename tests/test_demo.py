"""The parts of the demo: the steps in plain NumPy, training, table, plot."""

import math

import numpy as np
import pytest

from optcore.demo import plot, table, training
from optcore.demo.optimizers import CHOICES
from optcore.demo.training import Setting, Times
from optcore.optimizers.trees import copied
from optcore.plot import style
from optcore.problems import data
from optcore.problems.network import Network, arrays

QUICK = Setting(hidden=(16,), epochs=2, batch_size=100)


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("sklearn")
    return data.digits()


@pytest.fixture(scope="module")
def blobs():
    """Three clouds of points, easy to tell apart; no package needed."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = (rng.normal(size=(300, 5)) + 4 * np.eye(3, 5)[y]).astype(np.float32)
    return data.Data(X[:240], y[:240], X[240:], y[240:])


# The steps. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_plain_step_is_the_same_step(choice):
    rng = np.random.default_rng(3)
    steps = 30
    here = Network((6, 5, 4), dtype=np.float64).initial(seed=1)
    there = copied(here)
    step, plain_step = (
        training.compiled_step(choice, here, steps),
        training.plain_step(choice, there, steps),
    )
    for _ in range(steps):
        grads = {
            "layers": [
                {name: rng.normal(size=array.shape) for name, array in layer.items()}
                for layer in here["layers"]
            ]
        }
        step(grads)
        plain_step(grads)
    start = Network((6, 5, 4), dtype=np.float64).initial(seed=1)
    for a, b, p in zip(*map(arrays, (here, there, start)), strict=True):
        assert (a != p).all()
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_plain_step_keeps_to_float32_and_in_place(choice):
    params = Network((6, 5, 4)).initial(seed=1)
    optimizer = choice.plain(arrays(params))
    before = copied(params)
    grads = [np.ones_like(array) for array in arrays(params)]
    for _ in range(3):
        optimizer.step(grads, 0.01)
    for array, old in zip(*map(arrays, (params, before)), strict=True):
        assert array.dtype == np.float32
        assert (array != old).all()
    kept = [value for value in vars(optimizer).values() if isinstance(value, list)]
    held = [a for value in kept for a in value if isinstance(a, np.ndarray)]
    held += [a for value in optimizer.state for a in value]
    assert {array.dtype for array in held} == {np.dtype(np.float32)}
    assert all((grad == 1).all() for grad in grads)


# The training. ---------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_optimizer_learns(choice, blobs):
    seen = []
    setting = Setting(hidden=(64, 32), epochs=20, batch_size=32)
    run = training.train(choice, blobs, setting, progress=lambda r: seen.append(len(r.losses)))
    assert seen == list(range(2, 22))
    assert run.losses[-1] < 0.5 * run.losses[0]
    assert run.accuracy > 0.9
    for times in (run.here, run.plain):
        assert len(times.epochs) == 20
        assert len(times.steps) == 20 * 8
        assert 0 < sum(times.steps) < sum(times.epochs)


def test_training_follows_the_seed(blobs):
    def losses(seed):
        setting = Setting(hidden=(16,), epochs=2, batch_size=32, seed=seed)
        return training.train(CHOICES["adam"], blobs, setting, compare=False).losses

    assert losses(0) == pytest.approx(losses(0), rel=1e-5)
    assert losses(0) != pytest.approx(losses(1), rel=1e-2)


def test_training_without_comparison_times_only_our_step(blobs):
    run = training.train(CHOICES["sgd"], blobs, QUICK, compare=False)
    assert run.plain.steps == []
    assert math.isnan(run.plain_step)
    assert run.step > 0


def test_the_loop_serves_any_network_and_any_step():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(128, 20)).astype(np.float32), rng.integers(0, 10, 128)
    examples = [(X[i : i + 64], y[i : i + 64]) for i in range(0, 128, 64)]
    network = Network((20, 16, 10))
    for make in (training.compiled_step, training.plain_step):
        params, times = network.initial(seed=0), Times()
        step = make(CHOICES["adamw"], params, total=20)
        before = network.loss(params, X, y)
        for _ in range(10):
            training.train_epoch(network, params, examples, step, times)
        assert network.loss(params, X, y) < before
        assert (len(times.epochs), len(times.steps)) == (10, 20)


@pytest.mark.parametrize("name", ["adam", "adamw", "nadam", "rmsprop"])
def test_adaptive_optimizers_read_the_digits(name, digits):
    assert training.train(CHOICES[name], digits, Setting(), compare=False).accuracy >= 0.96


# Table and plot. -------------------------------------------------------------------------------


def test_table_has_a_row_for_every_run_and_fits_a_terminal(blobs):
    runs = [training.train(choice, blobs, QUICK) for choice in CHOICES.values()]
    runs[0].losses[-1] = math.nan
    lines = table.table(runs).splitlines()
    assert [line[:19].rstrip() for line in lines[3 : 3 + len(runs)]] == [
        choice.label for choice in CHOICES.values()
    ]
    assert all(len(line) <= 82 for line in lines)
    heading = table.heading(blobs, QUICK)
    assert "240 to learn from, 60 to test on" in heading
    assert f"5-16-3: {5 * 16 + 16 + 16 * 3 + 3} parameters" in heading


@pytest.mark.parametrize("names", [["adam"], ["sgd", "adam"], list(CHOICES)])
def test_plot_draws_the_lines(names, blobs, tmp_path):
    pytest.importorskip("matplotlib")
    import matplotlib.image

    runs = [training.train(CHOICES[name], blobs, QUICK, compare=False) for name in names]
    path = plot.save(runs, tmp_path / "sub" / "plot.png")
    assert path == (tmp_path / "sub" / "plot.png").resolve()
    pixels = np.rint(255 * matplotlib.image.imread(path)[..., :3]).astype(int)
    for name in names:
        members = [c.name for c in CHOICES.values() if c.family == CHOICES[name].family]
        colour = style.COLOURS[members.index(name)]
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == wanted).all(axis=-1).sum() > 50, name


def test_plot_survives_a_loss_that_is_no_number(blobs, tmp_path):
    pytest.importorskip("matplotlib")
    run = training.train(CHOICES["sgd"], blobs, QUICK, compare=False)
    run.losses[1:] = [math.nan, math.inf]
    assert plot.save([run], tmp_path / "plot.png").stat().st_size > 5000
