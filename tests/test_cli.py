"""The command line: every option, every exit code, with and without a terminal."""

import os
import subprocess
import sys

import numpy as np
import pytest

import optcore
from optcore import cli
from optcore.commands import demo as command
from optcore.demo import progress
from optcore.demo.optimizers import CHOICES

EXTRAS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib", "tqdm": "tqdm"}
QUICK = ["demo", "--epochs", "1", "--batch-size", "100"]


@pytest.fixture
def extras():
    for module in EXTRAS:
        pytest.importorskip(module)


def optcore_process(*args, **env):
    return subprocess.Popen(
        [sys.executable, "-m", "optcore", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
    )


def table_rows(out):
    """The lines between the rule and the next empty line."""
    lines = out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("----")) + 1
    return lines[start : lines.index("", start)]


# The command itself. ---------------------------------------------------------------------------


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"optcore {optcore.__version__}\n"


def test_info_shows_what_a_report_needs(capsys):
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    for fact in (optcore.__version__, optcore.isa(), *optcore.available_isas()):
        assert fact in out
    for word in ("openmp", "threads", "cpu"):
        assert word in out.lower()


def test_no_command_shows_the_help(capsys):
    assert cli.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "info" in captured.err
    assert "demo" in captured.err


def test_help_names_every_option_and_optimizer(capsys):
    assert cli.main(["demo", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    for option in ("--optimizer", "--epochs", "--batch-size", "--seed", "--out"):
        assert option in out
    for name in CHOICES:
        assert name in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["train"], ["invalid choice", "train", "demo"]),
        (["info", "--color"], ["unrecognized arguments", "--color"]),
        (["demo", "--epochs", "0"], ["--epochs", "1 or more", "'0'"]),
        (["demo", "--epochs", "many"], ["--epochs", "whole number", "'many'"]),
        (["demo", "--epochs"], ["--epochs", "expected one argument"]),
        (["demo", "--batch-size", "-1"], ["--batch-size", "1 or more", "'-1'"]),
        (["demo", "--batch-size", "1.5"], ["--batch-size", "whole number", "'1.5'"]),
        (["demo", "--seed", "-1"], ["--seed", "0 or more", "'-1'"]),
        (["demo", "--out", "plot.jpg"], ["--out", ".png file or a directory", "'plot.jpg'"]),
        (["demo", "--optimizer", "adamm"], ["--optimizer", "did you mean adam or", "'adamm'"]),
        (["demo", "--optimizer", "momentum"], ["did you mean", "sgd-momentum"]),
        (["demo", "--optimizer", "zzz"], ["expected one of sgd, ", "pick one"]),
    ],
)
def test_bad_arguments_are_explained(args, words, capsys):
    assert cli.main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    for word in words:
        assert word in captured.err


@pytest.mark.parametrize("module", EXTRAS)
def test_a_missing_extra_says_what_to_install(module, capsys, monkeypatch):
    for name in EXTRAS:
        monkeypatch.setitem(sys.modules, name, None if name == module else sys)
    assert cli.main(["demo"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"optcore: demo needs {EXTRAS[module]}: pip install 'optcore[demo]'\n"


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = (
        f"import sys, optcore.cli as c; c.parser(); print(set({list(EXTRAS)}) & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_reader_that_leaves_causes_no_traceback():
    process = optcore_process("info", PYTHONUNBUFFERED="")
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1)


# The demo. -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("extras")
def test_as_a_program_on_a_stream_without_terminal_or_unicode(tmp_path):
    args = [*QUICK, "--optimizer", "adam", "--out", str(tmp_path)]
    process = optcore_process(*args, PYTHONIOENCODING="ascii")
    out, err = process.communicate()
    assert process.returncode == 0, err
    text = out.decode("ascii")
    assert "\r" not in text.replace(os.linesep, "\n")
    assert "Adam " in text
    assert "test accuracy" in text
    assert err == b""
    assert (tmp_path / command.PLOT_NAME).stat().st_size > 10_000


@pytest.mark.usefixtures("extras")
def test_every_optimizer_is_trained_by_default(tmp_path, monkeypatch, capsys):
    import matplotlib.image

    monkeypatch.chdir(tmp_path)
    assert cli.main(QUICK) == 0
    captured = capsys.readouterr()
    rows = table_rows(captured.out)
    assert len(rows) == len(CHOICES)
    for row, choice in zip(rows, CHOICES.values(), strict=True):
        assert row.startswith(choice.label)
        assert row.endswith(" x")
        assert "nan" not in row
        assert f"{choice.label:{progress.LABEL_WIDTH}} loss " in captured.out
    assert captured.err == ""
    path = tmp_path / command.PLOT_NAME
    assert captured.out.endswith(f"\nplot: {path}\n")
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 1000
    assert len(np.unique(pixels[..., 0])) > 50


@pytest.mark.usefixtures("extras")
def test_chosen_optimizers_in_any_spelling_once_each(tmp_path, capsys):
    names = ["AdamW", "SGD_Momentum", "adamw"]
    chosen = [part for name in names for part in ("--optimizer", name)]
    assert cli.main([*QUICK, *chosen, "--out", str(tmp_path)]) == 0
    rows = table_rows(capsys.readouterr().out)
    assert [row.split("  ")[0] for row in rows] == ["AdamW", "SGD, momentum"]


@pytest.mark.usefixtures("extras")
def test_epochs_batch_size_and_seed_reach_the_training(tmp_path, capsys):
    def lines(*more):
        args = ["demo", "--optimizer", "sgd", "--out", str(tmp_path), *more]
        assert cli.main(args) == 0
        return capsys.readouterr().out.splitlines()

    first = lines("--epochs", "2", "--batch-size", "1000", "--seed", "3")
    assert first[2] == "2 epochs of 2 mini-batches of up to 1000, seed 3"
    result = first[4]
    assert result.startswith("SGD ")
    assert lines("--epochs", "2", "--batch-size", "1000", "--seed", "3")[4] == result
    assert lines("--epochs", "2", "--batch-size", "1000", "--seed", "4")[4] != result
    assert lines("--epochs", "3", "--batch-size", "1000", "--seed", "3")[4] != result
    assert lines("--epochs", "2", "--batch-size", "500", "--seed", "3")[4] != result


@pytest.mark.usefixtures("extras")
@pytest.mark.parametrize("out", ["some.png", "SOME.PNG", "there", "new", "new/deep/one.png"])
def test_out_is_a_file_or_a_directory(out, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    path = tmp_path / out
    assert cli.main([*QUICK, "--optimizer", "sgd", "--out", str(path)]) == 0
    written = path if path.suffix else path / command.PLOT_NAME
    assert written.read_bytes().startswith(b"\x89PNG")
    assert f"plot: {written}" in capsys.readouterr().out


@pytest.mark.usefixtures("extras")
def test_an_unwritable_plot_costs_nothing_but_the_plot(tmp_path, capsys):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "plot.png"
    assert cli.main([*QUICK, "--optimizer", "sgd", "--out", str(path)]) == 1
    captured = capsys.readouterr()
    assert len(table_rows(captured.out)) == 1
    assert "plot:" not in captured.out
    assert captured.err.startswith(f"optcore demo: cannot write the plot to {path}: ")


@pytest.mark.usefixtures("extras")
def test_a_terminal_gets_bars_instead_of_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert cli.main([*QUICK, "--optimizer", "nadam", "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert "NAdam " in captured.err
    assert "1/1" in captured.err
    assert "loss" in captured.err
    assert "test accuracy" not in captured.out
    assert len(table_rows(captured.out)) == 1


@pytest.mark.usefixtures("extras")
@pytest.mark.parametrize("finished", [0, 2])
def test_an_interrupt_keeps_the_results_so_far(finished, tmp_path, monkeypatch, capsys):
    train, calls = progress.train, []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) > finished:
            raise KeyboardInterrupt
        return train(*args, **options)

    monkeypatch.setattr(progress, "train", interrupted)
    path = tmp_path / "plot.png"
    assert cli.main([*QUICK, "--out", str(path)]) == 130
    captured = capsys.readouterr()
    assert captured.err.strip() == "optcore: interrupted"
    assert not path.exists()
    if finished:
        assert [row.split("  ")[0] for row in table_rows(captured.out)] == ["SGD", "SGD, momentum"]
    else:
        assert "----" not in captured.out
