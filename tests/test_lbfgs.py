"""L-BFGS: that it finds minima, obeys its limits, and changes nothing on an error."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from smooth import Quadratic, breast_cancer, rosenbrock, rosenbrock_start

import optcore as oc
from optcore import _core
from optcore.optimizers.curvature import Pair, two_loops
from optcore.optimizers.flat import Flat
from optcore.optimizers.lbfgs_step import Options
from optcore.optimizers.line_search import Trial, cubic_minimum, strong_wolfe

WOLFE: dict[str, Any] = {"line_search_fn": "strong_wolfe"}
EXACT: dict[str, Any] = {**WOLFE, "tolerance_grad": 1e-12, "tolerance_change": 0.0}


class Counted:
    """A loss as a closure over a parameter array, with a record of where it was evaluated."""

    def __init__(self, f: Callable[[np.ndarray], tuple[float, np.ndarray]], x: np.ndarray):
        self.f, self.x = f, x
        self.seen: list[np.ndarray] = []

    def __call__(self) -> tuple[float, np.ndarray]:
        self.seen.append(self.x.copy())
        return self.f(self.x)


def snapshot(opt: oc.LBFGS) -> dict[str, Any]:
    return opt.state_dict(copy=True)


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Two nestings of dicts, lists, numbers and arrays are equal to the bit."""
    if isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), where
    else:
        assert a == b, where


# Minima. ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_a_quadratic_takes_about_as_many_iterations_as_it_has_axes(n):
    f = Quadratic(n, condition=100.0)
    x = np.zeros(n)
    opt = oc.LBFGS(x, max_iter=2 * n + 12, max_eval=1000, **EXACT)
    opt.step(Counted(f, x))
    assert np.abs(x - f.minimum).max() < 1e-8
    assert opt.n_iter <= 2 * n + 12


@pytest.mark.parametrize("n", [2, 10])
@pytest.mark.parametrize("history_size", [5, 100])
def test_rosenbrock(n, history_size):
    x = rosenbrock_start(n)
    opt = oc.LBFGS(x, max_iter=200, max_eval=1000, history_size=history_size, **EXACT)
    closure = Counted(rosenbrock, x)
    first = opt.step(closure)
    assert first == rosenbrock(rosenbrock_start(n))[0]
    assert np.abs(x - 1).max() < 1e-8
    assert opt.n_evals == len(closure.seen) < 300
    assert opt.step_count == 1


def test_rosenbrock_without_a_line_search():
    x = rosenbrock_start(2)
    opt = oc.LBFGS(x, lr=0.1, max_iter=2000, tolerance_grad=1e-10, tolerance_change=0.0)
    opt.step(Counted(rosenbrock, x))
    assert np.abs(x - 1).max() < 1e-8


def test_float32_gets_as_far_as_its_digits():
    x = rosenbrock_start(4).astype(np.float32)
    opt = oc.LBFGS(x, max_iter=200, max_eval=1000, **WOLFE, tolerance_change=0.0)
    opt.step(Counted(rosenbrock, x))
    assert x.dtype == np.float32
    assert np.abs(x - 1).max() < 2e-3
    assert all(slot.dtype == np.float32 for slot in opt.state[""].values())


def test_logistic_regression_ends_where_scipy_does():
    optimize = pytest.importorskip("scipy.optimize")
    pytest.importorskip("sklearn")
    f = breast_cancer()
    x = np.zeros(31)
    opt = oc.LBFGS(x, max_iter=500, max_eval=2000, **WOLFE, tolerance_change=1e-14)
    opt.step(Counted(f, x))
    wanted = optimize.minimize(
        f, np.zeros(31), jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )  # fmt: skip
    assert f(x)[0] == pytest.approx(wanted.fun, rel=1e-9)
    np.testing.assert_allclose(x, wanted.x, atol=1e-4)


def test_maximize_climbs():
    f = Quadratic(3, 10.0)
    x, z = np.zeros(3), np.zeros(3)

    def upside_down() -> tuple[float, np.ndarray]:
        loss, grad = f(x)
        return -loss, -grad

    first = oc.LBFGS(x, maximize=True, **WOLFE).step(upside_down)
    assert first == -oc.LBFGS(z, **WOLFE).step(Counted(f, z))
    np.testing.assert_array_equal(x, z)


# Trees. ----------------------------------------------------------------------------------------


def tree_closure(f: Callable[..., Any], params: dict[str, Any]) -> Callable[[], Any]:
    """The parameters W (2×3), s (0-d), e (empty) and v (2) of a tree as one vector of f."""

    def closure() -> tuple[float, dict[str, Any]]:
        W, s, v = params["W"], params["s"], params["rest"][1]
        loss, g = f(np.concatenate([W.ravel(), s.reshape(1), v]).astype(np.float64))
        rest = [np.zeros((0, 3)), g[7:]]
        return loss, {"W": g[:6].reshape(2, 3), "s": float(g[6]), "rest": rest}

    return closure


def tree(dtype=np.float64, order="C") -> dict[str, Any]:
    W = np.zeros((2, 3), dtype, order=order)
    return {"W": W, "s": np.zeros((), dtype), "rest": [np.zeros((0, 3), dtype), np.zeros(2, dtype)]}


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_tree_is_one_vector(order):
    f = Quadratic(9, 30.0)
    params, x = tree(order=order), np.zeros(9)
    opt, plain = oc.LBFGS(params, **WOLFE), oc.LBFGS(x, **WOLFE)
    opt.step(tree_closure(f, params))
    plain.step(Counted(f, x))
    got = np.concatenate([params["W"].ravel(), [params["s"]], params["rest"][1]])
    # Sums run in memory order.
    np.testing.assert_allclose(got, x, rtol=0, atol=0 if order == "C" else 1e-12)
    assert opt.n_evals == plain.n_evals
    np.testing.assert_allclose(
        opt.state["W"]["d"].ravel(), plain.state[""]["d"][:6], rtol=0, atol=1e-12
    )


def test_a_tree_of_two_types():
    f = Quadratic(9, 30.0)
    params = tree()
    params["W"] = params["W"].astype(np.float32)
    opt = oc.LBFGS(params, max_iter=60, max_eval=200, **EXACT)
    opt.step(tree_closure(f, params))
    assert params["W"].dtype == np.float32
    np.testing.assert_allclose(params["W"].ravel(), f.minimum[:6], atol=1e-5)
    np.testing.assert_allclose(params["s"], f.minimum[6], atol=1e-5)


def test_reversed_axes_and_flipped_gradients():
    f = Quadratic(6, 30.0)
    base = np.zeros((3, 2))
    W, plain = base[::-1].T, np.zeros((2, 3))

    def closure(p: np.ndarray, layout: Callable[[np.ndarray], np.ndarray]) -> Any:
        loss, g = f(p.ravel())
        return loss, layout(g.reshape(2, 3))

    oc.LBFGS(W, **WOLFE).step(lambda: closure(W, np.asfortranarray))
    oc.LBFGS(plain, **WOLFE).step(lambda: closure(plain, lambda g: g[::-1][::-1]))
    np.testing.assert_allclose(W, plain, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(W, base[::-1].T)


def test_none_leaves_a_parameter_alone():
    f = Quadratic(3, 10.0)
    x, fixed = np.zeros(3), np.array([0.1, np.inf])
    opt = oc.LBFGS([x, fixed], **WOLFE)
    opt.step(lambda: (f(x)[0], [f(x)[1], None]))
    np.testing.assert_array_equal(fixed, [0.1, np.inf])
    y = np.zeros(3)
    oc.LBFGS(y, **WOLFE).step(Counted(f, y))
    np.testing.assert_array_equal(x, y)


def test_nothing_at_all_is_a_minimum():
    x = np.zeros((0, 2))
    opt = oc.LBFGS(x)
    assert opt.step(lambda: (3.0, x)) == 3.0
    assert (opt.step_count, opt.n_iter, opt.n_evals) == (1, 0, 1)


LAYOUTS: dict[str, Callable[[], np.ndarray]] = {
    "C": lambda: np.zeros((2, 3, 4)),
    "F": lambda: np.zeros((2, 3, 4), order="F"),
    "permuted": lambda: np.zeros((2, 3, 4)).transpose(1, 2, 0),
    "reversed": lambda: np.zeros((2, 3, 4))[::-1, :, ::-1],
    "axes of one": lambda: np.zeros((6, 4))[:, None, :].T[..., None],
    "broadcast axis of one": lambda: np.broadcast_to(np.zeros(5), (1, 5))[:, :],
    "0-d": lambda: np.zeros(()),
    "empty": lambda: np.zeros((3, 0, 2), order="F"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parameters_lie_in_the_vector_as_they_lie_in_memory(layout):
    array = LAYOUTS[layout]()
    array.setflags(write=True)
    flat = Flat([array, np.zeros(2, array.dtype)])
    values = np.arange(1.0, array.size + 1).reshape(array.shape)
    array[...] = values
    vector = flat.read()
    np.testing.assert_array_equal(flat.views(vector)[0], values)
    flat.write(vector + 1)
    np.testing.assert_array_equal(array, values + 1)
    flat.views(vector)[0][...] = -values
    assert vector[: array.size].sum() == -values.sum()
    kept = flat.copies()
    flat.write(vector)
    np.testing.assert_array_equal(array, -values)
    flat.restore(kept)
    np.testing.assert_array_equal(array, values + 1)


def test_one_group_may_set_values():
    f = Quadratic(3, 10.0)
    x, y = np.zeros(3), np.zeros(3)
    opt = oc.LBFGS([{"params": x, "max_iter": 3}], **WOLFE)
    opt.step(lambda: (f(x)[0], [f(x)[1]]))
    oc.LBFGS(y, max_iter=3, **WOLFE).step(Counted(f, y))
    np.testing.assert_array_equal(x, y)
    with pytest.raises(TypeError, match="grads: expected a list of one tree"):
        opt.step(lambda: f(x))
    with pytest.raises(KeyError, match=r"groups\[0\].*did you mean max_iter"):
        oc.LBFGS([{"params": x, "maxiter": 3}])


def test_gradients_may_be_read_from_the_parameters_or_one_buffer():
    x, buffer = np.array([3.0, -4.0]), np.empty(2)
    oc.LBFGS(x, **WOLFE).step(lambda: (float(x @ x) / 2, x))
    assert np.abs(x).max() < 1e-6
    y, z = rosenbrock_start(2), rosenbrock_start(2)

    def reusing() -> tuple[float, np.ndarray]:
        loss, buffer[:] = rosenbrock(y)
        return loss, buffer

    oc.LBFGS(y, **WOLFE).step(reusing)
    oc.LBFGS(z, **WOLFE).step(Counted(rosenbrock, z))
    np.testing.assert_array_equal(y, z)


# Limits. ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("max_eval", range(1, 13))
def test_max_eval_is_obeyed(search, max_eval):
    """torch's line search takes one more, pytorch#91581."""
    if search and max_eval == 1:
        with pytest.raises(ValueError, match="max_eval: expected 2 or more, got 1"):
            oc.LBFGS(np.zeros(2), max_eval=1, **WOLFE)
        return
    x = rosenbrock_start(4)
    closure = Counted(rosenbrock, x)
    lr = 1.0 if search else 1e-3
    opt = oc.LBFGS(
        x, lr=lr, max_iter=100, max_eval=max_eval, line_search_fn=search, tolerance_change=0.0
    )
    before = rosenbrock(x)[0]
    opt.step(closure)
    assert len(closure.seen) == opt.n_evals == max_eval
    assert rosenbrock(x)[0] <= before


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("max_eval", range(2, 9))
def test_a_search_cut_short_takes_its_best_point(max_eval, scale):
    """Whether it was still growing its steps (1e-6) or going back (1e6)."""
    x = rosenbrock_start(4)
    closure = Counted(rosenbrock, x)
    opt = oc.LBFGS(x, lr=scale, max_iter=1, max_eval=max_eval, **WOLFE)
    opt.step(closure)
    assert len(closure.seen) <= max_eval
    losses = [rosenbrock(seen)[0] for seen in closure.seen]
    if len(closure.seen) == max_eval:
        assert rosenbrock(x)[0] == min(losses)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_max_iter_is_obeyed(search):
    x = rosenbrock_start(4)
    lr = 1.0 if search else 1e-3
    opt = oc.LBFGS(x, lr=lr, max_iter=7, max_eval=1000, line_search_fn=search)
    opt.step(Counted(rosenbrock, x))
    assert opt.n_iter == 7
    opt.step(Counted(rosenbrock, x))
    assert (opt.n_iter, opt.step_count) == (14, 2)


def test_history_size_is_obeyed():
    x = rosenbrock_start(4)
    opt = oc.LBFGS(x, max_iter=12, max_eval=1000, history_size=3, **WOLFE)
    opt.step(Counted(rosenbrock, x))
    names = {"d", "prev_flat_grad", *(f"old_{k}.{i}" for k in ("dirs", "stps") for i in range(3))}
    assert set(opt.state[""]) == names


def test_one_iteration_at_a_time_can_search():
    """By torch's default, max_iter·5/4, there would be no evaluation left for it."""
    x, y = rosenbrock_start(4), rosenbrock_start(4)
    opt, longer = oc.LBFGS(x, max_iter=1, **WOLFE), oc.LBFGS(y, max_iter=9, max_eval=99, **WOLFE)
    for _ in range(9):
        opt.step(Counted(rosenbrock, x))
    longer.step(Counted(rosenbrock, y))
    np.testing.assert_array_equal(x, y)


def test_it_stays_at_a_minimum():
    x = np.ones(4)
    opt = oc.LBFGS(x, **WOLFE)
    for k in range(3):
        assert opt.step(Counted(rosenbrock, x)) == 0.0
        assert (opt.step_count, opt.n_iter, opt.n_evals) == (k + 1, 0, k + 1)
    np.testing.assert_array_equal(x, np.ones(4))


def test_a_rate_of_zero_moves_nothing():
    x = rosenbrock_start(4)
    opt = oc.LBFGS(x, lr=oc.schedules.Warmup(2, oc.schedules.Constant(1.0)), **WOLFE)
    rates = []
    for _ in range(3):
        rates.append(opt.lr)
        opt.step(Counted(rosenbrock, x))
    assert rates[-1] == 1.0
    opt.lr = 0.0
    before = x.copy()
    opt.step(Counted(rosenbrock, x))
    np.testing.assert_array_equal(x, before)
    opt.lr = 1
    opt.step(Counted(rosenbrock, x))
    assert rosenbrock(x)[0] < rosenbrock(before)[0]


# The line search. ------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["rosenbrock", "quadratic", "logistic"])
@pytest.mark.parametrize("lr", [1e-3, 1.0, 50.0])
def test_accepted_steps_meet_the_strong_wolfe_conditions(problem, lr):
    if problem == "logistic":
        pytest.importorskip("sklearn")
    f = {
        "rosenbrock": lambda: rosenbrock,
        "quadratic": lambda: Quadratic(6, 100.0),
        "logistic": breast_cancer,
    }[problem]()
    x = {"rosenbrock": rosenbrock_start(6), "quadratic": np.zeros(6), "logistic": np.zeros(31)}[
        problem
    ]
    opt = oc.LBFGS(x, lr=lr, max_iter=1, max_eval=100, tolerance_grad=1e-4, **WOLFE)
    for k in range(12):
        before = x.copy()
        opt.step(Counted(f, x))
        if opt.n_iter <= k:
            assert np.abs(f(x)[1]).max() <= 1e-4
            break
        (loss, grad), (new_loss, new_grad) = f(before), f(x)
        move = x - before  # αd
        assert new_loss <= loss + 1e-4 * (grad @ move)
        assert abs(new_grad @ move) <= 0.9 * abs(grad @ move) * (1 + 1e-9)


def on_line(phi: Callable[[float], float], slope: Callable[[float], float]) -> Any:
    return lambda step: Trial(step, phi(step), slope(step), None)


@pytest.mark.parametrize("first", [1e-4, 0.03, 1.0, 30.0, 1e4])
@pytest.mark.parametrize(
    ("phi", "slope"),
    [
        (lambda a: (a - 2) ** 2, lambda a: 2 * (a - 2)),
        (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),
        (lambda a: math.exp(a / 4) - a, lambda a: math.exp(a / 4) / 4 - 1),
        (lambda a: a**4 - 3 * a, lambda a: 4 * a**3 - 3),
        (
            lambda a: -math.log(3 - a) + 0.1 * a - a if a < 3 else math.inf,
            lambda a: 1 / (3 - a) - 0.9 if a < 3 else math.inf,
        ),
    ],
    ids=["parabola", "rational", "exponential", "quartic", "barrier"],
)
def test_searches_along_lines(phi, slope, first):
    def guarded(a: float) -> float:
        return phi(a) if a < 700 else math.inf

    def guarded_slope(a: float) -> float:
        return slope(a) if a < 700 else math.inf

    at = on_line(guarded, guarded_slope)
    start = at(0.0)
    found = strong_wolfe(at, start, first, most_trials=40, narrowest=1e-12)
    step = found.trial.step
    assert found.wolfe
    assert found.trials <= 25
    assert phi(step) <= phi(0.0) + 1e-4 * step * slope(0.0)
    assert abs(slope(step)) <= 0.9 * abs(slope(0.0))


def test_a_line_without_end_ends_with_the_trials():
    at = on_line(lambda a: -a, lambda a: -1.0)
    found = strong_wolfe(at, at(0.0), 1.0, most_trials=5, narrowest=1e-9)
    assert (found.trial.step, found.trials, found.wolfe) == (1e4, 5, False)


def test_a_narrow_bracket_ends_the_search():
    # A kink: no point meets the second condition.
    at = on_line(lambda a: abs(a - 1), lambda a: 1.0 if a >= 1 else -1.0)
    found = strong_wolfe(at, at(0.0), 3.0, most_trials=1000, narrowest=1e-6)
    assert not found.wolfe
    assert found.trials < 200
    assert abs(found.trial.step - 1) < 1e-5


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ((0, 1, -1), (2, 1, 1), 1.0),  # a parabola
        ((2, 1, 1), (0, 1, -1), 1.0),  # in the other order
        ((0, 0, -1), (1, -1, -1), 10.0),  # a straight line down
        ((0, 0, 1), (1, 1, 1), 0.5),  # up
        ((0, 0, -1), (0, 0, -1), 5.25),  # one point: halfway
        ((0, 0, -1), (1, math.inf, math.inf), 5.25),
        ((0, 0, 1), (1, 0.8, 1), 5.25),  # no minimum
        ((0, 0, -1e200), (1, 1, 1e200), 5.25),  # overflow
    ],
)
def test_cubic_minimum(one, other, wanted):
    got = cubic_minimum(Trial(*one, None), Trial(*other, None), lowest=0.5, highest=10.0)
    assert got == wanted


def test_cubic_minimum_of_a_cubic():
    def at(a: float) -> Trial:
        return Trial(a, a**3 - 3 * a, 3 * a * a - 3, None)

    assert cubic_minimum(at(-0.5), at(2.5), lowest=-0.5, highest=2.5) == pytest.approx(1.0)


def test_the_search_goes_back_from_outside_the_domain():
    """An infinite loss with gradients of any kind: the barrier of log(x) at 0."""
    x = np.array([2.0, 1.0])
    outside = []

    def closure() -> tuple[float, np.ndarray]:
        if (x <= 0).any():
            outside.append(x.copy())
            return math.inf, np.full(2, np.nan)
        return float((x - 0.1 * np.log(x)).sum()), 1 - 0.1 / x

    opt = oc.LBFGS(x, lr=20.0, max_iter=50, max_eval=500, **EXACT)
    opt.step(closure)
    assert outside
    np.testing.assert_allclose(x, 0.1, rtol=1e-6)


# The direction. --------------------------------------------------------------------------------


def test_two_loops_are_the_product_with_the_bfgs_matrix():
    """Against the matrix written out (equation 7.16)."""
    rng = np.random.default_rng(3)
    A = Quadratic(6, 50.0).A
    steps = rng.normal(size=(4, 6))
    pairs = [Pair(s, A @ s, 1 / (s @ A @ s)) for s in steps]
    H = 0.3 * np.eye(6)
    for p in pairs:
        V = np.eye(6) - p.rho * np.outer(p.y, p.s)
        H = V.T @ H @ V + p.rho * np.outer(p.s, p.s)
    g = rng.normal(size=6)
    np.testing.assert_allclose(two_loops(g, pairs, 0.3, 0), -H @ g, rtol=1e-10)


def test_pairs_beyond_the_range_of_floats_are_left_out():
    """yᵀy would be infinite, and H zero."""
    x = np.ones(1)
    opt = oc.LBFGS(x, lr=0.1, max_iter=2, max_eval=9, tolerance_grad=0.0, tolerance_change=0.0)
    opt.step(lambda: (x[0], 1e200 * (x - 0.3)))
    assert opt.n_iter == 2
    numbers = opt.state_dict()["numbers"]
    assert (numbers["H_diag"], numbers["ro"]) == (1.0, [])


@pytest.mark.usefixtures("restored_runtime")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_at_every_level_and_number_of_threads(dtype):
    n = 40_000
    curvature = np.geomspace(1, 50, n).astype(dtype)
    wanted: np.ndarray | None = None
    for isa in _core.available_isas():
        _core.use_isa(isa)
        for threads in (1, 2, 3):
            x = np.ones(n, dtype)
            opt = oc.LBFGS(x, max_iter=8, history_size=3, threads=threads, **WOLFE)

            def closure(x: np.ndarray = x) -> tuple[float, np.ndarray]:
                grad = curvature * np.sinh(x)
                return _core.dot(curvature, np.cosh(x) - 1, 1), grad

            opt.step(closure)
            wanted = x if wanted is None else wanted
            assert x.tobytes() == wanted.tobytes(), (isa, threads)
    assert opt.n_iter == 8


# State. ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_resuming_gives_the_same_bits(search, order):
    f = Quadratic(9, 200.0)
    options: dict[str, Any] = {"max_iter": 4, "history_size": 5, "line_search_fn": search}
    a = tree(order=order)
    whole = oc.LBFGS(a, lr=0.8, **options)
    for _ in range(3):
        whole.step(tree_closure(f, a))
    b = copy.deepcopy(a)
    rest = oc.LBFGS(b, **options)
    saved = snapshot(whole)
    rest.load_state_dict(saved)
    assert_same(snapshot(rest), saved)
    assert rest.lr == 0.8
    for _ in range(3):
        whole.step(tree_closure(f, a))
        rest.step(tree_closure(f, b))
    assert_same(a["W"], b["W"])
    assert_same(a["rest"][1], b["rest"][1])
    assert_same(snapshot(rest), snapshot(whole))


def test_a_fresh_state_dict_can_be_loaded():
    x = rosenbrock_start(3)
    opt = oc.LBFGS(x, **WOLFE)
    fresh = snapshot(opt)
    opt.step(Counted(rosenbrock, x))
    used = snapshot(opt)
    opt.load_state_dict(fresh)
    assert_same(snapshot(opt), fresh)
    assert (opt.step_count, opt.n_iter, opt.n_evals) == (0, 0, 0)
    opt.load_state_dict(used)
    assert_same(snapshot(opt), used)


def test_another_layout_in_memory_is_loaded_by_index():
    f = Quadratic(9, 200.0)
    a, b = tree(order="C"), tree(order="F")
    one, other = oc.LBFGS(a, **WOLFE, max_iter=4), oc.LBFGS(b, **WOLFE, max_iter=4)
    one.step(tree_closure(f, a))
    other.load_state_dict(snapshot(one))
    for name, slot in one.state["W"].items():
        np.testing.assert_array_equal(other.state["W"][name], slot)


def test_state_cannot_be_written_to():
    x = rosenbrock_start(3)
    opt = oc.LBFGS(x, **WOLFE)
    opt.step(Counted(rosenbrock, x))
    for slot in opt.state_dict()["state"][""].values():
        with pytest.raises(ValueError, match="read-only"):
            slot[0] = 1.0
    opt.state_dict(copy=True)["state"][""]["d"][0] = 1.0


def without(saved: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in saved.items() if k != key}


def test_bad_state_dicts_change_nothing():
    x = rosenbrock_start(3)
    opt = oc.LBFGS(x, max_iter=5, **WOLFE)
    opt.step(Counted(rosenbrock, x))
    good = snapshot(opt)
    group, numbers, slots = good["groups"][0], good["numbers"], good["state"][""]

    def groups(**new: Any) -> dict[str, Any]:
        return {**good, "groups": [{**group, **new}]}

    def number(**new: Any) -> dict[str, Any]:
        return {**good, "numbers": {**numbers, **new}}

    def state(**new: Any) -> dict[str, Any]:
        return {**good, "state": {"": {**slots, **new}}}

    cases: list[tuple[Any, type[Exception], str]] = [
        ([], TypeError, "state_dict: expected a dict"),
        (without(good, "numbers"), KeyError, "state_dict/numbers is missing"),
        ({**good, "rule": "adam"}, ValueError, "state_dict/rule: expected 'lbfgs'"),
        ({**good, "format": 99}, ValueError, "state_dict/format"),
        ({**good, "groups": [group, group]}, ValueError, "different number of parameter groups"),
        (groups(paths=["W"]), ValueError, "groups/0/paths"),
        (groups(lr=-1.0), ValueError, "groups/0/Invalid learning rate"),
        (groups(max_iter=0), ValueError, "groups/0/max_iter: expected 1 or more"),
        (groups(beta=1), KeyError, "unknown .'beta'"),
        (groups(history_size=1), ValueError, "at most 1 .history_size., got 4"),
        ({**good, "step": -1}, ValueError, "state_dict/step"),
        (number(n_iter=1.5), TypeError, "numbers/n_iter"),
        (number(n_iter=0), ValueError, "none before the first iteration"),
        (number(t="1"), TypeError, "numbers/t: expected a number"),
        (number(ro=3), TypeError, "numbers/ro: expected a list"),
        (number(ro=[1.0]), KeyError, "old_dirs.1"),
        (number(ro=[None] * 4), TypeError, "numbers/ro/0"),
        ({**good, "state": {"W": slots}}, KeyError, "state_dict/state: expected exactly"),
        ({**good, "state": {"": 3}}, TypeError, "expected a dict, got a int"),
        (state(d=np.zeros(4)), ValueError, r"expected shape \(3,\), got \(4,\)"),
        (state(d=np.zeros(3, int)), TypeError, "expected a float array"),
    ]
    for bad, error, words in cases:
        with pytest.raises(error, match=words):
            opt.load_state_dict(bad)
        assert_same(snapshot(opt), good)


def test_it_is_neither_copied_nor_pickled():
    opt = oc.LBFGS(np.zeros(2))
    with pytest.raises(TypeError, match="LBFGS cannot be pickled or copied"):
        copy.deepcopy(opt)
    with pytest.raises(TypeError, match="LBFGS cannot be pickled or copied"):
        pickle.dumps(opt)


def test_repr_and_catalogue():
    opt = oc.LBFGS([np.zeros(2), np.zeros(3)], lr=0.5, history_size=7)
    assert repr(opt) == (
        "LBFGS(2 parameters, lr=0.5, max_iter=20, max_eval=None, tolerance_grad=1e-07, "
        "tolerance_change=1e-09, history_size=7, line_search_fn=None, maximize=False)"
    )
    (row,) = (row for row in oc.rules() if row["name"] == "LBFGS")
    assert (row["kind"], row["bits"]) == ("global", False)
    assert set(row) == set(oc.rules()[0])
    assert list(row["options"]) == list(Options.names())


# All or nothing. -------------------------------------------------------------------------------


class Odd:
    def __float__(self) -> float:
        raise TypeError("no number")


def good(x: np.ndarray) -> Any:
    return rosenbrock(x)


FAILURES: dict[str, tuple[Callable[[np.ndarray], Any], type[BaseException], str]] = {
    "raises": (lambda x: 1 // 0, ZeroDivisionError, "by zero"),
    "NaN loss": (lambda x: (math.nan, good(x)[1]), FloatingPointError, "expected a finite loss"),
    "-inf loss": (lambda x: (-math.inf, good(x)[1]), FloatingPointError, "expected a finite loss"),
    "NaN gradient": (
        lambda x: (1.0, np.array([0.0, math.nan, 0.0])),
        oc.NonFiniteError,
        r"grads\[1\]: expected finite gradients.*lower lr",
    ),
    "no tuple": (lambda x: 3.0, TypeError, "closure: expected the loss and the gradients"),
    "no loss": (lambda x: ("low", good(x)[1]), TypeError, "expected a number as the loss"),
    "odd loss": (lambda x: (Odd(), good(x)[1]), TypeError, "expected a number as the loss"),
    "a tree": (lambda x: (1.0, {"x": good(x)[1]}), TypeError, "grads"),
    "a shape": (lambda x: (1.0, np.zeros(4)), ValueError, r"grads: expected shape \(3,\)"),
    "integers": (lambda x: (1.0, np.zeros(3, int)), TypeError, "grads: expected a real float"),
}


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("at", [1, 2, 3, 6])
def test_an_error_changes_nothing(failure, at, search):
    call, error, words = FAILURES[failure]
    x = rosenbrock_start(3)
    options: dict[str, Any] = {"lr": 1.0 if search else 1e-3, "history_size": 2}
    opt = oc.LBFGS(x, line_search_fn=search, **options)
    opt.step(Counted(rosenbrock, x))
    state, before = snapshot(opt), x.copy()
    calls = []

    def closure() -> Any:
        calls.append(1)
        return call(x) if len(calls) == at else good(x)

    with pytest.raises(error, match=words):
        opt.step(closure)
    assert len(calls) == at
    assert x.tobytes() == before.tobytes()
    assert_same(snapshot(opt), state)

    # And it goes on as if nothing had been.
    twin = before.copy()
    other = oc.LBFGS(twin, line_search_fn=search, **options)
    other.load_state_dict(state)
    opt.step(Counted(rosenbrock, x))
    other.step(Counted(rosenbrock, twin))
    assert x.tobytes() == twin.tobytes()


def test_an_infinite_loss_is_an_error_at_the_start_and_without_a_search():
    x = rosenbrock_start(3)
    with pytest.raises(FloatingPointError, match="line_search_fn='strong_wolfe'"):
        oc.LBFGS(x, **WOLFE).step(lambda: (math.inf, np.ones(3)))
    closure = iter([(1.0, np.ones(3)), (math.inf, np.ones(3))])
    with pytest.raises(FloatingPointError, match="expected a finite loss, got inf"):
        oc.LBFGS(x).step(lambda: next(closure))
    np.testing.assert_array_equal(x, rosenbrock_start(3))


def test_an_error_leaves_negative_zeros_and_narrow_types():
    params = [np.array([-0.0, 1e-300]), np.array([[-0.0, 1.5]], np.float32)]
    before = [p.tobytes() for p in params]
    closure = iter([(1.0, [np.ones(2), np.ones((1, 2))]), KeyboardInterrupt()])

    def call() -> Any:
        result = next(closure)
        if isinstance(result, BaseException):
            assert (params[0] != [0.0, 1e-300]).all()
            raise result
        return result

    with pytest.raises(KeyboardInterrupt):
        oc.LBFGS(params).step(call)
    assert [p.tobytes() for p in params] == before


def test_non_finite_error_names_the_place():
    W = np.zeros((2, 3), order="F")
    bad = np.zeros((2, 3))
    bad[1, 2] = np.inf
    with pytest.raises(oc.NonFiniteError) as caught:
        oc.LBFGS({"b": np.zeros(2), "W": W}).step(lambda: (1.0, {"b": None, "W": bad}))
    assert (caught.value.path, caught.value.index) == ("W", (1, 2))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_a_parameter_that_was_replaced_is_an_error():
    params = {"x": rosenbrock_start(3)}
    x = params["x"]
    opt = oc.LBFGS(params)

    def closure() -> tuple[float, dict[str, np.ndarray]]:
        params["x"] = params["x"] * 0.5
        return 1.0, {"x": np.ones(3)}

    with pytest.raises(ValueError, match="params/x was replaced"):
        opt.step(closure)
    np.testing.assert_array_equal(x, rosenbrock_start(3))


def test_steps_do_not_nest_or_cross_threads():
    x = rosenbrock_start(3)
    opt = oc.LBFGS(x, **WOLFE)
    caught: list[str] = []

    def closure() -> tuple[float, np.ndarray]:
        for call in (lambda: opt.step(closure), lambda: opt.load_state_dict(fresh)):
            try:
                call()
            except RuntimeError as error:
                caught.append(str(error))
        thread = threading.Thread(target=from_outside)
        thread.start()
        thread.join()
        return rosenbrock(x)

    def from_outside() -> None:
        try:
            opt.step(closure)
        except RuntimeError as error:
            caught.append(str(error))

    fresh = snapshot(opt)
    opt.step(closure)
    assert len(caught) == 3 * opt.n_evals
    assert all("under way" in words for words in caught)
    opt.step(Counted(rosenbrock, x))


# Bad input. ------------------------------------------------------------------------------------


def test_a_closure_has_to_be_there():
    x = np.zeros(2)
    opt = oc.LBFGS(x)
    torchs = r"^LBFGS.step\(\) missing 1 required positional argument: 'closure'.*closure=f"
    with pytest.raises(TypeError, match=torchs):
        opt.step()
    with pytest.raises(TypeError, match=r"closure: expected a function .*, got a ndarray"):
        opt.step(np.ones(2))
    with pytest.raises(TypeError, match=r"closure: expected a function .*, got a dict"):
        opt.step(closure={"x": np.ones(2)})
    assert opt.step_count == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lr": -1.0}, ValueError, "^Invalid learning rate: -1.0"),
        ({"lr": math.nan}, ValueError, "^Invalid learning rate: nan"),
        ({"lr": "1"}, TypeError, "lr: expected a number"),
        ({"max_iter": 0}, ValueError, "max_iter: expected 1 or more, got 0"),
        ({"max_iter": 2.0}, TypeError, "max_iter: expected an int, got 2.0"),
        ({"max_iter": True}, TypeError, "max_iter: expected an int, got True"),
        ({"max_eval": 0}, ValueError, "max_eval: expected 1 or more"),
        ({"history_size": 0}, ValueError, "history_size: expected 1 or more"),
        ({"tolerance_grad": -1.0}, ValueError, "^Invalid tolerance_grad value: -1.0"),
        ({"tolerance_change": math.inf}, ValueError, "^Invalid tolerance_change value"),
        ({"tolerance_change": None}, TypeError, "tolerance_change: expected a number"),
        ({"line_search_fn": "armijo"}, ValueError, "only 'strong_wolfe' is supported"),
        ({"maximize": 1}, TypeError, "maximize: expected True or False"),
        ({"threads": 0}, ValueError, "threads: expected 1 to 1024"),
    ],
)
def test_bad_options(options, error, words):
    with pytest.raises(error, match=words):
        oc.LBFGS(np.zeros(2), **options)


def test_a_scheduled_rate_out_of_range_changes_nothing():
    x = rosenbrock_start(3)
    opt = oc.LBFGS(x, lr=lambda k: 1.0 - 2.0 * k, **WOLFE)
    opt.step(Counted(rosenbrock, x))
    before, state = x.copy(), snapshot(opt)
    with pytest.raises(ValueError, match=r"^Invalid learning rate: -1.0"):
        opt.step(Counted(rosenbrock, x))
    assert x.tobytes() == before.tobytes()
    assert_same(without(snapshot(opt), "groups"), without(state, "groups"))
    with pytest.raises(ValueError, match=r"^Invalid learning rate: -3"):
        opt.lr = -3


def test_bad_parameters():
    x = np.zeros(4)
    with pytest.raises(ValueError, match=r"doesn't support per-parameter options.*got 2 groups"):
        oc.LBFGS([{"params": x}, {"params": np.zeros(2)}])
    for dtype in (np.float16, ml_dtypes.bfloat16):
        with pytest.raises(TypeError, match=r"params/W: expected a float32.*16.*drown"):
            oc.LBFGS({"W": np.zeros(2, dtype)})
    with pytest.raises(TypeError, match="params: expected a float32"):
        oc.LBFGS(np.zeros(2, int))
    with pytest.raises(ValueError, match="params/0 and params/1 are the same array"):
        oc.LBFGS([x, x])
    with pytest.raises(ValueError, match="overlap in memory"):
        oc.LBFGS([x[:3], x[2:]])
    with pytest.raises(ValueError, match="params: expected a dense array"):
        oc.LBFGS(x[::2])
    with pytest.raises(ValueError, match="empty parameter list"):
        oc.LBFGS([])
