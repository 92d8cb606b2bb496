"""Every rule once more in plain NumPy: what the compiled kernels compute, bit for bit.

Each function takes a parameter, a gradient and the state as a dict of arrays, and returns the new
parameter and the new state. Nothing is modified; a slot that is missing from the state starts at
its initial value. Hyperparameters are Python floats. What a rule derives from them is worked out
in double and rounded once, by ``p.dtype.type(x)``; everything elementwise is computed in the type
of the parameter, in the very order that the source shows.

>>> import numpy as np
>>> from optcore import reference
>>> p, state = np.array([1.0, -2.0]), {}
>>> for t in (1, 2, 3):
...     p, state = reference.adam(p, 2 * p, state, step=t, lr=0.25, betas=(0.5, 0.5))
>>> p.round(3), sorted(state)
(array([ 0.262, -1.252]), ['exp_avg', 'exp_avg_sq'])
"""

from .adadelta import adadelta
from .adafactor import adafactor
from .adagrad import adagrad
from .adam import adam, adamw
from .momentum import momentum
from .nadam import nadam
from .rmsprop import rmsprop
from .sgd import sgd
from .sums import clip_factor, global_norm, sum_squares

__all__ = [
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamw",
    "clip_factor",
    "global_norm",
    "momentum",
    "nadam",
    "rmsprop",
    "sgd",
    "sum_squares",
]
