"""Muon, Shampoo, SOAP and SM3 against the packages that have them, in float64, over 50 steps.

Both get the same gradients; after each step our parameter is set to the peer's, so that what is
compared is one step, from states as they come about. The bound is `BOUND` of the larger of |θ| and
the step, element by element, but where a test says otherwise. What differs:

- torch's Muon iterates in bfloat16, and agrees to `BFLOAT16` of the largest move; with its rounding
  taken out it agrees to `BOUND`.
- Shampoo's bound is that of the largest |θ| or step in the array: of a vector the first matrices
  have ε in all directions but one, and its inverse root multiplies their last bits.
- pytorch_optimizer's SOAP takes its QR decompositions in float32; its own code is run with float64
  in that place.
- Keras rounds the norm of a float64 matrix, and its factor by shape, to float32; it is given both
  in float64.
- optax multiplies weights from the right, so its factor by shape is that of the transposed matrix.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import optcore as oc

STEPS = 50
BOUND = 1e-10
BFLOAT16 = 0.15

SHAPES = [(4, 4), (3, 5), (7, 2)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def gradients(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(3)
    for _ in range(STEPS):
        yield rng.normal(size=shape) * 2.0 ** rng.integers(-4, 5)


def compare(
    opt: Any,
    p: np.ndarray,
    peer: Callable[[np.ndarray], np.ndarray],
    *,
    bound: float = BOUND,
    of: str = "each",
) -> float:
    """Steps both; `peer` takes a gradient and returns its parameter. The largest error."""
    worst = 0.0
    for g in gradients(p.shape):
        before = p.copy()
        opt.step(g)
        theirs = peer(g)
        scale = np.maximum(np.abs(before), np.abs(theirs - before))
        if of == "the largest":
            scale = np.max(scale)
        elif of == "the largest move":
            scale = np.abs(theirs - before).max()
        with np.errstate(invalid="ignore"):
            error = np.abs(p - theirs) / scale
        worst = max(worst, float(np.max(np.where(p == theirs, 0, error), initial=0)))
        p[...] = theirs
    assert worst <= bound
    return worst


def start(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


def torch_peer(kind: Any, p: np.ndarray, **options: Any) -> Callable[[np.ndarray], np.ndarray]:
    torch = importlib.import_module("torch")
    w = torch.nn.Parameter(torch.tensor(p, dtype=torch.float64))
    opt = kind([w], **options)

    def step(g: np.ndarray) -> np.ndarray:
        w.grad = torch.tensor(g, dtype=torch.float64)
        opt.step()
        return w.detach().numpy().copy()

    return step


def optax_peer(rule: Any, p: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    jax, optax = importlib.import_module("jax"), importlib.import_module("optax")
    w = jax.numpy.asarray(p)
    assert w.dtype == np.float64
    state = rule.init(w)
    update = jax.jit(rule.update)

    def step(g: np.ndarray) -> np.ndarray:
        nonlocal w, state
        updates, state = update(jax.numpy.asarray(g), state, w)
        w = optax.apply_updates(w, updates)
        return np.array(w)

    return step


@pytest.fixture
def optax():
    module = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield module
    jax.config.update("jax_enable_x64", before)


# Muon.


MUON = [
    {},
    {"lr": 0.05, "nesterov": False, "weight_decay": 0.0},
    {"momentum": 0.8, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.3},
    {"ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5), "eps": 1e-3, "adjust_lr_fn": "original"},
]


@shapes
@pytest.mark.parametrize("options", MUON, ids=str)
def test_muon_and_torch_s_without_its_bfloat16(shape, options, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    p = start(shape)
    peer = torch_peer(torch.optim.Muon, p, **options)
    compare(oc.Muon(p, **options), p, peer)


@shapes
@pytest.mark.parametrize("options", MUON[:3], ids=str)
def test_muon_and_torch_s_as_it_is(shape, options):
    torch = pytest.importorskip("torch")
    p = start(shape)
    peer = torch_peer(torch.optim.Muon, p, **{**options, "weight_decay": 0.0})
    opt = oc.Muon(p, **{**options, "weight_decay": 0.0})
    compare(opt, p, peer, bound=BFLOAT16, of="the largest move")


def test_muon_s_words_are_torch_s():
    torch = pytest.importorskip("torch")
    wrong = {"lr": -1.0, "momentum": -1.0, "weight_decay": -1.0, "adjust_lr_fn": "x"}
    for values in ({name: value} for name, value in wrong.items()):
        with pytest.raises(ValueError, match=r"should be >= 0|supported") as theirs:
            torch.optim.Muon([torch.zeros(2, 2)], **values)
        with pytest.raises(ValueError, match=r"should be >= 0|supported") as ours:
            oc.Muon(np.zeros((2, 2)), **values)
        assert str(ours.value).startswith(str(theirs.value))
    with pytest.raises(ValueError, match="Muon only supports 2D") as theirs:
        torch.optim.Muon([torch.zeros(2)])
    with pytest.raises(ValueError, match="Muon only supports 2D") as ours:
        oc.Muon(np.zeros(2))
    words = str(theirs.value).partition("torch.Size")[0]
    assert str(ours.value).startswith(words)


@shapes
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("rms", [None, 0.2])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_muon_and_optax_s(shape, nesterov, rms, decay, optax):
    rule = optax.contrib.muon(
        0.05, nesterov=nesterov, consistent_rms=rms, weight_decay=decay, eps=1e-6
    )
    p = start(shape)
    theirs = optax_peer(rule, p.T)
    opt = oc.Muon(
        p,
        lr=0.05,
        nesterov=nesterov,
        weight_decay=decay,
        adjust_lr_fn="match_rms_adamw" if rms else None,
        bias_correction=True,
        eps_mode="add",
        eps=1e-6,
    )
    compare(opt, p, lambda g: theirs(g.T).T)


@shapes
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, in talking to NumPy
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("rms", [None, 0.2])
def test_muon_and_keras_s(shape, nesterov, rms, monkeypatch):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
    keras = pytest.importorskip("keras")

    def norm(x: Any, axis: Any, keepdims: bool) -> Any:
        return keras.ops.sum(x * x, axis=axis, keepdims=keepdims) ** 0.5

    muon = importlib.import_module("keras.src.optimizers.muon")
    monkeypatch.setattr(muon.ops, "norm", norm)
    monkeypatch.setattr(muon.ops, "sqrt", lambda count: float(count) ** 0.5)
    before = keras.backend.floatx()
    keras.backend.set_floatx("float64")
    try:
        p = start(shape)
        w = keras.Variable(p, dtype="float64")
        rule = keras.optimizers.Muon(
            0.05, nesterov=nesterov, rms_rate=rms, weight_decay=0.1, momentum=0.9
        )

        def peer(g: np.ndarray) -> np.ndarray:
            rule.apply([keras.ops.convert_to_tensor(g)], [w])
            return np.array(keras.ops.convert_to_numpy(w))

        opt = oc.Muon(
            p,
            lr=float(keras.ops.convert_to_numpy(rule.learning_rate)),
            nesterov=nesterov,
            weight_decay=0.1,
            momentum=0.9,
            momentum_form="heavy_ball",
            eps_mode="add",
            adjust_lr_fn="match_rms_adamw" if rms else "none",
        )
        compare(opt, p, peer)
    finally:
        keras.backend.set_floatx(before)


@shapes
def test_muon_in_the_dialect_of_optax(shape, optax):
    """With its defaults, and the matrix as it lies."""
    p = start(shape)
    opt = oc.Muon(p, lr=0.05, dialect="optax")
    compare(opt, p, optax_peer(optax.contrib.muon(0.05), p))


# Shampoo and SOAP.


@pytest.mark.parametrize("shape", [(5,), *SHAPES, (2, 3, 4), (2, 3, 2, 3)], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled": True, "eps": 1e-3, "maximize": True},
    ],
    ids=str,
)
def test_shampoo_and_pytorch_optimizer_s(shape, options):
    """Without momentum, which runs over finished updates there, and with a root in every step."""
    theirs = pytest.importorskip("pytorch_optimizer")
    own = {k: v for k, v in options.items() if k not in ("decoupled", "eps")}
    decoupled, eps = options.get("decoupled", False), options.get("eps", 1e-6)
    p = start(shape)
    more = {"weight_decouple": decoupled, "matrix_eps": eps}
    peer = torch_peer(theirs.Shampoo, p, lr=0.1, **own, **more)
    opt = oc.Shampoo(p, lr=0.1, **own, decoupled_weight_decay=decoupled, eps=eps)
    compare(opt, p, peer, of="the largest")


class Wide:
    """The module torch, but for float32, which is float64."""

    def __getattr__(self, name: str) -> Any:
        torch = importlib.import_module("torch")
        return torch.float64 if name == "float32" else getattr(torch, name)


SOAPS = [
    {},
    {"betas": (0.9, 0.99), "shampoo_beta": 0.8, "precondition_frequency": 3, "weight_decay": 0.1},
    {"correct_bias": False, "precondition_frequency": 1},
    {"normalize_gradient": True, "max_precondition_dim": 3, "maximize": True},
    {"precondition_1d": True, "precondition_frequency": 2, "eps": 1e-3},
]
# One zero among the first eigenvalues at most: with more of them the basis is LAPACK's choice.
SOAP_SHAPES = [(), (1,), (4, 4), (3, 4), (4, 3), (2, 3, 4)]


@pytest.mark.parametrize("shape", SOAP_SHAPES, ids=str)
@pytest.mark.parametrize("options", SOAPS, ids=str)
def test_soap_and_pytorch_optimizer_s(shape, options, monkeypatch):
    theirs = pytest.importorskip("pytorch_optimizer")
    module = importlib.import_module("pytorch_optimizer.optimizer.soap")
    monkeypatch.setattr(module, "torch", Wide())
    p = start(shape)
    peer = torch_peer(theirs.SOAP, p, lr=0.05, **options)
    renamed = {"max_precondition_dim": "max_precond_dim"}
    opt = oc.SOAP(p, lr=0.05, **{renamed.get(k, k): v for k, v in options.items()})
    compare(opt, p, peer)


# SM3.


@pytest.mark.parametrize("shape", [(), (5,), *SHAPES, (2, 3, 4)], ids=str)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("maximize", [False, True])
def test_sm3_and_pytorch_optimizer_s(shape, momentum, maximize):
    """Without beta, with which an accumulator there never falls."""
    theirs = pytest.importorskip("pytorch_optimizer")
    p = start(shape)
    peer = torch_peer(theirs.SM3, p, lr=0.1, momentum=momentum, maximize=maximize)
    compare(oc.SM3(p, lr=0.1, momentum=momentum, maximize=maximize), p, peer)


@pytest.mark.parametrize("shape", [(5,), *SHAPES, (2, 3, 4)], ids=str)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_sm3_and_optax_s(shape, momentum, beta, optax):
    b2 = beta or 1.0
    rule = optax.chain(optax.scale_by_sm3(momentum, b2, 1e-8), optax.scale(-0.1))
    p = start(shape)
    opt = oc.SM3(p, lr=0.1, momentum=momentum, beta=beta, eps=1e-8)
    compare(opt, p, optax_peer(rule, p))
    if momentum == 0.9 and not beta:
        q = start(shape)
        compare(oc.SM3(q, lr=0.1, eps=1e-8), q, optax_peer(optax.sm3(0.1), q))
