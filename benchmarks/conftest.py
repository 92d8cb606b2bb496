"""How a bench_*.py is run: its RACES become one benchmark per turn of a contender."""

from __future__ import annotations

import gc
import time

import pytest
import rivals
from heats import Heat, heats

ROUND = 1e-3  # seconds; shorter steps are repeated to fill it
LAP, QUICK_LAP = 0.2, 0.07  # seconds of timing per turn
ROUNDS = (3, 60)

absent: dict[str, str] = {}


def pytest_addoption(parser):
    group = parser.getgroup("optcore")
    group.addoption("--quick", action="store_true", help="one short lap, no large models")
    group.addoption("--threads", type=int, action="append", help="instead of each race's own")


def pytest_generate_tests(metafunc):
    config = metafunc.config
    turns = heats(metafunc.module.RACES, config.option.threads or [], config.option.quick)
    metafunc.parametrize("heat", turns, ids=str)


@pytest.fixture(scope="session")
def prepared():
    """Contenders that wait for their next turn: those of the current race, if it is a small one."""
    return Prepared()


class Prepared:
    def __init__(self):
        self.race, self.steps = None, {}

    def step(self, heat):
        if heat.race != self.race:
            self.race, self.steps = heat.race, {}
        gc.collect()  # the contender before has large buffers, and may hold itself in a cycle
        if heat.who in self.steps:
            return self.steps[heat.who]
        step = heat.race.prepare(heat.who)
        if heat.race.small:
            self.steps[heat.who] = step
        return step


@pytest.fixture
def turn(benchmark, prepared, pytestconfig):
    """Times one turn and notes what is needed to make sense of the time."""

    def take(heat: Heat) -> None:
        race = heat.race
        try:
            step = prepared.step(heat)
        except rivals.AbsentError as error:
            absent[heat.who] = str(error)
            pytest.skip(f"{heat.who}: {error}")
        benchmark.group = race.title
        rounds, iterations = plan(step, QUICK_LAP if pytestconfig.option.quick else LAP)
        benchmark.pedantic(step, rounds=rounds, iterations=iterations)
        import optcore

        benchmark.extra_info.update(
            who=heat.who,
            lap=heat.lap,
            elements=race.elements,
            bytes=race.bytes,
            threads=race.threads,
            isa=optcore.isa(),
        )
        if benchmark.stats:  # there are none under --benchmark-disable
            benchmark.extra_info["GB/s"] = race.bytes / benchmark.stats["median"] / 1e9

    return take


def plan(step, seconds):
    """How many rounds of how many steps fill the time, measured by a few steps."""
    repeats, taken = 1, 0.0
    while taken < ROUND:
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        taken = time.perf_counter() - start
        repeats *= 2
    once = 2 * taken / repeats
    iterations = max(1, round(ROUND / once))
    least, most = ROUNDS
    return min(most, max(least, round(seconds / (once * iterations)))), iterations


def pytest_benchmark_update_json(output_json):
    """Who could take part, beside the times."""
    output_json["rivals"] = {"versions": rivals.packages(), "absent": absent}
