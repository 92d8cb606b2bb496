# %% [markdown]
# # Problem sizes
#
# Networks with 10, 50 and 100 inputs, twice as many tanh units and three classes, 1000 examples
# each: SGD, momentum, Adam, NAdam and Adafactor, over three seeds. Where the loss ends, in how many
# steps it comes to 0.1, and how much state is kept for it.

# %%
import numpy as np

import optcore as oc
from optcore.problems import Data, Supervised

EPOCHS = 40
OPTIMIZERS = {
    "SGD": "sgd:lr=0.1",
    "momentum": "momentum:lr=0.01",
    "Adam": "adam:lr=1e-3",
    "NAdam": "nadam:lr=1e-3,momentum_decay=none",
    "Adafactor": "adafactor:lr=1e-2",
}


def problem(size: int) -> Supervised:
    """The label is the greatest of three sums of the inputs, with weights at random."""
    rng = np.random.default_rng(size)
    X = rng.standard_normal((1500, size))
    y = np.argmax(X @ rng.standard_normal((size, 3)), axis=1)
    data = Data(X[:1000], y[:1000], X[1000:], y[1000:])
    return Supervised(data, hidden=(2 * size,), activation="tanh", name=f"size {size}")


# %%
results = {
    size: oc.compare(problem(size), OPTIMIZERS, seeds=3, epochs=EPOCHS, target=0.1)
    for size in (10, 50, 100)
}
for result in results.values():
    print(result.problem)
    print("               loss  test accuracy  steps to 0.1  state, KiB")
    for row in result.rows:
        steps = f"{row.steps_to_target:.0f}" if row.reached == row.seeds else "not reached"
        accuracy, kept = 100 * row.metric, (row.state_bytes or 0) / 1024
        print(f"  {row.label:10}{row.loss:8.4f}{accuracy:13.1f} %{steps:>13}{kept:12.1f}")

axes = oc.plot.grid(results, target=0.1, title="training loss by problem size")
oc.plot.save(axes, "sizes.png", dpi=110)

# %% [markdown]
# The more inputs there are to a thousand examples, the lower the training loss, and with 100 the
# test accuracy is worst by far: a larger network learns by heart. Adafactor's steps grow with the
# weights that they change, and its state with the sides of a matrix instead of its area.
