# %% [markdown]
# # An image classifier in NumPy
#
# The network of many a first course, which told cats from other pictures: an image of 64 by 64
# pixels and three colours is 12288 numbers; 100 hidden units with ReLU; one sigmoid that says how
# likely it is. Forward and backward passes are NumPy, the step is optcore's. The images are patches
# of two photographs that scikit-learn ships, a temple and a flower; test patches come from other
# parts of the photographs than training patches. A rule that knows a patch's mean colour and
# nothing else shows how hard this is.

# %%
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

import optcore as oc
from optcore.typing import Array
from patches import NAMES, SIDE, patches

Params = dict[str, Array]

data = patches()
centre = data.X.mean()  # one number: around 0, pixels leave more of the ReLUs at work
X, X_test = data.X - centre, data.X_test - centre
y, y_test = data.y[:, None], data.y_test[:, None]
print(f"{len(X)} patches of {X.shape[1]} numbers to learn from, {len(X_test)} to test on\n")

# %% [markdown]
# ## The network
#
# W from N(0, 2/inputs), as He et al. (2015) have it for ReLU, and b = 0. For a sigmoid p of z and
# the cross-entropy, the gradient by z is p − y. `check_gradient` holds the backward pass against
# slopes of the loss.


# %%
def initial(sizes: tuple[int, ...], seed: int) -> Params:
    """Weights and biases of the two layers."""
    rng = np.random.default_rng(seed)
    params: Params = {}
    for k, (inputs, units) in enumerate(pairwise(sizes), start=1):
        W = rng.normal(0, np.sqrt(2 / inputs), (inputs, units))
        params[f"W{k}"], params[f"b{k}"] = W.astype(np.float32), np.zeros(units, np.float32)
    return params


def outputs(params: Params, X: Array) -> tuple[Array, Array]:
    """The hidden layer, and z: positive means a flower."""
    hidden = np.maximum(X @ params["W1"] + params["b1"], 0)
    return hidden, hidden @ params["W2"] + params["b2"]


def sigmoid(z: Array) -> Array:
    """1/(1 + exp(-z)), without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def loss_and_grads(params: Params, X: Array, y: Array) -> tuple[float, Params]:
    """The mean cross-entropy of a batch, and its gradients."""
    hidden, z = outputs(params, X)
    loss = np.mean(np.logaddexp(0, z) - y * z)
    dz = (sigmoid(z) - y) / np.float32(len(y))
    dhidden = dz @ params["W2"].T * (hidden > 0)
    return float(loss), {
        "W1": X.T @ dhidden,
        "b1": dhidden.sum(axis=0),
        "W2": hidden.T @ dz,
        "b2": dz.sum(axis=0),
    }


def scored(params: Params, X: Array, y: Array) -> tuple[float, float]:
    """Loss and accuracy in evaluation."""
    z = outputs(params, X)[1]
    return float(np.mean(np.logaddexp(0, z) - y * z)), float(((z > 0) == y).mean())


params = initial((X.shape[1], 100, 1), seed=0)
right = oc.check_gradient(lambda p: loss_and_grads(p, X[::24], y[::24]), params, samples=5)
print("gradients are", "right\n" if right else f"wrong:\n{right}")

# %% [markdown]
# ## Training
#
# Mini-batches of 32 in a new random order in every pass, the last one with the 8 that are left.

# %%
opt = oc.Adam(params, lr=1e-3)
rng = np.random.default_rng(0)
history = [(*scored(params, X, y), *scored(params, X_test, y_test))]
print("         training          test")
print("pass   loss    right   loss    right")
for epoch in range(1, 21):
    for rows in np.split(rng.permutation(len(X)), range(32, len(X), 32)):
        _, grads = loss_and_grads(params, X[rows], y[rows])
        opt.step(grads)
    history.append((*scored(params, X, y), *scored(params, X_test, y_test)))
    if epoch in (1, 2, 5, 10, 20):
        loss, share, test_loss, test_share = history[-1]
        print(f"{epoch:4}  {loss:6.3f} {share:7.1%}  {test_loss:6.3f} {test_share:7.1%}")

# %% [markdown]
# The mean colour of a patch, three numbers, is a classifier too. What the network is worth is what
# it knows beyond that.

# %%
mean, mean_test = (rows.reshape(len(rows), -1, 3).mean(axis=1) for rows in (X, X_test))
colour = LogisticRegression(C=1e3).fit(mean, data.y).score(mean_test, data.y_test)
print(
    f"\nright on the test patches: {history[-1][3]:.1%}; by their mean colour alone: {colour:.1%}"
)

# %% [markdown]
# Test patches with the network's answers and how sure it is of them: above the four that are most
# wrong, below others that are right.

# %%
p = sigmoid(outputs(params, X_test)[1][:, 0])
answers = (p > 0.5).astype(int)
wrong = np.abs(p - data.y_test)
worst, correct = np.argsort(-wrong)[:4], np.flatnonzero(wrong < 0.5)
shown = [*worst, *correct[:: len(correct) // 4][:4]]

figure = plt.figure(figsize=(9, 3.4), layout="constrained")
halves: Any = figure.subfigures(1, 2)
losses = np.array(history)[:, [0, 2]].T
curves = dict(zip(("training", "test"), losses, strict=True))
ax = oc.plot.curves(curves, halves[0].subplots(), xlabel="pass", ylabel="cross-entropy")
ax.set_xticks(range(0, 21, 5))
for place, i in zip(halves[1].subplots(2, 4).flat, shown, strict=True):
    place.imshow(data.X_test[i].reshape(SIDE, SIDE, 3))
    place.set_axis_off()
    text = f"{NAMES[answers[i]]} {max(p[i], 1 - p[i]):.0%}"
    place.set_title(text, fontsize=9, color="#222222" if wrong[i] < 0.5 else "#D55E00")
oc.plot.save(ax, "image_classifier.png", dpi=110)
