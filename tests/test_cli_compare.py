"""`optcore compare` on the command line."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import optcore as oc
from optcore import cli
from optcore.commands import compare as command
from optcore.comparison import Result, training

QUICK = ["compare", "--problem", "rosenbrock", "--steps", "20"]
FILES = {command.JSON_NAME, command.RUNS_NAME, command.CURVES_NAME}


def said(errors):
    """What is on stderr, less that there is no chart where matplotlib is not installed."""
    return "".join(line for line in errors.splitlines(True) if "no chart: " not in line)


def test_the_table_and_the_files(tmp_path, capsys):
    args = [*QUICK, "--optimizers", "sgd,adam:lr=1e-3,eps=1e-6,lion", "--seeds", "2"]
    assert cli.main([*args, "--out", str(tmp_path / "new" / "folder")]) == 0
    captured = capsys.readouterr()
    assert said(captured.err) == ""
    assert captured.out.startswith("rosenbrock\n20 steps, 2 seeds\n")
    folder = tmp_path / "new" / "folder"
    assert f"written to {folder}: results.json, runs.csv, curves.csv" in captured.out
    assert {path.name for path in folder.iterdir()} >= FILES
    result = Result.from_json(folder / command.JSON_NAME)
    assert result.labels == ["SGD", "Adam eps=1e-06", "Lion"]
    assert captured.out.startswith(str(result))
    assert len((folder / command.RUNS_NAME).read_text(encoding="utf-8").splitlines()) == 7


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*QUICK, "--optimizers", "adam"]) == 0
    assert "Adam" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_eight_optimizers_by_default(capsys):
    assert cli.main([*QUICK, "--target", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "0.5" in out.splitlines()[4]
    result = oc.compare("rosenbrock", steps=1)
    assert len(result.labels) == 8
    assert all(f"\n{label} " in out for label in result.labels)


def test_the_default_problem_is_the_digits_mlp(capsys):
    pytest.importorskip("sklearn")
    args = ["compare", "--optimizers", "adam", "--epochs", "1"]
    assert cli.main([*args, "--target", "0.9", "--target-of", "metric"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digits-mlp: network 64-128-64-10 relu, 17226 float32 parameters")
    assert "until test accuracy" in out


def test_the_list_names_problems_and_optimizers(capsys):
    assert cli.main(["compare", "--list"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert {"problems:", "optimizers:", "himmelblau", "diabetes-linear", "prodigy"} <= set(lines)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--problem", "rosenbrok"], ["got 'rosenbrok'; did you mean rosenbrock?"]),
        (["--optimizers", "sgd,adamm"], ["got 'adamm'; did you mean adam"]),
        (["--optimizers", "adam:eps=1,lrr=2"], ["options of Adam: ", "got 'lrr'; did you mean lr"]),
        (["--optimizers", ","], ["optimizers: expected at least one"]),
        (["--seeds", "0"], ["--seeds", "1 or more", "'0'"]),
        (["--epochs", "2", "--steps", "2"], ["not allowed with argument"]),
        (["--target", "low"], ["--target", "invalid float value: 'low'"]),
        (["--target", "1", "--target-of", "metric"], ["rosenbrock has no metric"]),
    ],
)
def test_bad_arguments_are_explained(args, words, capsys):
    quick = QUICK[:3] if "--epochs" in args else QUICK
    assert cli.main([*quick, *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    for word in words:
        assert word in captured.err


def test_an_unwritable_folder_is_found_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "Training", None)
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "folder"
    assert cli.main([*QUICK, "--out", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"optcore compare: cannot write to {path}: ")


def test_results_are_not_lost_where_the_folder_becomes_unwritable(tmp_path, capsys, monkeypatch):
    folder, spare = tmp_path / "folder", tmp_path / "spare"
    folder.mkdir()
    (folder / command.JSON_NAME).mkdir()  # in the way of the file
    spare.mkdir()
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(spare))
    assert cli.main([*QUICK, "--optimizers", "adam", "--out", str(folder)]) == 1
    captured = capsys.readouterr()
    assert "Adam" in captured.out
    assert f"cannot write to {folder}" in captured.err
    assert f"the results are in {spare} instead" in captured.err
    assert {path.name for path in spare.iterdir()} >= FILES


def test_ctrl_c_prints_and_writes_what_there_is(tmp_path, capsys, monkeypatch):
    train, calls = training.Training.train, []

    def interrupted(self):
        calls.append(self)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return train(self)

    monkeypatch.setattr(training.Training, "train", interrupted)
    assert cli.main([*QUICK, "--out", str(tmp_path)]) == 130
    captured = capsys.readouterr()
    assert said(captured.err).strip() == "optcore: interrupted"
    assert "interrupted: 3 of 8 runs" in captured.out
    saved = json.loads((tmp_path / command.JSON_NAME).read_text(encoding="utf-8"))
    assert [run["label"] for run in saved["runs"]] == ["SGD", "Momentum", "Adagrad"]


def test_missing_data_say_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert cli.main(["compare"]) == 1
    captured = capsys.readouterr()
    assert "needs scikit-learn: pip install 'optcore[demo]'" in captured.err


def test_a_chart_where_there_is_matplotlib(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert cli.main([*QUICK, "--seeds", "2", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.rstrip().endswith(command.CHART_NAME)
    assert (tmp_path / command.CHART_NAME).read_bytes().startswith(b"\x89PNG")


def test_no_chart_without_matplotlib(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main([*QUICK, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES
    captured = capsys.readouterr()
    assert captured.out.rstrip().endswith(command.CURVES_NAME)
    assert captured.err.strip() == (
        "optcore compare: no chart: the chart needs matplotlib: pip install 'optcore[plot]'"
    )


def test_a_chart_that_fails_costs_nothing_else(tmp_path, capsys, monkeypatch):
    def fails(self, ax):
        raise ValueError("no such backend")

    pytest.importorskip("matplotlib")
    monkeypatch.setattr(Result, "plot", fails)
    assert cli.main([*QUICK, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES
    captured = capsys.readouterr()
    assert "no chart: no such backend" in captured.err
    assert "Adam" in captured.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("where", ["full", "gone"])
def test_files_are_written_though_the_table_can_not_be_printed(where, tmp_path):
    command_line = [sys.executable, "-m", "optcore", *QUICK, "--out", str(tmp_path)]
    read, write = os.pipe()
    os.close(read)  # nobody reads
    with open("/dev/full" if where == "full" else write, "w") as out:
        done = subprocess.run(command_line, stdout=out, stderr=subprocess.PIPE, text=True)
    if where == "full":
        os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("No space left on device" in done.stderr) == (where == "full")
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_file_in_the_way_of_the_folder_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main([*QUICK, "--out", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.endswith("file: it is there, and no folder\n")
