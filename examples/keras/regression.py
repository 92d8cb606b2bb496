# %% [markdown]
# # Keras's `fit`, stepped by optcore
#
# A model whose `train_step` is its own keeps everything else of Keras: `fit`, callbacks, metrics.
# Here a single neuron learns, with Adam and mean squared error, how far a diabetic's illness will
# have grown from the body mass index alone (scikit-learn's diabetes data). Keras's own Adam trains
# a twin. Its ε is 1e-7 and meets the root before the correction of bias, not after it as in PyTorch
# and `optcore.torch`; gradients here are so much larger that nobody sees it.

# %%
import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import optcore as oc
import optcore.torch as ot
from optcore.plot.style import dress, words

RATE, EPOCHS = 0.02, 20

measures, grown = load_diabetes(return_X_y=True, scaled=False)
x, y = ((v - v.mean()) / v.std() for v in (measures[:, 2], grown))
x, y = x[:, None].astype(np.float32), y[:, None].astype(np.float32)

# %% [markdown]
# ## The step
#
# What `train_step` needs is little: gradients, a step, and the metrics that `fit` reports.


# %%
class Stepped(keras.Sequential):  # type: ignore[misc] # Keras has no types
    """A Sequential model that an optimizer of `optcore.torch` steps."""

    def use(self, kind: Any, **options: Any) -> None:
        """Takes an optimizer of optcore.torch for all that can be trained."""
        self.steps_by = kind([v.value for v in self.trainable_variables], **options)

    def train_step(self, data: tuple[Any, Any]) -> dict[str, Any]:
        """Loss, gradients and a step; what Keras calls for every batch."""
        inputs, targets = data
        self.zero_grad()
        outputs = self(inputs, training=True)
        loss = self.compute_loss(y=targets, y_pred=outputs)
        loss.backward()
        self.steps_by.step()
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(inputs))
            else:
                metric.update_state(targets, outputs)
        results: dict[str, Any] = self.get_metrics_result()
        return results


# %%
keras.utils.set_random_seed(0)
model = Stepped([keras.Input((1,)), keras.layers.Dense(1)])
keras.utils.set_random_seed(0)  # so that both start from the same weight
twin = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

for each, optimizer in ((model, None), (twin, keras.optimizers.Adam(RATE))):
    r2 = keras.metrics.R2Score(name="r2")
    each.compile(optimizer=optimizer, loss="mean_squared_error", metrics=[r2])
model.use(ot.Adam, lr=RATE, eps=1e-7)

options = {"batch_size": 32, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
ours = model.fit(x, y, **options).history
theirs = twin.fit(x, y, **options).history

# %%
print("      mean squared error       R²")
print("pass   optcore   Keras   optcore   Keras")
for k in (0, 4, 9, 19):
    row = (f"{ours[name][k]:9.4f} {theirs[name][k]:8.4f}" for name in ("loss", "r2"))
    print(f"{k + 1:4}", *row)
apart = np.abs(np.subtract(ours["loss"], theirs["loss"])).max()
print(f"\nthe losses are {'less' if apart < 1e-5 else 'more'} than 0.00001 apart in every pass")
slope, intercept = (v.value.item() for v in model.trainable_variables)
print(f"the slope is {slope:.2f}; by least squares {np.polyfit(x[:, 0], y[:, 0], 1)[0]:.2f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
losses = {"optcore": ours["loss"], "Keras": theirs["loss"]}
passes = range(1, EPOCHS + 1)
oc.plot.curves(losses, left, x=passes, xlabel="pass", ylabel="mean squared error", log=False)
left.set_xticks(range(0, EPOCHS + 1, 5))
ends = np.array([[x.min()], [x.max()]])
right.plot(x, y, ".", color="#999999", markersize=4)
right.plot(ends, slope * ends + intercept, color="#0072B2", linewidth=2)
dress(right)
words(right, "body mass index, scaled", "growth within a year, scaled", "the neuron's line")
oc.plot.save(left, "regression.png")
