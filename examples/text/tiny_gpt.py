# %% [markdown]
# # A tiny GPT on a small book of fables
#
# Two blocks of causal attention and MLP, forward and backward in NumPy (`gpt.py`), learn to tell
# the next character from up to 64 before it. AdamW steps them with what is usual for such models:
# the rate warms up and falls as a cosine, gradients are clipped by their global norm, only matrices
# decay, and an average of the weights (EMA) is kept. All of it happens in one call.

# %%
import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

import gpt
import optcore as oc
from fables import TEXT
from optcore.plot import style

STEPS, BATCH, CONTEXT, EVERY = 800, 8, 64, 25

characters = sorted(set(TEXT))
ids = np.array([characters.index(c) for c in TEXT])
learnt, held_out = np.split(ids, [int(0.9 * len(ids))])
windows = held_out[: len(held_out) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1)
print(f"{len(ids)} characters, {len(characters)} different; the last {len(held_out)} are held out")

# %% [markdown]
# Are the gradients right? A smaller model of the same kind is held against central differences.

# %%
rng = np.random.default_rng(0)
small = gpt.initial(rng, tokens=7, context=5, width=8, dtype=np.float64)
few = rng.integers(0, 7, (3, 6))
check = oc.check_gradient(lambda p: gpt.loss_and_grads(p, few, heads=2), small)
checked, wrong = (sum(getattr(a, name) for a in check.arrays) for name in ("checked", "wrong"))
print(f"gradients: {checked} elements of {len(small)} arrays checked, {wrong} wrong")

# %% [markdown]
# What counting alone comes to: characters, and pairs of them, with 0.1 added to every count so that
# none is impossible. Bits a character, of the part that is held out.

# %%
n = len(characters)
ones = np.bincount(learnt, minlength=n) + 0.1
pairs = np.bincount(learnt[:-1] * n + learnt[1:], minlength=n * n).reshape(n, n) + 0.1
counted = {
    "one character": np.log2(ones / ones.sum())[held_out[1:]],
    "pairs": np.log2(pairs / pairs.sum(axis=1, keepdims=True))[held_out[:-1], held_out[1:]],
}
baselines = {name: -float(logs.mean()) for name, logs in counted.items()}

# %%
params = gpt.initial(rng, len(characters), CONTEXT)
matrices = [name for name, x in params.items() if x.ndim == 2]
vectors = [name for name, x in params.items() if x.ndim == 1]
rate = oc.schedules.WarmupCosine(peak=8e-3, warmup=80, total=STEPS, floor=8e-4)
opt = oc.AdamW(
    [
        {"params": {name: params[name] for name in matrices}, "weight_decay": 0.1},
        {"params": {name: params[name] for name in vectors}, "weight_decay": 0.0},
    ],
    lr=rate,
    betas=(0.9, 0.99),
    clip_norm=1.0,
    ema=oc.EMA(0.98),
)
print(f"{sum(x.size for x in params.values())} parameters in {len(params)} arrays\n")


def bits() -> float:
    """The loss of the held-out part, in bits a character."""
    return gpt.loss_of(params, windows) / math.log(2)


losses, norms, raw, averaged = [], [], [], []
print("          bits a character\n  step   learnt   held out    held out, EMA   gradient norm")
for step in range(1, STEPS + 1):
    starts = rng.integers(0, len(learnt) - CONTEXT, BATCH)
    loss, grads = gpt.loss_and_grads(params, learnt[starts[:, None] + np.arange(CONTEXT + 1)])
    opt.step([{name: grads[name] for name in group} for group in (matrices, vectors)])
    losses.append(loss / math.log(2))
    norms.append(opt.grad_norm)  # before clipping
    if step % EVERY == 0:
        raw.append(bits())
        with opt.averaged():
            averaged.append(bits())
    if step % (4 * EVERY) == 0:
        recent = slice(-2 * EVERY, None)
        print(f"{step:6} {np.mean(losses[recent]):8.2f} {raw[-1]:10.2f} {averaged[-1]:16.2f}"
              f" {np.mean(norms[recent]):15.1f}")  # fmt: skip
print("\nby counting, held out: " + ", ".join(f"{k} {v:.2f}" for k, v in baselines.items()))

# %% [markdown]
# A sample, by the averaged weights. (One character hangs on all before it, so a machine that rounds
# otherwise writes another text.)

# %%
with opt.averaged():
    said = gpt.sample(params, [characters.index("\n")], 500, np.random.default_rng(1))
text = "".join(characters[i] for i in said)
print("\n" + textwrap.indent("\n".join(textwrap.wrap(text, 76)), "> "))


# %%
def smooth(values: list[float], over: int = 25) -> NDArray[np.float64]:
    """Means of so many neighbours, for lines that are noisy."""
    return np.convolve(values, np.ones(over) / over, mode="valid")


figure, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(8, 7), sharex=True, layout="constrained", height_ratios=(3, 1, 1)
)
at = np.arange(EVERY, STEPS + 1, EVERY)
lines = {"learnt": smooth(losses), "held out": raw, "held out, EMA": averaged}
x = {"learnt": np.arange(STEPS - 24) + 13, "held out": at, "held out, EMA": at}
title = "A tiny GPT on a small book of fables"
oc.plot.curves(lines, top, x=x, log=False, xlabel="", ylabel="bits a character", title=title)
for name, value in baselines.items():
    top.axhline(value, color=style.NEUTRAL, linewidth=1, zorder=1)
    top.text(
        STEPS, value, f"{name}, counted", va="bottom", ha="right", fontsize=9, color=style.MUTED
    )
oc.plot.schedules({"rate": rate}, STEPS, middle, xlabel="", legend=False)
bottom.plot(norms, color=style.BLUE, linewidth=1)
bottom.axhline(1.0, color=style.NEUTRAL, linewidth=1)
bottom.text(STEPS, 1.1, "clipped to 1", va="bottom", ha="right", fontsize=9, color=style.MUTED)
style.dress(bottom)
style.words(bottom, "step", "gradient norm")
oc.plot.save(figure, "tiny_gpt.png")
