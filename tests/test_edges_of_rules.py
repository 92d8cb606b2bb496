"""What rules do at their edges: zeros, first steps, limits, and options that no peer here has."""

from __future__ import annotations

import numpy as np
import pytest

import optcore as oc
from optcore import _core


def test_lion_moves_at_zero_only_if_told():
    for step_at_zero, moved in ((False, [1.0, 1.5]), (True, [0.5, 1.5])):
        w = np.ones(2)
        opt = oc.Lion(w, lr=0.5, step_at_zero=step_at_zero)
        opt.step(np.array([0.0, -1.0]))
        assert w.tolist() == moved


@pytest.mark.parametrize("kind", [oc.Lion, oc.Signum, oc.SignSGD])
def test_a_gradient_that_is_no_number_is_no_sign(kind):
    w = np.zeros(4)
    kind(w, lr=0.5).step(np.array([np.nan, np.inf, -np.inf, 0.0]))
    assert np.array_equal(w, [np.nan, -0.5, 0.5, 0.0], equal_nan=True)


@pytest.mark.parametrize("eps", [0.0, 1e-6])
@pytest.mark.parametrize("clip_exponent", [None, 0.25])
@pytest.mark.parametrize("nesterov", [False, True])
def test_adopt_begins_with_the_second_step(eps, clip_exponent, nesterov):
    w, g = np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.0, -1e-30])
    opt = oc.ADOPT(w, lr=0.1, eps=eps, clip_exponent=clip_exponent, nesterov=nesterov)
    opt.step(g)
    assert w.tolist() == [1.0, 2.0, 3.0]
    assert opt.state[""]["exp_avg"].tolist() == [0.0, 0.0, 0.0]
    assert np.array_equal(opt.state[""]["exp_avg_sq"], g * g)
    opt.step(np.array([8.0, 1.0, 1.0]))
    limited = clip_exponent is not None
    m = opt.state[""]["exp_avg"]
    assert m[0] == pytest.approx(0.1 * (1.0 if limited else 2.0))
    assert (m[1:] == pytest.approx([0.1, 0.1])) == limited


def test_the_limit_of_adopt_grows_as_the_authors_have_it():
    w = np.zeros(1)
    opt = oc.ADOPT(w, lr=1.0, betas=(0.0, 0.9999), clip_exponent=0.5)
    opt.step(np.array([1e-3]))
    for t in range(2, 8):
        before = w.copy()
        opt.step(np.array([1e6 * 10.0**t]))
        assert before - w == pytest.approx(np.sqrt(t - 1.0), rel=1e-12)


def test_the_difference_of_adan_starts_with_the_second_gradient_of_a_parameter():
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    opt, g = oc.Adan(params), np.array([1.0, -2.0])
    opt.step({"a": g, "b": None})
    opt.step({"a": 3 * g, "b": 3 * g})
    assert np.allclose(opt.state["a"]["exp_avg_diff"], 0.08 * 2 * g)
    assert opt.state["b"]["exp_avg_diff"].tolist() == [0.0, 0.0]
    assert np.array_equal(opt.state["b"]["previous_grad"], 3 * g)


def test_the_warm_up_of_ademamix():
    """β3 as the paper prints it, and in terms of half-lives, which grow evenly."""
    beta1, beta3, steps = 0.9, 0.999, 100.0
    w = np.zeros(1)
    opt = oc.AdEMAMix(w, betas=(beta1, 0.999, beta3), t_alpha_beta3=steps)
    slow = 0.0
    for t in range(1, 131):
        opt.step(np.ones(1))
        r = min(t / steps, 1.0)
        ln1, ln3 = np.log(beta1), np.log(beta3)
        printed = min(np.exp(ln1 * ln3 / ((1 - r) * ln3 + r * ln1)), beta3)
        half_life = (1 - r) / -np.log2(beta1) + r / -np.log2(beta3)
        assert printed == pytest.approx(0.5 ** (1 / half_life), rel=1e-12)
        slow = printed * slow + (1 - printed)
        assert opt.state[""]["exp_avg_slow"][0] == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("beta3", [0.0, 0.5, 0.9])
def test_the_warm_up_of_ademamix_with_any_betas(beta1, beta3):
    w = np.zeros(3)
    opt = oc.AdEMAMix(w, betas=(beta1, 0.9, beta3), t_alpha_beta3=4.0)
    for _ in range(6):
        opt.step(np.ones(3))
        assert np.isfinite(w).all()


def test_ftrl_is_exactly_zero_within_l1_and_where_nothing_ever_came():
    w = np.array([1.0, 1.0, 1.0])
    opt = oc.FTRL(w, lr=0.1, l1=2.0, initial_accumulator_value=0.0)
    opt.step(np.array([0.0, 1e-3, 50.0]))
    assert w[0] == 0.0
    assert w[2] != 0.0
    w = np.ones(4)
    opt = oc.FTRL(w, lr=0.1, l1=100.0)
    opt.step(np.array([1.0, -1.0, 2.0, 0.0]))
    assert w.tolist() == [0.0] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ftrl_at_a_rate_of_zero_has_numbers(dtype):
    w = np.ones(3, dtype)
    opt = oc.FTRL(w, lr=lambda step: 0.1 * step)
    for _ in range(5):
        opt.step(np.array([1.0, 0.0, -1.0], dtype))
        assert np.isfinite(w).all()


def test_novograd_without_a_gradient_yet():
    for eps in (0.0, 1e-8):
        w = np.ones(3)
        opt = oc.NovoGrad(w, lr=0.5, eps=eps)
        opt.step(np.zeros(3))
        assert w.tolist() == [1.0, 1.0, 1.0]
        opt.step(np.array([np.nan, 1.0, 1.0]))
        assert np.isnan(w[0])


def test_novograd_has_one_second_moment_for_each_tensor():
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    opt = oc.NovoGrad(params, betas=(0.9, 0.5))
    opt.step({"a": np.array([3.0, 4.0]), "b": np.array([0.0, 1.0])})
    opt.step({"a": np.array([0.0, 0.0]), "b": None})
    assert float(opt.state["a"]["exp_norm_sq"]) == 12.5
    assert float(opt.state["b"]["exp_norm_sq"]) == 1.0


def lars_of_timm(p, g, b, t, lr, momentum, dampening, decay, trust, eps, trust_clip, nesterov):
    """A step as timm has it, written from its formulas."""
    p_norm, g_norm = np.linalg.norm(p), np.linalg.norm(g)
    ratio = 1.0
    if p_norm > 0 and g_norm > 0:
        ratio = trust * p_norm / (g_norm + p_norm * decay + eps)
    if trust_clip:
        ratio = min(ratio / lr, 1.0)
    u = ratio * (g + decay * p)
    b = u if t == 1 else momentum * b + (1 - dampening) * u
    return p - lr * (u + momentum * b if nesterov else b), b


@pytest.mark.parametrize("trust", [1e-3, 2.0])
@pytest.mark.parametrize("dampening", [0.0, 0.3])
@pytest.mark.parametrize("trust_clip", [False, True])
@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_as_timm_has_it(trust, dampening, trust_clip, nesterov):
    rng = np.random.default_rng(0)
    p = rng.normal(size=(4, 5))
    opt = oc.LARS(
        p,
        lr=0.5,
        momentum=0.8,
        dampening=dampening,
        weight_decay=0.1,
        nesterov=nesterov,
        trust_coefficient=trust,
        eps=1e-3,
        trust_clip=trust_clip,
    )
    b = np.zeros_like(p)
    for t in range(1, 51):
        g = rng.normal(size=p.shape) * 10 ** rng.uniform(-2, 2)
        wanted, b = lars_of_timm(
            p, g, b, t, 0.5, 0.8, dampening, 0.1, trust, 1e-3, trust_clip, nesterov
        )
        opt.step(g)
        np.testing.assert_allclose(p, wanted, rtol=1e-12, atol=1e-12)
        p[...], opt.state[""]["momentum_buffer"][...] = wanted, b


def test_mars_limits_what_it_takes_in_to_a_norm_of_one():
    w = np.zeros((3, 4))
    opt = oc.MARS(w, betas=(0.5, 0.9), gamma=0.25)
    opt.step(np.full((3, 4), 100.0))
    assert np.linalg.norm(opt.state[""]["exp_avg"]) == pytest.approx(0.5)
    w = np.zeros(2)
    opt = oc.MARS(w, betas=(0.5, 0.9), gamma=0.25)
    opt.step(np.array([0.3, -0.4]))  # c = 1.25·g, of norm 0.625
    assert opt.state[""]["exp_avg"] == pytest.approx([0.1875, -0.25])


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (oc.Lion, {"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1"),
        (oc.Signum, {"momentum": 1.0}, "Invalid momentum value"),
        (oc.Adan, {"betas": (0.9, 0.9)}, "betas: expected three values"),
        (oc.Adan, {"betas": (0.9, 0.9, -0.1)}, "Invalid beta parameter at index 2"),
        (oc.ADOPT, {"clip_exponent": -1.0}, "Invalid clip_exponent value"),
        (oc.AdEMAMix, {"alpha": -1.0}, "Invalid alpha value"),
        (oc.AdEMAMix, {"t_alpha_beta3": -1.0}, "Invalid t_alpha_beta3 value"),
        (oc.FTRL, {"l1": -1.0}, "Invalid l1 value"),
        (oc.FTRL, {"initial_accumulator_value": -1.0}, "Invalid initial_accumulator_value value"),
        (oc.Sophia, {"rho": -1.0}, "Invalid rho value"),
        (oc.LARS, {"trust_coefficient": -1.0}, "Invalid trust_coefficient value"),
        (oc.LARS, {"momentum": 0.0, "nesterov": True}, "Nesterov momentum requires a momentum"),
        (oc.LARS, {"cautious": True}, "cautious: expected False with LARS"),
        (oc.NovoGrad, {"grad_averaging": 1}, "grad_averaging: expected True or False"),
        (oc.MARS, {"gamma": float("nan")}, "Invalid gamma value"),
    ],
)
def test_bad_values_are_named(kind, options, words):
    with pytest.raises((TypeError, ValueError), match=words):
        kind(np.ones(3), **options)


def test_a_fixed_value_stays():
    opt = oc.FTRL(np.ones(3))
    with pytest.raises(ValueError, match="initial_accumulator_value"):
        opt.groups[0]["initial_accumulator_value"] = 0.5
    opt = oc.Signum(np.ones(3), momentum=0.0)
    with pytest.raises(ValueError, match="a coefficient that was 0"):
        opt.groups[0]["momentum"] = 0.9


def test_reading_a_norm_does_not_depend_on_the_level():
    """Trust ratios and limits come from sums of a fixed order."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=(70, 301)).astype(np.float32)
    found = set()
    before = _core.isa()
    try:
        for isa in oc.available_isas():
            _core.use_isa(isa)
            arrays = []
            for kind in (oc.LARS, oc.NovoGrad, oc.MARS):
                w = np.ones_like(g)
                opt = kind(w, lr=0.1)
                opt.step(g)
                opt.step(-g)
                arrays.append(w.tobytes())
            found.add(tuple(arrays))
    finally:
        _core.use_isa(before)
    assert len(found) == 1


def test_what_all_groups_share_stays_shared():
    opt = oc.Prodigy([{"params": {"a": np.ones(2)}}, {"params": {"b": np.ones(2)}}])
    with pytest.raises(ValueError, match=r"d_coef: expected 1\.0, as in groups"):
        opt.groups[1]["d_coef"] = 5.0
    saved = opt.state_dict(copy=True)
    saved["groups"][1]["d_coef"] = 5.0
    with pytest.raises(ValueError, match=r"d_coef: expected 1\.0"):
        opt.load_state_dict(saved)
    assert opt.groups[1]["d_coef"] == 1.0


def test_lamb_descends_though_decay_turns_the_sign():
    """A rate times decay above 1 makes the kept part negative, but no norm is."""
    w = np.array([3.0, 4.0])
    oc.LAMB(w, lr=10.0, weight_decay=0.2, decoupled_weight_decay=True).step(np.ones(2))
    assert np.all(w < -np.array([3.0, 4.0]))
