"""The rules as in-place operations on arrays the caller keeps: no optimizer object, no state.

There is one function for each optimizer class; see the class for formula, hyperparameters and
state. Every function takes one parameter with its gradient and state arrays, or lists of them,
which it then steps in one call. Names end in an underscore because the arrays are changed.

Parameters are float32, float64, float16 or bfloat16 arrays. State is float64 with float64
parameters, else float32 or bfloat16, or a pair of arrays: uint8 codes in the shape of the parameter
and a float32 scale for every 256 elements, which start at zero. A gradient may be of any real float
type.

    >>> import numpy as np, optcore as oc
    >>> p, g = np.ones(3, np.float32), np.ones(3, np.float32)
    >>> m, v = np.zeros_like(p), np.zeros_like(p)
    >>> for t in range(1, 4):
    ...     oc.ops.adamw_(p, g, m, v, step=t, lr=0.125)
    >>> bool((p < 1).all())
    True
"""

from .. import optimizers as _o
from .op import op

adadelta_ = op(_o.Adadelta, "adadelta_")
adafactor_ = op(_o.Adafactor, "adafactor_")
adagrad_ = op(_o.Adagrad, "adagrad_")
adam_ = op(_o.Adam, "adam_")
adamw_ = op(_o.AdamW, "adamw_", decoupled_weight_decay=True)
adan_ = op(_o.Adan, "adan_")
ademamix_ = op(_o.AdEMAMix, "ademamix_")
adopt_ = op(_o.ADOPT, "adopt_")
ftrl_ = op(_o.FTRL, "ftrl_")
lamb_ = op(_o.LAMB, "lamb_")
lars_ = op(_o.LARS, "lars_")
lion_ = op(_o.Lion, "lion_")
mars_ = op(_o.MARS, "mars_")
momentum_ = op(_o.Momentum, "momentum_")
nadam_ = op(_o.NAdam, "nadam_")
novograd_ = op(_o.NovoGrad, "novograd_")
rmsprop_ = op(_o.RMSprop, "rmsprop_")
rowwise_adagrad_ = op(_o.RowwiseAdagrad, "rowwise_adagrad_")
sgd_ = op(_o.SGD, "sgd_")
signsgd_ = op(_o.SignSGD, "signsgd_")
signum_ = op(_o.Signum, "signum_")
sophia_ = op(_o.Sophia, "sophia_")

__all__ = [
    "adadelta_",
    "adafactor_",
    "adagrad_",
    "adam_",
    "adamw_",
    "adan_",
    "ademamix_",
    "adopt_",
    "ftrl_",
    "lamb_",
    "lars_",
    "lion_",
    "mars_",
    "momentum_",
    "nadam_",
    "novograd_",
    "rmsprop_",
    "rowwise_adagrad_",
    "sgd_",
    "signsgd_",
    "signum_",
    "sophia_",
]
