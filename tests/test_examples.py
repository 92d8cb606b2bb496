"""The examples in percent format: each runs, and gives what its folder `expected` says.

Words are compared exactly, numbers within a tolerance, as BLAS differs from machine to machine;
times not at all. `python examples/expected.py` writes anew what is expected.

OPTCORE_SLOW_EXAMPLES=1 runs the slow ones too, and all of them as notebooks.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "examples"

if not (FOLDER / "expected.py").exists():
    pytest.skip("no examples here", allow_module_level=True)


def loaded(name: str) -> ModuleType:
    """A module of that folder, by its path: on sys.path its torch/ would pass for a package."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


expected = loaded("expected")  # which notebooks.py imports by this name

SLOW = {
    "keras/classifier",
    "keras/regression",
    "networks/four_optimizers",
    "optimizers/landscapes",
    "optimizers/sizes",
    "text/tiny_gpt",
    "tuning/mlp_classifier",
    "tuning/range_test",
    "tuning/skorch_search",
}
"""What takes more than about eight seconds."""

TOLERANCES = {
    "optimizers/sizes": 0.1,
}
"""Of numbers, as a part of them, where training magnifies rounding; elsewhere it is USUAL."""
USUAL = 0.02

EXTRA = {
    "IPython", "keras", "matplotlib", "optuna", "pandas", "PIL", "skorch", "sklearn", "torch",
    "tqdm",
}  # fmt: skip
"""What `pip install 'optcore[examples]'` brings along."""

LIMIT = 600  # seconds

EXAMPLES = expected.examples()
slow_ones = bool(os.environ.get("OPTCORE_SLOW_EXAMPLES"))


def params(slow: bool) -> list[object]:
    """The examples, as parameters of a test; `slow` says whether to leave out the slow ones."""
    skipped = pytest.mark.skipif(not slow_ones, reason="slow: OPTCORE_SLOW_EXAMPLES=1 runs it")
    names = {expected.name(script): script for script in EXAMPLES}
    return [
        pytest.param(script, id=name, marks=[skipped] if slow or name in SLOW else [])
        for name, script in names.items()
    ]


def imported(script: Path) -> set[str]:
    """The packages that a script imports, and the modules beside it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    for name in list(found):
        beside = script.parent / f"{name}.py"
        if beside.exists() and beside != script:
            found |= imported(beside)
    if "optcore" in found:  # whose pictures need it, and whose door needs the other
        found.add("matplotlib")
    return found


def needs(script: Path) -> None:
    """Skips where something of the extra is absent."""
    for module in sorted(imported(script) & EXTRA):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}: pip install 'optcore[examples]'")


# What is printed. --------------------------------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w.]*\w)", re.I)
TIMED = re.compile(rf"{NUMBER.pattern} ?(?:ns|µs|ms|s)(?!\w)")


def split(text: str) -> tuple[str, list[str]]:
    """The words of a text with a sign for each number, and the numbers. Widths do not count.

    Nor do lines that begin with ">": what a model says hangs on the last bit of its weights.
    """
    text = re.sub(r"^>.*\n?", "", text, flags=re.M)
    text = TIMED.sub("some time", text)
    words = NUMBER.sub("#", text)
    words = re.sub(r"-{2,}", "--", words)
    lines = [" ".join(line.split()) for line in words.strip().splitlines()]
    return "\n".join(lines), NUMBER.findall(text)


def place(number: str) -> float:
    """What one is worth in the last place of a number."""
    mantissa, _, exponent = number.lower().partition("e")
    _, _, decimals = mantissa.partition(".")
    return 10.0 ** (int(exponent or 0) - len(decimals))


def close(printed: str, wanted: str, tolerance: float) -> bool:
    """Whether two numbers are equal but for a part of them, or for the last place."""
    a, b = (float(text.replace("−", "-")) for text in (printed, wanted))
    if a != a or b != b:
        return a != a and b != b
    room = max(tolerance * abs(b), 1.001 * max(place(printed), place(wanted)))
    return abs(a - b) <= room


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        ("loss 0.981", "loss   0.985", True),
        ("loss 0.90", "loss 0.95", False),
        ("loss 0.01", "loss 0.02", True),  # the last place
        ("loss 1.20e-9", "loss 1.3e-9", True),
        ("loss 1.20e-9", "loss 1.30e-9", False),
        ("85.3 % of 360", "85.0 % of 361", True),
        ("SGD 1", "Adam 1", False),
        ("SGD\n1", "SGD 1", False),
        ("5 steps", "500 steps", False),
        ("it took 3.1 s", "it took 90 ms", True),
        ("Adam2 3x", "Adam3 3x", False),
        ("v1.2.3", "v1.2.4", False),
        ("a -1", "a 1", False),
        ("1 2", "1", False),
        ("-----", "---", True),
        ("it says:\n> a\n> b", "it says:\n> c", True),
        ("5 > 4", "5 > 40", False),
    ],
)
def test_how_prints_are_compared(printed: str, wanted: str, same: bool) -> None:
    (words, numbers), (wanted_words, wanted_numbers) = split(printed), split(wanted)
    found = words == wanted_words and all(
        close(a, b, USUAL) for a, b in zip(numbers, wanted_numbers, strict=True)
    )
    assert found == same


# What is drawn. ----------------------------------------------------------------------------------


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG or a GIF, by its header."""
    head = picture.read_bytes()[:24]
    if picture.suffix == ".png":
        assert head[:8] == b"\x89PNG\r\n\x1a\n", picture.name
        return struct.unpack(">II", head[16:24])
    assert head[:6] == b"GIF89a", picture.name
    return struct.unpack("<HH", head[6:10])


# How they are run. -------------------------------------------------------------------------------

BAD = {
    "a warning": ("import warnings; warnings.warn('an old way')", "an old way"),
    "an error": ("1 / 0", "ZeroDivisionError"),
    "another name": ("open('other.png', 'w').close()", "expected made.png"),
}


@pytest.mark.parametrize(("code", "why"), BAD.values(), ids=BAD)
def test_what_is_not_kept(code: str, why: str, tmp_path: Path) -> None:
    """Nothing is, of a script that fails, and it is said why."""
    script = tmp_path / "made.py"
    script.write_text(f"# %%\n{code}\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match=why):
        expected.keep(script)
    assert not list((tmp_path / "expected").glob("*"))


def test_what_is_kept_is_what_the_script_gave_last(tmp_path: Path) -> None:
    script = tmp_path / "made.py"
    for number in (1, 2):
        script.write_text(f"print('number', {number})", encoding="utf-8")
        expected.keep(script)
    (kept,) = (tmp_path / "expected").iterdir()
    assert kept.name == "made.txt"
    assert kept.read_text(encoding="utf-8") == "number 2\n"


# The examples. -----------------------------------------------------------------------------------


@pytest.mark.parametrize("script", params(slow=False))
def test_it_gives_what_is_expected(script: Path, tmp_path: Path) -> None:
    needs(script)
    kept = script.parent / "expected"
    printed = expected.run(script, tmp_path, LIMIT)
    wanted = (kept / f"{script.stem}.txt").read_text(encoding="utf-8")
    (words, numbers), (wanted_words, wanted_numbers) = split(printed), split(wanted)
    assert words == wanted_words, printed
    tolerance = TOLERANCES.get(expected.name(script), USUAL)
    far = [
        f"{a} instead of {b}"
        for a, b in zip(numbers, wanted_numbers, strict=True)
        if not close(a, b, tolerance)
    ]
    assert not far, printed
    drawn = {path.name: path for path in expected.pictures(tmp_path)}
    wanted_pictures = [path for path in expected.pictures(kept) if expected.belongs(path, script)]
    assert sorted(drawn) == [path.name for path in wanted_pictures]
    for path in wanted_pictures:
        assert size(drawn[path.name]) == pytest.approx(size(path), rel=0.1)


@pytest.mark.parametrize("script", params(slow=True))
def test_its_notebook_runs(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside its modules, as in Jupyter; but what it writes is not to lie there."""
    pytest.importorskip("jupytext")
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    needs(script)
    notebook = loaded("notebooks").notebook

    paths = [str(script.parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    made = notebook(script)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(made, timeout=LIMIT, kernel_name="python3", resources=where).execute()
    outputs = [each for cell in made.cells for each in cell.get("outputs", [])]
    assert not [each for each in outputs if each.output_type == "error"]
    assert any("image/png" in each.get("data", {}) for each in outputs), "no figure is shown"


# Their folders. ----------------------------------------------------------------------------------


@pytest.mark.parametrize("script", EXAMPLES, ids=expected.name)
def test_it_is_written_as_the_others_are(script: Path) -> None:
    """A title and a few words, then cells of code; listed where readers look for it."""
    text = script.read_text(encoding="utf-8")
    assert re.match(r"# %% \[markdown\]\n# # \S.*\n#\n# \S", text), "no title, or nothing below it"
    assert re.search(r"^# %%$", text, re.M), "no cell of code"
    readme = (script.parent / "README.md").read_text(encoding="utf-8")
    assert f"`{script.name}`" in readme, "it is not in the README"


def test_no_topic_passes_for_a_package() -> None:
    """On sys.path, examples/torch would be found where there is no torch, and nothing skipped."""
    assert FOLDER not in [Path(path).resolve() for path in sys.path]


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_every_example_has_what_is_expected() -> None:
    missing = [
        f"{expected.name(script)}{ending}"
        for script in EXAMPLES
        for ending in (".txt", ".png")
        if not (script.parent / "expected" / f"{script.stem}{ending}").exists()
    ]
    assert not missing, "run python examples/expected.py"


def test_what_is_expected_has_its_example() -> None:
    for file in FOLDER.glob("*/expected/*"):
        beside = [script for script in EXAMPLES if script.parent == file.parent.parent]
        assert any(expected.belongs(file, script) for script in beside), file


def test_pictures_that_are_kept_are_small_and_of_a_sane_size() -> None:
    for picture in FOLDER.glob("*/expected/*.png"):
        width, height = size(picture)
        assert 300 <= width <= 2000, picture
        assert 200 <= height <= 2000, picture
        assert 4_000 < picture.stat().st_size < 120_000, picture
    for picture in FOLDER.glob("*/expected/*.gif"):
        assert picture.stat().st_size < 1_500_000, picture


def test_the_lists_name_examples() -> None:
    names = {expected.name(script) for script in EXAMPLES}
    assert names >= SLOW
    assert names >= set(TOLERANCES)


def test_the_index_names_every_topic() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    for readme in FOLDER.glob("*/README.md"):
        assert f"({readme.parent.name}/README.md)" in index
