"""The problems to compare on: gradients, starts, batches, data, names, and one's own."""

import math
import sys

import numpy as np
import pytest

import optcore as oc
from optcore import problems
from optcore.optimizers.trees import copied
from optcore.problems import Network, data, functions
from optcore.problems.network import arrays

NETWORKS = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "dropout": {"dropout": 0.4},
    "tanh-dropout": {"activation": "tanh", "dropout": 0.3},
    "squares": {"loss": "squares"},
    "squares-tanh": {"loss": "squares", "activation": "tanh"},
}


@pytest.fixture(scope="module")
def clouds():
    """Three clouds of points, easy to tell apart; no package needed."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = (rng.normal(size=(300, 5)) + 4 * np.eye(3, 5)[y]).astype(np.float32)
    return problems.Data(X[:240], y[:240], X[240:], y[240:])


# Functions. ------------------------------------------------------------------------------------

PLANES = [functions.Rosenbrock, functions.Beale, functions.Himmelblau]
BOWLS = [(), (1000.0,), (50.0, 7), (20.0, 5, True), (3.0, 1)]


@pytest.mark.parametrize(
    "problem",
    [*(plane() for plane in PLANES), *(functions.Quadratic(*args) for args in BOWLS)],
    ids=lambda problem: problem.described(),
)
def test_functions_have_the_gradients_of_their_values(problem):
    for seed in range(4):
        x = problem.initial(seed)
        found = oc.check_gradient(lambda p: problem.loss_and_grads(p, None), x)
        assert found.ok, found
        loss, _ = problem.loss_and_grads(x, None)
        assert loss == pytest.approx(problem.loss(x), rel=1e-14)
        assert problem.value(x) == pytest.approx(loss, rel=1e-13)
        many = problem.value(np.stack([x, x + 1, x]).reshape(3, 1, -1))
        assert many.shape == (3, 1)
        np.testing.assert_array_equal(problem.initial(seed), x)
    assert (problem.initial(1) != problem.initial(2)).any()
    for minimum in problem.minima:
        assert problem.loss(minimum) == pytest.approx(0, abs=1e-9)
        loss, slope = problem.loss_and_grads(minimum, None)
        assert np.abs(slope).max() < 1e-4


@pytest.mark.parametrize("plane", PLANES)
def test_a_function_of_the_plane_ends_in_infinity_where_numbers_end(plane):
    far = np.array([1e200, -1e200])
    assert plane().loss(far) == math.inf
    loss, slope = plane().loss_and_grads(far, None)
    assert loss == math.inf
    assert not np.isfinite(slope).all()


@pytest.mark.parametrize("rotated", [False, True])
def test_a_quadratic_has_the_condition_that_was_chosen(rotated):
    matrix = problems.Quadratic(300.0, 6, rotated).matrix
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(300)
    assert eigenvalues[-1] == pytest.approx(1)
    is_diagonal = np.allclose(matrix, np.diag(np.diag(matrix)))
    assert is_diagonal != rotated


# The network. ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("sizes", [(6, 8, 7, 4), (5, 3), (4, 9, 2)])
def test_gradients_are_those_of_the_loss(name, sizes):
    rng = np.random.default_rng(1)
    network = Network(sizes, dtype=np.float64, **NETWORKS[name])
    params = network.initial(seed=2)
    for array in arrays(params):
        array += 0.1 * rng.normal(size=array.shape)  # biases off zero
    X = rng.normal(size=(9, sizes[0]))
    squares = network.head.loss_name == "mean squared error"
    y = rng.normal(size=(9, sizes[-1])) if squares else rng.integers(0, sizes[-1], 9)
    masks = network.masks(9, rng)
    assert len(masks) == (len(sizes) - 2 if network.dropout else 0)
    found = oc.check_gradient(
        lambda p: network.loss_and_grads(p, X, y, masks), params, rtol=1e-6, samples=None
    )
    assert found.ok, found
    if not masks:
        loss, _ = network.loss_and_grads(params, X, y)
        assert loss == pytest.approx(network.loss(params, X, y), rel=1e-14)


def test_float32_stays_float32():
    network = Network((5, 4, 3), dropout=0.5)
    params = network.initial(seed=0)
    X, y = np.ones((2, 5), np.float32), np.array([0, 2])
    masks = network.masks(2, np.random.default_rng(0))
    _, grads = network.loss_and_grads(params, X, y, masks)
    for array in (*arrays(params), *arrays(grads), network.outputs(params, X), *masks):
        assert array.dtype == np.float32


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2), ("tanh", 1)])
def test_initial_weights_follow_the_activation_and_the_seed(activation, gain):
    network = Network((400, 300, 2), activation)
    first = network.initial(seed=5)["layers"][0]
    assert first["W"].std() == pytest.approx(math.sqrt(gain / 400), rel=0.02)
    again = network.initial(seed=5)["layers"][0]
    np.testing.assert_array_equal(first["W"], again["W"])
    assert first["W"] is not again["W"]
    assert not again["b"].any()
    other = network.initial(seed=6)["layers"][0]
    assert (other["W"] != first["W"]).any()


def test_large_scores_do_not_overflow():
    network = Network((2, 2))
    params = {"layers": [{"W": np.eye(2, dtype=np.float32), "b": np.zeros(2, np.float32)}]}
    X, y = np.array([[1e4, -1e4], [1e4, -1e4]], np.float32), np.array([0, 1])
    loss, grads = network.loss_and_grads(params, X, y)
    assert loss == pytest.approx(1e4)
    assert all(np.isfinite(array).all() for array in arrays(grads))
    assert network.score(params, X, y) == 0.5


def test_batches_of_other_sizes_do_not_disturb_each_other():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10, 4)).astype(np.float32), rng.integers(0, 3, 10)
    network, params = Network((4, 6, 3)), Network((4, 6, 3)).initial(0)
    alone = [copied(Network((4, 6, 3)).loss_and_grads(params, X[:n], y[:n])[1]) for n in (7, 3, 7)]
    for n, wanted in zip((7, 3, 7), alone, strict=True):
        _, grads = network.loss_and_grads(params, X[:n], y[:n])
        for mine, other in zip(arrays(grads), arrays(wanted), strict=True):
            np.testing.assert_array_equal(mine, other)


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    network = Network((3, 400, 200, 2), dropout=0.25)
    masks = network.masks(50, np.random.default_rng(0))
    assert [mask.shape for mask in masks] == [(50, 400), (50, 200)]
    for mask in masks:
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
        assert (mask == 0).mean() == pytest.approx(0.25, abs=0.02)
        assert mask.mean() == pytest.approx(1, abs=0.02)


def test_r2_is_one_for_the_truth_and_zero_for_the_mean():
    network = Network((1, 1), loss="squares", dtype=np.float64)
    X = np.arange(5.0)[:, None]
    params = {"layers": [{"W": np.array([[3.0]]), "b": np.array([1.0])}]}
    assert network.score(params, X, 3 * X + 1) == pytest.approx(1)
    flat = {"layers": [{"W": np.array([[0.0]]), "b": np.array([7.0])}]}
    assert network.score(flat, X, 3 * X + 1) == pytest.approx(0)


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        (((3,),), {}, "sizes: expected two or more widths"),
        (((3, 0, 2),), {}, "sizes: expected two or more widths"),
        (((3, 2), "gelu"), {}, "activation: expected 'relu' or 'tanh', got 'gelu'"),
        (((3, 2),), {"loss": "hinge"}, "loss: expected one of cross-entropy, squares"),
        (((3, 2),), {"dtype": np.float16}, "dtype: expected float32 or float64, got float16"),
        (((3, 2),), {"dropout": 1.0}, "dropout: expected 0 or more and less than 1, got 1.0"),
    ],
)
def test_a_network_says_what_is_wrong_with_its_arguments(args, options, words):
    with pytest.raises(ValueError, match=words):
        Network(*args, **options)


# Data. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "outputs"),
    [("digits", (1437, 360), 10), ("breast-cancer", (455, 114), 2), ("diabetes", (353, 89), 1)],
)
def test_real_data_are_scaled_and_split(name, rows, outputs):
    pytest.importorskip("sklearn")
    found = data.LOADERS[name]()
    assert (len(found.y), len(found.y_test)) == rows
    assert (len(found.X), len(found.X_test)) == rows
    assert found.outputs == outputs
    assert found.X.dtype == found.X_test.dtype == np.float32
    assert found.X.mean() == pytest.approx(0, abs=1e-5)
    assert found.X.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(data.LOADERS[name]().X_test, found.X_test)
    if found.is_labelled:
        shares = [np.bincount(y) / len(y) for y in (found.y, found.y_test)]
        np.testing.assert_allclose(*shares, atol=0.006)
    else:
        assert found.y.shape == (rows[0], 1)
        assert found.y.std() == pytest.approx(1, abs=1e-5)


def test_missing_scikit_learn_is_an_import_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModuleNotFoundError, match=r"scikit-learn: pip install 'optcore\[demo\]'"):
        problems.named("digits-logistic")


def test_the_line_of_the_tutorials():
    found = data.line(5000)
    slope, intercept = np.polyfit(found.X[:, 0], found.y[:, 0], 1)
    assert (slope, intercept) == (pytest.approx(3, abs=0.1), pytest.approx(4, abs=0.1))
    assert found.X.min() >= 0
    assert found.X.max() < 2


def test_batches_hold_every_example_once():
    X, y = np.arange(10)[:, None], np.arange(10)
    parts = list(data.batches(X, y, 4, np.random.default_rng(0)))
    assert [len(part) for part, _ in parts] == [4, 4, 2]
    order = np.concatenate([labels for _, labels in parts])
    assert sorted(order) == list(range(10))
    assert list(order) != list(range(10))
    assert all((part[:, 0] == labels).all() for part, labels in parts)
    again = list(data.batches(X, y, 4, np.random.default_rng(0)))
    np.testing.assert_array_equal(order, np.concatenate([labels for _, labels in again]))
    assert len(next(data.batches(X, y, 99, np.random.default_rng(0)))[1]) == 10


# Networks on data. -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({}, [32] * 7 + [16]),
        ({"batch_size": 100}, [100, 100, 40]),
        ({"batch_size": None}, [240]),
        ({"batch_size": None, "hidden": (4,), "dropout": 0.5}, [240]),
    ],
)
def test_mini_batches_the_last_one_short(options, sizes, clouds):
    problem = problems.Supervised(clouds, **options)
    found = list(problem.batches(np.random.default_rng(0)))
    assert [len(y) for _, y, _ in found] == sizes
    assert problem.steps_per_epoch == len(sizes)
    assert problem.full_batch == (options == {"batch_size": None})


def test_masks_of_dropout_are_the_batchs(clouds):
    problem = problems.Supervised(clouds, hidden=(16,), dropout=0.5)
    twice = [list(problem.batches(np.random.default_rng(3))) for _ in range(2)]
    for (X, _, (mask,)), (other, _, (same,)) in zip(*twice, strict=True):
        np.testing.assert_array_equal(X, other)
        np.testing.assert_array_equal(mask, same)
        assert mask.shape == (len(X), 16)
    params = problem.initial(0)
    batch = twice[0][0]
    assert problem.loss_and_grads(params, batch)[0] == problem.loss_and_grads(params, batch)[0]
    assert problem.loss(params) == problem.loss(params)


def test_a_regression_has_the_loss_of_the_textbook(clouds):
    problem = problems.Supervised(clouds)
    params = problem.initial(0)
    z = clouds.X.astype(float) @ params["layers"][0]["W"] + params["layers"][0]["b"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    wanted = -np.log(p[np.arange(240), clouds.y]).mean()
    assert problem.loss(params) == pytest.approx(wanted, rel=1e-5)
    assert problem.metric_name == "test accuracy"
    assert "regression, 18 float32 parameters, 240 examples and 60 to test" in problem.described()


def test_linear_regression_finds_the_least_squares():
    problem = problems.linear(rows=200)
    result = oc.compare(problem, "lbfgs:line_search_fn=strong_wolfe", steps=20)
    wanted = np.polyfit(problem.data.X[:, 0], problem.data.y[:, 0], 1)
    np.testing.assert_allclose(result.runs[0].path[-1], wanted, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"X": [[1.0]]}, TypeError, "data/X: expected a NumPy array, got a list"),
        ({"X": np.ones((4, 2), int)}, ValueError, "data/X: expected float32 or float64, a row"),
        ({"X": np.ones(4)}, ValueError, r"data/X: .*got the shape \(4,\)"),
        ({"X_test": np.ones((4, 2))}, ValueError, "data/X_test: .* of float64"),
        ({"y": np.zeros(3, int)}, ValueError, "data/y: expected 4 whole numbers"),
        ({"y": np.zeros(4)}, ValueError, r"data/y: .* pass y or y\[:, None\]"),
        ({"y_test": np.zeros((4, 1), int)}, ValueError, "data/y_test: expected 4 whole numbers"),
        ({"y": np.array([-1, 1, 1, -1])}, ValueError, "data/y: expected labels from 0 up, got -1"),
        ({"X_test": np.ones((0, 2), np.float32)}, ValueError, "data/X_test: expected one example"),
    ],
)
def test_data_that_do_not_fit_are_explained(change, error, words):
    X, y = np.ones((4, 2), np.float32), np.zeros(4, int)
    fine = problems.Data(X, y, X, y)
    assert problems.Supervised(fine).steps_per_epoch == 1
    with pytest.raises(error, match=words):
        problems.Supervised(fine._replace(**change))


# Names. ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", problems.names())
def test_every_problem_can_be_learned(name):
    if name.startswith(("digits", "breast", "diabetes")):
        pytest.importorskip("sklearn")
    problem = problems.named(name)
    assert problem.name == name
    result = oc.compare(problem, ["adam"], steps=problem.steps_per_epoch * 3)
    run = result.runs[0]
    assert run.status == "done"
    assert run.final_loss < run.losses[0]
    assert problem.target is not None
    assert problem.described().startswith(name)


def test_options_of_problems():
    assert problems.named("quadratic:condition=7,dimension=3").matrix.shape == (3, 3)
    assert problems.named("Linear:rows=20,batch_size=8").steps_per_epoch == 3
    pytest.importorskip("sklearn")
    net = problems.named("digits-mlp-tanh:hidden=20,dropout=0.5,batch_size=none")
    assert (net.network.sizes, net.network.activation) == ((64, 20, 10), "tanh")
    assert problems.named("diabetes_mlp:hidden=8/4").network.sizes == (10, 8, 4, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("digit-mlp", "did you mean digits-mlp or"),
        ("zzz", "pick one of these"),
        ("quadratic:conditoin=3", "options of quadratic: .*'conditoin'; did you mean condition"),
        ("quadratic:condition=steep", "condition: expected 1 or more, got 'steep'"),
        ("linear:rows=0", "rows: expected 1 or more, got 0"),
        ("quadratic:condition=0.5", "condition: expected 1 or more, got 0.5"),
        ("quadratic:dimension=0", "dimension: expected 1 or more, got 0"),
        ("quadratic:condition", "expected options as key=value"),
        ("beale:start=1", "options of beale: expected none, got start"),
        ("digits-mlp:hiden=3", "options of digits-mlp: .*'hiden'; did you mean hidden"),
        ("digits-mlp:name=3", "options of digits-mlp: .*'name'; pick one"),
    ],
)
def test_a_wrong_name_is_explained(text, words):
    with pytest.raises(ValueError, match=words):
        problems.named(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": 3}, "hidden: expected the widths of layers, got 3"),
        ({"hidden": "ab"}, "hidden: expected the widths of layers, got 'ab'"),
        ({"hidden": (8, 0)}, "hidden: expected the widths of layers"),
        ({"hidden": (8,), "dropout": "half"}, "dropout: expected 0 or more and less than 1"),
        ({"dropout": 0.5}, "dropout: expected 0 without hidden layers, got 0.5"),
        ({"activation": "gelu"}, "activation: expected 'relu' or 'tanh', got 'gelu'"),
        ({"batch_size": 1.5}, "batch_size: expected 1 or more, or None, got 1.5"),
        ({"batch_size": 0}, "batch_size: expected 1 or more, or None, got 0"),
        ({"rates": 3}, "rates: expected a mapping"),
    ],
)
def test_wrong_options_of_a_network_on_data_are_explained(options, words, clouds):
    with pytest.raises(ValueError, match=words):
        problems.Supervised(clouds, **options)


# One's own. ------------------------------------------------------------------------------------


class Own:
    """As small as a problem can be."""

    def initial(self, seed):
        return {"x": np.array([1.0 + seed, 2.0])}

    def loss_and_grads(self, params):
        return float(params["x"] @ params["x"]), {"x": 2 * params["x"]}


class InBatches(Own):
    """With batches, a metric, and facts."""

    name, epochs, target, metric_name = "mine", 4, 0.5, "nearness"

    def batches(self, rng):
        return rng.permutation(3)

    def loss_and_grads(self, params, batch):
        loss, grads = Own.loss_and_grads(self, params)
        return loss + batch, grads

    def metric(self, params):
        return -float(np.abs(params["x"]).max())


def test_an_object_with_two_methods_is_a_problem():
    problem = problems.as_problem(Own())
    assert (problem.name, problem.full_batch, problem.steps_per_epoch) == ("Own", True, 1)
    assert problem.loss(problem.initial(0)) == 5
    assert problem.metric(problem.initial(0)) is None


def test_what_else_an_object_has_is_used():
    problem = problems.as_problem(InBatches())
    assert (problem.name, problem.epochs, problem.target) == ("mine", 4, 0.5)
    assert (problem.full_batch, problem.steps_per_epoch) == (False, 3)
    assert problem.metric_name == "nearness"
    params = problem.initial(0)
    assert problem.loss(params) == 5 + 1  # the mean over the batches 0, 1, 2
    assert problem.metric(params) == -2


@pytest.mark.parametrize("start", [np.array([3.0]), lambda seed: np.array([3.0])])
def test_a_start_and_a_function_are_a_problem(start):
    def bowl(x):
        return float(x @ x), 2 * x

    problem = problems.as_problem((start, bowl))
    assert problem.name == "bowl"
    first = problem.initial(0)
    first += 1
    np.testing.assert_array_equal(problem.initial(0), [3.0])
    assert problem.loss(np.array([2.0])) == 4


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Own, "expected an object, got the class Own; make one: Own"),
        (3, "got 3 without initial and loss_and_grads"),
        ((np.ones(2), np.ones(2)), "expected a name, a Problem, .* or a pair"),
        (object(), "without initial and loss_and_grads"),
    ],
)
def test_what_is_no_problem_is_refused(thing, words):
    with pytest.raises(TypeError, match=words):
        problems.as_problem(thing)
