"""Who takes part, and in what. Each contender is a class with `step()` and `result`:
the parameters, and behind them their averages where the workload keeps any.

The modules named here import their packages, some of them large, so each is loaded when its turn
comes.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workload import Workload


def _bare_float32(w: Workload) -> bool:
    return w.bare and w.format == "float32"


def _16_bits_or_more(w: Workload) -> bool:
    return w.format != "8-bit moments"


@dataclass(frozen=True)
class Contender:
    """A row of the list.

    Attributes:
        where: module and class.
        takes: whether it can take a workload's step, and do it in reasonable time.
        needs: the packages that it cannot be without.
        slow: whether it is several times slower than memory, so that one turn with a large model
            says enough.
        compiles: whether it compiles itself first, for seconds; `--quick` leaves those out.
    """

    where: str
    takes: Callable[[Workload], bool] = lambda w: True
    needs: tuple[str, ...] = ()
    slow: bool = False
    compiles: bool = False


CONTENDERS = {
    "optcore": Contender("ours:Optcore"),
    # Right behind optcore, whose buffers it takes over. Many small calls from Python are no floor.
    "floor": Contender(
        "ours:Floor",
        lambda w: w.bare and _16_bits_or_more(w) and (w.tensors == 1 or w.mean_size > 100_000),
    ),
    "optcore-bound": Contender("ours:Bound", lambda w: w.tensors > 1),
    "optcore-native": Contender(
        "native:Native", lambda w: _bare_float32(w) and w.tensors > 1 and w.small
    ),
    "optcore-float32": Contender("ours:Float32", lambda w: w.format != "float32"),
    "numpy": Contender("plain:PlainNumpy", _16_bits_or_more, slow=True),
    "numba": Contender(
        "numba_loop:NumbaLoop", lambda w: w.format == "float32" and w.ema is None, ("numba",)
    ),
    "torch-fused": Contender("torch_optim:Fused", _16_bits_or_more, ("torch",)),
    "torch-foreach": Contender("torch_optim:Foreach", _16_bits_or_more, ("torch",), slow=True),
    "torch-loop": Contender("torch_optim:ForLoop", _bare_float32, ("torch",), slow=True),
    # 200 tensors take it a minute to compile.
    "torch-compile": Contender(
        "torch_optim:Compiled",
        lambda w: _bare_float32(w) and w.tensors <= 10,
        ("torch",),
        slow=True,
        compiles=True,
    ),
    # XLA on the CPU brings its own threads, so it cannot be held to one.
    "optax": Contender(
        "optax_jit:Optax",
        lambda w: _16_bits_or_more(w) and w.threads > 1,
        ("optax", "jax"),
        compiles=True,
    ),
    "deepspeed": Contender(
        "deepspeed_cpu:DeepSpeed", _bare_float32, ("deepspeed", "torch"), compiles=True
    ),
}


class AbsentError(Exception):
    """A contender is installed but cannot run here; the message says why."""


def contenders(workload: Workload, quick: bool) -> list[str]:
    """The names of those who can take a workload, and are installed."""
    if workload.format == "all bfloat16" and not find_spec("ml_dtypes"):
        return []
    return [
        name
        for name, c in CONTENDERS.items()
        if c.takes(workload) and not _missing(c) and not (quick and c.compiles)
    ]


def make(name: str, workload: Workload) -> Any:
    """A contender, at its first step."""
    module, kind = CONTENDERS[name].where.split(":")
    return getattr(importlib.import_module(f"rivals.{module}"), kind)(workload)


def packages() -> dict[str, str | None]:
    """The packages behind the contenders, each with its version, or None where it is missing."""
    names = dict.fromkeys(need for c in CONTENDERS.values() for need in c.needs)
    return {
        name: importlib.metadata.version(name) if find_spec(name) else None
        for name in (*names, "ml_dtypes")
    }


def _missing(contender: Contender) -> list[str]:
    return [need for need in contender.needs if not find_spec(need)]
