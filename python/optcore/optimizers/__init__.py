"""The optimizers, one file per family."""

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adan import Adan
from .ademamix import AdEMAMix
from .adopt import ADOPT
from .base import Optimizer
from .ema import EMA
from .ftrl import FTRL
from .lamb import LAMB
from .lars import LARS
from .lbfgs import LBFGS
from .lion import Lion
from .mars import MARS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam
from .novograd import NovoGrad
from .rmsprop import RMSprop
from .rowwise_adagrad import RowwiseAdagrad
from .sgd import SGD
from .shampoo import Shampoo
from .signum import SignSGD, Signum
from .sm3 import SM3
from .soap import SOAP
from .sophia import Sophia

__all__ = [
    "ADOPT",
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
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adan",
    "Lion",
    "Momentum",
    "Muon",
    "NAdam",
    "NovoGrad",
    "Optimizer",
    "RMSprop",
    "RowwiseAdagrad",
    "Shampoo",
    "SignSGD",
    "Signum",
    "Sophia",
]
