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

Numbers are stored in formats that the rules do not know: a step in another one widens what is
stored, computes in float32, and rounds what it has found.

>>> bits = np.uint16([0x3f80, 0xc000])
>>> p = reference.from_bfloat16(bits)
>>> p, state = reference.adam(p, 2 * p, {}, step=1, lr=0.25)
>>> reference.from_bfloat16(reference.to_bfloat16(p))
array([ 0.75, -1.75], dtype=float32)
>>> codes, scales = reference.encode8(state["exp_avg"], signed=True)
>>> reference.decode8(codes, scales, signed=True).round(3)
array([ 0.2, -0.4], dtype=float32)
"""

from .adadelta import adadelta
from .adafactor import adafactor
from .adagrad import adagrad
from .adam import adam, adamw
from .adan import adan
from .ademamix import ademamix
from .adopt import adopt
from .average import average
from .blocks8 import decode8, encode8
from .ftrl import ftrl
from .lamb import lamb
from .lars import lars
from .lion import lion
from .mars import mars
from .momentum import momentum
from .muon import muon, muon_direction, orthogonalized
from .nadam import nadam
from .novograd import novograd
from .random_bits import random16, random_key
from .rmsprop import rmsprop
from .rows import coalesced, step_rows
from .rowwise_adagrad import rowwise_adagrad
from .sgd import sgd
from .shampoo import shampoo, shampoo_direction
from .signum import signsgd, signum
from .sm3 import sm3, sm3_direction
from .soap import soap, soap_direction
from .sophia import sophia, sophia_hessian
from .storage import from_bfloat16, joined, split, stochastic_bfloat16, to_bfloat16
from .sums import clip_factor, dot, global_norm, memory_index, sum_squares, update_sums

__all__ = [
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "average",
    "clip_factor",
    "coalesced",
    "decode8",
    "dot",
    "encode8",
    "from_bfloat16",
    "ftrl",
    "global_norm",
    "joined",
    "lamb",
    "lars",
    "lion",
    "mars",
    "memory_index",
    "momentum",
    "muon",
    "muon_direction",
    "nadam",
    "novograd",
    "orthogonalized",
    "random16",
    "random_key",
    "rmsprop",
    "rowwise_adagrad",
    "sgd",
    "shampoo",
    "shampoo_direction",
    "signsgd",
    "signum",
    "sm3",
    "sm3_direction",
    "soap",
    "soap_direction",
    "sophia",
    "sophia_hessian",
    "split",
    "step_rows",
    "stochastic_bfloat16",
    "sum_squares",
    "to_bfloat16",
    "update_sums",
]
