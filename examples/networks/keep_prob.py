# %% [markdown]
# # Dropout: what a network keeps
#
# Inverted dropout leaves each hidden unit in with the probability `keep_prob` while training, and
# divides by it, so that nothing has to change afterwards. A network that learns from only 200
# digits shows what for: it knows those by heart, and the gap to other digits is the question. Ten
# seeds each; Adam's rate and the number of passes are the same for all.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

import optcore as oc
from optcore.plot.style import COLOURS, dress, legend, words
from optcore.problems import Supervised
from optcore.typing import Array

KEPT, SEEDS, PASSES = (1.0, 0.8, 0.5, 0.2), 10, 100

# %% [markdown]
# ## The mask
#
# A unit stays where a number drawn evenly from 0 to 1 is below `keep_prob`. One tutorial draws from
# the normal distribution instead, `randn` for `rand`: its 1, meant to switch dropout off, still
# drops every sixth unit.

# %%
rng = np.random.default_rng(0)
even, normal = rng.random(100_000), rng.standard_normal(100_000)
print("keep_prob   kept, drawn evenly   from a normal distribution")
for keep in KEPT:
    print(f"{keep:9.1f} {np.mean(even < keep):15.0%} {np.mean(normal < keep):20.0%}")

# %% [markdown]
# ## The gap
#
# `optcore.problems` has a network with dropout; `dropout` there is the share that is left out.

# %%
digits = oc.problems.digits()
few = digits._replace(X=digits.X[:200], y=digits.y[:200])


def losses(keep: float) -> tuple[Array, Array, Array]:
    """Training loss, test loss and test accuracy of each seed, all without dropout."""
    problem = Supervised(few, hidden=(128,), dropout=1 - keep)
    runs = oc.compare(problem, ["adam:lr=0.002"], seeds=SEEDS, epochs=PASSES).runs
    net = problem.network
    tested = [net.loss(run.params, few.X_test, few.y_test) for run in runs]
    right = [run.final_metric for run in runs]
    return np.array([run.final_loss for run in runs]), np.array(tested), np.array(right)


def half_width(values: Array) -> float:
    """Of Student's 95 % interval for the mean."""
    return float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))


found = {keep: losses(keep) for keep in KEPT}
print("\nkeep_prob   training loss       test loss       test accuracy")
for keep, (learnt, tested, right) in found.items():
    print(
        f"{keep:9.1f} {learnt.mean():12.3f} {tested.mean():13.3f} ± {half_width(tested):.3f}"
        f" {right.mean():11.3f} ± {half_width(right):.3f}"
    )
print("\nless test loss than without dropout, seed by seed:")
for keep in KEPT[1:]:
    less = found[1.0][1] - found[keep][1]
    print(f"{keep:9.1f} {less.mean():12.3f} ± {half_width(less):.3f}")

# %% [markdown]
# Dropout at 0.5 and below takes a little off the test loss, about as much as the intervals are
# wide, and at 0.2 the accuracy falls: this network would be no bad choice without. That there is
# a gap does not mean that dropout closes it.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained", sharex=True)
for ax, column, name in ((axes[0], 1, "test loss"), (axes[1], 2, "test accuracy")):
    for place, keep in enumerate(KEPT):
        values = found[keep][column]
        ax.plot(np.full(SEEDS, place), values, ".", color="#999999", markersize=5)
        look = {"fmt": "o", "color": COLOURS[0], "capsize": 4, "markersize": 6}
        ax.errorbar(place + 0.15, values.mean(), half_width(values), **look)
    ax.set_xticks(range(len(KEPT)), [f"{keep:g}" for keep in KEPT])
    dress(ax, grid="y")
    words(ax, "keep_prob", "", name)
axes[0].plot([], [], ".", color="#999999", label="a seed")
axes[0].plot([], [], "o", color=COLOURS[0], label="mean and 95 % interval")
legend(axes[0], loc="lower left")
oc.plot.save(axes, "keep_prob.png", dpi=120)
