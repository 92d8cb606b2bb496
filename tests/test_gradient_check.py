"""`check_gradient`: it passes what is right, finds what is wrong, and says how."""

import numpy as np
import pytest

import optcore as oc

PARAMS = {
    "W": np.array([[0.5, -1.5], [2.0, 0.25], [1.0, -3.0]]),
    "b": np.array([0.1, -0.2]),
    "c": np.array(1.5),
}
X = np.random.default_rng(0).normal(size=(7, 3))


def right(p):
    out = np.tanh(X @ p["W"] + p["b"]) * p["c"]
    delta = 2 * out * p["c"] * (1 - (out / p["c"]) ** 2)
    grads = {"W": X.T @ delta, "b": delta.sum(axis=0), "c": np.sum(2 * out**2 / p["c"])}
    return float(np.sum(out**2)), grads


def altered(change):
    def f(p):
        loss, grads = right(p)
        change(grads)
        return loss, grads

    return f


def test_right_gradients_pass_and_nothing_is_changed():
    before = {name: array.copy() for name, array in PARAMS.items()}
    found = oc.check_gradient(right, PARAMS)
    assert found
    assert found.ok
    assert max(each.error for each in found.arrays) < 1e-7
    assert [each.checked for each in found.arrays] == [6, 2, 1]
    assert str(found).startswith("gradients are right; loss ")
    for name, array in PARAMS.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("change", "path", "hint"),
    [
        (lambda g: g.update(W=-g["W"]), "W", "all have the wrong sign"),
        (lambda g: g.update(W=g["W"] / 7), "W", "all are 0.143 times the slope"),
        (lambda g: g.update(b=0 * g["b"]), "b", "all are zero"),
        (lambda g: g.update(b=None), "b", "all are zero"),
        (lambda g: g.update(c=g["c"] * np.nan), "c", "not finite"),
        (lambda g: g["W"].__setitem__((1, 1), 9.0), "W", ""),
    ],
)
def test_wrong_gradients_are_found_with_a_hint(change, path, hint):
    found = oc.check_gradient(altered(change), PARAMS)
    assert not found
    wrong = [each for each in found.arrays if each.wrong]
    assert [each.path for each in wrong] == [path]
    assert wrong[0].hint == hint
    assert "WRONG" in str(found)
    assert hint in str(found)


def test_the_worst_element_is_named():
    found = oc.check_gradient(altered(lambda g: g["W"].__setitem__((1, 1), 9.0)), PARAMS)
    worst = found.arrays[0]
    assert (worst.index, worst.given, worst.wrong) == ((1, 1), 9.0, 1)
    assert worst.measured == pytest.approx(right(PARAMS)[1]["W"][1, 1])


def test_small_errors_count_only_beyond_rtol():
    slightly = altered(lambda g: g.update(W=g["W"] * (1 + 1e-5)))
    assert oc.check_gradient(slightly, PARAMS)
    assert not oc.check_gradient(slightly, PARAMS, rtol=1e-6)


def test_samples_of_large_arrays():
    x = np.linspace(-1, 1, 500)

    def f(x):
        return float(x @ x), 2 * x

    assert oc.check_gradient(f, x).arrays[0].checked == 100
    assert oc.check_gradient(f, x, samples=None).arrays[0].checked == 500
    assert oc.check_gradient(f, x, samples=7).arrays[0].checked == 7


def test_a_kink_beside_an_element_is_no_mistake():
    x = np.array([1e-6, -1e-6, 0.5])
    assert oc.check_gradient(lambda x: (float(np.abs(x).sum()), np.sign(x)), x)


def test_a_function_in_float32_is_measured_as_such():
    def f(x):
        x = x.astype(np.float32)
        return float(np.sum(x * x)), 2 * x

    x = np.random.default_rng(0).normal(size=50).astype(np.float32)
    assert oc.check_gradient(f, x)
    assert not oc.check_gradient(lambda x: (f(x)[0], 3 * x.astype(np.float32)), x)


def test_an_empty_array_is_right():
    found = oc.check_gradient(lambda p: (0.0, p), np.zeros((0, 3)))
    assert found.ok
    assert found.arrays[0].checked == 0


@pytest.mark.parametrize(
    ("f", "params", "error", "words"),
    [
        (lambda x: 3.0, np.ones(2), TypeError, "f: expected the loss and the gradients, got 3.0"),
        (lambda x: (x, x), np.ones(2), TypeError, "f: expected a loss that is one number"),
        (lambda x: (None, x), np.ones(2), TypeError, "f: expected a loss that is one number"),
        (lambda x: (1j, x), np.ones(2), TypeError, "f: expected a loss that is one number"),
        (lambda x: (np.nan, x), np.ones(2), ValueError, "f: expected a finite loss .* got nan"),
        (lambda x: (1.0, x + 1j), np.ones(2), TypeError, "grads: expected an array of floats"),
        (lambda x: (1.0, x.astype(int)), np.ones(2), TypeError, "of floats, got one of int64"),
        (lambda x: (1.0, np.array("no")), np.ones(()), TypeError, "grads: expected an array of"),
        (3, np.ones(2), TypeError, "f: expected a function of the parameters, got 3"),
        (lambda x: (1.0, x[:1]), np.ones(2), ValueError, r"grads: expected the shape \(2,\)"),
        (lambda x: (1.0, x.T), np.ones((2, 3)), ValueError, "it looks transposed"),
        (lambda p: (1.0, {"a": p["a"]}), {"a": np.ones(2), "b": np.ones(1)}, KeyError, "'b'"),
        (lambda x: (1.0, x), 3.0, TypeError, "params: expected an array of float32 or float64"),
        (lambda x: (1.0, x), np.arange(3), TypeError, "got a int64 array"),
    ],
)
def test_what_can_not_be_checked_is_explained(f, params, error, words):
    with pytest.raises(error, match=words):
        oc.check_gradient(f, params)


@pytest.mark.parametrize("options", [{"samples": 0}, {"samples": "all"}, {"rtol": -1}])
def test_options_out_of_range_are_explained(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}: expected "):
        oc.check_gradient(right, PARAMS, **options)


def test_rows_of_a_table():
    def f(table):
        picked = table[[2, 0, 2]]
        return float(np.sum(picked**2)), oc.Rows([2, 0, 2], 2 * picked)

    table = np.arange(8.0).reshape(4, 2)
    assert oc.check_gradient(f, table)
    assert not oc.check_gradient(lambda x: (f(x)[0], oc.Rows([2, 0], 2 * x[[2, 0]])), table)


def test_a_random_function_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="f: expected the same loss for the same parameters"):
        oc.check_gradient(lambda x: (rng.random(), x), np.ones(2))
