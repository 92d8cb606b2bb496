"""optcore for PyTorch: the optimizers as subclasses of `torch.optim.Optimizer`.

.. code-block:: python

    import optcore.torch as ot

    opt = ot.AdamW(model.parameters(), lr=1e-3)

Where torch has the rule, names, signature, defaults and state dicts are torch's. torch's schedulers
drive them, and `LRScheduler` drives any torch optimizer by a schedule of `optcore.schedules`.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "optcore.torch needs PyTorch, which optcore does not bring: pip install 'optcore[torch]'",
        name="torch",
    ) from None

from .. import optimizers as _numpy
from .adam import TorchAdam as _TorchAdam
from .define import define as _define
from .lbfgs import LBFGS
from .lr_scheduler import LRScheduler
from .modes import TwoModes as _TwoModes
from .optimizer import TorchOptimizer
from .sophia import TorchSophia as _TorchSophia
from .sparse import TorchSGD as _TorchSGD
from .sparse import TorchSparseAdam as _TorchSparseAdam

AdaBelief = _define(_numpy.AdaBelief)
Adadelta = _define(_numpy.Adadelta)
Adafactor = _define(_numpy.Adafactor)
Adagrad = _define(_numpy.Adagrad)
Adam = _define(_numpy.Adam, base=_TorchAdam)
Adamax = _define(_numpy.Adamax)
AdamaxW = _define(_numpy.AdamaxW)
AdamW = _define(_numpy.AdamW, base=_TorchAdam)
Adan = _define(_numpy.Adan)
AdEMAMix = _define(_numpy.AdEMAMix)
ADOPT = _define(_numpy.ADOPT)
ASGD = _define(_numpy.ASGD)
DAdaptAdam = _define(_numpy.DAdaptAdam)
DAdaptSGD = _define(_numpy.DAdaptSGD)
FTRL = _define(_numpy.FTRL)
LAMB = _define(_numpy.LAMB)
LARS = _define(_numpy.LARS)
Lion = _define(_numpy.Lion)
MARS = _define(_numpy.MARS)
Momentum = _define(_numpy.Momentum)
Muon = _define(_numpy.Muon)
NAdam = _define(_numpy.NAdam)
NAdamW = _define(_numpy.NAdamW)
NovoGrad = _define(_numpy.NovoGrad)
Prodigy = _define(_numpy.Prodigy)
RAdam = _define(_numpy.RAdam)
RMSprop = _define(_numpy.RMSprop)
RowwiseAdagrad = _define(_numpy.RowwiseAdagrad)
Rprop = _define(_numpy.Rprop)
ScheduleFreeAdamW = _define(_numpy.ScheduleFreeAdamW, base=_TwoModes)
ScheduleFreeRAdam = _define(_numpy.ScheduleFreeRAdam, base=_TwoModes)
ScheduleFreeSGD = _define(_numpy.ScheduleFreeSGD, base=_TwoModes)
SGD = _define(_numpy.SGD, base=_TorchSGD)
Shampoo = _define(_numpy.Shampoo)
SignSGD = _define(_numpy.SignSGD)
Signum = _define(_numpy.Signum)
SM3 = _define(_numpy.SM3)
SOAP = _define(_numpy.SOAP)
Sophia = _define(_numpy.Sophia, base=_TorchSophia)
SparseAdam = _define(
    _numpy.Adam,
    "SparseAdam",
    {"eps_hat": True, "weight_decay": 0.0, "amsgrad": False},
    base=_TorchSparseAdam,
)
Yogi = _define(_numpy.Yogi)

__all__ = [
    "ADOPT",
    "ASGD",
    "FTRL",
    "LAMB",
    "LARS",
    "LBFGS",
    "MARS",
    "SGD",
    "SM3",
    "SOAP",
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
    "LRScheduler",
    "Lion",
    "Momentum",
    "Muon",
    "NAdam",
    "NAdamW",
    "NovoGrad",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "RowwiseAdagrad",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeRAdam",
    "ScheduleFreeSGD",
    "Shampoo",
    "SignSGD",
    "Signum",
    "Sophia",
    "SparseAdam",
    "TorchOptimizer",
    "Yogi",
]
