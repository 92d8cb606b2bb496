"""The keywords of every optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ..typing import Tree

if TYPE_CHECKING:
    from .ema import EMA


class Common(TypedDict, total=False):
    """What every optimizer takes beside its rule's own hyperparameters; see `Optimizer`."""

    dialect: Literal["torch", "keras", "optax", "paper"]
    clip_norm: float | None
    clip_value: float | None
    nonfinite: Literal["propagate", "skip", "raise"]
    zero_grads: bool
    ema: EMA | None
    copy_to: Tree | None
    low_precision: Literal["master", "stochastic", "split"] | None
    seed: int
    state_dtype: Any
    cautious: bool
    cautious_weight_decay: bool
    stats: bool
    threads: int | None
