"""The pictures: what is in them, not what their pixels are."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import optcore as oc
from optcore import plot
from optcore.bench import chart
from optcore.plot import figures, landscapes, series, steps, style

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
colors = importlib.import_module("matplotlib.colors")
Figure = importlib.import_module("matplotlib.figure").Figure
pyplot = importlib.import_module("matplotlib.pyplot")


@pytest.fixture
def ax():
    return figures.hidden((6.4, 4.8)).subplots()


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def hexed(artist):
    return colors.to_hex(artist.get_color()).upper()


def drawn(ax):
    ax.figure.canvas.draw()  # what cannot be drawn, or warns, fails here


NAMES = ["Adam", "SGD", "Momentum", "RMSprop", "Lion", "AdamW", "NAdam", "Adagrad"]


def falling(name_count=3, seeds=4, points=20):
    rng = np.random.default_rng(0)
    t = np.arange(points)
    return {
        name: np.exp(-0.1 * (i + 1) * t + 0.1 * rng.normal(size=(seeds, points)))
        for i, name in enumerate(NAMES[:name_count])
    }


# The style. ------------------------------------------------------------------------------------


def lab(rgb):
    """CIE L*a*b* of linear sRGB, D65."""
    matrix = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x = matrix @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira & Fernandes (2009), full severity.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


@pytest.mark.parametrize("eye", EYES)
def test_any_eye_tells_the_colours_apart(eye):
    srgb = np.array([colors.to_rgb(colour) for colour in style.COLOURS])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = [lab(EYES[eye] @ one) for one in linear]
    white = lab(EYES[eye] @ np.ones(3))
    for i, one in enumerate(seen):
        assert np.linalg.norm(one - white) > 30, style.COLOURS[i]
        for j in range(i):
            assert np.linalg.norm(one - seen[j]) > 14, (style.COLOURS[i], style.COLOURS[j])


def test_lines_have_dashes_of_their_own_and_64_looks():
    assert len(set(map(str, style.DASHES))) == len(style.DASHES) == len(style.COLOURS)
    assert len({str(style.style(i)) for i in range(64)}) == 64
    assert len(set(style.HEADS)) == len(style.COLOURS)


def test_the_benchmark_chart_has_the_same_colours():
    assert {colour for _, colour in chart._COLOURS} <= {*style.COLOURS, style.NEUTRAL}


# Convergence curves. ---------------------------------------------------------------------------


def test_curves_have_a_line_and_a_band_for_each(ax):
    given = falling()
    assert plot.curves(given, ax, target=0.5, title="t") is ax
    lines = [line for line in ax.get_lines() if line.get_label() in given]
    assert [line.get_label() for line in lines] == list(given)
    assert [hexed(line) for line in lines] == list(style.COLOURS[:3])
    for line, runs in zip(lines, given.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.median(runs, axis=0))
    assert len(ax.collections) == 3
    for band, runs in zip(ax.collections, given.values(), strict=True):
        y = band.get_paths()[0].vertices[:, 1]
        assert (y.min(), y.max()) == pytest.approx((runs.min(), runs.max()))
    assert ax.get_yscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss (log scale)")
    assert ax.get_title(loc="left") == "t"
    assert labels(ax) == [*given, "target 0.5"]
    assert ax.get_legend().get_title().get_text() == "median of 4 seeds; band: all"
    drawn(ax)


def test_curves_without_band_or_log(ax):
    plot.curves(falling(2), ax, band=None, log=False, xlabel="epoch", ylabel="error")
    assert ax.get_yscale() == "linear"
    assert len(ax.collections) == 0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "error")
    assert ax.get_legend().get_title().get_text() == "median of 4 seeds"


def test_a_band_of_quartiles_says_so(ax):
    given = falling(1, seeds=9)
    plot.curves(given, ax, band=(0.25, 0.75))
    assert ax.get_legend().get_title().get_text() == "median of 9 seeds; band: 25% to 75%"
    low, high = np.quantile(given["Adam"], [0.25, 0.75], axis=0)
    y = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (y.min(), y.max()) == pytest.approx((low.min(), high.max()))


def test_one_run_has_neither_band_nor_seeds(ax):
    plot.curves({"SGD": [3.0, 2.0, 1.0]}, ax, x=[10, 20, 30])
    assert len(ax.collections) == 0
    assert ax.get_legend().get_title().get_text() == ""
    assert list(ax.get_lines()[0].get_xdata()) == [10, 20, 30]


def test_eight_optimizers_have_eight_colours_and_a_legend_beside(ax):
    plot.curves(falling(8), ax)
    lines = [line for line in ax.get_lines() if line.get_label() in NAMES]
    assert len({hexed(line) for line in lines}) == 8
    drawn(ax)
    legend, panel = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.x0 >= panel.x1
    assert legend.x1 <= ax.figure.bbox.x1


def test_divergence_is_told_and_does_not_spoil_the_scale(ax):
    given = falling(2, seeds=3)
    given["SGD"][0, 10:] = np.nan
    given["wild"] = np.full((3, 20), 1e200)
    given["wild"][:, 0] = 1.0
    given["wild"][:, 12:] = np.inf
    plot.curves(given, ax)
    assert labels(ax) == ["Adam", "SGD (1 of 3 diverged)", "wild (3 of 3 diverged)"]
    low, high = ax.get_ylim()
    lowest = min(given["Adam"].min(), given["SGD"][1:].min())
    assert lowest / 10 < low < lowest
    assert 1 < high < 10
    [cross] = [line for line in ax.get_lines() if line.get_marker() == "x"]
    assert list(cross.get_xdata()) == [11]
    drawn(ax)


@pytest.mark.parametrize("log", [True, False])
def test_a_target_is_in_view_also_where_a_run_has_diverged(ax, log):
    plot.curves({"a": [1.0, 0.5, 0.4], "b": [1.0, np.inf, np.inf]}, ax, target=0.01, log=log)
    low, high = ax.get_ylim()
    assert low < 0.01
    assert 1 < high < 10


def test_a_run_that_exploded_but_stayed_finite_is_out_of_view(ax):
    plot.curves({"a": [1.0, 0.5, 0.1], "b": [1.0, 1e9, 1e30]}, ax)
    assert ax.get_ylim()[1] < 1e4


def test_nothing_finite_is_still_a_picture(ax):
    plot.curves({"a": [np.nan, np.inf], "b": [np.inf, np.inf]}, ax)
    assert labels(ax) == ["a (diverged)", "b (diverged)"]
    drawn(ax)


def test_what_is_below_rounding_is_out_of_view(ax):
    plot.curves({"a": np.exp(-3.0 * np.arange(200))}, ax)
    low, high = ax.get_ylim()
    assert 1e-18 < low < 1e-15
    assert 1 < high < 1e2
    drawn(ax)


def test_the_median_counts_divergence_as_worst_and_leaves_out_what_has_ended():
    nan, inf = np.nan, np.inf
    [of] = series.read({"a": [[1.0, 1.0, nan], [2.0, inf, inf], [3.0]]})
    np.testing.assert_array_equal(of.runs, [[1, 1, inf], [2, inf, inf], [3, nan, nan]])
    np.testing.assert_array_equal(of.median(), [2, inf, inf])
    assert of.diverged == 2
    [of] = series.read({"a": np.array([[1.0, 2.0], [3.0, nan]])})
    np.testing.assert_array_equal(of.band(0, 1), [[1, 2], [3, 2]])
    values = np.random.default_rng(0).normal(size=(7, 5))
    [of] = series.read({"a": values})
    np.testing.assert_allclose(of.band(0.1, 0.8), np.quantile(values, [0.1, 0.8], axis=0))


def run(steps, losses, status="done", path=None):
    return SimpleNamespace(steps=steps, losses=losses, status=status, path=path)


def comparison():
    """What `optcore.compare` returns, as far as pictures look at it."""
    here = {
        "adam": [run([0, 10, 20], [4.0, 2.0, 1.0]), run([0, 10, 20], [4.0, 3.0, 2.0])],
        "sgd": [run([0, 10], [4.0, 9.0], "diverged"), run([0, 10, 20], [4.0, 3.0, 2.5])],
        "lion": [run([0, 10], [4.0, 1.0], "interrupted"), run([0, 10, 20], [4.0, 1.0, 0.5])],
        "late": [],
    }
    facts = {
        "problem": "digits: a network",
        "loss_name": "cross-entropy",
        "target": 1.5,
        "target_of": "loss",
    }
    return SimpleNamespace(labels=list(here), of=here.__getitem__, **facts)


def test_curves_take_a_comparison(ax):
    plot.curves(comparison(), ax)
    assert labels(ax) == ["adam", "sgd (1 of 2 diverged)", "lion", "target 1.5"]
    assert ax.get_title(loc="left") == "digits"
    assert ax.get_ylabel() == "cross-entropy (log scale)"
    assert list(ax.get_lines()[0].get_xdata()) == [0, 10, 20]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [4, 2.5, 1.5])
    lion = next(line for line in ax.get_lines() if line.get_label() == "lion")
    np.testing.assert_array_equal(lion.get_ydata(), [4, 1, 0.5])


def test_a_comparison_that_has_diverged_altogether(ax):
    result = comparison()
    for each in result.of("adam"):
        each.status, each.losses[-1] = "diverged", 1e30
    plot.curves(result, ax)
    assert labels(ax)[0] == "adam (2 of 2 diverged)"
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [4, 2.5, np.nan])
    assert ax.get_ylim()[1] < 100


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (lambda: plot.curves([1, 2]), TypeError, r"results: expected a mapping.* got a list"),
        (lambda: plot.curves({}), ValueError, r"results: expected at least one name"),
        (lambda: plot.curves({"a": "b"}), TypeError, r"results\['a'\]: expected numbers"),
        (lambda: plot.curves({"a": []}), ValueError, r"results\['a'\]: .* the shape \(0,\)"),
        (lambda: plot.curves({"a": np.ones((2, 2, 2))}), ValueError, r"shape \(2, 2, 2\)"),
        (lambda: plot.curves({"a": [1, 2]}, x=[1]), ValueError, r"x: expected 2 numbers"),
        (lambda: plot.curves({"a": [1]}, x={"b": [1]}), ValueError, r"x: expected 1 numbers"),
        (lambda: plot.curves({"a": [1]}, target="b"), TypeError, r"target: expected a number"),
        (lambda: plot.curves({"a": [-1, 0]}), ValueError, r"log: .* pass log=False"),
        (lambda: plot.curves({"a": [1]}, band=0.5), TypeError, r"band: expected two quantiles"),
        (lambda: plot.curves({"a": [1]}, band=(0.5, 2)), ValueError, r"band: expected 0 <= low"),
        (lambda: plot.curves({"a": [1]}, ax=3), TypeError, r"ax: expected matplotlib Axes"),
        (lambda: plot.path_2d("rosenbrok"), ValueError, r"did you mean rosenbrock\?"),
        (
            lambda: plot.path_2d("quadratic:dimension=3"),
            ValueError,
            r"function: expected a function of the plane, .* got 'quadratic:dimension=3'",
        ),
        (lambda: plot.path_2d("linear"), ValueError, r"function: expected a function of the plane"),
        (lambda: plot.path_2d(3), TypeError, r"function: expected a function of the point"),
        (lambda: plot.path_2d(lambda w: 1.0), ValueError, r"xlim: expected two numbers"),
        (lambda: plot.path_2d("beale", [[1, 2, 3]]), ValueError, r"paths: .* \(steps, 2\)"),
        (lambda: plot.path_2d("beale", "b"), TypeError, r"paths: expected numbers"),
        (lambda: plot.path_2d("beale", {"a": [[0, np.nan]]}), ValueError, r"finite start"),
        (lambda: plot.path_2d("beale", xlim=3), TypeError, r"xlim: expected two numbers"),
        (lambda: plot.path_2d("beale", xlim=(2, 1)), ValueError, r"xlim: expected low < high"),
        (
            lambda: plot.path_2d(lambda w: w, xlim=(0, 1), ylim=(0, 1)),
            TypeError,
            r"function: expected one number for a point",
        ),
        (
            lambda: plot.path_2d(lambda w: np.nan, xlim=(0, 1), ylim=(0, 1)),
            ValueError,
            r"function: expected finite values",
        ),
        (lambda: plot.path_1d("beale", [1.0]), TypeError, r"function: expected a function of a n"),
        (lambda: plot.schedules(0.1, 5), TypeError, r"schedules: expected a schedule.* got 0\.1"),
        (lambda: plot.schedules([0.1], 5), TypeError, r"oc\.schedules\.Lambda"),
        (
            lambda: plot.schedules(oc.schedules.Constant(1), 0),
            ValueError,
            r"n: expected at least 1, got 0",
        ),
        (lambda: plot.update_ratios(3), TypeError, r"stats: expected opt.stats .* got 3"),
        (lambda: plot.update_ratios({"a": [3]}), TypeError, r"stats\['a'\]: expected opt.stats"),
        (lambda: plot.update_ratios([]), ValueError, r"stats: expected at least one step"),
        (lambda: plot.grid([1]), TypeError, r"results: expected a mapping from sizes"),
        (lambda: plot.grid({1: {"a": [1]}}, columns=0), ValueError, r"columns: expected a whole"),
        (lambda: plot.grid({1: {"a": [1]}}, [3]), ValueError, r"axes: expected 1 matplotlib Axes"),
        (lambda: plot.grid({1: {"a": "b"}}), TypeError, r"results\[1\]\['a'\]: expected numbers"),
        (lambda: plot.animate("beale", {}, "a.gif"), ValueError, r"paths: expected at least one"),
        (lambda: plot.animate("beale", [[1, 1]], "a.mp4"), ValueError, r"path: .* in \.gif"),
        (
            lambda: plot.animate("beale", [[1, 1]], "a.gif", fps=0),
            ValueError,
            r"fps: expected a finite number above 0",
        ),
        (
            lambda: plot.animate("beale", [[1, 1]], "a.gif", dimensions=3),
            ValueError,
            r"dimensions: expected 1 or 2, got 3",
        ),
    ],
)
def test_bad_input_is_named_before_a_figure_is_made(given, error, words):
    with pytest.raises(error, match=words):
        given()
    assert pyplot.get_fignums() == []


# Paths. ----------------------------------------------------------------------------------------


def spiral(count=30):
    t = np.linspace(0, 6, count)
    return np.stack([2 * np.exp(-t / 3) * np.cos(t), 2 * np.exp(-t / 3) * np.sin(t)], axis=1)


def test_paths_on_contours(ax):
    given = {"a": spiral(), "b": -spiral(), "c": spiral(200)}
    plot.path_2d("himmelblau", given, ax)
    found, names = ax.get_legend_handles_labels()
    assert names == ["minimum", "a", "b", "c", "start"]
    heads = found[1:4]
    assert [hexed(head) for head in heads] == list(style.COLOURS[:3])
    assert [head.get_marker() for head in heads] == list(style.HEADS[:3])
    for head, path in zip(heads, given.values(), strict=True):
        np.testing.assert_array_equal(head.get_xydata(), path)
    rings = [line for line in ax.get_lines() if hexed(line) == "#FFFFFF"]
    assert {tuple(ring.get_xydata()[0]) for ring in rings} == {(2.0, 0.0), (-2.0, 0.0)}
    assert sum(line.get_marker() == "*" for line in ax.get_lines()) == 4
    assert (ax.get_xlim(), ax.get_ylim()) == ((-5, 5), (-5, 5))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_title(loc="left") == "Himmelblau"
    drawn(ax)


def test_contours_of_a_function_of_ones_own(ax):
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])
    plot.path_2d(lambda w: float(w @ matrix @ w), spiral(), ax, minima=[(0, 0)], title="bowl")
    assert ax.get_title(loc="left") == "bowl"
    low, high = ax.get_xlim()
    assert low < spiral()[:, 0].min()
    assert high > 2
    levels = ax.collections[0]
    assert len(levels.get_paths()) > 10


@pytest.mark.parametrize("function", ["rosenbrock", "beale", "himmelblau", lambda w: 1.0])
def test_every_ground_can_be_drawn(function, ax):
    plot.path_2d(function, ax=ax, xlim=(-1, 4), ylim=(-2, 2))
    drawn(ax)


def test_a_problem_knows_its_bounds_and_minima(ax):
    bowl = SimpleNamespace(
        name="bowl",
        value=lambda points: (points**2).sum(-1),
        bounds=((-1.0, 2.0), (-3.0, 4.0)),
        minima=np.zeros((1, 2)),
    )
    result = comparison()
    result.of("adam")[0].path = spiral()
    result.labels = ["adam"]
    plot.path_2d(bowl, result, ax)
    assert ax.get_legend_handles_labels()[1] == ["minimum", "adam", "start"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 2), (-3, 4))
    assert ax.get_title(loc="left") == "Bowl"


def test_what_compare_returns_is_drawn(ax):
    result = oc.compare("beale", ["sgd:lr=5", "adam", "lion"], seeds=2, steps=20)
    plot.curves(result, ax)
    assert labels(ax) == ["SGD (2 of 2 diverged)", "Adam", "Lion", "target 0.0001"]
    drawn(ax)
    over = plot.path_2d("beale", result)
    adam = over.get_legend_handles_labels()[0][2]
    np.testing.assert_array_equal(adam.get_xydata(), result.of("Adam")[0].path)
    panels = plot.grid({d: oc.compare(f"quadratic:dimension={d}", "adam", steps=5) for d in (1, 5)})
    assert [ax.get_title(loc="left") for ax in panels] == ["size 1", "size 5"]


def test_a_path_ends_before_it_diverges(ax):
    path = np.array([[0.0, 0.0], [1.0, 1.0], [np.inf, 3.0], [0.0, 0.0]])
    plot.path_2d("beale", {"a": path}, ax)
    head = ax.get_legend_handles_labels()[0][1]
    assert head.get_xydata().tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    "function",
    [
        lambda w: w[0] ** 2 + 3 * w[1],
        lambda w: float(w[0] ** 2 + 3 * w[1]),
        lambda w: np.dot(w, [0.0, 3.0]) + w[0] ** 2,
        lambda w: (w * [w[0], 3.0]).sum() if w.shape == (2,) else w[0] * 0,  # wrong all at once
    ],
)
def test_heights_are_those_of_single_points(function):
    points = np.random.default_rng(0).normal(size=(2, 7, 5))
    expected = points[0] ** 2 + 3 * points[1]
    np.testing.assert_allclose(landscapes.heights(function, points), expected)


def test_paths_on_a_curve(ax):
    x = 4 * 0.8 ** np.arange(20)
    plot.path_1d(lambda x: x**2, {"a": x, "b": -x[:, None]}, ax)
    found, names = ax.get_legend_handles_labels()
    assert names == ["f(x)", "a", "b", "start"]
    np.testing.assert_allclose(found[0].get_ydata(), found[0].get_xdata() ** 2)
    np.testing.assert_allclose(found[1].get_ydata(), x**2)
    np.testing.assert_allclose(found[2].get_xdata(), -x)
    low, high = ax.get_xlim()
    assert low < -4
    assert high > 4
    assert ax.get_ylim()[1] > 16
    drawn(ax)


def test_a_path_alone_needs_no_name(ax):
    plot.path_1d(lambda x: float(x) ** 4, [3.0, 2.0, 1.0], ax, xlim=(0, 4), xlabel="w")
    assert ax.get_legend_handles_labels()[1] == ["f(x)", "path", "start"]
    assert ax.get_xlabel() == "w"


# Animation. ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("points", "frames"), [(5, 5), (200, 12)])
def test_an_animation_has_a_frame_for_each_step_up_to_a_limit(points, frames, tmp_path):
    image = importlib.import_module("PIL.Image")
    path = tmp_path / "new" / "a.gif"
    given = {"a": spiral(points), "b": -spiral(3)}
    assert plot.animate("beale", given, path, frames=12, dpi=40, fps=10) == path.resolve()
    with image.open(path) as gif:
        assert gif.n_frames == frames
        assert gif.info["loop"] == 0
        assert gif.info["duration"] == 100
        gif.seek(frames - 1)
        assert gif.info["duration"] == 1500
        colours = set(map(tuple, np.array(gif.convert("RGB")).reshape(-1, 3)))
    for colour in (style.BLUE, style.VERMILLION):
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in colours


def test_an_animation_on_a_curve(tmp_path):
    image = importlib.import_module("PIL.Image")
    path = plot.animate(
        lambda x: x**2, [3.0, 1.0, 0.0], tmp_path / "a.gif", dimensions=1, dpi=40, legend=False
    )
    with image.open(path) as gif:
        assert gif.n_frames == 3


def test_a_trail_grows_and_stops_at_its_end(ax):
    x = np.arange(5.0)
    trail = steps.draw(ax, "a", x, x**2, 0)
    trail.go_to(1)
    assert [artist.get_xdata().tolist() for artist in trail.artists] == [[0, 1]] * 3
    trail.go_to(9)
    assert trail.artists[0].get_ydata().tolist() == [0, 1, 4, 9, 16]


# Schedules, ratios, sizes. ---------------------------------------------------------------------


def test_schedules(ax):
    given = {"a": oc.schedules.Cosine(0.1, 50), "b": oc.schedules.Step(0.1, 20)}
    plot.schedules(given, 60, ax, log=True)
    for line, (name, schedule) in zip(ax.get_lines(), given.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_ydata(), schedule.values(60))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "learning rate")
    assert labels(ax) == ["a", "b"]
    drawn(ax)


def test_schedules_of_one_class_are_called_by_what_they_are_made_with(ax):
    same = [oc.schedules.Constant(1.0), oc.schedules.Constant(2.0), oc.schedules.Linear(1.0, 9)]
    plot.schedules(same, 9, ax)
    assert labels(ax) == ["Constant(value=1.0)", "Constant(value=2.0)", "Linear"]


def statistics(steps=6):
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(4, 4)), "b": np.zeros(4)}
    opt = oc.Adam(params, stats=True)
    seen = []
    for _ in range(steps):
        opt.step({name: rng.normal(size=p.shape) for name, p in params.items()})
        seen.append(opt.stats)
    return seen


def test_ratios_are_counted_once_for_each_parameter_and_step(ax):
    seen = statistics()
    plot.update_ratios(seen, ax)
    bars = [np.nan_to_num(patch.get_data().values) for patch in ax.patches]
    assert len(bars) == 2  # the area and its outline
    assert bars[0].sum() == bars[1].sum() == 11  # b was all zeros at first
    assert labels(ax) == ["all parameters (1 zero or infinite)", "1e-3, usual"]
    edges = ax.patches[0].get_data().edges
    counted, _ = np.histogram(
        [p.update_ratio for s in seen for p in s.parameters.values() if p.param_norm], edges
    )
    np.testing.assert_array_equal(bars[0], counted)
    assert ax.get_xscale() == "log"
    drawn(ax)


def test_ratios_by_parameter_and_by_optimizer(ax):
    seen = statistics()
    plot.update_ratios({"Adam": seen, "last": seen[-1]}, ax, by_parameter=True)
    assert labels(ax) == [
        "Adam, W",
        "Adam, b (1 zero or infinite)",
        "last, W",
        "last, b",
        "1e-3, usual",
    ]
    outlines = [colors.to_hex(p.get_edgecolor()).upper() for p in ax.patches[1::2]]
    assert outlines == list(style.COLOURS[:4])


def test_ratios_that_have_no_place_on_the_scale_are_an_error():
    params = np.zeros(3)
    opt = oc.SGD(params, lr=0.0, stats=True)
    opt.step(np.ones(3))
    with pytest.raises(ValueError, match="stats: expected a ratio that is neither zero nor"):
        plot.update_ratios(opt.stats)


def sizes():
    return {
        10: falling(2),
        1000: {"SGD": falling(2)["SGD"], "Lion": [3.0, 2.0]},
        "huge": falling(1),
    }


def test_a_grid_has_a_panel_for_each_size_and_one_legend():
    panels = plot.grid(sizes(), columns=2, title="all")
    assert [ax.get_title(loc="left") for ax in panels] == ["size 10", "size 1,000", "huge"]
    figure = panels[0].figure
    assert len(figure.axes) == 4
    assert not figure.axes[3].axison
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Adam", "SGD", "Lion"]
    assert figure.get_suptitle() == "all"
    colour = {
        (ax, line.get_label()): hexed(line)
        for ax in panels
        for line in ax.get_lines()
        if not line.get_label().startswith("_")
    }
    assert colour[panels[0], "SGD"] == colour[panels[1], "SGD"] == style.VERMILLION
    assert colour[panels[1], "Lion"] == style.GREEN
    assert [bool(ax.get_ylabel()) for ax in panels] == [True, False, True]
    assert [bool(ax.get_xlabel()) for ax in panels] == [False, True, True]
    assert all(ax.get_legend() is None for ax in panels)
    figure.canvas.draw()


def test_a_grid_on_axes_of_ones_own():
    own = Figure().subplots(1, 3)
    panels = plot.grid(sizes(), own, legend=True)
    assert list(panels) == list(own)
    assert labels(own[0]) == ["Adam", "SGD", "Lion"]


def test_panels_that_share_a_scale_show_every_run():
    given = {1: {"a": [1.0, 1e-6]}, 2: {"a": [1e3, np.inf]}}
    panels = plot.grid(given, sharey=True)
    low, high = panels[0].get_ylim()
    assert low < 1e-6
    assert high > 1e3
    assert panels[1].get_ylim() == (low, high)


# Figures and files. ----------------------------------------------------------------------------


def test_without_axes_there_is_a_new_figure():
    one, other = plot.curves(falling()), plot.curves(falling())
    assert one.figure is not other.figure
    assert pyplot.get_fignums() == [1, 2]
    assert one.figure.get_size_inches()[0] == pytest.approx(7.2)


def test_no_display_is_no_obstacle(monkeypatch, tmp_path):
    def no_display(**_):
        raise ImportError("Cannot load backend 'TkAgg': headless")

    monkeypatch.setattr(pyplot, "figure", no_display)
    assert plot.save(plot.curves(falling()), tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.parametrize("name", ["a.png", "deep/er/a.svg", "a.pdf"])
def test_saved_pictures(name, tmp_path):
    panels = plot.grid(sizes())
    path = plot.save(panels, tmp_path / name)
    assert path == (tmp_path / name).resolve()
    assert path.stat().st_size > 5000
    assert plot.save(panels[0].figure, str(tmp_path / name)) == path


def test_readme_size(tmp_path):
    image = importlib.import_module("PIL.Image")
    with image.open(plot.save(plot.curves(falling(8)), tmp_path / "a.png")) as picture:
        assert 800 <= picture.width <= 1200


@pytest.mark.parametrize("kind", ["picture", "animation"])
def test_an_unwritable_path_is_told_and_the_figure_stays(kind, tmp_path):
    (tmp_path / "file").write_text("")
    where = tmp_path / "file" / "a"
    panel = plot.curves(falling())
    write = {
        "picture": lambda: plot.save(panel, where.with_suffix(".png")),
        "animation": lambda: plot.animate("beale", [[1, 1]], where.with_suffix(".gif")),
    }[kind]
    words = r"path: expected a place that can be written, got '.*': .*; "
    with pytest.raises(OSError, match=words) as caught:
        write()
    assert caught.value.errno
    assert plot.save(panel, tmp_path / "b.png").exists()


def test_a_directory_is_no_file(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match="the figure is as it was, save it elsewhere"):
        plot.save(plot.curves(falling()), tmp_path / "a.png")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((3, "a.png"), TypeError, "picture: expected matplotlib Axes or a Figure, got a int"),
        ((Figure(), 3), TypeError, "path: expected a str or a Path, got 3"),
        ((Figure(), "a.xyz"), ValueError, r"path: expected a name that ends in .*\.png"),
        ((Figure(), "a"), ValueError, r"got 'a'"),
        ((Figure(), ""), ValueError, r"got ''"),
    ],
)
def test_what_cannot_be_saved_is_named(given, error, words):
    with pytest.raises(error, match=words):
        plot.save(*given)


def test_importing_needs_no_matplotlib_and_drawing_says_so(monkeypatch):
    code = "import sys, optcore.plot; assert not {'matplotlib', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    seen = statistics()
    calls = {
        "curves": lambda: plot.curves(falling()),
        "path_2d": lambda: plot.path_2d("beale"),
        "path_1d": lambda: plot.path_1d(abs, [1.0]),
        "schedules": lambda: plot.schedules(oc.schedules.Constant(1.0), 3),
        "update_ratios": lambda: plot.update_ratios(seen),
        "grid": lambda: plot.grid(sizes()),
        "animate": lambda: plot.animate("beale", [[1, 1]], "never.gif"),
        "save": lambda: plot.save(None, "never.png"),
    }
    assert set(calls) == set(plot.__all__)
    for name, call in calls.items():
        words = rf"optcore\.plot\.{name} needs matplotlib: pip install 'optcore\[plot\]'"
        with pytest.raises(ModuleNotFoundError, match=words):
            call()


def test_a_dark_style_is_no_obstacle():
    with pyplot.style.context("dark_background"):
        panel = plot.curves(falling())
        panels = plot.grid(sizes())
    for ax in (panel, *panels):
        assert colors.to_hex(ax.get_facecolor()).upper() == style.PAPER
        assert colors.to_hex(ax.figure.get_facecolor()).upper() == style.PAPER
    for legend in (panel.get_legend(), panels[0].figure.legends[0]):
        for text in (legend.get_title(), *legend.get_texts()):
            assert hexed(text) == style.INK


def test_a_drawing_changes_no_setting_of_matplotlib():
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plot.curves(falling())
        plot.grid(sizes())
        after = dict(matplotlib.rcParams)
    assert after == before
