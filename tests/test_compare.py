"""`optcore.compare`: what is shared, what is measured, what is told, and what goes wrong."""

import csv
import io
import itertools
import json
import math
import sys
import time
import types

import numpy as np
import pytest

import optcore as oc
from optcore import comparison, problems
from optcore.comparison import Result, Run, entries, progress, table
from optcore.comparison.rates import SHAPES
from optcore.optimizers import LBFGS
from optcore.schedules import Cosine, Exponential

ALL = [name for name in comparison.names() if name not in ("lbfgs",)]


@pytest.fixture(scope="module")
def clouds():
    """A network on three clouds of points."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    X = (rng.normal(size=(150, 5)) + 4 * np.eye(3, 5)[y]).astype(np.float32)
    data = problems.Data(X[:110], y[:110], X[110:], y[110:])
    return problems.Supervised(data, hidden=(16,), dropout=0.2, name="clouds", epochs=3, target=0.5)


class Watched(problems.Problem):
    """A bowl that notes what it is asked for."""

    name, epochs, metric_name = "watched", 3, "nearness"

    def __init__(self):
        self.starts, self.seen = [], []

    def initial(self, seed):
        return {"x": np.array([2.0, -1.0]) + seed}

    def batches(self, rng):
        return rng.normal(size=(4, 2))

    def loss_and_grads(self, params, batch):
        self.seen.append((params["x"].copy(), batch))
        off = params["x"] - 0.01 * batch
        return float(off @ off), {"x": 2 * off}

    def loss(self, params):
        return float(params["x"] @ params["x"])

    def metric(self, params):
        return -math.sqrt(self.loss(params))


# What is shared. -------------------------------------------------------------------------------


def test_everyone_starts_at_the_same_place_and_sees_the_same_batches():
    problem = Watched()
    oc.compare(problem, ["sgd:lr=0.1", "adam:lr=0.1"], seeds=[3, 5], check=False)
    assert len(problem.seen) == 4 * 12
    parts = [problem.seen[12 * k : 12 * k + 12] for k in range(4)]
    for seed, (first, second) in zip((3, 5), (parts[:2], parts[2:]), strict=True):
        np.testing.assert_array_equal(first[0][0], [2.0 + seed, -1.0 + seed])
        np.testing.assert_array_equal(second[0][0], first[0][0])
        for (_, batch), (_, other) in zip(first, second, strict=True):
            np.testing.assert_array_equal(batch, other)
        assert (first[-1][0] != second[-1][0]).all()
    batches = np.array([batch for _, batch in parts[0]]), np.array([b for _, b in parts[2]])
    assert len(np.unique(batches[0], axis=0)) == 12  # other ones in every epoch
    assert (batches[0] != batches[1]).all()  # and for every seed


def test_a_run_is_the_loop_that_one_would_write(clouds):
    run = oc.compare(clouds, [(oc.AdamW, {"lr": 0.01})], seeds=[4]).runs[0]
    params = clouds.initial(4)
    opt = oc.AdamW(params, lr=0.01)
    losses, batch_losses = [clouds.loss(params)], []
    for epoch in range(3):
        for batch in clouds.batches(np.random.default_rng([4, epoch])):
            loss, grads = clouds.loss_and_grads(params, batch)
            opt.step(grads)
            batch_losses.append(loss)
        losses.append(clouds.loss(params))
    assert run.losses == losses
    assert run.batch_losses == batch_losses
    assert run.steps == [0, 4, 8, 12]
    assert run.final_metric == clouds.metric(params)
    np.testing.assert_array_equal(run.params["layers"][0]["W"], params["layers"][0]["W"])


def test_results_do_not_depend_on_who_else_takes_part(clouds):
    together = oc.compare(clouds, ["sgd", "rmsprop", "adam"], seeds=2)
    alone = oc.compare(clouds, ["adam"], seeds=[1])
    assert together.of("Adam")[1].losses == alone.runs[0].losses


# Who takes part. -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_every_optimizer_can_be_compared(name, clouds):
    result = oc.compare(clouds, name, epochs=2)
    assert len(result.runs) == 1
    run = result.runs[0]
    assert run.status == "done", run.message
    assert all(map(math.isfinite, run.losses))
    assert len(run.step_seconds) == 8
    assert run.rate


def test_lbfgs_and_sam_get_a_closure():
    def sam(params, lr):
        return oc.SAM(oc.SGD(params, lr=lr), rho=0.01)

    def nested(params, lr):
        return oc.Lookahead(sam(params, lr))

    chosen = {"L-BFGS": "lbfgs:line_search_fn=strong_wolfe", "SAM": (sam, {"lr": 0.5})}
    chosen["nested"] = (nested, {"lr": 0.5})
    result = oc.compare("quadratic:condition=5", chosen, epochs=30)
    assert [run.status for run in result.runs] == ["done"] * 3, result
    assert all(run.final_loss < 1e-2 for run in result.runs)
    assert all(len(run.step_seconds) == 30 for run in result.runs)


def test_schedule_free_optimizers_are_evaluated_in_eval_mode():
    bowl = problems.Quadratic(10.0)
    run = oc.compare(bowl, ["schedulefreesgd:lr=0.5"], epochs=20).runs[0]
    x = bowl.initial(0)
    opt = oc.ScheduleFreeSGD(x, lr=0.5)
    losses = [bowl.loss(x)]
    for _ in range(20):
        opt.step(bowl.loss_and_grads(x, None)[1])
        with opt.eval():
            losses.append(bowl.loss(x))
            shown = x.copy()
    assert run.losses == losses
    np.testing.assert_array_equal(run.params, shown)
    np.testing.assert_array_equal(run.path[-1], shown)
    assert run.losses[-1] != bowl.loss(x)


def test_an_optimizer_of_ones_own():
    class Own:
        def __init__(self, params, rate=0.5):
            self.params, self.rate = params, rate

        def step(self, grads):
            self.params -= self.rate * grads

    result = oc.compare("quadratic", [Own, (Own, {"rate": 0.25}), lambda p: oc.SGD(p, lr=0.5)])
    assert result.labels == ["Own", "Own rate=0.25", "<lambda>"]
    assert result.runs[0].losses == pytest.approx(result.runs[2].losses)
    assert result.runs[0].state_bytes is None
    assert str(result).count("Own") == 2


def test_a_function_with_the_name_of_a_rule_keeps_its_own_rate():
    def sgd(params):
        return oc.SGD(params, lr=0.125)

    def momentum(params, lr=0.125):
        return oc.SGD(params, lr=lr)

    runs = oc.compare("quadratic", [sgd, momentum], steps=3).runs
    assert [run.rate for run in runs] == ["0.125", f"{problems.Quadratic.rates['momentum']:g}"]


def test_labels_are_told_apart():
    def labels(*given):
        return [entry.label for entry in entries.entries(list(given))]

    assert labels("adam", "adam:lr=1e-3", "adam:lr=1e-3") == [
        "Adam",
        "Adam lr=0.001",
        "Adam lr=0.001 (2)",
    ]
    assert labels("sgd:momentum=0.9", "sgd:momentum=0.9,nesterov=true,lr=2", "nesterov") == [
        "SGD momentum=0.9",
        "SGD momentum=0.9 nesterov",
        "Nesterov",
    ]
    assert labels((oc.Adam, {"betas": (0.9, 0.5)}), ("adam", {"lr": 1}), "AMSGrad") == [
        "Adam betas=0.9/0.5",
        "Adam",
        "AMSGrad",
    ]
    assert [e.label for e in entries.entries({"fast": "sgd:lr=1", "slow": "sgd"})] == [
        "fast",
        "slow",
    ]
    assert [e.key for e in entries.entries("Schedule-Free_SGD")] == ["schedulefreesgd"]


def test_rates_come_from_options_the_problem_or_the_class(clouds):
    chosen = ["adam:lr=0.5", "adam", "sm3", ("sgd", {"lr": Cosine(0.25, total=9)})]
    rates = [run.rate for run in oc.compare(clouds, chosen, steps=1).runs]
    assert rates == [
        "0.5",
        f"{clouds.rates['adam']:g}",
        f"{oc.SM3(np.ones(1)).lr:g}",
        "0.25 Cosine",
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_schedule_spans_the_whole_training(shape):
    run = oc.compare("quadratic", [f"sgd:lr=0.5,schedule={shape}"], steps=40).runs[0]
    bowl = problems.Quadratic()
    x, schedule = bowl.initial(0), SHAPES[shape](0.5, 40)
    opt = oc.SGD(x, lr=schedule)
    for _ in range(40):
        opt.step(bowl.loss_and_grads(x, None)[1])
    np.testing.assert_array_equal(run.params, x)
    assert schedule.values(40).max() == pytest.approx(0.5, rel=0.15)
    if shape not in ("constant",):
        assert schedule(39) < 0.1


def test_a_schedule_may_be_a_function_of_rate_and_steps():
    asked = []

    def shape(peak, total):
        asked.append((peak, total))
        return Exponential(peak, 0.9)

    run = oc.compare("quadratic", [("sgd", {"lr": 0.5, "schedule": shape})], steps=7).runs[0]
    assert set(asked) == {(0.5, 7)}
    assert run.rate == "0.5 Exponential"
    default = oc.compare("quadratic", [("sm3", {"schedule": shape})], steps=7).runs[0]
    assert default.rate.endswith(" Exponential")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("adamm", ValueError, "optimizer: expected one of .*, got 'adamm'; did you mean adam"),
        (["sgd", "qqq"], ValueError, "got 'qqq'; pick one of these"),
        ([], ValueError, "optimizers: expected at least one, got none"),
        ([3], TypeError, "optimizers: expected names, classes, or pairs .*, got 3"),
        (3, TypeError, "optimizers: expected names, classes, or pairs .*, got 3"),
        (["adam:lr"], ValueError, "expected options as key=value .*, got 'lr'"),
        (
            ["adam:lrr=3"],
            ValueError,
            "options of Adam: expected one of lr, .*'lrr'; did you mean lr",
        ),
        (["adam:clipnrom=3"], ValueError, "got 'clipnrom'; did you mean clip_norm"),
        (["muon:nesterow=1"], ValueError, "options of Muon: .* did you mean nesterov"),
        ([(oc.SGD, {"momentun": 0.9})], ValueError, "options of SGD: .* did you mean momentum"),
        (["adam:lr=1,eps=1,lr=2"], ValueError, "expected lr once, got it twice"),
        (["sgd:lr=fast"], TypeError, "optimizers: SGD: lr: "),
        (["sgd:lr=-1"], ValueError, "optimizers: SGD: "),
        (["sgd:schedule=cosin"], ValueError, "schedule: expected one of constant.*mean cosine"),
        ([("sgd", {"schedule": Cosine(1.0, total=3)})], TypeError, "itself is passed as lr"),
        ([("sgd", {"schedule": lambda p, n: 3})], TypeError, "a function that returns a schedule"),
        (
            [("sgd", {"lr": Cosine(1.0, total=3), "schedule": "cosine"})],
            TypeError,
            "expected lr to be a number beside schedule='cosine'",
        ),
        ([lambda params: None], TypeError, r"expected step\(grads\) of an optimizer, got None"),
    ],
)
def test_wrong_optimizers_are_explained_before_training(given, error, words):
    problem = Watched()
    with pytest.raises(error, match=words):
        oc.compare(problem, given, check=False)
    assert not problem.seen


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": 0}, "seeds: expected how many"),
        ({"seeds": [1, 1]}, "seeds: expected how many"),
        ({"seeds": [-1]}, "seeds: expected how many"),
        ({"seeds": 1.5}, "seeds: expected how many"),
        ({"epochs": 0}, "epochs: expected a whole number, 1 or more, got 0"),
        ({"steps": 2.5}, "steps: expected a whole number, 1 or more, got 2.5"),
        ({"epochs": 1, "steps": 2}, "pass one"),
        ({"target_of": "metrics"}, "target_of: "),
        ({"target": math.nan}, "target: expected a finite number, got nan"),
        ({"target": "low"}, "target: expected a finite number, got 'low'"),
        ({"target_of": "metric"}, "target_of: expected 'loss', as quadratic has no metric"),
    ],
)
def test_wrong_options_are_explained(options, words):
    with pytest.raises(ValueError, match=words):
        oc.compare("quadratic", "sgd", **options)


def test_an_unknown_problem_is_explained():
    with pytest.raises(ValueError, match="got 'rosenbrok'; did you mean rosenbrock"):
        oc.compare("rosenbrok")


# What is measured. -----------------------------------------------------------------------------


def test_paths_are_kept_of_few_numbers_only(clouds):
    run = oc.compare("beale", "adam", steps=25).runs[0]
    assert run.path.shape == (26, 2)
    np.testing.assert_array_equal(run.path[0], problems.Beale().initial(0))
    np.testing.assert_array_equal(run.path[-1], run.params)
    values = problems.Beale().value(run.path)
    assert run.losses == pytest.approx(values.tolist())
    assert oc.compare("quadratic:dimension=4", "adam", steps=2).runs[0].path is None
    assert oc.compare(clouds, "adam", steps=2).runs[0].path is None


def test_steps_and_seconds_to_the_target():
    run = oc.compare("quadratic", "sgd:lr=0.5", steps=50).runs[0]
    target = run.losses[17]
    assert run.reached(target) == (17, run.seconds[17])
    assert run.reached(0.99 * target)[0] > 17
    assert run.reached(-1.0) is None
    result = oc.compare("quadratic", "sgd:lr=0.5", steps=50, target=np.float32(1.0001 * target))
    assert result.rows[0].steps_to_target == 17
    assert json.loads(result.to_json())["target"] == pytest.approx(1.0001 * target)
    assert run.seconds == sorted(run.seconds)


def test_a_target_of_the_metric(clouds):
    result = oc.compare(clouds, "adam:lr=0.02", epochs=20, target=0.9, target_of="metric")
    run, row = result.runs[0], result.rows[0]
    first = next(k for k, metric in enumerate(run.metrics) if metric >= 0.9)
    assert row.steps_to_target == run.steps[first]
    assert "until test accuracy ≥ 0.9" in str(result).replace("\n", " ")


def test_evaluations_take_no_ones_time():
    class Slow(Watched):
        def loss(self, params):
            time.sleep(0.02)
            return super().loss(params)

    run = oc.compare(Slow(), "sgd:lr=0.1", epochs=5).runs[0]
    assert run.total_seconds < 0.05
    assert 0 < sum(run.step_seconds) < run.total_seconds


@pytest.mark.parametrize("error", [FloatingPointError, KeyError, KeyboardInterrupt])
def test_time_until_an_error_counts(error):
    class Late(oc.SGD):
        def step(self, *args, **options):
            if self.step_count == 2:
                raise error
            super().step(*args, **options)

    class Patient(Watched):
        def loss_and_grads(self, params, batch):
            time.sleep(0.002)
            return super().loss_and_grads(params, batch)

    result = oc.compare(Patient(), (Late, {"lr": 0.1}))
    run, row = result.runs[0], result.rows[0]
    assert run.status != "done"
    assert len(run.step_seconds) == 2
    assert 0.006 <= run.total_seconds == row.seconds
    assert row.step_share == sum(run.step_seconds) / run.total_seconds
    assert Result.from_json(result.to_json()).runs[0].total_seconds == run.total_seconds


def test_memory_of_the_state(clouds):
    size = 4 * clouds.network.parameter_count
    runs = oc.compare(clouds, ["sgd", "momentum", "adam", "amsgrad"], steps=4).runs
    assert [run.state_bytes for run in runs] == [0, size, 2 * size, 3 * size]
    grows = oc.compare("quadratic:dimension=50,condition=9", "lbfgs", steps=4).runs[0]
    assert grows.state_bytes > 5 * 50 * 8


def test_steps_may_end_within_an_epoch(clouds):
    run = oc.compare(clouds, "sgd", steps=6).runs[0]
    assert run.steps == [0, 4, 6]
    assert len(run.batch_losses) == 6


# What goes wrong. ------------------------------------------------------------------------------


def test_divergence_is_a_row_of_the_table_and_others_go_on():
    result = oc.compare("rosenbrock", ["sgd:lr=1", "adam", "momentum:lr=0.1"], steps=50)
    assert [run.status for run in result.runs] == ["diverged", "done", "diverged"]
    first = result.runs[0]
    assert 0 < len(first.step_seconds) < 50
    assert first.message == f"diverged at step {len(first.step_seconds)}"
    assert result.best == "Adam"
    lines = str(result).splitlines()
    row = next(line for line in lines if line.startswith("SGD"))
    assert row.split()[2] == "diverged"
    assert f"SGD: {first.message}" in lines
    assert "nan" not in str(result)
    assert "inf" not in str(result)


def test_divergence_of_some_seeds():
    class Moody(Watched):
        def initial(self, seed):
            return {"x": np.array([2.0, 1.0]) * (1 if seed else 1e200)}

    result = oc.compare(Moody(), "adam:lr=0.01", seeds=3, check=False)
    row = result.rows[0]
    assert (row.seeds, row.done, row.diverged) == (3, 2, 1)
    assert math.isfinite(row.loss)
    assert row.note == "diverged: 1 of 3"
    assert " – diverged " in str(result)
    assert "Adam: diverged: 1 of 3" in str(result).splitlines()


def test_who_diverges_from_most_seeds_is_not_the_best():
    def runs(label, ends):
        return [Run(label, k, status=status, losses=[9.0, end]) for k, (status, end) in ends]

    bold = runs("bold", enumerate([("done", 0.1), ("diverged", 0.0), ("failed", 0.0)]))
    safe = runs("safe", enumerate([("done", 1.0), ("done", 2.0), ("interrupted", 0.01)]))
    assert Result("p", labels=["bold", "safe"], runs=[*bold, *safe]).best == "safe"
    assert Result("p", labels=["bold"], runs=bold).best == "bold"
    assert Result("p", labels=["bold"], runs=bold[1:]).best is None


def test_a_loss_that_rises_beyond_reason_is_no_result():
    run = oc.compare("quadratic", "sgd:lr=2.1", steps=30).runs[0]
    assert run.final_loss > 10 * run.losses[0]
    assert run.status == "diverged"


def test_a_metric_survives_divergence(clouds):
    result = oc.compare(clouds, ["sgd:lr=1e30", "sgd"], seeds=2)
    assert [row.diverged for row in result.rows] == [2, 0]
    row = next(line for line in str(result).splitlines() if line.startswith("SGD lr"))
    assert "none" in row


def test_an_optimizer_that_fails_is_reported_and_others_go_on():
    def fails_late(k):
        if k == 5:
            raise ValueError("no more")
        return 0.1

    result = oc.compare("quadratic", [("sgd", {"lr": fails_late}), "adam"], steps=10)
    assert [run.status for run in result.runs] == ["failed", "done"]
    assert result.runs[0].message == "ValueError: no more"
    assert len(result.runs[0].losses) == 6
    lines = str(result).splitlines()
    assert any(line.startswith("SGD") and " failed " in line for line in lines)
    assert "SGD: failed: ValueError: no more" in lines
    twice = oc.compare("quadratic", [("sgd", {"lr": fails_late})], seeds=2)
    assert twice.rows[0].note == "failed: 2 of 2 (ValueError: no more)"


def test_a_function_that_fails_to_make_its_optimizer_late_costs_its_own_runs_only():
    made = []

    def moody(params):
        made.append(1)
        if len(made) > 2:
            raise RuntimeError("no more")
        return oc.SGD(params, lr=0.1)

    result = oc.compare("quadratic", [moody, "adam"], seeds=3, steps=4)
    assert [run.status for run in result.of("moody")] == ["done", "failed", "failed"]
    assert result.runs[2].message == "RuntimeError: no more"
    assert [run.status for run in result.of("Adam")] == ["done"] * 3


@pytest.mark.parametrize("whole", [True, False])
def test_batches_that_are_used_up_are_told_and_end(whole):
    class OneShot(Watched):
        def __init__(self):
            super().__init__()
            self.rest = iter(np.ones((9, 2)))

        def batches(self, rng):
            return self.rest

        def loss(self, params):
            return 1.0 if whole else problems.Problem.loss(self, params)

    run = oc.compare(OneShot(), "sgd:lr=0.1", steps=50, check=False).runs[0]
    assert run.status == "failed"
    assert "expected at least one batch, got none from batches(rng); give all" in run.message


def test_batches_without_end_are_told():
    class Endless(Watched):
        def batches(self, rng):
            return itertools.repeat(np.zeros(2))

    with pytest.raises(ValueError, match="expected an epoch of batches that ends"):
        oc.compare(Endless(), "sgd", steps=3)


@pytest.mark.parametrize("epochs", [0, 1.5, "many", True])
def test_a_problem_with_a_wrong_number_of_epochs_is_refused(epochs):
    problem = Watched()
    problem.epochs = epochs
    with pytest.raises(ValueError, match="epochs: expected a whole number, 1 or more, got"):
        oc.compare(problem, "sgd")


def test_a_problem_says_which_method_it_lacks():
    class Half(problems.Problem):
        pass

    with pytest.raises(NotImplementedError, match=r"Half: expected a method initial\(seed\)"):
        oc.compare(Half(), "sgd")
    Half.initial = lambda self, seed: np.ones(2)
    with pytest.raises(NotImplementedError, match="expected a method loss_and_grads"):
        oc.compare(Half(), "sgd")


@pytest.mark.parametrize("at", [1, 9, 30, 47])
def test_ctrl_c_keeps_what_was_computed(at):
    class Interrupted(Watched):
        def loss_and_grads(self, params, batch):
            if len(self.seen) == at:
                raise KeyboardInterrupt
            return super().loss_and_grads(params, batch)

    result = oc.compare(Interrupted(), ["sgd:lr=0.1", "adam"], seeds=2, check=False)
    assert result.interrupted
    assert len(result.runs) == 1 + at // 12
    assert [run.status for run in result.runs[:-1]] == ["done"] * (at // 12)
    last = result.runs[-1]
    assert last.status == "interrupted"
    assert len(last.steps) == len(last.losses) == len(last.metrics) == 1 + at % 12 // 4
    assert f"interrupted: {len(result.runs)} of 4 runs" in str(result)
    assert json.loads(result.to_json())["interrupted"] is True
    assert repr(result) == f"Result('watched', {len(result.runs)} of 4 runs)"


@pytest.mark.parametrize("where", ["loss", "metric"])
def test_ctrl_c_in_an_evaluation(where):
    class Interrupted(Watched):
        def loss(self, params):
            if where == "loss" and len(self.seen) == 8:
                raise KeyboardInterrupt
            return super().loss(params)

        def metric(self, params):
            if where == "metric" and len(self.seen) == 8:
                raise KeyboardInterrupt
            return -1.0

    run = oc.compare(Interrupted(), "sgd:lr=0.1", check=False).runs[0]
    assert run.status == "interrupted"
    assert run.steps == [0, 4]
    assert len(run.path) == 2


def test_a_comparison_without_runs_is_an_empty_table():
    empty = Result("nothing", labels=["Adam"], interrupted=True)
    assert empty.best is None
    assert empty.rows == []
    assert "no run has begun" in str(empty)
    assert "<table>" in table.html(empty)
    assert Result.from_json(empty.to_json()) == empty
    assert empty.to_csv() == ""


def test_a_start_that_fails_fails_before_training():
    class Fails(Watched):
        def initial(self, seed):
            if seed == 2:
                raise RuntimeError("no start")
            return super().initial(seed)

    problem = Fails()
    with pytest.raises(RuntimeError, match="no start"):
        oc.compare(problem, "sgd:lr=0.1", seeds=3)
    assert not problem.seen


# Gradients that are wrong. ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: (1.0, x[:1]), ValueError, r"grads: expected shape \(2,\), as its parameter"),
        (lambda x: (1.0, x[:, None]), ValueError, r"got \(2, 1\); .*; optcore.check_gradient\(f"),
        (lambda x: (1.0, {"x": x}), TypeError, "got a dict; .*; optcore.check_gradient"),
        (lambda x: (1.0, x.astype(int)), TypeError, "a real float array.*optcore.check_gradient"),
        (lambda x: (1.0, x + 1j), TypeError, "expected a real float array, got a complex128"),
        (lambda x: (1.0, None), TypeError, "expected gradients, got None"),
        (lambda x: (1.0, x), ValueError, "grads and params overlap in memory.*pass a copy"),
        (lambda x: 1.0, TypeError, "loss_and_grads: expected the loss and the gradients, got 1.0"),
        (lambda x: (x, x), TypeError, "expected a loss that is one number"),
        (lambda x: (None, x), TypeError, "expected a loss that is one number, got None"),
    ],
)
def test_gradients_of_the_wrong_kind_lead_to_check_gradient(function, error, words):
    own = types.SimpleNamespace(initial=lambda seed: np.ones(2), loss_and_grads=function)
    with pytest.raises(error, match=words):
        oc.compare(own, "sgd")


def test_a_wrong_gradient_causes_a_warning_that_leads_to_check_gradient():
    def wrong(x):
        return float(x @ x), x.copy()

    with pytest.warns(UserWarning, match="do not look like those of the loss.*check_gradient"):
        oc.compare((np.ones(3), wrong), "sgd:lr=0.1", steps=2)
    oc.compare((np.ones(3), wrong), "sgd:lr=0.1", steps=2, check=False)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_right_gradients_cause_no_warning(dtype):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16

    def right(p):
        return float(np.sum(np.cosh(p["x"]))) + 1e3, {"x": np.sinh(p["x"])}

    start = {"x": np.linspace(-2, 2, 50).astype(dtype)}
    run = oc.compare((start, right), "sgd:lr=0.01", steps=2).runs[0]
    assert run.status == "done", run.message
    assert start["x"][0] == -2


@pytest.fixture(scope="module")
def kinks():
    """A network of ReLUs in float32: its loss is no smoother, and no more exact, than they get."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 20)).astype(np.float32), rng.normal(size=(64, 1))
    data = problems.Data(X, y.astype(np.float32), X, y.astype(np.float32))
    return problems.Supervised(data, hidden=(32, 16), dropout=0.2, batch_size=16)


@pytest.mark.parametrize("seed", range(12))
def test_right_gradients_of_a_network_cause_no_warning(kinks, seed):
    oc.compare(kinks, "sgd", steps=1, seeds=[seed])


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_one_wrong_layer_causes_a_warning(kinks, layer, monkeypatch):
    right = kinks.loss_and_grads

    def wrong(params, batch):
        loss, grads = right(params, batch)
        grads["layers"][layer]["W"] *= 3
        return loss, grads

    monkeypatch.setattr(kinks, "loss_and_grads", wrong)
    with pytest.warns(UserWarning, match="do not look like those of the loss"):
        oc.compare(kinks, "sgd", steps=1)


@pytest.mark.parametrize("slopes", [(1.0, 1.0), (1.0, -1.0), (0.0, 1.0), (1.0, 0.0)])
def test_a_wrong_factor_is_found_whatever_the_direction(slopes):
    slopes = np.array(slopes)
    with pytest.warns(UserWarning, match="do not look like those of the loss"):
        oc.compare((np.ones(2), lambda x: (float(slopes @ x), 2 * slopes)), "sgd", steps=1)


def test_a_random_loss_is_not_held_against_its_gradient():
    rng = np.random.default_rng(0)
    oc.compare((np.ones(3), lambda x: (float(rng.random()), 2 * x)), "sgd:lr=0.01", steps=2)


@pytest.mark.parametrize("start", [np.arange(3), {"x": "no"}, {}])
def test_a_start_that_is_no_tree_of_floats_is_refused(start):
    with pytest.raises((TypeError, ValueError)):
        oc.compare((start, lambda x: (1.0, x)), "sgd")


def test_a_problem_without_batches_in_its_epoch_is_refused():
    class Empty(Watched):
        def batches(self, rng):
            return []

    with pytest.raises(ValueError, match="expected at least one batch"):
        oc.compare(Empty(), "sgd", steps=3)


# Table and files. ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result(clouds):
    return oc.compare(clouds, ["sgd", "adam", "sgd:lr=1e30"], seeds=3)


def test_the_table_has_a_row_for_every_optimizer_and_no_holes(result):
    lines = str(result).splitlines()
    assert lines[0].startswith("clouds: network 5-16-3 relu, dropout 0.2, 147 float32 parameters")
    assert lines[1] == "12 steps, 3 seeds"
    rule = next(k for k, line in enumerate(lines) if line.startswith("---"))
    rows = lines[rule + 1 : rule + 4]
    assert [row.split("  ")[0].strip() for row in rows] == result.labels
    assert "±" in rows[0]
    assert "SGD lr=1e+30: diverged: 3 of 3" in lines
    assert all(len(line) <= 112 for line in lines)
    assert "to 0.5" not in lines[rule]
    one = str(oc.compare("quadratic", "sgd", steps=3)).splitlines()
    assert one[1] == "3 steps, 1 seed"
    assert not any("highest" in line for line in one)
    several = str(oc.compare("quadratic", "sgd", steps=3, seeds=2))
    assert "± standard deviation" not in several
    assert "test accuracy: mean ± standard deviation" in " ".join(lines)


def test_rows_sum_up_the_seeds(result):
    row, runs = result.rows[1], result.of("Adam")
    losses = sorted(run.final_loss for run in runs)
    assert (row.loss_low, row.loss, row.loss_high) == tuple(losses)
    assert row.metric == pytest.approx(np.mean([run.final_metric for run in runs]))
    assert row.metric_spread == pytest.approx(np.std([r.final_metric for r in runs], ddof=1))
    assert row.step_seconds == np.median([t for run in runs for t in run.step_seconds])
    assert 0 < row.step_share < 1
    assert row.note == ""


def test_html_for_notebooks_is_escaped(result):
    text = table.html(result)
    assert text.count("<tr>") == 1 + 3
    odd = oc.compare("quadratic", [lambda p: oc.SGD(p, lr=0.1)], steps=1)._repr_html_()
    assert "&lt;lambda&gt;" in odd


def test_csv_of_runs_curves_and_summary(result, tmp_path):
    text = result.to_csv(tmp_path / "new" / "runs.csv")
    assert (tmp_path / "new" / "runs.csv").read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["optimizer"], row["seed"]) for row in rows] == [
        (run.label, str(run.seed)) for run in result.runs
    ]
    for row, run in zip(rows, result.runs, strict=True):
        assert row["status"] == run.status
        if run.status == "done":
            assert float(row["loss"]) == run.final_loss
            assert int(row["steps"]) == 12
    curves = list(csv.DictReader(io.StringIO(result.to_csv(what="curves"))))
    assert len(curves) == sum(len(run.steps) for run in result.runs)
    summary = list(csv.DictReader(io.StringIO(result.to_csv(what="summary"))))
    assert [row["label"] for row in summary] == result.labels
    with pytest.raises(ValueError, match="what: expected 'runs', 'summary' or 'curves'"):
        result.to_csv(what="rows")


def test_json_comes_back(result, tmp_path):
    path = tmp_path / "result.json"
    text = result.to_json(path)
    json.loads(text, parse_constant=lambda name: pytest.fail(name))  # no NaN, no Infinity
    for source in (text, path):
        again = Result.from_json(source)
        assert str(again) == str(result)
        assert again.labels == result.labels
        for run, other in zip(again.runs, result.runs, strict=True):
            assert run.steps == other.steps
            if other.status == "done":
                assert run.losses == other.losses
                assert run.step_seconds == other.step_seconds
    bowl = oc.compare("quadratic", "adam", steps=4)
    np.testing.assert_array_equal(Result.from_json(bowl.to_json()).runs[0].path, bowl.runs[0].path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99, "runs": []}', "nonsense"])
def test_what_is_no_result_is_refused(text):
    with pytest.raises(ValueError, match="expected what to_json"):
        Result.from_json(text)


def test_an_unwritable_path_costs_nothing_but_the_file(result, tmp_path):
    (tmp_path / "file").touch()
    for write in (result.to_csv, result.to_json):
        with pytest.raises(OSError, match=r"cannot write to .*the result is still here"):
            write(tmp_path / "file" / "x")
    assert len(result.runs) == 9


def test_pandas_gets_the_records(result, monkeypatch):
    made = types.SimpleNamespace(DataFrame=list)
    monkeypatch.setitem(sys.modules, "pandas", made)
    assert [row["optimizer"] for row in result.to_pandas()] == [run.label for run in result.runs]
    assert len(result.to_pandas("summary")) == 3
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="to_pandas needs pandas: pip install pandas"):
        result.to_pandas()


def test_columns_of_numbers_are_numbers_in_pandas():
    pandas = pytest.importorskip("pandas")
    frame = oc.compare("rosenbrock", ["adam", "sgd:lr=1"], steps=3).to_pandas()
    assert frame["steps_to_target"].isna().all()
    for name in ("loss", "steps_to_target", "seconds_to_target", "state_bytes"):
        assert pandas.api.types.is_numeric_dtype(frame[name]), name


def test_a_plot_without_matplotlib_says_what_to_install(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'optcore\[plot\]'"):
        result.plot()


def test_an_unknown_label_is_explained(result):
    with pytest.raises(KeyError, match=r"expected one of SGD, Adam, SGD lr=1e\+30"):
        result.of("adam")


def test_progress_is_shown_where_it_is_wanted(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    oc.compare("quadratic", "adam", steps=3, progress=False)
    oc.compare("quadratic", "adam", steps=3)
    assert capsys.readouterr().err == ""
    oc.compare("quadratic", ["adam", "sgd:lr=9"], steps=300, progress=True)
    assert "seed 0" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    oc.compare("quadratic", "adam", steps=3)
    assert capsys.readouterr().err == ""
    with pytest.raises(ModuleNotFoundError, match="progress=True needs tqdm: pip install tqdm"):
        oc.compare("quadratic", "adam", steps=3, progress=True)


def test_the_bar_is_full_at_the_end(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, total, **options):
            self.total, self.n = total, 0
            bars.append(self)

        def update(self, n=1):
            self.n += n

        def close(self):
            pass

        set_description_str = set_postfix_str = lambda *args, **options: None

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    oc.compare("rosenbrock", ["adam", "sgd:lr=1"], steps=20, seeds=2, progress=True)
    assert (bars[0].n, bars[0].total) == (80, 80)
    assert progress.Progress(3, False)._bar is None


def test_lbfgs_is_known_by_name():
    assert entries.entries("l-bfgs")[0].make is LBFGS


def test_names_in_one_string_as_on_the_command_line():
    one = oc.compare("beale", "sgd,adam:lr=0.1,eps=1e-6", steps=3)
    assert one.labels == oc.compare("beale", ["sgd", "adam:lr=0.1,eps=1e-6"], steps=3).labels
    assert len(one.labels) == 2
