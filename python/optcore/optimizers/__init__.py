"""The optimizers, one file per family."""

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .base import Optimizer
from .d_adaptation import DAdaptAdam, DAdaptSGD, Prodigy
from .ema import EMA
from .lamb import LAMB
from .lbfgs import LBFGS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .rmsprop import RMSprop
from .rowwise_adagrad import RowwiseAdagrad
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSGD
from .sgd import SGD
from .shampoo import Shampoo
from .sm3 import SM3
from .soap import SOAP

__all__ = [
    "EMA",
    "LAMB",
    "LBFGS",
    "SGD",
    "SM3",
    "SOAP",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "DAdaptAdam",
    "DAdaptSGD",
    "Momentum",
    "Muon",
    "NAdam",
    "Optimizer",
    "Prodigy",
    "RMSprop",
    "RowwiseAdagrad",
    "ScheduleFreeAdamW",
    "ScheduleFreeRAdam",
    "ScheduleFreeSGD",
    "Shampoo",
]
