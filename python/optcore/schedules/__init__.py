"""Learning-rate schedules, and schedules of any other hyperparameter.

A schedule is a pure function of the step number k = 0, 1, 2, … It keeps no place, so training
resumes anywhere, and it never changes once made. Called with an int it gives a float, called with
an integer array an array of the same shape; both are evaluated in C++ with the same bits on every
machine.

>>> import numpy as np
>>> s = Cosine(0.1, total=100)
>>> s(0), s(50), s(1000)
(0.1, 0.05, 0.0)
>>> s(np.array([0, 50, 100]))
array([0.1 , 0.05, 0.  ])

Every step from 0 to 2**64 - 1 has a value, the ones past a schedule's end included. The classes
count steps; ``s.every(n)`` makes a schedule of epochs out of one, n being the steps per epoch.

Schedules combine: `Warmup` leads into any other, `Sequential` puts them in a row, and ``0.1 * s``,
``s + t``, ``s * t``, ``s.clip(low, high)`` and ``s.shift(k)`` are schedules again. What is made of
native ones is native.

>>> Warmup(100).then(0.5 * REX(1.0, total=900))(100)
0.5

`ReduceOnPlateau` alone is none of these: it follows a metric, so it has a state.
"""

from .base import Schedule
from .composed import Product, Sequential, Sum
from .constant import Constant
from .cosine import Cosine, CosineRestarts
from .cycles import Cyclic, OneCycle, OneCycleMomentum, SlantedTriangular
from .decays import REX, LRRangeTest, Tanh
from .exponential import Exponential
from .function import Lambda
from .inverse import InverseSqrt, InverseTime, Noam
from .mapped import Clipped, Scaled
from .piecewise import MultiStep, PiecewiseConstant, PiecewiseLinear, Step
from .plateau import ReduceOnPlateau
from .polynomial import Linear, Polynomial
from .reindexed import Every, Shifted
from .warmup import WSD, Warmup, WarmupCosine

__all__ = [
    "REX",
    "WSD",
    "Clipped",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Every",
    "Exponential",
    "InverseSqrt",
    "InverseTime",
    "LRRangeTest",
    "Lambda",
    "Linear",
    "MultiStep",
    "Noam",
    "OneCycle",
    "OneCycleMomentum",
    "PiecewiseConstant",
    "PiecewiseLinear",
    "Polynomial",
    "Product",
    "ReduceOnPlateau",
    "Scaled",
    "Schedule",
    "Sequential",
    "Shifted",
    "SlantedTriangular",
    "Step",
    "Sum",
    "Tanh",
    "Warmup",
    "WarmupCosine",
]
