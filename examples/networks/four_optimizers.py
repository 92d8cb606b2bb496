# %% [markdown]
# # Four optimizers, ten seeds
#
# A tutorial trains a classifier of images with mini-batch gradient descent, momentum, RMSprop and
# Adam, once each, from the same start, at the rate 0.01, with the same number of steps, and finds
# the training accuracies 0.849, 0.873, 0.961 and 0.985. Its images are not to be had, so here is
# the same study on two other sets, ten times: the digits of scikit-learn, odd or even, and patches
# of two photographs. A seed decides on the start and the batches, for all four alike. The intervals
# are about these seeds; other images are another matter.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import optcore as oc
from optcore.plot.style import ENTRIES, dress, style, words
from optcore.problems import Data, Supervised
from optcore.problems.network import Params
from optcore.typing import Array
from patches import patches

SEEDS, RATE = 10, 0.01

# %% [markdown]
# ## The four, as the tutorial writes them
#
# Its momentum averages gradients, v ← 0.9v + 0.1g; its RMSprop has ε = 1e-4; its Adam has ε within
# the root. In two things it is not followed. Its Adam corrects bias by the number of the pass, not
# of the step: with its nine batches in a pass, steps are up to twice as long in the first pass, and
# less than half as long from the 12th to the 250th. And it means to have no dropout, but has some,
# as `keep_prob.py` shows; here there is none.

# %%
OPTIMIZERS = {
    "mini-batch": (oc.SGD, {"lr": RATE}),
    "momentum": (oc.Momentum, {"lr": RATE, "momentum": 0.9, "form": "average"}),
    "RMSprop": (oc.RMSprop, {"lr": RATE, "alpha": 0.9, "eps": 1e-4}),
    "Adam": (oc.Adam, {"lr": RATE, "eps": 0.0, "eps_root": 1e-8}),
}
TUTORIAL = {"mini-batch": 0.849, "momentum": 0.873, "RMSprop": 0.961, "Adam": 0.985}


class Study(Supervised):
    """100 hidden units with ReLU and two classes; mini-batches of 32; pixels from 0 to 1.

    A softmax over two classes is a sigmoid of the difference of their outputs.
    """

    metric_name = "training accuracy"

    def __init__(self, data: Data, name: str):
        super().__init__(data, hidden=(100,), name=name)

    def metric(self, params: Params) -> float:
        """Accuracy on the training data, as the tutorial has it."""
        return self.network.score(params, self.data.X, self.data.y)


pixels, digit = load_digits(return_X_y=True)
pixels = (pixels / 16).astype(np.float32)
X, X_test, y, y_test = train_test_split(
    pixels, digit % 2, test_size=0.2, stratify=digit % 2, random_state=0
)
problems = [Study(Data(X, y, X_test, y_test), "digits"), Study(patches(16), "photographs")]

# %% [markdown]
# ## How long to train
#
# Everyone is right in the end, and then there is nothing to tell apart. Training stops where the
# tutorial's did by the only measure that can be had: in the first pass after which mini-batch
# gradient descent has the tutorial's accuracy, on average. The other three have no part in that.


# %%
def passes(problem: Study) -> int:
    """The passes that mini-batch gradient descent needs."""
    alone = oc.compare(problem, {"mini-batch": OPTIMIZERS["mini-batch"]}, seeds=SEEDS, epochs=20)
    mean = np.mean([run.metrics for run in alone.runs], axis=0)
    return int(np.argmax(mean >= TUTORIAL["mini-batch"]))


def interval(values: Array, confidence: float = 0.95) -> tuple[float, float, float]:
    """A mean, and Student's confidence interval for it."""
    half = stats.t.ppf(0.5 + confidence / 2, len(values) - 1) * stats.sem(values)
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


results, accuracies = [], []
for problem in problems:
    result = oc.compare(problem, OPTIMIZERS, seeds=SEEDS, epochs=passes(problem))
    trained = {n: np.array([run.final_metric for run in result.of(n)]) for n in OPTIMIZERS}
    results.append(result)
    accuracies.append(trained)
    print(f"{problem.name}: {len(problem.data.X)} images, {result.total} steps, {SEEDS} seeds")
    print("            training accuracy      test   tutorial")
    print("            and 95 % interval     accur.  training")
    for name in OPTIMIZERS:
        data = problem.data
        tested = [
            problem.network.score(r.params, data.X_test, data.y_test) for r in result.of(name)
        ]
        row = "{:.3f}  {:.3f} to {:.3f}".format(*interval(trained[name]))
        print(f"{name:11} {row}   {np.mean(tested):.3f}   {TUTORIAL[name]:.3f}")
    print("differences, seed by seed: 95 % intervals for all three together (Bonferroni)")
    for one, other in pairwise(OPTIMIZERS):
        mean, low, high = interval(trained[other] - trained[one], 1 - 0.05 / 3)
        said = "higher" if low > 0 else "lower" if high < 0 else "not told apart"
        print(f"  {other:8} - {one:10} {mean:+.3f}  {low:+.3f} to {high:+.3f}  {said}")
    print()

# %% [markdown]
# The tutorial's order comes out in part. Momentum that averages gradients goes as far as they do:
# at the same rate it is no faster than without, and a little late. The steps of RMSprop and Adam
# are about as long as the rate, however small the gradient: far quicker on the digits, but long
# enough on the photographs, with twelve times as many inputs, to throw some seeds back.

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", width_ratios=(1.1, 1, 1))
table = axes[0]
for k, name in enumerate(OPTIMIZERS):
    look = {"color": style(k)[0], "fmt": "o", "markersize": 5, "capsize": 3}
    for place, trained in enumerate(accuracies):
        mean, low, high = interval(trained[name])
        table.errorbar(mean, place + 0.15 * (k - 1.5), xerr=[[mean - low], [high - mean]], **look)
    table.errorbar(TUTORIAL[name], len(problems) + 0.15 * (k - 1.5), **look)
rows = [*(problem.name for problem in problems), "tutorial,\nonce"]
table.set_yticks(range(len(rows)), rows)
table.set_ylim(len(rows) - 0.5, -0.5)
dress(table, grid="x")
words(table, "training accuracy, mean and 95 % interval", "", "")
for ax, problem, result in zip(axes[1:], problems, results, strict=True):
    oc.plot.curves(result, ax, title=problem.name, legend=False)
handles, labels = axes[1].get_legend_handles_labels()
title = "lines: median of ten seeds; bands: all of them"
figure.legend(handles, labels, title=title, loc="outside lower center", ncols=4, **ENTRIES)
oc.plot.save(axes, "four_optimizers.png")
