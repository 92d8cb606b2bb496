"""Adafactor."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..typing import Array, Scalar, Tree
from .base import Optimizer
from .common import Common
from .dialects import Table
from .hyper import one_of, pair
from .slots import Slot, contiguous, like

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adafactor(Optimizer):
    """Adafactor (Shazeer & Stern, 2018), by default as `torch.optim.Adafactor` has it.

    .. code-block:: text

        β2ᵗ = 1 − t^beta2_decay         ρ = min(η, 1/√t)        α = ρ·max(ε₂, RMS(θ))
        matrices (the last two axes of any array with two or more)
            r ← β2ᵗ·r + (1−β2ᵗ)·(mean of g² along each row)
            c ← β2ᵗ·c + (1−β2ᵗ)·(mean of g² along each column)
            v = r·c / max(mean(r), ε₁)
        vectors and scalars: v ← β2ᵗ·v + (1−β2ᵗ)g²
        u = g/√max(v, ε₁²)
        θ ← θ(1 − ηλ) − α/max(1, RMS(u)/d)·u

    As published: `eps=(1e-30, 1e-3), eps_mode="add"`, which adds ε₁ to g² instead of limiting v.
    The other options take parts away, to reproduce texts that print the rule without them.

    Dialects: "paper" is as published. "keras" is so too, with another rate, and takes RMS(θ) after
    the decay; Keras limits ρ by 1/√t whatever its `relative_step` says. "optax" takes the rate as
    given, keeps v whole where a side of the matrix is below 128, and decays by λ alone; its
    `learning_rate=None` is `lr=1.0`. Not offered: optax's momentum, and its choice of the two
    largest axes of an array with three and more, where these are not the last two.

    Sums run over float64 in a fixed order, so the bits depend on the arrays alone. Matrices may lie
    row by row or column by column in memory; other layouts are a ValueError.

    Args:
        params: parameters or groups, see `Optimizer`.
        lr: η, the largest relative step.
        beta2_decay: the exponent of the second moment's decay, 0 or less.
        eps: ε₁ and ε₂; None for ε₁ takes the dtype's epsilon, as torch.
        d: the clipping threshold of the update; `math.inf` turns it off.
        weight_decay: λ, decoupled.
        beta2: a constant in the place of β2ᵗ, or None.
        eps_mode: "clamp" as torch, "add" as published.
        relative_step: False takes ρ = η.
        scale_parameter: False takes α = ρ.
        normalize: False leaves out the division by mean(r).
        min_dim_size_to_factor: keep v whole, as for vectors, where either of the last two axes is
            shorter; `math.inf` never factors.
        decay_offset: taken off t in β2ᵗ, for training that goes on from step `decay_offset`; what
            is left counts as 1 at least.
        scale_after_decay: RMS(θ) of θ(1 − ηλ) instead of θ.
        decay_times_rate: False decays θ by λ, not ηλ.
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    State: `row_var` and `col_var` for matrices, `variance` for the rest and what is not factored.

    Example:
        >>> import numpy as np, optcore as oc
        >>> W = np.ones((512, 256), np.float32)
        >>> opt = oc.Adafactor({"W": W})
        >>> opt.step({"W": np.full_like(W, 0.5)})
        >>> {name: slot.shape for name, slot in opt.state["W"].items()}
        {'row_var': (512, 1), 'col_var': (1, 256)}
    """

    rule = "adafactor"
    paper = "Shazeer & Stern, 2018: Adafactor: Adaptive learning rates with sublinear memory cost"
    _shown: ClassVar[Mapping[str, str]] = {
        "eps1": "eps[0]",
        "eps2": "eps[1]",
        "beta2": "beta2",
    }
    _switches: ClassVar[tuple[str, ...]] = (
        "relative_step",
        "scale_parameter",
        "normalize",
        "scale_after_decay",
        "decay_times_rate",
        "maximize",
    )
    _fixed: ClassVar[tuple[str, ...]] = ("min_dim_size_to_factor",)
    _dialects: ClassVar[Table] = {
        "keras": {
            "lr": 1e-3,
            "eps": (1e-30, 1e-3),
            "eps_mode": "add",
            "scale_after_decay": True,
        },
        "optax": {
            "eps": (1e-30, 1e-3),
            "eps_mode": "add",
            "relative_step": False,
            "min_dim_size_to_factor": 128,
            "decay_times_rate": False,
        },
        "paper": {"eps": (1e-30, 1e-3), "eps_mode": "add"},
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-2,
        beta2_decay: Scalar = -0.8,
        eps: tuple[Scalar | None, Scalar] = (None, 1e-3),
        d: Scalar = 1.0,
        weight_decay: Scalar = 0.0,
        *,
        beta2: Scalar | None = None,
        eps_mode: str = "clamp",
        relative_step: bool = True,
        scale_parameter: bool = True,
        normalize: bool = True,
        min_dim_size_to_factor: float = 0,
        decay_offset: Scalar = 0.0,
        scale_after_decay: bool = False,
        decay_times_rate: bool = True,
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "beta2": beta2,
            "eps_mode": eps_mode,
            "relative_step": relative_step,
            "scale_parameter": scale_parameter,
            "normalize": normalize,
            "min_dim_size_to_factor": min_dim_size_to_factor,
            "decay_offset": decay_offset,
            "scale_after_decay": scale_after_decay,
            "decay_times_rate": decay_times_rate,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def _scalars(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        eps1, eps2 = pair(values["eps"], "eps")
        beta2 = values["beta2"]
        return super()._scalars(values) | {
            "eps1": 0.0 if eps1 is None else eps1,
            "dtype_eps1": float(eps1 is None),
            "eps2": eps2,
            "beta2": 0.0 if beta2 is None else beta2,
            "constant_beta2": float(beta2 is not None),
            "clamp_eps": float(values["eps_mode"] == "clamp"),
        }

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        one_of(values["eps_mode"], ("clamp", "add"), "eps_mode")
        size = values["min_dim_size_to_factor"]
        if not isinstance(size, numbers.Real) or isinstance(size, bool):
            raise TypeError(
                f"min_dim_size_to_factor: expected a number, got {size!r}; pass e.g. 128"
            )
        if not float(size) >= 0:
            raise ValueError(
                f"min_dim_size_to_factor: expected 0 or more, got {size}; 0 factors every matrix"
            )

    @classmethod
    def _variant(cls, values: Mapping[str, Any]) -> int:
        return 0  # what decides the state is the parameter's shape

    @classmethod
    def default_state(cls, values: Mapping[str, Any]) -> list[str]:
        """Of a matrix; a vector has `variance`."""
        return ["row_var", "col_var"]

    @classmethod
    def bytes_moved(cls, state: list[str]) -> int | None:
        """Three passes over the gradient, two over the parameter, one of them to write."""
        return None

    @classmethod
    def slot_names(cls) -> tuple[list[str], list[str]]:
        """A vector's `variance` goes in the place of `row_var`."""
        return ["row_var", "col_var"], ["row_var"]

    @classmethod
    def state_names(
        cls, values: Mapping[str, Any], params: list[Any]
    ) -> tuple[list[str], list[str]]:
        """`ops` passes a vector's `variance` in the place of `row_var`."""
        vectors = [not _factored(np.shape(param), values) for param in params]
        if any(vectors) and not all(vectors):
            raise ValueError(
                "p: expected only matrices or only vectors in one list, got both; call twice"
            )
        return (["row_var"], ["col_var"]) if any(vectors) else (["row_var", "col_var"], [])

    def _slots_of(self, group: int, param: Array, where: str) -> dict[str, Slot]:
        wanted = self.groups[group]._values["state_dtype"]
        if wanted not in (None, "param", str(param.dtype)):
            raise TypeError(
                f"state_dtype: expected None for {where}, got {wanted!r}; the factored moments of "
                "Adafactor are few, and kept in the parameter's own type"
            )
        if not _factored(param.shape, self.groups[group]._values):
            return {"variance": like(param, param.dtype)}
        *batch, rows, cols = param.shape
        return {
            "row_var": contiguous(param, (*batch, rows, 1), param.dtype),
            "col_var": contiguous(param, (*batch, 1, cols), param.dtype),
        }


def _factored(shape: tuple[int, ...], values: Mapping[str, Any]) -> bool:
    """Whether the second moment of a parameter of that shape is kept by rows and columns."""
    return len(shape) >= 2 and min(shape[-2:]) >= values["min_dim_size_to_factor"]
