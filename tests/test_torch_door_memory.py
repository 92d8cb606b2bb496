"""Tensors whose memory is not what it seems, that move, that go: the PyTorch door keeps up."""

from __future__ import annotations

import gc
import weakref

import pytest

torch = pytest.importorskip("torch")

import optcore as oc  # noqa: E402
import optcore.torch as ot  # noqa: E402

Parameter = torch.nn.Parameter


def stepped(kind, *params, steps=1, **options):
    """An optimizer that has taken steps with gradients of ones, where there are none yet."""
    for p in params:
        p.grad = torch.ones_like(p) if p.grad is None else p.grad
    opt = kind(params, **options)
    for _ in range(steps):
        opt.step()
    return opt


def test_a_gradient_whose_memory_holds_its_negative():
    """Autograd makes such gradients of parameters of one element."""
    losses = {}
    for kind in (ot.SGD, torch.optim.SGD):
        b = Parameter(torch.zeros(()))
        opt = kind([b], lr=0.05)
        for _ in range(40):
            opt.zero_grad()
            turned = torch.complex(torch.tensor(1.0), b).conj() * 1j
            loss = (turned.real - 2).square()
            loss.backward()
            opt.step()
        assert b.grad.is_neg()
        losses[kind] = loss.item()
    assert losses[ot.SGD] == pytest.approx(losses[torch.optim.SGD], rel=1e-6)


@pytest.mark.parametrize("how", [lambda z: z.mH, lambda z: z.conj(), lambda z: z.conj().imag])
def test_a_parameter_whose_memory_holds_its_conjugate_or_negative(how):
    start = torch.full((2, 3), 1 + 2j)
    ours = Parameter(how(start.clone()))
    theirs = Parameter(how(start).resolve_conj().resolve_neg().clone())  # what torch can step
    stepped(ot.Adam, ours, steps=3, lr=0.1)
    stepped(torch.optim.Adam, theirs, steps=3, lr=0.1)
    assert (ours - theirs).abs().max() < 1e-6
    assert (ours - how(start)).abs().max() > 0.1


def test_a_gradient_without_memory_is_one_of_zeros():
    ours, theirs = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    for p, kind in ((ours, ot.SGD), (theirs, torch.optim.SGD)):
        p.grad = torch._efficientzerotensor(3)
        stepped(kind, p, lr=0.1, weight_decay=0.5)
    assert torch.equal(ours, theirs)
    assert ours[0] < 1


def test_memory_that_was_given_back_is_not_touched():
    p = Parameter(torch.ones(3))
    opt = stepped(ot.Adam, p)
    storage, size = p.untyped_storage(), p.untyped_storage().nbytes()
    storage.resize_(0)  # a step does not stand in the way of that
    with pytest.raises(RuntimeError, match="expected a parameter with its memory"):
        opt.step()
    storage.resize_(size)
    with torch.no_grad():
        p.fill_(1.0)
    opt.step()
    assert opt.state[p]["step"] == 2


def test_state_that_is_turned_in_place_is_seen():
    torch.manual_seed(0)
    ours, theirs = Parameter(torch.ones(3, 3)), Parameter(torch.ones(3, 3))
    ours.grad = torch.randn(3, 3)
    theirs.grad = ours.grad.clone()
    for p, kind in ((ours, ot.Adam), (theirs, torch.optim.Adam)):
        opt = stepped(kind, p, lr=0.1)
        opt.state[p]["exp_avg"].t_()
        opt.step()
    assert (ours - theirs).abs().max() < 1e-6


def test_a_parameter_with_gaps_is_evaluated_as_it_is_now():
    p = Parameter(torch.ones(4, 2)[:, 0])
    dense = Parameter(torch.ones(4))
    for each in (p, dense):
        opt = stepped(ot.ScheduleFreeSGD, each, lr=0.1)
        with torch.no_grad():
            each.fill_(7.0)
        opt.eval()
    assert torch.equal(p, dense)


def test_empty_parameters_do_not_slow_the_others_down():
    p, empty = Parameter(torch.ones(3)), Parameter(torch.zeros(0, 3))
    opt = stepped(ot.Adam, p, empty)
    assert opt._engine._watch.step(opt.param_groups, opt.state, 1.0) is not None
    ot.LBFGS([p, empty]).step(lambda: p.square().sum())


def test_a_gradient_may_be_of_the_type_that_its_parameter_asks_for():
    p = Parameter(torch.ones(3, dtype=torch.bfloat16))
    if not hasattr(p, "grad_dtype"):
        pytest.skip("torch before 2.9 has no grad_dtype")
    p.grad_dtype = torch.float32
    p.grad = torch.full((3,), 0.25)
    stepped(ot.SGD, p, lr=1.0)
    assert p[0] == 0.75


# What holds what.


def test_a_hook_that_leads_back_to_the_optimizer_keeps_nothing():
    p = Parameter(torch.ones(3))
    opt = ot.SGD([p])
    p.register_hook(lambda grad, opt=opt: grad)
    p.grad = torch.ones(3)
    opt.step()
    alive = weakref.ref(p)
    del p, opt
    gc.collect()
    assert alive() is None


def test_a_deleted_optimizer_is_gone_at_once():
    p = Parameter(torch.ones(3))
    opt = stepped(ot.Adam, p)
    state = weakref.ref(opt.state[p]["exp_avg"])
    gc.disable()
    try:
        del opt
        assert state() is None
    finally:
        gc.enable()


# What outlives an engine, and what does not.


def test_state_that_the_user_deletes_stays_away():
    p, frozen = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    opt = stepped(ot.Adam, p, frozen)
    frozen.grad = None
    del opt.state[frozen]
    opt.step()
    assert frozen not in opt.state


def test_the_average_begins_anew_with_new_state():
    p = Parameter(torch.ones(3))
    opt = stepped(ot.SGD, p, steps=2, lr=0.1, ema=oc.EMA(0.5))
    opt.state.clear()
    opt.step()
    assert torch.equal(opt.state[p]["ema"], p.detach())


def test_a_first_step_that_is_skipped_leaves_no_state():
    p = Parameter(torch.zeros(3))
    options = {"lr": 1.0, "momentum": 0.9, "dampening": 0.5, "nonfinite": "skip"}
    p.grad = torch.full((3,), float("nan"))
    opt = stepped(ot.SGD, p, **options)
    assert not opt.state
    assert opt.skipped_steps == 1
    opt.load_state_dict(opt.state_dict())
    p.grad = torch.ones(3)
    opt.step()
    assert p[0] == -1  # dampening is from the second step on
    assert opt.skipped_steps == 1


@pytest.mark.parametrize("kind", [ot.Prodigy, ot.DAdaptAdam, ot.DAdaptSGD])
def test_who_joins_later_shares_the_estimate(kind):
    p, late = Parameter(torch.ones(3)), Parameter(torch.full((3,), 2.0))
    opt = kind([p])
    for _ in range(50):
        p.grad = p.detach().clone()
        opt.step()
    opt.add_param_group({"params": [late]})
    late.grad = late.detach().clone()
    opt.step()
    assert opt.state[late]["d"] == opt.state[p]["d"] > 1e-6


# Words.


@pytest.mark.parametrize("steps", [-1, 1e20, 0.5, float("nan"), "a"])
def test_a_bad_step_number(steps):
    p = Parameter(torch.ones(3))
    opt = stepped(ot.Adam, p)
    opt.state[p]["step"], before = steps, p.detach().clone()
    with pytest.raises((ValueError, TypeError), match=r"state\['0'\]\['step'\]: expected a"):
        opt.step()
    assert torch.equal(p, before)


def test_names_with_slashes():
    p = Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    opt = ot.Adam([("a/b~c", p)])
    opt.step()
    opt.step()
    assert opt.state[p]["step"] == 2


def test_complex_state_has_no_small_formats():
    p = Parameter(torch.ones(3, dtype=torch.complex64))
    with pytest.raises(TypeError, match="no complex numbers of 16 or 8 bits"):
        stepped(ot.Adam, p, state_dtype="8bit")


@pytest.mark.parametrize("kind", [ot.Adafactor, ot.RowwiseAdagrad])
@pytest.mark.parametrize("low_precision", ["master", "stochastic", "split"])
def test_rules_that_step_a_copy_keep_nothing_beside_it(kind, low_precision):
    p = Parameter(torch.ones(3, 3, dtype=torch.bfloat16))
    with pytest.raises(TypeError, match="low_precision: expected None"):
        stepped(kind, p, low_precision=low_precision)
