"""optcore: the optimizer step of a training loop, in C++, on the caller's own arrays.

>>> import numpy as np, optcore as oc
>>> params = {"W": np.ones((2, 2)), "b": np.zeros(2)}
>>> opt = oc.AdamW(params, lr=1e-3)
>>> opt.step({"W": np.ones((2, 2)), "b": np.ones(2)})
>>> round(float(params["b"][0]), 6)
-0.001
"""

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
from .errors import NonFiniteError
from .optimizers import (
    ADOPT,
    EMA,
    FTRL,
    LAMB,
    LARS,
    LBFGS,
    MARS,
    SGD,
    SM3,
    SOAP,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adan,
    AdEMAMix,
    Lion,
    Momentum,
    Muon,
    NAdam,
    NovoGrad,
    Optimizer,
    RMSprop,
    RowwiseAdagrad,
    Shampoo,
    SignSGD,
    Signum,
    Sophia,
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

__version__ = _load.version

__all__ = [
    "ADOPT",
    "AGC",
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
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adan",
    "GradientAccumulation",
    "GradientCentralization",
    "Lion",
    "Lookahead",
    "Momentum",
    "Muon",
    "NAdam",
    "NonFiniteError",
    "NovoGrad",
    "Optimizer",
    "RMSprop",
    "Rows",
    "RowwiseAdagrad",
    "Shampoo",
    "SignSGD",
    "Signum",
    "Sophia",
    "Wrapper",
    "__version__",
    "available_isas",
    "clip_grad_norm_",
    "get_num_threads",
    "global_norm",
    "isa",
    "ops",
    "reference",
    "rules",
    "schedules",
    "set_num_threads",
    "show_config",
]
