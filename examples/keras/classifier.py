# %% [markdown]
# # A Keras model, stepped by optcore
#
# Keras 3 can compute with PyTorch; a variable's `value` then is a torch parameter, which
# `optcore.torch` takes as any other. The model is a tutorials' classic for 28 by 28 pixels: ten
# ReLUs, ten classes, stochastic gradient descent. The images are the digits that scikit-learn
# ships, 8 by 8 pixels: each pixel is made 3 by 3, and a border of 2 is put around, so that there
# are 784. Keras's own optimizer trains a twin from the same weights on the same batches.

# %%
import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

from typing import Any

import keras
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

import optcore as oc
import optcore.torch as ot

RATE, EPOCHS, BATCH = 0.05, 20, 32

small, y = load_digits(return_X_y=True)
large = np.kron(small.reshape(-1, 8, 8), np.ones((3, 3))) / 16
X = np.pad(large, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784).astype(np.float32)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
one_hot, one_hot_test = (np.eye(10, dtype=np.float32)[labels] for labels in (y, y_test))


# %%
def made() -> Any:
    """The model; its weights are the same in every call."""
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(10, activation="relu")
    return keras.Sequential(
        [keras.Input((784,)), hidden, keras.layers.Dense(10, activation="softmax")]
    )


model, twin = made(), made()
shape = " → ".join(str(layer.units) for layer in model.layers)
print(f"784 → {shape}, {model.count_params()} parameters; {len(X)} digits to learn from\n")

# %% [markdown]
# ## Keras's own way
#
# `compile` and `fit`. The order of the examples stays as it is, so that both see the same batches.

# %%
twin.compile(
    optimizer=keras.optimizers.SGD(RATE), loss="categorical_crossentropy", metrics=["accuracy"]
)
options = {"batch_size": BATCH, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
theirs = twin.fit(X, one_hot, validation_data=(X_test, one_hot_test), **options).history

# %% [markdown]
# ## With optcore
#
# A training loop as PyTorch has it. `fit` works as well: `regression.py` shows how.

# %%
optimizer = ot.SGD([v.value for v in model.trainable_variables], lr=RATE)
cross_entropy = keras.losses.CategoricalCrossentropy()
batches = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(one_hot)), BATCH
)


def evaluated() -> tuple[float, float]:
    """Loss and accuracy on the test part."""
    with torch.no_grad():
        p: Tensor = model(X_test)
        return float(cross_entropy(one_hot_test, p)), float((p.argmax(1).numpy() == y_test).mean())


ours: dict[str, list[float]] = {"loss": [], "val_loss": [], "val_accuracy": []}
for _ in range(EPOCHS):
    total = 0.0
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = cross_entropy(targets, model(inputs))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    for name, value in zip(ours, (total / len(X), *evaluated()), strict=True):
        ours[name].append(value)

# %%
print("       training loss        test loss         test accuracy")
print("pass  optcore   Keras   optcore   Keras     optcore   Keras")
for k in (0, 4, 9, 19):
    row = (f"{ours[name][k]:8.4f} {theirs[name][k]:8.4f}" for name in ("loss", "val_loss"))
    shares = f"{ours['val_accuracy'][k]:8.1%} {theirs['val_accuracy'][k]:8.1%}"
    print(f"{k + 1:4}", " ".join(row), "  ", shares)
apart = np.abs(np.subtract(ours["loss"], theirs["loss"])).max()
print(f"\nthe losses are {'less' if apart < 1e-5 else 'more'} than 0.00001 apart in every pass")

# %%
losses = {"optcore": ours["val_loss"], "Keras": theirs["val_loss"]}
passes = range(1, EPOCHS + 1)
ax = oc.plot.curves(losses, x=passes, xlabel="pass", ylabel="test cross-entropy")
ax.set_xticks(range(0, EPOCHS + 1, 5))
oc.plot.save(ax, "classifier.png", dpi=110)
