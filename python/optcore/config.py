"""Facts about this build and this machine, and how many threads a step uses."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

from . import _core
from .optimizers.hyper import thread_count


def isa() -> str:
    """The instruction set level in use, such as "x86-64-v3". `OPTCORE_ISA` forces one."""
    return _core.isa()


def available_isas() -> list[str]:
    """The levels that this build has and this CPU runs, lowest first. All give the same bits."""
    return _core.available_isas()


def get_num_threads() -> int:
    """The threads a large step uses by default.

    What `set_num_threads` said; else OpenMP's number (`OMP_NUM_THREADS`, CPU affinity), held to
    the container's CPU quota. Steps of fewer than 32768 elements run on one.
    """
    return _core.get_num_threads()


def set_num_threads(threads: int | None) -> None:
    """Sets the default number of threads for the process; None returns to OpenMP's.

    Example:
        >>> import optcore as oc
        >>> oc.set_num_threads(2)
        >>> oc.set_num_threads(None)
    """
    _core.set_num_threads(thread_count(threads))


def config() -> dict[str, Any]:
    """The facts that `show_config` prints."""
    return {
        "optcore": _core.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": _core.compiler,
        "cpu": _cpu_name(),
        "isa": _core.isa(),
        "isas available": _core.available_isas(),
        "isas compiled": _core.compiled_isas(),
        "OPTCORE_ISA": os.environ.get("OPTCORE_ISA"),
        "openmp": _core.openmp,
        "threads": _core.get_num_threads(),
        "extension": _core.__file__,
    }


def show_config() -> None:
    """Prints version, CPU, instruction set levels, OpenMP and threads: what a report needs."""
    for name, value in config().items():
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{name + ':':16} {text}")


def _cpu_name() -> str:
    """The CPU as the system names it."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", encoding="utf-8") as file:
                for line in file:
                    if line.startswith("model name"):
                        return f"{line.split(':', 1)[1].strip()} ({platform.machine()})"
        except OSError:
            pass
    return platform.processor() or platform.machine()
