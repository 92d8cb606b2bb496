# %% [markdown]
# # A small network, with training metrics
#
# 20 inputs, 64 tanh units, three classes, mini-batches of 32 out of 1000 examples, trained by SGD,
# momentum, Adam and NAdam over three seeds. First with labels that follow from the inputs, then
# with labels drawn at random, as in the tutorial: there is nothing to learn in these, and a falling
# loss says that the network learns them by heart.

# %%
import matplotlib.pyplot as plt
import numpy as np

import optcore as oc
from optcore.problems import Data, Supervised

rng = np.random.default_rng(42)
X = rng.standard_normal((1500, 20))
bent = np.tanh(X @ rng.standard_normal((20, 8)) / 2)
LABELS = {
    "labels that follow from the inputs": np.argmax(bent @ rng.standard_normal((8, 3)), axis=1),
    "random labels": rng.integers(0, 3, 1500),
}
OPTIMIZERS = {
    "SGD, 0.01": "sgd:lr=0.01",
    "SGD, 0.1": "sgd:lr=0.1",
    "momentum, 0.01": "momentum:lr=0.01",
    "Adam": "adam:lr=1e-3",
    "NAdam": "nadam:lr=1e-3,momentum_decay=none",
}

# %%
_, axes = plt.subplots(2, 2, figsize=(9, 6), layout="constrained", sharex=True, sharey="row")
for (top, low), (name, y) in zip(axes.T, LABELS.items(), strict=True):
    data = Data(X[:1000], y[:1000], X[1000:], y[1000:])
    problem = Supervised(data, hidden=(64,), activation="tanh", batch_size=32)
    result = oc.compare(problem, OPTIMIZERS, seeds=3, epochs=50, target=0.5)
    print(f"{name:36}loss  test accuracy  steps to a loss of 0.5")
    for row in result.rows:
        reached = f"{row.steps_to_target:.0f}" if row.reached == row.seeds else "not reached"
        print(f"  {row.label:28}{row.loss:10.3f}  {100 * row.metric:11.1f} %  {reached:>22}")
    accuracy = {label: [run.metrics for run in result.of(label)] for label in result.labels}
    steps = result.runs[0].steps
    oc.plot.curves(result, top, title=name, ylabel="training loss", legend=False)
    oc.plot.curves(accuracy, low, x=steps, log=False, ylabel="test accuracy", legend=False)
for ax in axes.flat:
    ax.label_outer()
figure = axes[0, 0].figure
lines = axes[0, 0].get_legend_handles_labels()
figure.legend(*lines, loc="outside lower center", ncols=6, frameon=False)
oc.plot.save(axes, "network.png", dpi=110)

# %% [markdown]
# Momentum's steps are ten times those of SGD at the same rate, in the long run; SGD with 0.1 keeps
# up with it. Adam at its usual rate is slower here. On random labels the training loss falls all
# the same, while the test accuracy stays where guessing is, at a third.
