"""The scripts of examples/torch: each runs, learns, and ends where torch.optim ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

FOLDER = Path(__file__).parents[1] / "examples" / "torch"
# How far apart the losses may be at the end of --quick, as a part of the loss. Both sides round
# differently in the last bit of a float32, which is all there is in three of them. In the fourth
# BatchNorm makes the biases before it useless: their gradients are nothing but rounding, and Adam
# takes whole steps along them.
SCRIPTS = {
    "batchnorm.py": 1e-5,
    "dropout.py": 1e-5,
    "cifar_cnn.py": 1e-3,
    "lstm_sentiment.py": 1e-5,
    "early_stopping.py": 1e-5,
}

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="no examples here")

ROW = re.compile(
    r"^(?P<side>optcore|torch\.optim) +(?P<before>[\d.]+) +(?P<after>[\d.]+)"
    r" +(?P<accuracy>[\d.]+) % +(?P<run>\d+) +(?P<best>\d+)"
    r" +(?P<all>[\d.]+) +(?P<in_step>[\d.]+) +(?P<step>\d+)$",
    re.M,
)


def output(script: str, *options: str, path: Path | None = None) -> str:
    """What a script prints. One thread, as others may keep the cores busy."""
    paths = [str(path)] if path else []
    paths += [os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else []
    done = subprocess.run(
        [sys.executable, str(FOLDER / script), *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(printed: str) -> dict[str, dict[str, float]]:
    """The numbers of the table, by side and column."""
    return {
        row["side"]: {name: float(text) for name, text in row.groupdict().items() if name != "side"}
        for row in ROW.finditer(printed)
    }


def test_every_script_is_here() -> None:
    found = {
        p.name for p in FOLDER.glob("*.py") if '__name__ == "__main__"' in p.read_text("utf-8")
    }
    assert found == {*SCRIPTS, "rate_schedules.py"}


@pytest.mark.parametrize(("script", "tolerance"), SCRIPTS.items())
def test_it_learns_and_agrees_with_torch(script: str, tolerance: float) -> None:
    printed = output(script, "--quick")
    table = rows(printed)
    assert set(table) == {"optcore", "torch.optim"}, printed
    ours, theirs = table["optcore"], table["torch.optim"]
    for side in (ours, theirs):
        assert side["after"] < 0.99 * side["before"], printed
        assert 1 <= side["best"] <= side["run"] <= 3
        assert 0 < side["in_step"] < side["all"] + 0.01
    assert ours["before"] == theirs["before"]
    assert ours["after"] == pytest.approx(theirs["after"], rel=tolerance)
    progress = re.findall(r"^epoch.* optcore ([\d.]+), torch\.optim ([\d.]+)$", printed, re.M)
    assert len(progress) == 3
    for our_loss, their_loss in progress:
        assert float(our_loss) == pytest.approx(float(their_loss), rel=tolerance, abs=1.01e-4)


CONTEST = re.compile(
    r"^(?P<name>\w+) +(?P<schedule>\w+) +(?P<ours>[\d.]+) +(?P<theirs>[\d.]+)"
    r" +(?P<constant>[\d.]+) +(?P<tested>[\d.]+) +(?P<constant_tested>[\d.]+)"
    r" +(?P<apart>[\de.-]+)$",
    re.M,
)


def test_schedules_agree_with_torch() -> None:
    printed = output("rate_schedules.py", "--epochs", "8")
    found = [match.groupdict() for match in CONTEST.finditer(printed)]
    assert [row["name"] for row in found] == ["SGD", "momentum", "RMSprop", "Adam"], printed
    for row in found:
        assert float(row["ours"]) == pytest.approx(float(row["theirs"]), rel=1e-5), printed
        assert float(row["ours"]) < 0.6  # it was about log 2
        assert row["ours"][:6] != row["constant"]  # the schedule does something
        assert float(row["apart"]) < 1e-4


@pytest.mark.parametrize("script", ["early_stopping.py", "rate_schedules.py"])
def test_pictures_are_drawn_where_asked(script: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "new" / "picture.png"
    printed = output(script, "--quick", "--picture", str(picture))
    assert f"the picture is in {picture}" in printed
    assert picture.stat().st_size > 4000


# What the scripts are made of. ------------------------------------------------------------------


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules of the examples can be imported."""
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.mark.usefixtures("examples")
def test_early_stopping_brings_a_whole_model_back() -> None:
    """The running statistics of BatchNorm included."""
    import optcore as oc
    import training

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    stopping = oc.EarlyStopping(training.views(model), patience=1)
    X = torch.randn(8, 3)
    model(X)
    assert not stopping.step(0.5)
    best = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        model(X + 1)
        for parameter in model.parameters():
            parameter.add_(1)
    assert not torch.equal(model[1].running_mean, best["1.running_mean"])
    assert stopping.step(0.6)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, best[name]), name


@pytest.mark.usefixtures("examples")
def test_the_parts_of_the_data_have_nothing_in_common() -> None:
    import training

    X = torch.arange(101)
    data = training.split(X, X)
    assert [len(part.y) for part in data] == [61, 20, 20]
    assert sorted(torch.cat([part.X for part in data]).tolist()) == X.tolist()
    seen = torch.cat([batch.X for batch in training.batched(data.train, 16, seed=1)])
    assert len(set(seen.tolist())) == 48  # three whole batches
    assert set(seen.tolist()) <= set(data.train.X.tolist())


CLAUSE = re.compile(
    r"the \w+ was(?P<turned> not)?(?: \w+)?? (?P<word>\w+)(?= and| but| alth| the|$)"
)


def read(text: str, kind: list[str], unkind: list[str]) -> bool:
    """Whether a sentence is kind, by the rules in the grammar's docstring."""
    first, *others = CLAUSE.finditer(text)
    decides = first if not others or "although" in text[first.end() :] else others[-1]
    assert (decides["word"] in kind) != (decides["word"] in unkind), text
    return (decides["word"] in kind) != bool(decides["turned"])


@pytest.mark.usefixtures("examples")
def test_the_grammar_keeps_to_its_rules() -> None:
    import sentences

    made = sentences.sentences(500, seed=3)
    assert len({text for text, _ in made}) == 500
    assert made == sentences.sentences(500, seed=3)
    for text, kind in made:
        assert read(text, sentences.KIND, sentences.UNKIND) == kind, text
    assert np.mean([kind for _, kind in made]) == pytest.approx(0.5, abs=0.1)
    for word in ("and", "but", "although", "not", *sentences.OPENINGS):
        assert any(word in text for text, _ in made), word


TORCHVISION = """
class transforms:
    ToTensor = Normalize = Compose = staticmethod(lambda *_: None)

class datasets:
    @staticmethod
    def CIFAR10(folder, train, download, transform):
        {body}
"""


@pytest.fixture
def torchvision(
    examples: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Puts a module in torchvision's place."""

    def put(source: str) -> None:
        (tmp_path / "torchvision.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "torchvision", raising=False)

    return put


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise ModuleNotFoundError('no torchvision here')", "no torchvision here"),
        ("raise RuntimeError('made for another torch')", "made for another torch"),
        (TORCHVISION.format(body="raise OSError('no network')"), "no network"),
    ],
)
def test_digits_where_cifar10_is_not_to_be_had(
    source: str,
    why: str,
    torchvision: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    import cifar_cnn

    torchvision(source)
    data = cifar_cnn.pictures(Path(), images=50, only_digits=False)
    assert capsys.readouterr().out == f"handwritten digits instead of CIFAR-10: {why}\n"
    assert data.train.X.shape == (30, 3, 32, 32)
    assert (data.train.X.min(), data.train.X.max()) == (-1, 1)


def test_cifar10_where_it_is(
    torchvision: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own test part is what is tested on."""
    import cifar_cnn

    torchvision(TORCHVISION.format(body="return [(float(k), int(train)) for k in range(100)]"))
    data = cifar_cnn.pictures(Path("here"), images=50, only_digits=False)
    assert capsys.readouterr().out == "CIFAR-10 from here\n"
    assert data.train.X.tolist() == list(range(30))
    assert data.valid.X.tolist() == list(range(30, 40))
    assert data.test.X.tolist() == list(range(10))
    assert [set(part.y.tolist()) for part in data] == [{1}, {1}, {0}]


@pytest.mark.usefixtures("examples")
def test_numbers_of_the_command_line_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    import side_by_side

    parser = side_by_side.options("What it does.\n\nMore.", epochs=7)
    assert (parser.description, parser.parse_args([]).epochs) == ("What it does.", 7)
    for text, words in (("0", "expected 1 or more, got 0"), ("x", "invalid whole number value")):
        with pytest.raises(SystemExit):
            parser.parse_args(["--epochs", text])
        assert words in capsys.readouterr().err
