"""The optimizers, one file per family."""

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .base import Optimizer
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
    "Momentum",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeRAdam",
    "ScheduleFreeSGD",
]
