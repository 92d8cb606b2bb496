"""optcore: the optimizer step of a training loop, in C++, on the caller's own arrays.

>>> import numpy as np, optcore as oc
>>> params = {"W": np.ones((2, 2)), "b": np.zeros(2)}
>>> opt = oc.AdamW(params, lr=1e-3)
>>> opt.step({"W": np.ones((2, 2)), "b": np.ones(2)})
>>> round(float(params["b"][0]), 6)
-0.001
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import _load  # isort: skip  (before all that needs the extension)
from . import ops, reference, schedules
from .catalogue import rules
from .clip import clip_grad_norm_, global_norm
from .config import (
    available_isas,
    get_num_threads,
    isa,
    set_num_threads,
    show_config,
)
from .early_stopping import EarlyStopping
from .embedding import get_cmake_dir, get_include, get_pkgconfig_dir
from .errors import NonFiniteError
from .optimizers import (
    ADOPT,
    ASGD,
    EMA,
    FTRL,
    LAMB,
    LARS,
    LBFGS,
    MARS,
    SGD,
    SM3,
    SOAP,
    AdaBelief,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamaxW,
    AdamW,
    Adan,
    AdEMAMix,
    DAdaptAdam,
    DAdaptSGD,
    Lion,
    Momentum,
    Muon,
    NAdam,
    NAdamW,
    NovoGrad,
    Optimizer,
    Prodigy,
    RAdam,
    RMSprop,
    RowwiseAdagrad,
    Rprop,
    ScheduleFreeAdamW,
    ScheduleFreeRAdam,
    ScheduleFreeSGD,
    Shampoo,
    SignSGD,
    Signum,
    Sophia,
    Yogi,
)
from .rows import Rows
from .wrappers import (
    AGC,
    SAM,
    SWA,
    GradientAccumulation,
    GradientCentralization,
    Lookahead,
    Wrapper,
)

if TYPE_CHECKING:
    from . import comparison, plot, problems
    from .comparison import compare
    from .gradient_check import check_gradient
    from .range_test import RangeTest, lr_range_test

__version__ = _load.version

# What training loops do without is imported when it is first asked for.
_LATER = {
    "RangeTest": ".range_test",
    "check_gradient": ".gradient_check",
    "compare": ".comparison",
    "comparison": "",
    "lr_range_test": ".range_test",
    "plot": "",
    "problems": "",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LATER[name] or f".{name}", __name__)
    value = getattr(module, name) if _LATER[name] else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "ADOPT",
    "AGC",
    "ASGD",
    "EMA",
    "FTRL",
    "LAMB",
    "LARS",
    "LBFGS",
    "MARS",
    "SAM",
    "SGD",
    "SM3",
    "SOAP",
    "SWA",
    "AdEMAMix",
    "AdaBelief",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AdamaxW",
    "Adan",
    "DAdaptAdam",
    "DAdaptSGD",
    "EarlyStopping",
    "GradientAccumulation",
    "GradientCentralization",
    "Lion",
    "Lookahead",
    "Momentum",
    "Muon",
    "NAdam",
    "NAdamW",
    "NonFiniteError",
    "NovoGrad",
    "Optimizer",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "RangeTest",
    "Rows",
    "RowwiseAdagrad",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeRAdam",
    "ScheduleFreeSGD",
    "Shampoo",
    "SignSGD",
    "Signum",
    "Sophia",
    "Wrapper",
    "Yogi",
    "__version__",
    "available_isas",
    "check_gradient",
    "clip_grad_norm_",
    "compare",
    "comparison",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "get_pkgconfig_dir",
    "global_norm",
    "isa",
    "lr_range_test",
    "ops",
    "plot",
    "problems",
    "reference",
    "rules",
    "schedules",
    "set_num_threads",
    "show_config",
]
