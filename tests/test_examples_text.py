"""The models of examples/text: gradients, causality, batches, and steps by rows."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import optcore as oc

FOLDER = Path(__file__).parents[1] / "examples" / "text"

if not FOLDER.exists():
    pytest.skip("no examples here", allow_module_level=True)

sys.path.append(str(FOLDER))
import fables  # noqa: E402
import gpt  # noqa: E402
import skipgram  # noqa: E402

# The text. ---------------------------------------------------------------------------------------


def test_the_text_is_plain() -> None:
    assert fables.TEXT.isascii()
    assert fables.TEXT.endswith("\n")
    assert max(map(len, fables.TEXT.splitlines())) <= 100
    assert set(fables.TEXT) <= set(
        "\n abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:;!?'\"-"
    )


def test_every_listed_word_is_often_in_the_text() -> None:
    counts = Counter(fables.WORDS)
    listed = [word for words in fables.KINDS.values() for word in words.split()]
    assert len(set(listed)) == len(listed) == 30
    assert min(counts[word] for word in listed) >= 7


# Word vectors. -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def text() -> skipgram.Text:
    return skipgram.Text(fables.WORDS)


def tables(text: skipgram.Text, width: int, spread: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made = skipgram.start(len(text.vocabulary), width, rng)
    for x in made.values():
        x += spread * rng.normal(size=x.shape)
    return made


def test_pairs_are_words_near_each_other() -> None:
    """In a text without repeats, where a word's number is its place."""
    letters = [chr(ord("a") + k) for k in range(20)]
    text = skipgram.Text(letters, window=3, negatives=2, common=1.0)
    batches = list(text.batches(np.random.default_rng(0), size=8))
    centres = np.concatenate([centres for centres, _ in batches])
    targets = np.concatenate([targets for _, targets in batches])
    assert targets.shape == (len(centres), 3)
    apart = targets[:, 0] - centres
    assert set(np.abs(apart)) == {1, 2, 3}
    assert abs(apart.sum()) < len(apart) / 2  # on both sides
    assert Counter(np.abs(apart))[1] == 2 * 19  # neighbours are always near
    assert len(set(zip(centres, targets[:, 0], strict=True))) == len(centres)
    assert targets.min() >= 0
    assert targets.max() < 20


def test_common_words_are_left_out_more_often() -> None:
    words = ["the", "fox"] * 500 + ["saw", "him"]
    text = skipgram.Text(words, common=1e-2)
    rng = np.random.default_rng(0)
    seen = Counter(np.concatenate([centres for centres, _ in text.batches(rng)]).tolist())
    assert 0 < seen[text.row("the")] < 1000  # of 2500, were none left out


def test_negatives_are_drawn_by_counts_to_the_power_of_three_quarters() -> None:
    words = ["often"] * 160 + ["seldom"] * 10
    text = skipgram.Text(words, negatives=9, common=1.0)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([targets[:, 1:].ravel() for _, targets in text.batches(rng)])
    wanted = 160**0.75 / (160**0.75 + 10**0.75)
    assert np.mean(drawn == text.row("often")) == pytest.approx(wanted, abs=0.02)


def test_the_rows_are_the_gradient(text: skipgram.Text) -> None:
    """With words that a batch has several times."""
    rng = np.random.default_rng(0)
    params = {"centre": rng.normal(size=(9, 3)), "context": rng.normal(size=(9, 3))}
    centres, targets = rng.integers(0, 5, 6), rng.integers(0, 6, (6, 4))

    def f(p: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        loss, rows = skipgram.loss_and_rows(p, centres, targets)
        return loss, {name: skipgram.dense(g, p[name]) for name, g in rows.items()}

    check = oc.check_gradient(f, params, samples=None)
    assert check, check
    assert min(each.checked for each in check.arrays) == 27


@pytest.mark.parametrize(
    ("rule", "same"), [(oc.Adagrad, True), (oc.RowwiseAdagrad, True), (oc.SGD, True),
                       (oc.Adam, False)],
)  # fmt: skip
def test_steps_by_rows_are_dense_steps(rule: type[oc.Optimizer], same: bool, text) -> None:
    """To the bit, where a zero gradient moves nothing."""
    by_rows, whole = tables(text, 8), tables(text, 8)
    sparse, dense = (rule(p, lr=0.1) for p in (by_rows, whole))  # type: ignore[call-arg]
    rng = np.random.default_rng(1)
    for step, (centres, targets) in enumerate(text.batches(rng)):
        if step == 40:
            break
        _, rows = skipgram.loss_and_rows(by_rows, centres, targets)
        sparse.step(rows)
        _, rows = skipgram.loss_and_rows(whole, centres, targets)
        dense.step({name: skipgram.dense(g, whole[name]) for name, g in rows.items()})
    assert all(np.array_equal(by_rows[name], whole[name]) for name in whole) == same


def test_a_step_by_rows_leaves_the_other_rows(text: skipgram.Text) -> None:
    params = tables(text, 4, spread=1.0)
    before = {name: x.copy() for name, x in params.items()}
    opt = oc.Adam(params, lr=0.1)
    centres, targets = next(text.batches(np.random.default_rng(0)))
    _, rows = skipgram.loss_and_rows(params, centres, targets)
    opt.step(rows)
    for name, g in rows.items():
        moved = np.flatnonzero(np.any(params[name] != before[name], axis=1))
        assert np.array_equal(moved, np.unique(g.indices)), name


# The GPT. ----------------------------------------------------------------------------------------

WIDTH, HEADS, CONTEXT, TOKENS = 8, 2, 6, 7


@pytest.fixture
def params() -> gpt.Params:
    """In float64, and with no array that is all zeros or ones."""
    rng = np.random.default_rng(0)
    made = gpt.initial(rng, TOKENS, CONTEXT, WIDTH, blocks=2, dtype=np.float64)
    for x in made.values():
        x += 0.1 * rng.normal(size=x.shape)
    return made


def ids(length: int, rows: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, TOKENS, (rows, length))


@pytest.mark.parametrize("length", [3, CONTEXT + 1])
def test_every_gradient_is_right(params: gpt.Params, length: int) -> None:
    """All elements; those of positions that are not reached are zero."""
    some = ids(length)
    check = oc.check_gradient(lambda p: gpt.loss_and_grads(p, some, HEADS), params, samples=None)
    assert check, check
    assert sum(each.checked for each in check.arrays) == sum(x.size for x in params.values())


@pytest.mark.parametrize("name", ["tokens", "0.qkv.W", "last.scale"])
def test_the_check_would_see_an_error(params: gpt.Params, name: str) -> None:
    some = ids(CONTEXT)

    def wrong(p: gpt.Params) -> tuple[float, gpt.Params]:
        loss, grads = gpt.loss_and_grads(p, some, HEADS)
        grads[name] *= 1.01
        return loss, grads

    found = oc.check_gradient(wrong, params, samples=10)
    assert {each.path for each in found.arrays if each.wrong} == {name}


def test_no_position_sees_the_future(params: gpt.Params) -> None:
    some = ids(CONTEXT)
    logits = gpt.forward(params, {}, some, HEADS)[0]
    for at in range(CONTEXT):
        other = some.copy()
        other[:, at] = (other[:, at] + 1) % TOKENS
        changed = gpt.forward(params, {}, other, HEADS)[0]
        assert np.array_equal(changed[:, :at], logits[:, :at])
        assert np.abs(changed[:, at:] - logits[:, at:]).max(axis=(0, 2)).min() > 1e-9


def test_the_loss_is_that_of_the_targets() -> None:
    logits = np.log(np.array([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]]))
    loss, d = gpt.cross_entropy(logits + 300.0, np.array([[0, 2]]))
    assert loss == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2)
    assert d == pytest.approx(np.array([[[-0.25, 0.125, 0.125], [0.05, 0.05, -0.1]]]))


def test_it_computes_in_the_type_of_its_parameters(params: gpt.Params) -> None:
    some = ids(CONTEXT + 1)
    single = {name: x.astype(np.float32) for name, x in params.items()}
    loss, grads = gpt.loss_and_grads(single, some, HEADS)
    assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}
    assert gpt.forward(single, {}, some[:, :-1], HEADS)[0].dtype == np.float32
    assert loss == pytest.approx(gpt.loss_of(params, some, HEADS), rel=1e-5)


def test_it_learns_what_it_can_copy(params: gpt.Params) -> None:
    """A token that was two places before: only attention can tell."""
    rng = np.random.default_rng(0)
    opt = oc.AdamW(params, lr=1e-2, clip_norm=1.0)

    def batch() -> np.ndarray:
        first = rng.integers(0, TOKENS, (16, 2))
        return np.tile(first, 4)[:, : CONTEXT + 1]

    for _ in range(300):
        _, grads = gpt.loss_and_grads(params, batch(), HEADS)
        opt.step(grads)
    logits = gpt.forward(params, {}, (told := batch())[:, :-1], HEADS)[0]
    assert np.mean(logits[:, 2:].argmax(axis=-1) == told[:, 3:]) > 0.9


def test_samples_follow_the_model(params: gpt.Params) -> None:
    """Nearly without temperature it takes the likeliest token, from no more than the context."""
    rng = np.random.default_rng(0)
    begin = ids(CONTEXT + 3, rows=1)[0].tolist()
    found = gpt.sample(params, begin, 5, rng, HEADS, temperature=1e-9)
    assert len(found) == 5
    whole = begin + found
    for at in range(len(begin), len(whole)):
        seen = np.array([whole[at - CONTEXT : at]])
        assert whole[at] == gpt.forward(params, {}, seen, HEADS)[0][0, -1].argmax()
