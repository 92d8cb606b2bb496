# %% [markdown]
# # Down a parabola, six ways
#
# f(x) = x² from x = 8, a hundred steps each: gradient descent, gradients with noise as those of
# single samples have, momentum, RMSprop, Adam, and a rate that decays as 0.1 / (1 + 0.1 t). All
# have the rate 0.1 but RMSprop, which has 0.01.

# %%
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

import optcore as oc

STEPS = 100
rng = np.random.default_rng(0)


def path(kind: Any, noise: float = 0.0, **options: Any) -> NDArray[np.float64]:
    """Where an optimizer goes from x = 8, its start first."""
    x = np.array([8.0])
    opt = kind(x, **options)
    seen = [x[0]]
    for _ in range(STEPS):
        opt.step(2 * x + noise * rng.normal(size=1))  # in place
        seen.append(x[0])
    return np.array(seen)


# %% [markdown]
# Teaching texts count steps from 1, optcore's schedules from 0: `shift(1)` begins one step in.

# %%
decaying = oc.schedules.InverseTime(0.1, decay=0.1).shift(1)
paths = {
    "gradient descent": path(oc.SGD, lr=0.1),
    "noisy gradients": path(oc.SGD, lr=0.1, noise=0.5),
    "momentum": path(oc.Momentum, lr=0.1, momentum=0.9),
    "RMSprop": path(oc.RMSprop, lr=0.01, alpha=0.9),
    "Adam": path(oc.Adam, lr=0.1),
    "decaying rate": path(oc.SGD, lr=decaying),
}

print("x after                1 step  10 steps 100 steps")
for name, x in paths.items():
    print(f"{name:20}{x[1]:9.3f} {x[10]:9.3f} {x[100]:9.3f}")

# %% [markdown]
# Gradient descent takes a fifth of the way that is left in every step; noise keeps it from getting
# closer than the noise is large. Momentum is at the minimum first, and swings past it for long. The
# steps of RMSprop and Adam are about as long as the rate however steep it is: 8 is a long way for
# steps of 0.01, or of 0.1.

# %%
figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained", sharex=True, sharey=True)
for ax, (name, x) in zip(axes.flat, paths.items(), strict=True):
    oc.plot.path_1d(lambda x: x**2, {name: x}, ax, xlim=(-9, 9), legend=False, title=name)
for ax in axes[0]:
    ax.set_xlabel("")
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
oc.plot.save(axes, "paths.png", dpi=110)
