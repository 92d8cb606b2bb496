"""The optimizers, one file per family."""

from .adabelief import AdaBelief
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax, AdamaxW
from .asgd import ASGD
from .base import Optimizer
from .ema import EMA
from .lamb import LAMB
from .lbfgs import LBFGS
from .momentum import Momentum
from .muon import Muon
from .nadam import NAdam, NAdamW
from .radam import RAdam
from .rmsprop import RMSprop
from .rowwise_adagrad import RowwiseAdagrad
from .rprop import Rprop
from .sgd import SGD
from .shampoo import Shampoo
from .sm3 import SM3
from .soap import SOAP
from .yogi import Yogi

__all__ = [
    "ASGD",
    "EMA",
    "LAMB",
    "LBFGS",
    "SGD",
    "SM3",
    "SOAP",
    "AdaBelief",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AdamaxW",
    "Momentum",
    "Muon",
    "NAdam",
    "NAdamW",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "RowwiseAdagrad",
    "Rprop",
    "Shampoo",
    "Yogi",
]
