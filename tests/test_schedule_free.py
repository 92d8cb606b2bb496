"""Train and eval mode of the schedule-free optimizers."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import optcore as oc

BF16 = ml_dtypes.bfloat16
KINDS = (oc.ScheduleFreeSGD, oc.ScheduleFreeAdamW, oc.ScheduleFreeRAdam)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)


def stepped(kind: Any, p: np.ndarray, steps: int = 9, **more: Any) -> Any:
    opt = kind({"w": p}, lr=0.05, **more)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        opt.step({"w": rng.normal(size=p.shape)})
    return opt


@kinds
def test_eval_shows_the_average_of_all_z(kind):
    """Against x kept as an array of its own; z is z of the optimizer."""
    p = np.random.default_rng(0).normal(size=7)
    opt = kind({"w": p}, lr=0.05, weight_lr_power=0.0)
    rng, x = np.random.default_rng(1), p.copy()
    for t in range(1, 20):
        opt.step({"w": rng.normal(size=7)})
        x = x * (1 - 1 / t) + opt.state["w"]["z"] / t
        with opt.eval():
            np.testing.assert_allclose(p, x, rtol=1e-12, atol=1e-13)


@kinds
def test_an_interpolation_that_changes(kind):
    """x is the same average whatever β does: it is taken with the β that y was made with."""
    p = np.random.default_rng(0).normal(size=7)
    name = "momentum" if kind is oc.ScheduleFreeSGD else "betas"
    opt = kind({"w": p}, lr=0.05, weight_lr_power=0.0)
    rng, x = np.random.default_rng(1), p.copy()
    for t in range(1, 20):
        beta = 0.5 + 0.4 * (t % 3) / 3
        opt.groups[0][name] = beta if name == "momentum" else (beta, 0.999)
        opt.step({"w": rng.normal(size=7)})
        x = x * (1 - 1 / t) + opt.state["w"]["z"] / t
        with opt.eval():
            np.testing.assert_allclose(p, x, rtol=1e-11, atol=1e-12)


@kinds
@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [
        (np.float64, None),
        (np.float32, None),
        (BF16, None),
        (BF16, "master"),
        (BF16, "split"),
        (BF16, "stochastic"),
        (np.float16, "master"),
    ],
    ids=str,
)
def test_evaluating_changes_no_bit_of_training(kind, dtype, rounding):
    start = np.random.default_rng(0).normal(size=(5, 33)).astype(dtype)
    made = []
    for evaluates in (False, True):
        p, copy = start.copy(), np.zeros(start.shape, np.float16)
        more = {} if dtype == np.float64 else {"copy_to": {"w": copy}}
        opt = kind({"w": p}, lr=0.05, low_precision=rounding, ema=oc.EMA(0.5), **more)
        rng = np.random.default_rng(1)
        for _ in range(8):
            opt.step({"w": rng.normal(size=p.shape)})
            if evaluates:
                before, copied = p.tobytes(), copy.tobytes()
                with opt.eval():
                    assert p.tobytes() != before or opt.step_count < 8
                    if more:
                        np.testing.assert_allclose(
                            copy.astype(float), p.astype(float), rtol=0.01, atol=1e-3
                        )
                assert (p.tobytes(), copy.tobytes()) == (before, copied)
        made.append((p, copy, opt))
    (p, copy, opt), (q, other, again) = made
    assert (p.tobytes(), copy.tobytes()) == (q.tobytes(), other.tobytes())
    for name, x in opt.state["w"].items():
        assert x.tobytes() == again.state["w"][name].tobytes(), name


def test_digits_kept_beside_16_bits_count():
    """x comes of the master and of the joined halves, not of the rounded parameter."""
    start = np.random.default_rng(0).normal(size=400).astype(BF16)
    shown = {}
    for rounding in ("master", "split"):
        p = start.copy()
        opt = stepped(oc.ScheduleFreeSGD, p, low_precision=rounding)
        wide = start.astype(np.float32)
        plain = stepped(oc.ScheduleFreeSGD, wide)
        with opt.eval(), plain.eval():
            shown[rounding] = p.copy()
            assert np.array_equal(p, wide.astype(BF16))
    assert np.array_equal(shown["master"], shown["split"])


@kinds
def test_modes_are_idempotent_and_nest(kind):
    p = np.ones(5)
    opt = stepped(kind, p)
    y = p.copy()
    assert opt.training
    opt.train()
    assert np.array_equal(p, y)
    opt.eval()
    x = p.copy()
    assert not opt.training
    assert not np.array_equal(x, y)
    opt.eval()
    with opt.eval():
        assert np.array_equal(p, x)
    assert not opt.training
    assert np.array_equal(p, x)
    opt.train()
    opt.train()
    assert opt.training
    assert np.array_equal(p, y)
    with pytest.raises(ZeroDivisionError), opt.eval():
        raise ZeroDivisionError
    assert opt.training
    assert np.array_equal(p, y)


@kinds
def test_a_step_in_eval_mode(kind):
    p, g = np.ones(5), np.ones(5)
    opt = stepped(kind, p)
    opt.eval()
    x, state = p.copy(), {k: v.copy() for k, v in opt.state["w"].items()}
    opt.bind({"w": g})
    for step in (lambda: opt.step({"w": g}), opt.step, lambda: opt.step(closure=lambda: (0, None))):
        with pytest.raises(RuntimeError, match=r"^step: expected train mode.*train\(\)"):
            step()
    assert np.array_equal(p, x)
    assert opt.step_count == 9
    assert all(np.array_equal(v, opt.state["w"][k]) for k, v in state.items())
    opt.train()
    opt.step()
    assert opt.step_count == 10


def test_before_the_first_step_x_is_the_parameter():
    p = np.ones(3)
    opt = oc.ScheduleFreeAdamW({"w": p})
    with opt.eval():
        assert np.array_equal(p, np.ones(3))


def test_blocks_that_do_not_go_together():
    p = np.ones(3)
    opt = stepped(oc.ScheduleFreeSGD, p, ema=oc.EMA(0.5))
    y = p.copy()
    with opt.averaged():
        with pytest.raises(RuntimeError, match=r"^eval: expected no averaged\(\) block"):
            opt.eval()
        assert opt.training
    with opt.eval(), pytest.raises(RuntimeError, match="eval mode"), opt.averaged():
        pass
    assert np.array_equal(p, y)


@kinds
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_state_dict_in_either_mode(kind, mode):
    """Arrays and state dict together go on with the same bits, in the mode they were saved in."""
    p = np.random.default_rng(0).normal(size=6)
    opt = stepped(kind, p)
    getattr(opt, mode)()
    saved, arrays = opt.state_dict(copy=True), p.copy()
    q = arrays.copy()
    again = kind({"w": q}, lr=0.05)
    again.load_state_dict(saved)
    assert again.training == opt.training == (mode == "train")
    assert np.array_equal(q, p)
    for each in (opt, again):
        each.train()
    assert np.array_equal(q, p)
    for each in (opt, again):
        each.step({"w": np.ones(6)})
    assert np.array_equal(q, p)
    with opt.eval(), again.eval():
        assert np.array_equal(q, p)


def test_a_state_dict_of_the_other_mode():
    p = np.ones(3)
    opt = stepped(oc.ScheduleFreeSGD, p)
    trained = opt.state_dict(copy=True)
    opt.eval()
    evaluated = opt.state_dict(copy=True)
    x = p.copy()
    with pytest.raises(ValueError, match=r"^state_dict/training: .*call train\(\) before"):
        opt.load_state_dict(trained)
    for wrong, error in (
        ({k: v for k, v in evaluated.items() if k != "training"}, KeyError),
        ({**evaluated, "training": 1}, TypeError),
        ({k: v for k, v in evaluated.items() if k != "trained"}, KeyError),
        ({**evaluated, "trained": {}}, KeyError),
        ({**evaluated, "trained": {"w": np.ones(4)}}, ValueError),
        ({**evaluated, "trained": {"w": np.ones(3, int)}}, TypeError),
    ):
        with pytest.raises(error, match="state_dict/train"):
            opt.load_state_dict(wrong)
        assert not opt.training
        assert np.array_equal(p, x)
    opt.train()
    opt.load_state_dict(trained)
    assert opt.training


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.1, np.nan])
def test_interpolation_out_of_range(beta):
    with pytest.raises(ValueError, match=r"Invalid momentum value: .*\(0, 1\)"):
        oc.ScheduleFreeSGD(np.ones(2), momentum=beta)
    with pytest.raises(ValueError, match=r"Invalid beta parameter at index 0: .*\(0, 1\)"):
        oc.ScheduleFreeAdamW(np.ones(2), betas=(beta, 0.9))
