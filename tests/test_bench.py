"""`optcore bench`: what it runs, what it makes of the times, and what it says when it cannot."""

import json
import subprocess
import sys

import pytest

import optcore
from optcore import cli
from optcore.bench import chart, results, suite, table, targets
from optcore.bench.suite import Choice
from optcore.bench.targets import TARGETS, Outcome, Target

EXTRAS = {"pytest": "pytest", "pytest_benchmark": "pytest-benchmark", "matplotlib": "matplotlib"}


@pytest.fixture
def no_matplotlib_needed(monkeypatch):
    """The command finds a matplotlib, and no chart is drawn."""
    monkeypatch.setitem(sys.modules, "matplotlib", sys)
    monkeypatch.setattr(chart, "save", lambda races, path: path)


def benchmark(race, who, *seconds, moved=1000):
    """One turn, as pytest-benchmark writes it."""
    return {
        "group": race,
        "extra_info": {"who": who, "bytes": moved},
        "stats": {"data": list(seconds)},
    }


RESULTS = {
    "benchmarks": [
        benchmark("AdamW, float32, 16M, 2 threads", "optcore", 0.010, 0.011, moved=470_000_000),
        benchmark("AdamW, float32, 16M, 2 threads", "floor", 0.010),
        benchmark("AdamW, float32, 16M, 2 threads", "torch-fused", 0.015, 0.016, 0.018),
        benchmark("AdamW, float32, ten, 2 threads", "optcore", 1e-6, moved=280),
        benchmark("AdamW, float32, ten, 2 threads", "torch-fused", 4e-5, moved=280),
        benchmark("AdamW, float32, 16M, 2 threads", "optcore", 0.012, 0.013, moved=470_000_000),
        benchmark("of no concern", "numpy", 2.5),
    ],
    "rivals": {"versions": {"torch": "2.13.0", "optax": None}, "absent": {}},
}


# The benchmarks. -------------------------------------------------------------------------------


def test_every_target_has_a_race():
    there = {turn.race for turn in suite.turns(Choice())}
    assert {target.race for target in TARGETS} <= there


def test_all_contenders_take_a_turn_before_any_takes_another():
    turns = suite.turns(Choice(only="float32 and ten and (optcore or numpy)"))
    assert [turn.who for turn in turns] == 3 * ["optcore", "numpy"]
    assert {turn.file for turn in turns} == {"bench_adamw.py"}


def test_threads_and_quick_reach_the_benchmarks():
    def races(**choice):
        return {turn.race for turn in suite.turns(Choice(only="optcore and MLP", **choice))}

    own, on_three = races(), races(threads=(1, 3))
    assert "AdamW, float32, MLP, 2 threads" in own
    assert {"AdamW, float32, MLP, 1 thread", "AdamW, float32, MLP, 3 threads"} <= on_three
    assert "AdamW, float32, MLP, 2 threads" not in on_three
    everything, quick = (len(suite.turns(Choice(quick=quick))) for quick in (False, True))
    assert quick < everything / 2


def test_a_contender_that_computes_something_else_is_not_timed():
    code = (
        "import race, rivals, workload\n"
        "w = workload.Workload('24k')\n"
        "result = rivals.make('optcore', w).result\n"
        "wanted = [p.copy() for p in result]\n"
        "race.agree('someone', result, wanted, w)\n"
        "result[0][-1] += 1e-4\n"
        "race.agree('someone', result, wanted, w)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=suite.folder(), capture_output=True, text=True
    )
    assert done.stderr.count("AssertionError: someone disagrees with optcore after 3 steps") == 1
    assert "array 0 is 1.0e-04 off, expected 1.0e-06 or less" in done.stderr


@pytest.mark.usefixtures("no_matplotlib_needed")
def test_a_run_prints_tables_and_writes_the_times(tmp_path, capfd):
    out = tmp_path / "new" / "folder"
    only = "float32 and ten and (optcore or numpy or floor)"
    assert cli.main(["bench", "--quick", "--only", only, "--out", str(out)]) == 0
    printed = capfd.readouterr().out
    assert "bench_adamw.py: 3 turns" in printed
    assert "AdamW, float32, ten, 2 threads" in printed
    assert f"times: {out / 'results.json'}" in printed
    assert f"chart: {out / 'chart.png'}" in printed
    written = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (race,) = results.races(written)
    assert {"optcore", "numpy"} <= race.entries.keys() <= {"optcore", "numpy", "floor"}
    assert race.ratio("numpy") > 1
    facts = written["benchmarks"][0]["extra_info"]
    assert facts["bytes"] == 7 * 4 * 10
    assert facts["threads"] == 2
    assert facts["isa"] == optcore.isa()
    assert facts["GB/s"] > 0


# Arguments. ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_matplotlib_needed")
def test_list_shows_races_and_contenders_and_runs_nothing(capsys):
    assert cli.main(["bench", "--list", "--only", "optcore or numpy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("AdamW, float32, 16M, 2 threads")
    assert lines[at + 1].startswith("    optcore, ")
    assert "numpy" in lines[at + 1]
    assert max(map(len, lines)) <= table.WIDTH


@pytest.mark.usefixtures("no_matplotlib_needed")
@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--threads", "0"], ["--threads", "1 or more", "'0'"]),
        (["--threads", "two"], ["--threads", "whole number", "'two'"]),
        (["--threads"], ["--threads", "expected at least one argument"]),
        (["--only"], ["--only", "expected one argument"]),
        (["--only", "no such thing here"], ["expected names joined by", "'no such thing here'"]),
        (["--only", "quantum"], ["nothing has a name that fits 'quantum'", "--list"]),
        (["--speed", "9"], ["unrecognized arguments", "--speed"]),
    ],
)
def test_bad_arguments_are_explained(args, words, capsys):
    assert cli.main(["bench", *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    for word in words:
        assert word in captured.err


@pytest.mark.usefixtures("no_matplotlib_needed")
def test_a_folder_that_cannot_be_written_to_costs_no_time(tmp_path, capsys):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "folder"
    assert cli.main(["bench", "--only", "ten and optcore", "--out", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"optcore bench: cannot write to {path}: ")


@pytest.mark.parametrize("module", EXTRAS)
def test_a_missing_extra_says_what_to_install(module, capsys, monkeypatch):
    for name in EXTRAS:
        monkeypatch.setitem(sys.modules, name, None if name == module else sys)
    assert cli.main(["bench"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"optcore: bench needs {EXTRAS[module]}: pip install 'optcore[bench]'\n"


def test_the_benchmarks_have_to_be_somewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(suite, "_PACKAGE", tmp_path / "python" / "optcore")
    with pytest.raises(FileNotFoundError, match=r"expected the benchmarks in .* or .*benchmarks"):
        suite.folder()


# What is made of the times. --------------------------------------------------------------------


def test_turns_are_taken_together():
    race = results.races(RESULTS)[0]
    ours = race.entries["optcore"]
    assert ours.seconds == (0.010, 0.011, 0.012, 0.013)
    assert ours.median == pytest.approx(0.0115)
    assert ours.spread == pytest.approx(0.0015 / 0.0115)
    assert ours.gigabytes_per_second == pytest.approx(0.47 / 0.0115)
    assert race.entries["floor"].spread == 0
    assert [entry.who for entry in race.ranked()] == ["floor", "optcore", "torch-fused"]
    assert race.ratio("torch-fused") == pytest.approx(0.016 / 0.0115)
    assert race.ratio("optax") is None


def test_table_is_ranked_and_fits_a_terminal():
    lines = table.table(results.races(RESULTS)).splitlines()
    at = lines.index("AdamW, float32, 16M, 2 threads")
    assert [line.split()[0] for line in lines[at + 1 : at + 4]] == [
        "floor",
        "optcore",
        "torch-fused",
    ]
    assert lines[at + 2].split() == ["optcore", "11.50", "ms", "13.0", "%", "1.00", "40.9"]
    assert lines[at + 3].split() == ["torch-fused", "16.00", "ms", "9.4", "%", "1.39", "29.4"]
    assert lines[lines.index("of no concern") + 1].split() == [
        "numpy",
        "2.50",
        "s",
        "0.0",
        "%",
        "0.0",
    ]
    assert max(map(len, lines)) <= table.WIDTH


def test_targets_are_ratios_in_the_right_direction():
    race = "AdamW, float32, 16M, 2 threads"
    wanted = [
        Target(race, "floor", 1.05, at_most=True),
        Target(race, "floor", 1.15, at_most=True),
        Target(race, "torch-fused", 1.39),
        Target(race, "torch-fused", 1.4),
        Target(race, "optax", 1.0),
        Target("another", "torch-fused", 1.0),
    ]
    outcomes = list(targets.outcomes(results.races(RESULTS), wanted))
    assert [outcome.met for outcome in outcomes] == [False, True, True, False, False, False]
    measured = [outcome.measured for outcome in outcomes]
    assert measured[:4] == pytest.approx([1.15, 1.15, 16 / 11.5, 16 / 11.5])
    assert measured[4:] == [None, None]

    lines = table.targets(outcomes).splitlines()
    assert lines[2].split() == [*race.split(), "floor", "up", "to", "1.05", "1.15", "no"]
    assert lines[4].split() == [*race.split(), "torch-fused", "from", "1.39", "1.39", "yes"]
    assert "(2 more were not measured)" in lines
    assert all(len(line) <= table.WIDTH for line in lines)
    assert table.targets(outcomes[4:]) == "None of these workloads has a target."


def test_all_targets_fit_a_terminal():
    text = table.targets([Outcome(target, 12.34) for target in TARGETS])
    assert all(len(line) <= table.WIDTH for line in text.splitlines())


def test_who_is_missing_is_named():
    assert table.missing(RESULTS["rivals"]) == "not installed: optax"
    absent = {"versions": {}, "absent": {"deepspeed": "its C++ could not be built: no compiler"}}
    assert (
        table.missing(absent) == "deepspeed could not run: its C++ could not be built: no compiler"
    )
    assert table.missing({"versions": {"torch": "2.13.0"}, "absent": {}}) == ""


def test_files_are_merged():
    other = {
        "benchmarks": [benchmark("later", "optcore", 1.0)],
        "rivals": {"versions": {"torch": "2.13.0"}, "absent": {"numba": "reason"}},
    }
    both = suite.merged([RESULTS, other])
    assert len(both["benchmarks"]) == len(RESULTS["benchmarks"]) + 1
    assert both["rivals"]["absent"] == {"numba": "reason"}
    assert RESULTS["rivals"]["absent"] == {}


def test_chart_has_a_panel_for_each_race_with_ratios(tmp_path):
    pytest.importorskip("matplotlib")
    import matplotlib.image

    races = results.races(RESULTS)
    path = chart.save(races, tmp_path / "sub" / "chart.png")
    assert path == (tmp_path / "sub" / "chart.png").resolve()
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[1] > 1000
    with pytest.raises(ValueError, match="optcore itself was not timed"):
        chart.save(races[2:], path)
