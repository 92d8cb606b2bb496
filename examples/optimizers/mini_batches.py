# %% [markdown]
# # All examples, a few, or one at a time
#
# 100 points around a line, SGD with the same rate on all of them at once, on mini-batches of 32, of
# which the last one in an epoch has 4, and on single points. An epoch sees every point once, in
# one step, four, or a hundred.

# %%
import matplotlib.pyplot as plt
import numpy as np

import optcore as oc

RATE, EPOCHS, SEEDS = 0.05, 30, 10
SIZES = {"100": 100, "32, 32, 32 and 4": 32, "1": 1}

data = oc.problems.line()
X = np.c_[np.ones_like(data.X), data.X]
least = float(np.linalg.lstsq(X, data.y)[1][0]) / len(X)


def losses(size: int, seed: int) -> list[float]:
    """The loss over all points above the least, before the first step and after each."""
    problem = oc.problems.Supervised(data, batch_size=size)
    rng = np.random.default_rng(seed)
    params = problem.initial(seed)
    opt = oc.SGD(params, lr=RATE)
    seen = [problem.loss(params) - least]
    for _ in range(EPOCHS):
        for batch in problem.batches(rng):
            opt.step(problem.loss_and_grads(params, batch)[1])
            seen.append(problem.loss(params) - least)
    return seen


runs = {name: [losses(size, seed) for seed in range(SEEDS)] for name, size in SIZES.items()}

# %%
print(f"loss above least squares, median of {SEEDS} seeds")
print("examples in a step    epoch 1  epoch 30    steps")
for name, found in runs.items():
    middle = np.median(found, axis=0)
    steps = len(middle) - 1
    print(f"{name:19}{middle[steps // EPOCHS]:10.4f}{middle[-1]:10.4f}{steps:9}")

# %% [markdown]
# By epochs single points are quickest, since they step a hundred times; they never come to rest, as
# each pulls the line its own way. By steps all are alike at first: it is the number of steps that
# counts, and a step on fewer examples is cheaper.

# %%
_, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
by_epoch = {name: np.array(found)[:, :: -(-100 // SIZES[name])] for name, found in runs.items()}
by_step = {name: np.array(found)[:, :121] for name, found in runs.items()}
middle_half = (0.25, 0.75)
oc.plot.curves(by_epoch, axes[0], band=middle_half, xlabel="epoch", ylabel="loss above least")
oc.plot.curves(by_step, axes[1], band=middle_half, legend=False)
axes[1].set_ylabel("")
oc.plot.save(axes, "mini_batches.png", dpi=110)
