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

from .adabelief import adabelief
from .adadelta import adadelta
from .adafactor import adafactor
from .adagrad import adagrad
from .adam import adam, adamw
from .adamax import adamax, adamaxw
from .adan import adan
from .ademamix import ademamix
from .adopt import adopt
from .asgd import asgd
from .average import average
from .blocks8 import decode8, encode8
from .d_adaptation import (
    dadapt_adam,
    dadapt_adam_sums,
    dadapt_sgd,
    dadapt_sgd_sums,
    prodigy,
    prodigy_sums,
)
from .ftrl import ftrl
from .lamb import lamb
from .lars import lars
from .lion import lion
from .mars import mars
from .momentum import momentum
from .muon import muon, muon_direction, orthogonalized
from .nadam import nadam, nadamw
from .novograd import novograd
from .radam import radam
from .random_bits import random16, random_key
from .rmsprop import rmsprop
from .rows import coalesced, step_rows
from .rowwise_adagrad import rowwise_adagrad
from .rprop import rprop
from .schedule_free import schedule_free_adamw, schedule_free_radam, schedule_free_sgd
from .sgd import sgd
from .shampoo import shampoo, shampoo_direction
from .signum import signsgd, signum
from .sm3 import sm3, sm3_direction
from .soap import soap, soap_direction
from .sophia import sophia, sophia_hessian
from .storage import from_bfloat16, joined, split, stochastic_bfloat16, to_bfloat16
from .sums import clip_factor, dot, global_norm, memory_index, sum_squares, update_sums
from .yogi import yogi

__all__ = [
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "asgd",
    "average",
    "clip_factor",
    "coalesced",
    "dadapt_adam",
    "dadapt_adam_sums",
    "dadapt_sgd",
    "dadapt_sgd_sums",
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
    "nadamw",
    "novograd",
    "orthogonalized",
    "prodigy",
    "prodigy_sums",
    "radam",
    "random16",
    "random_key",
    "rmsprop",
    "rowwise_adagrad",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_radam",
    "schedule_free_sgd",
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
    "yogi",
]
