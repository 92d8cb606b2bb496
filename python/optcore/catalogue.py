"""What there is: every optimizer with its options, state, cost and source."""

from __future__ import annotations

from typing import Any

from . import optimizers


def rules() -> list[dict[str, Any]]:
    """The catalogue of optimizers, in alphabetical order.

    Each is a dict of

    - `name`, the class, and `rule`, what a state dict calls it;
    - `kind`: "elementwise" (a step on a part of a tensor is part of the step on the tensor),
      "per_tensor" (needs a fact about the whole tensor, so a shard steps otherwise) or "global"
      (about all tensors);
    - `bits`: whether results are the same to the bit on every CPU and with any number of threads;
    - `options`: every hyperparameter with its default;
    - `state`: the arrays that it keeps for a parameter by default, `scalars`: float64 numbers;
    - `bytes`: what a step has to read and write for each float32 parameter by default; None where
      that depends on the shape;
    - `dialects`: whose forms of it there are; "torch" is the default, also where torch has none;
    - `paper`: where it comes from.

    >>> from optcore import rules
    >>> adam = next(rule for rule in rules() if rule["name"] == "Adam")
    >>> adam["kind"], adam["state"], adam["bytes"]
    ('elementwise', ['exp_avg', 'exp_avg_sq'], 28)
    """
    kinds = [getattr(optimizers, name) for name in optimizers.__all__]
    listed = [kind for kind in kinds if hasattr(kind, "described") and kind.paper]
    return [kind.described() for kind in sorted(listed, key=lambda kind: kind.__name__.lower())]
