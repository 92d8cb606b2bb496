"""Runs examples and keeps what they give, in <topic>/expected: what they print, and their pictures.

python examples/expected.py                      all of them
python examples/expected.py optimizers           those of a topic
python examples/expected.py optimizers/paths     one

An example is a script in jupytext's percent format, <topic>/<name>.py; it begins with "# %%".
tests/test_examples.py runs each and compares.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PICTURES = (".png", ".gif")


def examples() -> list[Path]:
    """All scripts in percent format, by topic and name."""
    scripts = sorted(HERE.glob("*/*.py"))
    return [path for path in scripts if path.read_text(encoding="utf-8").startswith("# %%")]


def name(script: Path) -> str:
    """What an example is called: topic/name."""
    return f"{script.parent.name}/{script.stem}"


def run(script: Path, folder: Path, timeout: float | None = None) -> str:
    """What an example prints. Its pictures go to `folder`.

    Without a display, on one thread, and every warning is an error. In a process of its own, as a
    reader would run it.
    """
    hidden = ("MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY")
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    set_here = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**kept, **set_here},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name(script)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in PICTURES)


def belongs(file: Path, script: Path) -> bool:
    """Whether a file in expected/ is that script's: its name, or it and more after a dash."""
    return file.stem == script.stem or file.stem.startswith(f"{script.stem}-")


def keep(script: Path) -> None:
    """Runs an example, and puts what it gives in place of what is kept."""
    target = script.parent / "expected"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        printed = run(script, Path(folder))
        drawn = pictures(Path(folder))
        for picture in drawn:
            if not belongs(picture, script):
                raise RuntimeError(
                    f"{name(script)} wrote {picture.name}: expected {script.stem}.png, or "
                    f"{script.stem}-….png where there are several"
                )
        for file in list(target.iterdir()):
            if belongs(file, script):
                file.unlink()
        (target / f"{script.stem}.txt").write_text(printed, encoding="utf-8")
        for picture in drawn:
            shutil.copy(picture, target)
            if picture.suffix == ".png":
                make_small(target / picture.name)


def make_small(picture: Path) -> None:
    """Writes a PNG anew in 256 colours, which drawings can do with."""
    from PIL import Image

    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


def chosen(wanted: list[str]) -> list[Path]:
    """The examples that are named, all of them without a name."""
    found = examples()
    for each in wanted:
        if not any(each in (name(script), script.parent.name) for script in found):
            raise SystemExit(f"no example {each!r}: there are {', '.join(map(name, found))}")
    return [s for s in found if not wanted or name(s) in wanted or s.parent.name in wanted]


if __name__ == "__main__":
    for script in chosen(sys.argv[1:]):
        began = time.perf_counter()
        keep(script)
        print(f"{name(script)}: {time.perf_counter() - began:.1f} s", flush=True)
