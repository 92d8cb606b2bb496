"""The rules as in-place operations on arrays the caller keeps: no optimizer object, no state.

There is one function for each optimizer class; see the class for formula, hyperparameters and
state. Every function takes one parameter with its gradient and state arrays, or lists of them,
which it then steps in one call. Names end in an underscore because the arrays are changed.

Parameters are float32, float64, float16 or bfloat16 arrays. State is float64 with float64
parameters, else float32 or bfloat16, or a pair of arrays: uint8 codes in the shape of the parameter
and a float32 scale for every 256 elements, which start at zero. (That of Muon, Shampoo, SOAP and
SM3 is float64 or float32.) A gradient may be of any real float type.

    >>> import numpy as np, optcore as oc
    >>> p, g = np.ones(3, np.float32), np.ones(3, np.float32)
    >>> m, v = np.zeros_like(p), np.zeros_like(p)
    >>> for t in range(1, 4):
    ...     oc.ops.adamw_(p, g, m, v, step=t, lr=0.125)
    >>> bool((p < 1).all())
    True

Rules that keep state for each axis take it by keyword, as the class names it:

    >>> w, state = np.zeros((2, 3)), {"accumulator_0": np.zeros(2), "accumulator_1": np.zeros(3)}
    >>> oc.ops.sm3_(w, np.ones((2, 3)), **state, step=1, lr=0.5, momentum=0.0)
    >>> w[0]
    array([-0.5, -0.5, -0.5])
"""

from .. import optimizers as _o
from .op import op
from .sophia import sophia_hessian_

adabelief_ = op(_o.AdaBelief, "adabelief_")
adadelta_ = op(_o.Adadelta, "adadelta_")
adafactor_ = op(_o.Adafactor, "adafactor_")
adagrad_ = op(_o.Adagrad, "adagrad_")
adam_ = op(_o.Adam, "adam_")
adamax_ = op(_o.Adamax, "adamax_")
adamaxw_ = op(_o.AdamaxW, "adamaxw_", decoupled_weight_decay=True)
adamw_ = op(_o.AdamW, "adamw_", decoupled_weight_decay=True)
adan_ = op(_o.Adan, "adan_")
ademamix_ = op(_o.AdEMAMix, "ademamix_")
adopt_ = op(_o.ADOPT, "adopt_")
asgd_ = op(_o.ASGD, "asgd_")
dadapt_adam_ = op(_o.DAdaptAdam, "dadapt_adam_")
dadapt_sgd_ = op(_o.DAdaptSGD, "dadapt_sgd_")
ftrl_ = op(_o.FTRL, "ftrl_")
lamb_ = op(_o.LAMB, "lamb_")
lars_ = op(_o.LARS, "lars_")
lion_ = op(_o.Lion, "lion_")
mars_ = op(_o.MARS, "mars_")
momentum_ = op(_o.Momentum, "momentum_")
muon_ = op(_o.Muon, "muon_")
nadam_ = op(_o.NAdam, "nadam_")
nadamw_ = op(
    _o.NAdamW,
    "nadamw_",
    decoupled_weight_decay=True,
    double_correction=False,
    scheduled_average=False,
    beta2_in_v_hat=False,
)
novograd_ = op(_o.NovoGrad, "novograd_")
prodigy_ = op(_o.Prodigy, "prodigy_")
radam_ = op(_o.RAdam, "radam_")
rmsprop_ = op(_o.RMSprop, "rmsprop_")
rowwise_adagrad_ = op(_o.RowwiseAdagrad, "rowwise_adagrad_")
rprop_ = op(_o.Rprop, "rprop_")
schedule_free_adamw_ = op(_o.ScheduleFreeAdamW, "schedule_free_adamw_")
schedule_free_radam_ = op(_o.ScheduleFreeRAdam, "schedule_free_radam_")
schedule_free_sgd_ = op(_o.ScheduleFreeSGD, "schedule_free_sgd_")
sgd_ = op(_o.SGD, "sgd_")
shampoo_ = op(_o.Shampoo, "shampoo_")
signsgd_ = op(_o.SignSGD, "signsgd_")
signum_ = op(_o.Signum, "signum_")
sm3_ = op(_o.SM3, "sm3_")
soap_ = op(_o.SOAP, "soap_")
sophia_ = op(_o.Sophia, "sophia_")
yogi_ = op(_o.Yogi, "yogi_")

__all__ = [
    "adabelief_",
    "adadelta_",
    "adafactor_",
    "adagrad_",
    "adam_",
    "adamax_",
    "adamaxw_",
    "adamw_",
    "adan_",
    "ademamix_",
    "adopt_",
    "asgd_",
    "dadapt_adam_",
    "dadapt_sgd_",
    "ftrl_",
    "lamb_",
    "lars_",
    "lion_",
    "mars_",
    "momentum_",
    "muon_",
    "nadam_",
    "nadamw_",
    "novograd_",
    "prodigy_",
    "radam_",
    "rmsprop_",
    "rowwise_adagrad_",
    "rprop_",
    "schedule_free_adamw_",
    "schedule_free_radam_",
    "schedule_free_sgd_",
    "sgd_",
    "shampoo_",
    "signsgd_",
    "signum_",
    "sm3_",
    "soap_",
    "sophia_",
    "sophia_hessian_",
    "yogi_",
]
