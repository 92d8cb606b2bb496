"""The optimizers, one file per family."""

from .adabelief import AdaBelief
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax, AdamaxW
from .adan import Adan
from .ademamix import AdEMAMix
from .adopt import ADOPT
from .asgd import ASGD
from .base import Optimizer
from .d_adaptation import DAdaptAdam, DAdaptSGD, Prodigy
from .ema import EMA
from .ftrl import FTRL
from .lamb import LAMB
from .lars import LARS
from .lbfgs import LBFGS
from .lion import Lion
from .mars import MARS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam, NAdamW
from .novograd import NovoGrad
from .radam import RAdam
from .rmsprop import RMSprop
from .rowwise_adagrad import RowwiseAdagrad
from .rprop import Rprop
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSGD
from .sgd import SGD
from .shampoo import Shampoo
from .signum import SignSGD, Signum
from .sm3 import SM3
from .soap import SOAP
from .sophia import Sophia
from .yogi import Yogi

__all__ = [
    "ADOPT",
    "ASGD",
    "EMA",
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
    "Lion",
    "Momentum",
    "Muon",
    "NAdam",
    "NAdamW",
    "NovoGrad",
    "Optimizer",
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
    "Yogi",
]
