# %% [markdown]
# # A line through a hundred points
#
# y = 4 + 3x and noise, from seed 42: SGD, momentum and Adam on the mean squared error, all from the
# same start. The rates are the tutorial's, 0.01 for all; then ones that suit the problem. What they
# should come to is known, the least-squares solution.

# %%
import numpy as np
from numpy.typing import NDArray

import optcore as oc

EPOCHS = 100
random = np.random.RandomState(42)  # that of np.random.seed(42), so these are the tutorial's points
x = 2 * random.rand(100, 1)
y = 4 + 3 * x + random.randn(100, 1)
X = np.c_[np.ones_like(x), x]
start = random.randn(2, 1)  # intercept and slope


def mean_squared_error(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The loss and its gradient."""
    error = X @ w - y
    return float(np.mean(error**2)), 2 / len(y) * X.T @ error


assert oc.check_gradient(mean_squared_error, start)
exact = np.asarray(np.linalg.lstsq(X, y)[0], dtype=np.float64)
least = mean_squared_error(exact)[0]

# %%
result = oc.compare(
    (start, mean_squared_error),
    {
        "SGD, 0.01": "sgd:lr=0.01",
        "momentum, 0.01": "momentum:lr=0.01",
        "Adam, 0.01": "adam:lr=0.01",
        "SGD, 0.3": "sgd:lr=0.3",
        "momentum 0.5, 0.2": "momentum:lr=0.2,momentum=0.5",
        "Adam, 0.3": "adam:lr=0.3",
    },
    epochs=EPOCHS,
)
print(f"after {EPOCHS} steps           loss above least   intercept    slope")
for run in result.runs:
    intercept, slope = run.params[:, 0]
    loss = run.final_loss
    print(f"{run.label:19}{loss:12.4f}{loss - least:12.4f}{intercept:12.4f}{slope:9.4f}")
print(f"{'least squares':19}{least:12.4f}{0:12.4f}{exact[0, 0]:12.4f}{exact[1, 0]:9.4f}")

# %% [markdown]
# The curves show how far the loss is above that of least squares: the loss itself levels out at the
# variance of the noise, and a logarithmic scale would tell little.

# %%
above = {run.label: np.array(run.losses) - least for run in result.runs}
ax = oc.plot.curves(above, ylabel="loss above that of least squares")
oc.plot.save(ax, "linear_regression.png", dpi=110)
