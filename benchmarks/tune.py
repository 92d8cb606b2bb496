"""Finds by measurement what the core has as constants, and prints a table for each.

    python benchmarks/tune.py
    python benchmarks/tune.py --chunks 256 512 1024 2048     builds the core anew for each

How many elements make threads worth while is `kSerialBelow` in cpp/engine/threads.h; how far apart
the arrays of a step should lie is decided in cpp/engine/placement.cpp; how many elements are
converted at a time is `kChunk` in cpp/kernels/tile.h. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import optcore as oc

Array = np.ndarray[Any, Any]

ROUNDS = 7
LAPS = 3  # each with new memory, as the pages that the system hands out make a difference too
LARGE = 1 << 24
BASE = 1 << 16  # distances count modulo this
DISTANCES = (0, 64, 1024, 4096, 8192, 12288, 16384, 20480, 24576, 32768)


def seconds(step: Callable[[], object]) -> float:
    """Seconds per step: the median of a few rounds of two milliseconds or more."""
    step()
    start = time.perf_counter()
    step()
    repeats = max(1, round(2e-3 / (time.perf_counter() - start)))
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        rounds.append((time.perf_counter() - start) / repeats)
    return statistics.median(rounds)


def threads() -> None:
    """AdamW on one thread and on two: where two begin to pay.

    The core itself runs fewer than `kSerialBelow` elements on one thread whatever is asked, so the
    gain is 1 there; just above it should be more than 1, but not by much.
    """
    print("AdamW, float32, one tensor: one thread or two\n")
    print(f"{'elements':>10}{'1 thread':>14}{'2 threads':>14}{'gain':>8}")
    for size in sorted(factor << k for factor in (2, 3) for k in range(11, 20)):
        g = np.full(size, 0.5, np.float32)
        alone, both = (seconds(stepper(np.ones_like(g), g, n)) for n in (1, 2))
        print(f"{size:10}{1e6 * alone:11.2f} µs{1e6 * both:11.2f} µs{alone / both:8.2f}")


def stepper(p: Array, g: Array, threads: int) -> Callable[[], object]:
    """A step of an optimizer, which places its state itself."""
    optimizer = oc.AdamW(p, threads=threads)
    return lambda: optimizer.step(g)


def placement() -> None:
    """AdamW on large arrays: the moments at a distance and at twice the distance from p."""
    print(f"\nAdamW, float32, {LARGE} elements: moments so far from p, modulo {BASE} bytes\n")
    print(f"{'first':>10}{'second':>10}{'1 thread':>14}{'2 threads':>14}")
    found: dict[tuple[int, int], list[float]] = {}
    for _ in range(LAPS):
        p, g = (np.full(LARGE, 0.5, np.float32) for _ in range(2))
        memory = np.zeros(2 * (p.nbytes + BASE), np.uint8)
        for distance in DISTANCES:
            m = behind(p, distance, memory)
            v = behind(p, 2 * distance, memory[p.nbytes + BASE :])
            for n in (1, 2):
                found.setdefault((distance, n), []).append(seconds(moved(p, g, m, v, n)))
    for distance in DISTANCES:
        times = (statistics.median(found[distance, n]) for n in (1, 2))
        print(f"{distance:10}{2 * distance:10}" + "".join(f"{1e3 * t:11.2f} ms" for t in times))


def behind(p: Array, distance: int, memory: Array) -> Array:
    """An array like p in some memory, that far behind p modulo the base."""
    start = (p.ctypes.data + distance - memory.ctypes.data) % BASE
    array = memory[start : start + p.nbytes].view(p.dtype)
    array[:] = 0
    return array


def moved(p: Array, g: Array, m: Array, v: Array, threads: int) -> Callable[[], object]:
    """A step on arrays that lie where they lie."""
    return lambda: oc.ops.adamw_(p, g, m, v, step=1, threads=threads)


CONVERTED: dict[str, dict[str, Any]] = {
    "8-bit state": {"state_dtype": "8bit"},
    "average": {"ema": oc.EMA(0.999)},
    "statistics": {"stats": True},
}


def chunks(sizes: list[int]) -> None:
    """Steps that go through `kernels/tile.h`, by a core built for each size of chunk."""
    print("AdamW, float32, one thread, ns per element; in a core's own cache / in memory\n")
    print(f"{'chunk':>10}" + "".join(f"{name:>18}" for name in CONVERTED))
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            settings = (
                f"cmake.define.CMAKE_CXX_FLAGS=-DOPTCORE_CHUNK={size}",
                f"build-dir={folder}/build",
            )
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
            source = str(Path(__file__).resolve().parents[1])
            options = [f"--config-settings={setting}" for setting in settings]
            subprocess.run([*pip, folder, source, *options], check=True)
            times = subprocess.run(
                [sys.executable, __file__, "--chunk-times"],
                env={**os.environ, "PYTHONPATH": folder},
                check=True,
                capture_output=True,
                text=True,
            )
        print(f"{size:10}{times.stdout.rstrip()}", flush=True)


def chunk_times() -> None:
    """One row of that table, for the core that is installed."""
    for options in CONVERTED.values():
        row = []
        for size in (8192, LARGE):
            p, g = np.ones(size, np.float32), np.full(size, 0.5, np.float32)
            optimizer = oc.AdamW(p, threads=1, **options)
            optimizer.bind(g)
            row.append(f"{1e9 * seconds(optimizer.step) / size:.2f}")
        print(f"{' / '.join(row):>18}", end="")
    print()


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chunks", type=int, nargs="+", metavar="N", default=[])
    parser.add_argument("--chunk-times", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.chunk_times:
        chunk_times()
    elif args.chunks:
        chunks(args.chunks)
    else:
        threads()
        placement()


if __name__ == "__main__":
    main()
