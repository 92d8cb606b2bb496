# %% [markdown]
# # What an optimizer keeps of a matrix
#
# Adam keeps two numbers for each parameter. Adafactor keeps one for each row and one for each
# column, SM3 as well; Adam with 8-bit state keeps a byte where it had four. The matrix is a linear
# map, learned from examples whose inputs differ in scale.

# %%
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

import optcore as oc

Floats = NDArray[np.float32]
OPTIMIZERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "Adam": (oc.Adam, {}),
    "Adam, 8-bit": (oc.Adam, {"state_dtype": "8bit"}),
    "Adafactor": (oc.Adafactor, {"dialect": "paper"}),
    "SM3": (oc.SM3, {"momentum": 0.0}),
    "SGD": (oc.SGD, {}),
}


def kept(name: str, rows: int, columns: int) -> int:
    """The bytes of the state of a matrix of float32."""
    kind, options = OPTIMIZERS[name]
    opt = kind({"W": np.zeros((rows, columns), np.float32)}, lr=1e-3, **options)
    return sum(array.nbytes for array in opt.state.get("W", {}).values())


SIDES = [2**k for k in range(5, 12)]
sizes = {name: [kept(name, side, side) for side in SIDES] for name in OPTIMIZERS}
print("state, KiB           256 × 256  2048 × 2048   bytes a parameter")
for name, found in sizes.items():
    small, large = found[SIDES.index(256)] / 1024, found[-1] / 1024
    print(f"  {name:17}{small:11.1f}{large:13.1f}{found[-1] / 2048**2:16.3f}")

# %% [markdown]
# What that costs in training. Each has the best of its rates, as they mean different things.

# %%
rng = np.random.default_rng(0)
scale = 10.0 ** rng.uniform(-2, 0, 128)  # of the inputs: what the rules are to make up for
X = (rng.standard_normal((512, 128)) * scale).astype(np.float32)
Y = (X @ rng.standard_normal((128, 64)) + 0.1 * rng.standard_normal((512, 64))).astype(np.float32)


def squares(W: Floats) -> tuple[float, Floats]:
    """Half the squared error of an example, on average."""
    error = X @ W - Y
    return 0.5 * float(np.sum(error**2)) / len(X), X.T @ error / len(X)


least = squares(np.linalg.lstsq(X, Y)[0])[0]
start = np.zeros((128, 64), np.float32)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
best = {}
for name, (kind, options) in OPTIMIZERS.items():
    rated = {str(rate): (kind, {**options, "lr": rate}) for rate in RATES}
    tried = oc.compare((start, squares), rated, epochs=100)
    best[name] = tried.of(str(tried.best))[0]
print("\n100 steps, best rate    rate   loss above least squares")
for name, run in best.items():
    print(f"  {name:17}{run.rate:>9}{run.final_loss - least:14.4f}")

# %% [markdown]
# Adafactor's steps are a part of the weights' size, and the weights begin at 0: so its slow start.
# SM3's first step is too long, as it has seen no gradient yet; its paper advises a warmup.

# %%
_, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
state = {name: found for name, found in sizes.items() if name not in ("SM3", "SGD")}
oc.plot.curves(
    {"Adafactor, SM3" if name == "Adafactor" else name: found for name, found in state.items()},
    axes[0],
    x=SIDES,
    xlabel="side of a square matrix (log scale)",
    ylabel="bytes of state",
)
axes[0].set_xscale("log", base=2)
axes[0].set_ylim(100, 1e8)
losses = {name: np.array(run.losses) - least for name, run in best.items()}
oc.plot.curves(losses, axes[1], ylabel="loss above least squares")
oc.plot.save(axes, "adafactor_memory.png", dpi=110)
