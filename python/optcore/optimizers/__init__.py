"""The optimizers, one file per family."""

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .base import Optimizer
from .d_adaptation import DAdaptAdam, DAdaptSGD, Prodigy
from .ema import EMA
from .lamb import LAMB
from .momentum import Momentum
from .nadam import NAdam
from .rmsprop import RMSprop
from .schedule_free import ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSGD
from .sgd import SGD

__all__ = [
    "EMA",
    "LAMB",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "DAdaptAdam",
    "DAdaptSGD",
    "Momentum",
    "NAdam",
    "Optimizer",
    "Prodigy",
    "RMSprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeRAdam",
    "ScheduleFreeSGD",
]
