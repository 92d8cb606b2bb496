"""Sentences about films, made by a small grammar that knows whether they are kind or not.

.. code-block:: text

    sentence   [opening] clause                      as the clause says
               [opening] clause and clause           both say the same
               [opening] clause but clause           as the second says; the first says the opposite
               [opening] although clause clause      likewise
               [opening] clause although clause      as the first says
    clause     the SUBJECT was [not] [DEGREE] ADJECTIVE      "not" turns the adjective round

So neither the words alone nor the last of them tell: a reader has to follow the order. Half of the
sentences are kind, on average.
"""

from __future__ import annotations

import random

OPENINGS = (
    "honestly",
    "to be fair",
    "we saw it twice",
    "on a rainy evening",
    "after all the fuss",
    "as a fan of the book",
)

_WORDS = """
    SUBJECTS  plot ending acting music dialogue cast script humour lighting pacing editing villain
    SUBJECTS  opening sequel finale chase romance
    DEGREES   very quite really rather truly utterly so
    KIND      brilliant charming clever delightful gripping touching fresh funny elegant superb
    KIND      memorable witty lovely honest thrilling warm
    UNKIND    dull clumsy tedious flat predictable awful silly lazy shallow noisy tiresome bland
    UNKIND    messy hollow wooden forgettable
"""


def words(kind: str) -> list[str]:
    """The words of one kind, in all its lines of the table."""
    lines = [line.split() for line in _WORDS.strip().splitlines()]
    return [word for first, *rest in lines if first == kind for word in rest]


SUBJECTS, DEGREES, KIND, UNKIND = map(words, ("SUBJECTS", "DEGREES", "KIND", "UNKIND"))


def clause(kind: bool, rng: random.Random) -> str:
    """A clause that says something kind, or not."""
    turned = rng.random() < 0.35
    parts = ["the", rng.choice(SUBJECTS), "was"]
    parts += ["not"] if turned else []
    parts += [rng.choice(DEGREES)] if rng.random() < 0.5 else []
    parts.append(rng.choice(KIND if kind != turned else UNKIND))
    return " ".join(parts)


def sentence(rng: random.Random) -> tuple[str, bool]:
    """A sentence, and whether it is kind."""
    kind = rng.random() < 0.5
    this, same, other = clause(kind, rng), clause(kind, rng), clause(not kind, rng)
    text = rng.choice(
        [
            this,
            f"{this} and {same}",
            f"{other} but {this}",
            f"although {other} {this}",
            f"{this} although {other}",
        ]
    )
    return (f"{rng.choice(OPENINGS)} {text}" if rng.random() < 0.3 else text), kind


def sentences(count: int, seed: int = 0) -> list[tuple[str, bool]]:
    """So many different ones: no two are the same, so none can be learnt from and tested on."""
    rng = random.Random(seed)
    found: dict[str, bool] = {}
    while len(found) < count:
        text, kind = sentence(rng)
        found[text] = kind
    return list(found.items())
