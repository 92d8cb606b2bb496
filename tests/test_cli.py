"""The command line: every option, every exit code, with and without a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import optcore
from optcore import cli
from optcore.commands import demo as command
from optcore.commands import schedule, schedule_options
from optcore.demo import progress
from optcore.demo.optimizers import CHOICES
from optcore.schedules import (
    WSD,
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    PiecewiseLinear,
    Polynomial,
    Sequential,
    Warmup,
    WarmupCosine,
    saving,
)

EXTRAS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib", "tqdm": "tqdm"}
QUICK = ["demo", "--epochs", "1", "--batch-size", "100"]
COSINE = ["schedule", "cosine", "--peak", "1"]


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


def test_the_folders_for_native_builds(capsys):
    """Each is printed alone on a line, to stand within $(...); without them the reason is said."""
    folders = {
        "--include-dir": ("optcore/optcore.h", optcore.get_include),
        "--cmake-dir": ("optcoreConfig.cmake", optcore.get_cmake_dir),
        "--pkgconfig-dir": ("optcore.pc", optcore.get_pkgconfig_dir),
    }
    for option, (holds, function) in folders.items():
        code = cli.main([option])
        captured = capsys.readouterr()
        try:
            folder = function()
        except FileNotFoundError:  # an extension that was built by hand
            assert code == 1
            assert "pip install" in captured.err
        else:
            assert code == 0
            assert captured.out == f"{folder}\n"
            assert Path(folder, holds).is_file()


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
        (["schedule"], ["required", "NAME"]),
        (["schedule", "cosin"], ["expected one of constant, ", "'cosin'", "did you mean cosine?"]),
        (["schedule", "zzz"], ["expected one of constant, ", "wsd", "'zzz'", "pick one"]),
        (["schedule", "cosine", "--peak", "1"], ["--exponent; add --total"]),
        (["schedule", "wsd"], ["add --peak and --warmup and --total and --decay"]),
        ([*COSINE, "--total", "many"], ["--total: expected a whole number, got 'many'"]),
        ([*COSINE, "--total", "9", "--end", "low"], ["--end: expected a number, got 'low'"]),
        ([*COSINE, "--total", "9", "--gamma", "1"], ["cosine: no parameter for --gamma"]),
        ([*COSINE, "--total", "9", "--start", "1"], ["cosine: no parameter for --start"]),
        ([*COSINE, "--total", "9", "--initial", "2"], ["cosine: no parameter for --peak"]),
        ([*COSINE, "--total", "9", "--warmup", "9"], ["--warmup: expected 0 to --total - 1 = 8"]),
        ([*COSINE, "--total", "0"], ["Cosine.total: expected at least 1"]),
        ([*COSINE, "--total", "9", "--steps", "0"], ["--steps", "1 or more", "'0'"]),
        ([*COSINE, "--total", "9", "--out", "x.pdf"], ["--out", ".png file or a directory"]),
        (["schedule", "constant", "--warmup", "-1", "--peak", "1"], ["Warmup.warmup: expected"]),
        (
            ["schedule", "multi-step", "--milestones", "1;2"],
            ["--milestones: expected whole numbers"],
        ),
        (["schedule", "{}"], ["NAME: expected to_dict() as JSON, got '{}'"]),
        (["schedule", "{"], ["NAME: expected to_dict() as JSON, got '{'"]),
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


# Schedules. ------------------------------------------------------------------------------------


def printed(out):
    """The heading and the columns of values that a schedule prints."""
    heading, *rows = (line.split("\t") for line in out.splitlines())
    assert heading[0] == "step"
    assert [row[0] for row in rows] == [str(k) for k in range(len(rows))]
    return heading[1:], [[float(v) for v in column] for column in zip(*rows, strict=True)][1:]


SEQUENCE = Sequential([Constant(0.5), Linear(1.0, 3)], [2])


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ("cosine --peak 3e-3 --total 20", Cosine(3e-3, 20)),
        (
            "cosine --peak 3e-3 --total 20 --end 1e-4 --exponent 2",
            Cosine(3e-3, 20, 1e-4, exponent=2),
        ),
        ("cosine --peak 3e-3 --warmup 5 --total 20", WarmupCosine(3e-3, 5, 20)),
        ("Warmup_Cosine --peak 3e-3 --warmup 5 --total 20", WarmupCosine(3e-3, 5, 20)),
        ("cosine --initial 1 --warmup 5 --start 0.5 --total 20", WarmupCosine(1, 5, 20, 0, 0.5)),
        ("linear --peak 1 --floor 0.5 --total 20", Linear(1.0, 20, 0.5)),
        ("constant --peak 2 --warmup 3", Warmup(3, Constant(2.0))),
        ("warmup --warmup 3 --shape log", Warmup(3, shape="log")),
        ("MultiStep --peak 1 --milestones 2,5 --gamma 0.5", MultiStep(1.0, [2, 5], 0.5)),
        ("exponential --peak 1 --decay 0.5 --decay-steps 3", Exponential(1.0, decay=0.5, steps=3)),
        (
            "inverse-time --peak 1 --decay 1 --decay-steps 4 --staircase",
            InverseTime(1.0, 1.0, steps=4, staircase=True),
        ),
        ("polynomial --peak 1 --total 5 --cycle", Polynomial(1.0, 5, cycle=True)),
        ("piecewise-linear --points 1,5 --levels 1,0.5", PiecewiseLinear([1, 5], [1.0, 0.5])),
        ("wsd --peak 1 --warmup 2 --total 20 --decay 5 --tail sqrt", WSD(1.0, 2, 20, 5, "sqrt")),
    ],
)
def test_options_are_the_parameters_of_a_schedule(args, wanted, capsys):
    assert cli.main(["schedule", *args.split(), "--steps", "25"]) == 0
    names, columns = printed(capsys.readouterr().out)
    assert names == [args.split()[0]]
    assert columns == [wanted.values(25).tolist()]


def test_a_schedule_as_json(capsys):
    assert cli.main(["schedule", json.dumps(SEQUENCE.to_dict()), "--steps", "7"]) == 0
    assert printed(capsys.readouterr().out) == ([repr(SEQUENCE)], [SEQUENCE.values(7).tolist()])


def test_several_schedules_share_the_options_that_they_have(capsys):
    args = ["cosine", "exponential", "--peak", "1", "--gamma", "0.5", "--total", "4"]
    assert cli.main(["schedule", *args]) == 0
    names, columns = printed(capsys.readouterr().out)
    assert names == ["cosine", "exponential"]
    assert columns == [Cosine(1.0, 4).values(5).tolist(), Exponential(1.0, 0.5).values(5).tolist()]
    assert cli.main(["schedule", "constant", "--value", "1"]) == 0
    assert len(printed(capsys.readouterr().out)[1][0]) == schedule.STEPS


def test_every_schedule_of_numbers_has_a_name():
    of_others = {"sequential", "product", "sum", "scaled", "shifted", "every", "clipped"}
    names = {name.replace("-", "_") for name in schedule_options.families()}
    assert names == set(saving.FAMILIES) - of_others
    assert cli.main(["schedule", "--help"]) == 0


@pytest.mark.parametrize("out", ["some.png", "there", "new/deep/one.png"])
def test_schedules_in_one_picture(out, tmp_path, capsys):
    image = pytest.importorskip("matplotlib.image")
    (tmp_path / "there").mkdir()
    path = tmp_path / out
    args = ["cosine", "linear", "rex", "--peak", "3e-3", "--warmup", "10", "--total", "100"]
    assert cli.main(["schedule", *args, "--out", str(path)]) == 0
    written = path if path.suffix else path / schedule.PLOT_NAME
    assert capsys.readouterr().out == f"plot: {written}\n"
    pixels = image.imread(written)[..., :3].reshape(-1, 3)
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0), (0, 0x9E, 0x73)):
        assert (np.abs(pixels * 255 - colour).max(axis=1) < 1).sum() > 100


def test_a_picture_and_numbers(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    args = [*COSINE, "--total", "3", "--print", "--out", str(tmp_path / "x.png")]
    assert cli.main(args) == 0
    *table, last = capsys.readouterr().out.splitlines()
    assert printed("\n".join(table))[1] == [Cosine(1.0, 3).values(4).tolist()]
    assert last == f"plot: {tmp_path / 'x.png'}"


def test_a_picture_that_cannot_be_written(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "x.png"
    assert cli.main([*COSINE, "--total", "3", "--out", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"optcore schedule: cannot write to {path}: ")


def test_numbers_need_no_matplotlib_and_a_picture_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main([*COSINE, "--total", "3"]) == 0
    capsys.readouterr()
    assert cli.main([*COSINE, "--total", "3", "--out", str(tmp_path / "x.png")]) == 1
    captured = capsys.readouterr()
    wanted = "optcore: schedule needs matplotlib: pip install 'optcore[plot]'\n"
    assert (captured.out, captured.err) == ("", wanted)
