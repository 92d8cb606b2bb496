"""What optcore does to its process, and what the process may do to it: forks, threads, signals,
floating-point modes, other libraries, memory. Each test runs a program of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import optcore as oc

LIMIT = 20
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

# What the programs share. `digest` steps a million elements in as many threads as it is told.
COMMON = """
import ctypes, hashlib, mmap, os, signal, sys, threading, time
import numpy as np
import optcore as oc

def digest(threads=None, n=1_000_000, steps=2):
    rng = np.random.default_rng(0)
    w = rng.normal(size=n).astype(np.float32)
    opt = oc.AdamW([w, np.ones(3)], lr=0.01, clip_norm=1.0, threads=threads)
    g = rng.normal(size=n).astype(np.float32)
    for _ in range(steps):
        opt.step([g, np.ones(3)])
    return hashlib.sha256(w.tobytes() + opt.state["0"]["exp_avg_sq"].tobytes()).hexdigest()
"""

# Reads and sets the floating-point control register, in six bytes of machine code.
MXCSR = """
def code(data):
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(data)
    pages.append(page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32))(address)

pages = []
store, fetch = code(b"\\x0f\\xae\\x1f\\xc3"), code(b"\\x0f\\xae\\x17\\xc3")

def mode():
    value = ctypes.c_uint32()
    store(ctypes.byref(value))
    return value.value & ~0x3F  # without the sticky flags

def set_mode(value):
    fetch(ctypes.byref(ctypes.c_uint32(value)))

FTZ = 0x8040  # flush to zero, denormals are zero
"""


def run(
    program: str,
    *,
    common: str = COMMON,
    limit: float = LIMIT,
    file: Path | None = None,
    **environment: str,
) -> str:
    """What a Python program prints. It has to end well, and in time."""
    text = common + textwrap.dedent(program)
    if file is not None:
        file.write_text(text)
    command = [sys.executable, *(["-c", text] if file is None else [str(file)])]
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert done.returncode == 0, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def x86_register() -> bool:
    import platform

    return platform.machine().lower() in ("x86_64", "amd64") and not sys.platform.startswith("win")


on_x86 = pytest.mark.skipif(not x86_register(), reason="sets the x86 register by machine code")


# Forks. -----------------------------------------------------------------------------------------

FORK = """
def child_digest():
    # The digest of a step in a forked child, through a pipe.
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(into, digest().encode())
        finally:
            os._exit(0)
    os.close(into)
    text = b""
    while part := os.read(out, 1000):
        text += part
    os.close(out)
    os.waitpid(child, 0)
    return text.decode()
"""


@forking
def test_fork_after_a_parallel_step():
    run(
        """
        want = digest(2)
        for _ in range(20):
            assert child_digest() == want
            assert digest(2, n=100_000, steps=1)  # the parent goes on in parallel
        assert not oc._core.in_forked_child()
        """,
        common=COMMON + FORK,
    )


@forking
def test_fork_from_another_thread():
    run(
        """
        want, got = digest(2), []
        for _ in range(5):
            thread = threading.Thread(target=lambda: got.append(child_digest()))
            thread.start()
            thread.join()
        assert got == [want] * 5
        """,
        common=COMMON + FORK,
    )


@forking
def test_fork_while_another_thread_steps():
    run(
        """
        want, stop = digest(2), threading.Event()

        def work():
            opt, g = oc.SGD(np.ones(200_000)), np.ones(200_000)
            while not stop.is_set():
                opt.step(g)

        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(5):
            assert child_digest() == want
        stop.set()
        thread.join()
        """,
        common=COMMON + FORK,
    )


@forking
def test_fork_in_a_fork():
    run(
        """
        want = digest(2)
        first = os.fork()
        if first == 0:
            ok = digest() == want and child_digest() == want and digest(4) == want
            os._exit(0 if ok else 1)
        assert os.waitpid(first, 0)[1] == 0
        """,
        common=COMMON + FORK,
    )


METHODS = ["fork", "forkserver", "spawn"] if hasattr(os, "fork") else ["spawn"]


@pytest.mark.parametrize("method", METHODS)
def test_multiprocessing(method, tmp_path):
    run(
        f"""
        import multiprocessing

        def work(threads):
            return digest(threads)

        if __name__ == "__main__":
            want = digest(2)
            context = multiprocessing.get_context({method!r})
            with context.Pool(2) as pool:
                assert pool.map(work, [None, 1, 2, 3]) == [want] * 4
            assert digest(2) == want
        """,
        file=tmp_path / "program.py",
        limit=2 * LIMIT,
    )


# Threads. ---------------------------------------------------------------------------------------

THREADS = """
def threads_now():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("Threads:")).split()[1])
"""


@linux
def test_import_starts_no_thread():
    run(
        """
        import numpy as np
        before = threads_now()
        import optcore as oc
        assert threads_now() == before
        w = np.ones(1000)
        oc.Adam(w, threads=4).step(w * 2)
        assert threads_now() == before  # nor does a small step
        """,
        common=THREADS,
    )


@linux
def test_omp_num_threads():
    program = """
        before = threads_now()
        oc.SGD(np.ones(1_000_000)).step(np.ones(1_000_000))
        print(oc.get_num_threads(), threads_now() - before)
        """
    if not oc._core.openmp:
        pytest.skip("built without OpenMP")
    for number in (1, 2, 3):
        out = run(program, common=COMMON + THREADS, OMP_NUM_THREADS=str(number))
        used, started = map(int, out.split())
        assert used <= number  # a container's quota may allow fewer
        assert started == used - 1
    assert run(program, common=COMMON + THREADS, OMP_NUM_THREADS="1") == "1 0"


def test_threadpoolctl():
    pytest.importorskip("threadpoolctl")
    if not oc._core.openmp:
        pytest.skip("built without OpenMP")
    run(
        """
        import threadpoolctl
        kinds = [pool["user_api"] for pool in threadpoolctl.threadpool_info()]
        assert "openmp" in kinds
        before = oc.get_num_threads()
        with threadpoolctl.threadpool_limits(1):
            assert oc.get_num_threads() == 1
        with threadpoolctl.threadpool_limits(1, user_api="openmp"):
            assert oc.get_num_threads() == 1
        assert oc.get_num_threads() == before
        """
    )


def test_more_threads_than_there_can_be():
    """A number that no system can start is no reason to end the process."""
    run(
        """
        want = digest(2)
        try:
            assert digest(1_000_000) == want
        except (MemoryError, RuntimeError, ValueError) as error:
            assert "threads" in str(error)
        assert digest(2) == want
        """
    )


def test_leaving_while_a_thread_steps():
    """The interpreter may end while a daemon thread is inside a step."""
    for _ in range(5):
        run(
            """
            def work():
                opt, g = oc.SGD(np.ones(300_000)), np.ones(300_000)
                while True:
                    opt.step(g)

            for _ in range(2):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.02)
            """
        )


def test_optimizers_in_many_threads():
    """Different optimizers step at the same time, with the bits of one alone."""
    run(
        """
        want, got = digest(1), []
        threads = [threading.Thread(target=lambda: got.append(digest(2))) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert got == [want] * 4
        """
    )


# The floating-point mode. -----------------------------------------------------------------------


@on_x86
def test_import_leaves_the_floating_point_mode():
    run(
        """
        import ctypes, mmap, threading
        import numpy as np
        """
        + MXCSR.replace("\n", "\n        ")
        + """
        def tiny():
            return np.float32(1e-45) * np.float32(1), np.float64(5e-324) * np.float64(1), mode()

        before = tiny()
        assert 0 not in before
        import optcore as oc
        assert tiny() == before
        w = np.ones(1_000_000)
        oc.Adam(w, threads=2).step(w * 2)
        assert tiny() == before
        seen = []
        thread = threading.Thread(target=lambda: seen.append(tiny()))
        thread.start()
        thread.join()
        assert seen == [before]
        """,
        common="",
    )


@on_x86
def test_the_callers_mode_holds_in_all_threads():
    """Flush-to-zero on or off: the same bits for any number of threads, and the mode is left."""
    run(
        """
        def moments(threads):
            # Gradients whose squares, and averages which, fall below the normal numbers.
            w = np.zeros(500_000, np.float32)
            g = np.linspace(1e-23, 1e-18, w.size).astype(np.float32)
            opt = oc.Adam(w, lr=1e-30, betas=(0.9, 0.999), eps=1e-30, threads=threads)
            for _ in range(3):
                opt.step(g)
            return w.tobytes() + b"".join(s.tobytes() for s in opt.state[""].values())

        plain = mode()
        default = {t: moments(t) for t in (1, 2, 4)}
        set_mode(plain | FTZ)
        flushed = {t: moments(t) for t in (1, 2, 4)}
        kept = mode()
        set_mode(plain)
        again = {t: moments(t) for t in (1, 2, 4)}
        assert kept == plain | FTZ
        assert mode() == plain
        assert default[1] == default[2] == default[4]
        assert flushed[1] == flushed[2] == flushed[4]
        assert default[1] != flushed[1]
        assert again == default
        """,
        common=COMMON + MXCSR,
    )


# Signals. ---------------------------------------------------------------------------------------


@linux
def test_interrupts():
    """Ctrl-C comes through soon, and only whole steps have been taken."""
    run(
        """
        import random
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
        random.seed(0)
        w, g = np.zeros(2_000_000), np.ones(2_000_000)
        opt = oc.SGD([w], lr=1.0, momentum=0.0, clip_value=5.0)
        sent = [0.0]

        def interrupt(delay):
            time.sleep(delay)
            sent[0] = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

        for _ in range(20):
            thread = threading.Thread(target=interrupt, args=(random.uniform(0.001, 0.05),))
            try:
                thread.start()
                while True:
                    opt.step([g])
            except KeyboardInterrupt:
                late = time.monotonic() - sent[0]
            thread.join()
            assert late < 0.5, late
            assert w[0] == -opt.step_count and np.all(w == w[0])
        assert opt.step_count > 20
        """,
        limit=2 * LIMIT,
    )


# Sub-interpreters and other libraries. ----------------------------------------------------------


def test_sub_interpreters_are_refused():
    """The extension has state for the process: in a second interpreter the import fails."""
    inner = textwrap.dedent(
        """
        import warnings
        warnings.simplefilter("ignore")
        try:
            import optcore
        except ImportError:
            print("ImportError", flush=True)
        else:
            print("imported", flush=True)
        """
    )
    out = run(
        f"""
        try:
            import _interpreters as interpreters
            runs = lambda i, text: interpreters.exec(i, text)
        except ImportError:
            try:
                import _xxsubinterpreters as interpreters
                runs = lambda i, text: interpreters.run_string(i, text)
            except ImportError:
                print("none")
                raise SystemExit
        runs(interpreters.create(), {inner!r})
        """,
        common="",
        limit=10,
    )
    if out == "none":
        pytest.skip("this Python cannot make sub-interpreters")
    assert out.splitlines()[-1] == "ImportError"


ORDERS = list(itertools.permutations(["torch", "sklearn.metrics", "optcore"]))


@pytest.fixture(scope="module")
def imports() -> dict[tuple[str, ...], tuple[int, str, str]]:
    """For every order of imports, what a program printed that uses all three in parallel."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    body = textwrap.dedent(
        """
        import numpy as np
        x = np.random.default_rng(0).normal(size=(2000, 20))
        torch.tensor(x) @ torch.tensor(x.T)
        sklearn.metrics.pairwise_distances_argmin(x, x[:50])
        want = digest(1)
        assert digest(2) == want
        torch.tensor(x) @ torch.tensor(x.T)
        sklearn.metrics.pairwise_distances_argmin(x, x[:50])
        assert digest(3) == want
        print(want)
        """
    )
    results = {}
    for two in zip(ORDERS[::2], ORDERS[1::2], strict=True):
        running = {}
        for order in two:
            first = "".join(f"import {name}\n" for name in order)
            running[order] = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", first + COMMON + body],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        for order, process in running.items():
            out, errors = process.communicate(timeout=3 * LIMIT)
            results[order] = (process.returncode, out.strip(), errors)
    return results


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_beside_torch_and_sklearn(order, imports):
    """Whichever library brings its OpenMP first: no abort, the same bits."""
    code, out, errors = imports[order]
    assert code == 0, errors
    assert out == run("print(digest(1))")


# Memory. ----------------------------------------------------------------------------------------


@linux
def test_memory_does_not_grow():
    out = run(
        """
        import gc

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * mmap.PAGESIZE

        def params():
            return {"W": np.ones((3, 4)), "l": [np.ones(5, np.float32)], "s": np.array(1.0)}

        def passed():
            opt = oc.Adam(params(), clip_norm=1.0)
            g = {"W": np.ones((4, 3)).T, "l": [np.ones(5)], "s": np.float32(1.0)}
            return lambda: opt.step(g)

        def bound():
            opt = oc.NAdam(params(), lr=lambda k: 0.1)
            opt.bind(params())
            return opt.step

        def rebound():
            opt = oc.SGD(params(), momentum=0.5)
            g = params()
            g["l"] = [np.ones(5)]
            return lambda: opt.bind(g)

        def failing():
            opt = oc.SGD(params())
            g = {**params(), "s": np.ones(2)}
            def step():
                try: opt.step(g)
                except ValueError: pass
            return step

        def ops():
            p, g, v = np.ones((5, 7)), np.ones((5, 7)), [np.ones((5, 1)), np.ones((1, 7))]
            return lambda: oc.ops.adafactor_(p, g, *v, step=3)

        def saved():
            opt = oc.Adam(params(), lr=oc.schedules.Cosine(0.1, 10))
            return lambda: opt.load_state_dict(opt.state_dict())

        def made():
            return lambda: oc.Adam(params()).step(params())

        def threaded():
            opt, g = oc.Adam(np.ones(40_000), threads=2), np.ones(40_000)
            return lambda: opt.step(g)

        for make, count in ((passed, 100_000), (bound, 100_000), (rebound, 20_000),
                            (failing, 20_000), (ops, 20_000), (saved, 3_000), (made, 3_000),
                            (threaded, 300)):
            call = make()
            for _ in range(min(count, 3000)): call()
            gc.collect()
            before = resident()
            for _ in range(count): call()
            gc.collect()
            print(make.__name__, resident() - before)
        """,
        limit=2 * LIMIT,
    )
    grown = {name: int(size) for name, size in map(str.split, out.splitlines())}
    assert len(grown) == 8
    assert {name: size for name, size in grown.items() if size >= 1_000_000} == {}
