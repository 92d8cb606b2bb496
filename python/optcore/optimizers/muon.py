"""Muon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..reference.muon import COEFFICIENTS, muon_direction
from ..typing import Scalar, Tree
from . import ranges
from .common import Common
from .dialects import Table
from .directed import DirectedOptimizer
from .hyper import one_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

MOST_STEPS = 99


_FACTORS = (None, "original", "transposed", "match_rms_adamw", "none")


class Muon(DirectedOptimizer):
    """Muon (Jordan et al., 2024), as `torch.optim.Muon` has it: momentum, made orthogonal.

    .. code-block:: text

        b ← μb + (1−μ)g        m = (1−μ)g + μb
        X = m/max(‖m‖, ε), then ns_steps times  A = XXᵀ,  X ← aX + (bA + cA²)X
        θ ← θ(1 − ηλ) − η·√max(1, rows/cols)·X

    X comes near UVᵀ of m = UΣVᵀ: every direction of the matrix moves about as far. It is for the
    weight matrices inside a network; embeddings, vectors and numbers belong into an `AdamW`.
    Everything is computed in the precision that a step computes in, by NumPy's BLAS, while torch
    iterates in bfloat16; so steps differ by some per cent.

    Args:
        params: matrices or groups of them, see `Optimizer`.
        lr: the learning rate η.
        weight_decay: λ, decoupled.
        momentum: μ, below 1.
        nesterov: m as above; False: m = b.
        ns_coefficients: a, b, c of the iteration.
        eps: ε.
        ns_steps: how often to iterate, below 100.
        adjust_lr_fn: what η is multiplied by: None or "original", √max(1, rows/cols);
            "transposed", √max(1, cols/rows), as optax counts; "match_rms_adamw",
            0.2·√max(rows, cols) (Liu et al., 2025), which suits the rates of AdamW; "none", 1.
        momentum_form: "ema" as above; "heavy_ball": b ← μb + g, m = g + μb, as Keras has it.
        bias_correction: of "ema", as optax has it: b counts 1/(1−μᵗ) times, and with nesterov b
            1/(1−μᵗ⁺¹) and g 1/(1−μᵗ) times.
        eps_mode: "clamp" as above; "add": m/(‖m‖ + ε), as optax and Keras have it. (The factor of
            optax is √max(1, cols/rows), as a weight there is applied from the right.)
        maximize: step along the gradient instead of against it.
        common: clipping, averaging, number formats, threads: see `Optimizer`.

    Raises:
        ValueError: a parameter is no matrix, or a number is out of range.

    State: `momentum_buffer`.

    Example:
        >>> import numpy as np, optcore as oc
        >>> params = {"W": np.zeros((2, 2)), "b": np.zeros(2)}
        >>> grads = {"W": np.diag([3.0, -2.0]), "b": np.ones(2)}
        >>> muon = oc.Muon({"W": params["W"]}, lr=1.0)
        >>> rest = oc.AdamW({"b": params["b"]})
        >>> muon.step({"W": grads["W"]})
        >>> rest.step({"b": grads["b"]})
        >>> params["W"].round(1)
        array([[-1.1,  0. ],
               [ 0. ,  0.7]])
    """

    _dialects: ClassVar[Table] = {
        "keras": {
            "momentum_form": "heavy_ball",
            "eps_mode": "add",
            "adjust_lr_fn": "match_rms_adamw",
            "weight_decay": 0.004,
        },
        "optax": {
            "bias_correction": True,
            "eps_mode": "add",
            "eps": 1e-8,
            "adjust_lr_fn": "transposed",
            "weight_decay": 0.0,
        },
        "paper": {"weight_decay": 0.0},
    }
    paper = "Jordan et al., 2024: Muon: An optimizer for hidden layers in neural networks"
    direction = staticmethod(muon_direction)
    _state_slots: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (("momentum_buffer",), ())
    _uses: ClassVar[tuple[str, ...]] = (
        "momentum",
        "nesterov",
        "ns_coefficients",
        "eps",
        "ns_steps",
        "adjust_lr_fn",
        "momentum_form",
        "bias_correction",
        "eps_mode",
    )
    _switches: ClassVar[tuple[str, ...]] = ("nesterov", "bias_correction", "maximize")
    _whole: ClassVar[Mapping[str, int]] = {"ns_steps": 0}
    _ranges: ClassVar[Mapping[str, ranges.Range]] = {
        "lr": ranges.in_words(ranges.NON_NEGATIVE, "Learning rate should be >= 0 but is: "),
        "weight_decay": ranges.in_words(
            ranges.NON_NEGATIVE, "weight decay should be >= 0 but is: "
        ),
        "momentum": ranges.in_words(ranges.BELOW_ONE, "momentum should be >= 0 but is: "),
        "eps": ranges.NON_NEGATIVE,
        "ns_coefficients[0]": ranges.FINITE,
        "ns_coefficients[1]": ranges.FINITE,
        "ns_coefficients[2]": ranges.FINITE,
    }

    def __init__(
        self,
        params: Tree,
        lr: Scalar = 1e-3,
        weight_decay: Scalar = 0.1,
        momentum: Scalar = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[Scalar, Scalar, Scalar] = COEFFICIENTS,
        eps: Scalar = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        momentum_form: str = "ema",
        bias_correction: bool = False,
        eps_mode: str = "clamp",
        maximize: bool = False,
        **common: Unpack[Common],
    ):
        values = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
            "momentum_form": momentum_form,
            "bias_correction": bias_correction,
            "eps_mode": eps_mode,
            "maximize": maximize,
        }
        super().__init__(params, values, **common)

    @classmethod
    def shapes(
        cls, values: Mapping[str, Any], shape: tuple[int, ...]
    ) -> dict[str, tuple[int, ...] | None]:
        """One momentum buffer, of the parameter's own shape."""
        return {"momentum_buffer": None}

    @classmethod
    def _check_shape(cls, shape: tuple[int, ...], where: str) -> None:
        if len(shape) != 2:
            raise ValueError(
                "Muon only supports 2D parameters whereas we found a parameter with size: "
                f"{shape}: {where}: expected a matrix; put the rest into an AdamW"
            )

    @classmethod
    def _core_decay(cls, values: Mapping[str, Any]) -> Any:
        return values["weight_decay"]

    @classmethod
    def _coupled(cls, values: Mapping[str, Any]) -> bool:
        return False

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        coefficients = values["ns_coefficients"]
        if not isinstance(coefficients, (tuple, list)) or len(coefficients) != 3:
            raise ValueError(
                "Coefficients must be a tuple of exactly 3 values: ns_coefficients: expected "
                f"a, b, c, got {coefficients!r}; pass e.g. {COEFFICIENTS}"
            )
        if values["ns_steps"] > MOST_STEPS:
            raise ValueError(
                "Number of steps must be less than 100 for computational efficiency: ns_steps: "
                f"expected at most {MOST_STEPS}, got {values['ns_steps']}; pass e.g. 5"
            )
        if (adjust := values["adjust_lr_fn"]) not in _FACTORS:
            raise ValueError(
                f"Adjust learning rate function {adjust} is not supported: adjust_lr_fn: expected "
                "None, 'original', 'transposed', 'match_rms_adamw' or 'none'; pick one"
            )
        one_of(values["momentum_form"], ("ema", "heavy_ball"), "momentum_form")
        one_of(values["eps_mode"], ("clamp", "add"), "eps_mode")
        if values["bias_correction"] and values["momentum_form"] != "ema":
            raise ValueError(
                "bias_correction: expected momentum_form='ema', got 'heavy_ball', which has no "
                "bias; leave one of them out"
            )
