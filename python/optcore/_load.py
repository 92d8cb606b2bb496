"""Loads the extension, and with it OpenMP's runtime, in a way that suits a training loop.

GNU's OpenMP lets its idle threads spin for milliseconds. Between two steps that is just when BLAS
wants the cores: a loop over a small network on two busy cores became 14 times slower by it. The
runtime reads how long to spin from the environment, once, while it is loaded; so the variable is
set for that moment only, and only where the user has not chosen. Some 40 microseconds of spinning
remain, which keeps the threads awake from one parallel region of a step to the next.
"""

from __future__ import annotations

import os

_SPINS = "2000"

if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
    from . import _core
else:
    os.environ["GOMP_SPINCOUNT"] = _SPINS
    try:
        from . import _core
    finally:
        del os.environ["GOMP_SPINCOUNT"]

_core.isa()  # an OPTCORE_ISA that cannot be had is a ValueError here, at import

version: str = _core.__version__
