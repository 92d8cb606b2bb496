# %% [markdown]
# # Word vectors from a small book of fables, by sparse rows
#
# Skip-gram with negative sampling gives every word of a text a vector of 32 numbers. A batch has
# few of the thousand words in it, so its gradients are `oc.Rows`, and a step touches these rows and
# their state alone. Words of one kind should come to lie together: of thirty words, how many have
# one of their own kind nearest to them?

# %%
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import optcore as oc
from fables import KINDS, WORDS
from optcore.plot import style
from skipgram import Array, Text, dense, loss_and_rows, start

WIDTH, EPOCHS, SHOWN = 32, 20, (1, 2, 5, 10, 20)

text = Text(WORDS)
print(f"{len(WORDS)} words, {len(text.vocabulary)} different; two tables, {WIDTH} numbers a word")


# %%
def train(
    rule: Any, lr: float, epochs: int = EPOCHS, by_rows: bool = True
) -> tuple[dict[str, Array], oc.Optimizer, list[float]]:
    """Tables after some epochs, their optimizer, and the mean loss of a pair in each epoch.

    They are stepped by rows, or with gradients as large as the tables.
    """
    rng = np.random.default_rng(0)
    tables = start(len(text.vocabulary), WIDTH, rng)
    optimizer = rule(tables, lr=lr)
    losses = []
    for _ in range(epochs):
        total, pairs = 0.0, 0
        for centres, targets in text.batches(rng):
            loss, rows = loss_and_rows(tables, centres, targets)
            if by_rows:
                optimizer.step(rows)
            else:
                optimizer.step({name: dense(g, tables[name]) for name, g in rows.items()})
            total, pairs = total + loss, pairs + len(centres)
        losses.append(total / pairs)
    return tables, optimizer, losses


# %% [markdown]
# Adagrad leaves a row alone whose gradient is zero, so a step by rows is the dense step to the bit.
# Adam is not: in a dense step the moments of all rows decay, and go on moving them.

# %%
RATES = {oc.Adagrad: 0.1, oc.RowwiseAdagrad: 0.05, oc.Adam: 0.003}

print("\none epoch by rows, and one with gradients as large as the tables:")
for rule, lr in RATES.items():
    one, other = (train(rule, lr, epochs=1, by_rows=rows)[0] for rows in (True, False))
    same = all(np.array_equal(one[name], other[name]) for name in one)
    print(f"  {rule.__name__:15} {'the same bits' if same else 'other vectors'}")

# %%
listed = [word for words in KINDS.values() for word in words.split()]
kind = np.repeat(np.arange(len(KINDS)), len(listed) // len(KINDS))


def directions(tables: dict[str, Array]) -> Array:
    """The vectors of the listed words, at length 1."""
    vectors = tables["centre"][[text.row(word) for word in listed]]
    lengths: Array = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def of_own_kind(tables: dict[str, Array]) -> float:
    """The share of listed words whose nearest by angle, among them, is of their own kind."""
    cosines = directions(tables) @ directions(tables).T
    np.fill_diagonal(cosines, -1.0)
    return float(np.mean(kind[cosines.argmax(axis=1)] == kind))


trained = {rule: train(rule, lr) for rule, lr in RATES.items()}
print(f"\n{'':18}  lr   loss a pair after epoch        nearest        KiB")
print(f"{'':23}" + "".join(f"{epoch:>6}" for epoch in SHOWN) + "  of own kind   of state")
for rule, (tables, optimizer, losses) in trained.items():
    shown = "".join(f"{losses[epoch - 1]:6.2f}" for epoch in SHOWN)
    state = sum(x.nbytes for slots in optimizer.state.values() for x in slots.values())
    own = of_own_kind(tables)
    print(f"{rule.__name__:17} {RATES[rule]:5}{shown} {own:12.0%} {state / 1024:10.0f}")
chance = (len(listed) // len(KINDS) - 1) / (len(listed) - 1)
print(f"{'by chance':53} {chance:12.0%}")

# %%
rows = 2 * len(text.vocabulary)
batches = text.batches(np.random.default_rng(0))
touched = np.mean([len(np.unique(c)) + len(np.unique(t)) for c, t in batches])
print(f"\na batch touches {touched:.0f} of {rows} rows; what a step of Adagrad moves, in KiB:")
a_row = WIDTH * 5 * 8 / 1024  # of float64: it reads θ, g and s, and writes θ and s
print(f"  by rows {touched * a_row:6.0f}\n  dense   {rows * a_row:6.0f}")

# %% [markdown]
# The thirty words, seen along the two directions in which they differ most.

# %%
vectors = directions(trained[oc.Adagrad][0])
_, _, axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
x, y = axes[:2] @ (vectors - vectors.mean(axis=0)).T

figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for k, name in enumerate(KINDS):
    own = kind == k
    ax.plot(x[own], y[own], linestyle="", color=style.COLOURS[k], marker=style.HEADS[k], label=name)
for i, word in enumerate(listed):
    push = np.sum((y[i] - y) / (1e-9 + np.hypot(x[i] - x, y[i] - y) ** 3))  # away from others
    ax.annotate(
        word, (x[i], y[i]), (0, 10 * np.sign(push)), textcoords="offset points", fontsize=9,
        color=style.INK, ha="center", va="center",
    )  # fmt: skip
ax.margins(x=0.08)
style.dress(ax)
style.words(ax, "first principal direction", "second", "Thirty words by their vectors")
style.legend(ax)
oc.plot.save(figure, "word2vec.png")
