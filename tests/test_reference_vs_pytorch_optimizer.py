"""Rules that torch, optax and Keras lack, or have otherwise, against pytorch_optimizer, in float64.

How rows work, and how to add one, is said in `oracles.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from oracles import BOTH, TOLERANCE, Case, Rates, grid, held, left_out, row_id, rows, worst

import optcore

torch = pytest.importorskip("torch")
peer = pytest.importorskip("pytorch_optimizer")

# What pytorch_optimizer calls our options, where it has another name.
NAMES = {"decoupled_weight_decay": "weight_decouple"}
# No part of the formula, or what optcore has for all rules; fixed_decay is a decay without a rate.
NO_OPTIONS = {"params", "lr", "foreach", "kwargs", "fixed_decay", "cautious"}
NOT_OFFERED = {
    # clip_norm is an option of the step, not of the rule; and with maximize its first difference of
    # gradients is −2g, where it is 0 without
    "Adan": {"max_grad_norm", "maximize"},
    # other powers than the root would be taken of every element
    "FTRL": {"lr_power"},
    # at the first step it applies the dampening, where torch's SGD, timm and optcore do not
    "LARS": {"dampening"},
    # what the authors' code does with vectors: groups of another optimizer here. The decay that is
    # not decoupled is added there after the gradient was used, and so to nothing but g'.
    "MARS": {
        "mars_type",
        "optimize_1d",
        "lr_1d",
        "betas_1d",
        "weight_decay_1d",
        "weight_decouple",
    },
}
DECAY = {"weight_decay": (0.0, 0.1), "decoupled_weight_decay": BOTH, "maximize": BOTH}
BETAS = ((0.9, 0.99), (0.3, 0.8))
BETAS3 = ((0.98, 0.92, 0.99), (0.3, 0.5, 0.8))
MATRICES = ((7, 3), (2, 3, 4))  # pytorch_optimizer's LARS leaves vectors to plain momentum
MARS_SLOTS = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq", "last_grad": "last_grad"}
MARS_NAMES = {"amsgrad": "ams_bound", "eps": lambda v: {"eps": v.value}, "eps_root": lambda _: {}}


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def clip_lambda(exponent: float | None) -> dict[str, Any]:
    """The authors count the limit from the second step on, pytorch_optimizer from the first."""
    return {"clip_lambda": None if exponent is None else lambda step: (step - 1) ** exponent}


@dataclass(frozen=True)
class Uncorrected:
    """What stands beside v, or its root, before both are divided by 1 − β2ᵗ, or its root."""

    value: float
    beta2: float
    power: float

    def __call__(self, step: int) -> float:
        return self.value / (1 - self.beta2 ** (step + 1)) ** self.power


def mars(amsgrad: bool) -> list[dict[str, Any]]:
    """pytorch_optimizer takes √(v + 1e-15) + ε, and corrects that for its start, not v alone."""
    options = grid(
        lr=(0.05,),
        betas=BETAS,
        gamma=(0.025, 0.5),
        weight_decay=(0.0, 0.1),
        maximize=BOTH,
        eps=(1e-8, 1e-3),
        amsgrad=(amsgrad,),
    )
    for row in options:
        beta2 = row["betas"][1]
        row["eps"] = Uncorrected(row["eps"], beta2, 0.5)
        row["eps_root"] = Uncorrected(1e-15, beta2, 1.0)
    return options


CASES = (
    Case("Lion", "Lion", same("exp_avg"), grid(lr=(0.05,), betas=BETAS, **DECAY)),
    Case(
        "Signum",
        "SignSGD",
        same("momentum_buffer"),
        grid(lr=(0.05,), momentum=(0.9, 0.4), **DECAY),
    ),
    Case("SignSGD", "SignSGD", {}, grid(lr=(0.05,), **DECAY), theirs={"momentum": 0.0}),
    Case(
        "Adan",
        "Adan",
        {**same("exp_avg", "exp_avg_sq", "exp_avg_diff"), "previous_grad": "-previous_grad"},
        grid(
            lr=(0.05,),
            betas=BETAS3,
            eps=(1e-8, 1e-3),
            weight_decay=(0.0, 0.1),
            decoupled_weight_decay=BOTH,
        ),
    ),
    Case(
        "ADOPT",
        "ADOPT",
        same("exp_avg", "exp_avg_sq"),
        grid(lr=(0.05,), betas=BETAS, eps=(1e-6, 1e-2), clip_exponent=(0.25, 0.5, None), **DECAY),
        names={"clip_exponent": clip_lambda},
    ),
    Case(
        "AdEMAMix",
        "AdEMAMix",
        same("exp_avg", "exp_avg_sq", "exp_avg_slow"),
        grid(
            lr=(0.05,),
            betas=((0.9, 0.999, 0.9999), (0.3, 0.8, 0.95)),
            eps=(1e-8, 1e-3),
            alpha=(5.0, 1.0),
            t_alpha_beta3=(None, 20.0, 200.0),
            **DECAY,
        ),
    ),
    Case(
        "FTRL",
        "FTRL",
        same("z", "n"),
        grid(lr=(0.05, 1.0), beta=(0.0, 1.0), l1=(0.0, 0.5), l2=(0.0, 0.1), maximize=BOTH),
        names={"l1": "lambda_1", "l2": "lambda_2"},
        fixed={"initial_accumulator_value": 0.0},
    ),
    Case(
        "LARS",
        "LARS",
        same("momentum_buffer"),
        grid(
            lr=(0.5,),
            momentum=(0.9, 0.4),
            weight_decay=(0.0, 0.1),
            nesterov=BOTH,
            trust_coefficient=(1e-3, 0.1),
            maximize=BOTH,
        ),
        fixed={"eps": 0.0},
        shapes=MATRICES,
    ),
    Case(
        "LARS",
        "LARS",
        {},
        grid(lr=(0.5,), momentum=(0.0,), weight_decay=(0.0, 0.1)),
        fixed={"eps": 0.0},
        shapes=MATRICES,
    ),
    Case(
        "NovoGrad",
        "NovoGrad",
        {"exp_avg": "moments", "exp_norm_sq": "grads_ema"},
        grid(lr=(0.05,), betas=BETAS, eps=(1e-8, 1e-3), grad_averaging=BOTH, **DECAY),
    ),
    Case(
        "MARS",
        "MARS",
        MARS_SLOTS,
        mars(amsgrad=False),
        names=MARS_NAMES,
        theirs={"optimize_1d": True},
    ),
    Case(
        "MARS",
        "MARS",
        {**MARS_SLOTS, "max_exp_avg_sq": "max_exp_avg_sq"},
        mars(amsgrad=True),
        names=MARS_NAMES,
        theirs={"optimize_1d": True},
    ),
)


class PytorchOptimizer:
    """A parameter, and an optimizer of pytorch_optimizer over it."""

    def __init__(self, name: str, p: np.ndarray, options: dict[str, Any], rates: Rates | None):
        self.tensor = torch.tensor(p, requires_grad=True)
        self.optimizer = getattr(peer, name)([self.tensor], foreach=False, **options)
        assert self.tensor.dtype == torch.float64

    def step(self, g: np.ndarray, rate: float | None, **more: Any) -> np.ndarray:
        if rate is not None:
            self.optimizer.param_groups[0]["lr"] = rate
        self.tensor.grad = torch.from_numpy(g.copy())
        self.optimizer.step(**more)
        return self.tensor.detach().numpy().copy()

    def slot(self, name: str) -> np.ndarray:
        return self.optimizer.state[self.tensor][name].numpy().copy()


@pytest.mark.parametrize("row", rows(CASES), ids=row_id)
def test_pytorch_optimizer(row):
    held("torch", *row, NAMES, PytorchOptimizer)


@pytest.mark.parametrize("name", sorted({case.peer for case in CASES}))
def test_every_option_of_pytorch_optimizer_is_in_a_row(name):
    cases = [case for case in CASES if case.peer == name]
    assert left_out(cases, getattr(peer, name), NAMES, NO_OPTIONS) == NOT_OFFERED.get(name, set())


@pytest.mark.parametrize("shape", [(7, 3), (5,), ()])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("decoupled", BOTH)
@pytest.mark.parametrize(
    ("betas", "rho", "eps"), [((0.96, 0.99), 0.01, 1e-12), ((0.3, 0.5), 0.5, 0.1)]
)
def test_sophia(shape, decay, decoupled, betas, rho, eps):
    """SophiaH limits m/max(h, ε) to ±p, which is p times our u with ε·p for our ε."""
    rng = np.random.default_rng(len(shape))
    p = rng.normal(size=shape)
    theirs = PytorchOptimizer(
        "SophiaH",
        p,
        {
            "lr": 0.05 / rho,
            "betas": betas,
            "p": rho,
            "eps": eps / rho,
            "weight_decay": decay * rho,
            "weight_decouple": decoupled,
            "update_period": 10**6,
        },
        None,
    )
    if not decoupled:
        theirs.optimizer.param_groups[0]["weight_decay"] = decay
    opt = optcore.Sophia(
        p,
        lr=0.05,
        betas=betas,
        rho=rho,
        eps=eps,
        weight_decay=decay,
        decoupled_weight_decay=decoupled,
    )
    for step in range(50):
        more = {}
        if step % 3 == 0:
            h = np.asarray(rng.normal(loc=1.0, size=shape) * 10 ** rng.uniform(-2, 2, size=shape))
            opt.update_hessian(h)
            more = {"hessian": [torch.from_numpy(h.copy())]}
        g = np.asarray(rng.normal(size=shape))
        before = p.copy()
        opt.step(g)
        after = theirs.step(g, None, **more)
        assert worst(p, after, before, after - before) <= TOLERANCE, step
        for ours, slot in (("exp_avg", "momentum"), ("hessian", "hessian_moment")):
            assert worst(opt.state[""][ours], theirs.slot(slot)) <= TOLERANCE, (ours, step)
            opt.state[""][ours][...] = theirs.slot(slot)
        p[...] = after
