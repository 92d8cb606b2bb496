# %% [markdown]
# # What three steps of each rule do
#
# Two parameters, 1 and 2, and three gradients, the second parameter's ten times the first one's.
# Each rule is held against its formula as teaching texts print it. They print several forms, of
# momentum above all; each is an option here.

# %%
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

import optcore as oc

A = NDArray[np.float64]
START = np.array([[1.0, 2.0]])  # one row, so that Adafactor sees a matrix
GRADIENTS = [np.array([[k, 10 * k]]) for k in (0.10, 0.12, 0.08)]

# %% [markdown]
# The formulas. From a gradient g, two memories m and v that begin at 0, and the number t of the
# step, each makes what is added to the parameters, and the new memories.


# %%
def descent(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Gradient descent keeps nothing."""
    return -0.1 * g, m, v


def velocity(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Momentum with the rate inside the memory."""
    return (m := 0.9 * m - 0.1 * g), m, v


def average(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Momentum as an average of gradients."""
    return -0.1 * (m := 0.9 * m + (1 - 0.9) * g), m, v


def heavy_ball(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Momentum as a sum of gradients, with the rate outside."""
    return -0.1 * (m := 0.9 * m + g), m, v


def nesterov(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Momentum that steps from where the velocity will have taken it."""
    return 0.9 * (m := 0.9 * m - 0.1 * g) - 0.1 * g, m, v


def adagrad(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Divides by the root of all squares so far."""
    return -0.1 * g / (np.sqrt(v := v + g**2) + 1e-8), m, v


def rmsprop(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Divides by the root of an average of squares."""
    return -0.1 * g / (np.sqrt(v := 0.9 * v + 0.1 * g**2) + 1e-8), m, v


def adadelta(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Has, in the place of a rate, the average of its own squared steps, m."""
    step = -np.sqrt(m + 1e-6) / np.sqrt((v := 0.95 * v + 0.05 * g**2) + 1e-6) * g
    return step, 0.95 * m + 0.05 * step**2, v


def adam(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Averages of gradients and squares, both without the bias of their first steps."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return -0.1 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def nadam(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """Dozat's: the coming step's share of m, and this step's share of g."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
    return -0.1 * ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def adafactor(g: A, m: A, v: A, t: int) -> tuple[A, A, A]:
    """A short form: averages of squares by row, m, and by column, v, and nothing more."""
    m = 0.999 * m + 0.001 * np.mean(g**2, axis=1, keepdims=True)
    v = 0.999 * v + 0.001 * np.mean(g**2, axis=0, keepdims=True)
    return -1e-4 * g / np.sqrt(m + 1e-30) / np.sqrt(v + 1e-30), m, v


# %% [markdown]
# The same by optcore. Adafactor as published has more parts, which its options take away.

# %%
SHORT: dict[str, Any] = {
    "lr": 1e-4,
    "beta2": 0.999,
    "eps": (1e-30, 1e-3),
    "normalize": False,
    "d": np.inf,
    "relative_step": False,
    "scale_parameter": False,
}
RULES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "gradient descent": (descent, oc.SGD, {"lr": 0.1}),
    "momentum, velocity": (velocity, oc.Momentum, {"lr": 0.1, "form": "velocity"}),
    "momentum, average": (average, oc.Momentum, {"lr": 0.1, "form": "average"}),
    "momentum, sum": (heavy_ball, oc.SGD, {"lr": 0.1, "momentum": 0.9}),
    "Nesterov": (nesterov, oc.Momentum, {"lr": 0.1, "nesterov": True}),
    "AdaGrad": (adagrad, oc.Adagrad, {"lr": 0.1, "eps": 1e-8}),
    "RMSprop": (rmsprop, oc.RMSprop, {"lr": 0.1, "alpha": 0.9}),
    "Adadelta": (adadelta, oc.Adadelta, {"rho": 0.95, "eps": 1e-6}),
    "Adam": (adam, oc.Adam, {"lr": 0.1}),
    "NAdam": (nadam, oc.NAdam, {"lr": 0.1, "momentum_decay": None}),
    "Adafactor, short": (adafactor, oc.Adafactor, SHORT),
}

went = {}
print("                      after 1 step    after 3 steps    from the formula")
for name, (formula, kind, options) in RULES.items():
    w, by_hand, m, v = START.copy(), START.copy(), np.zeros((1, 2)), np.zeros((1, 2))
    opt = kind(w, **options)
    seen = []
    for t, g in enumerate(GRADIENTS, 1):
        opt.step(g)
        step, m, v = formula(g, m, v, t)
        by_hand += step
        assert np.abs(w - by_hand).max() < 1e-12, name
        seen.append("{:.4f} {:.4f}".format(*w[0]))
    went[name] = np.abs(w - START)[0]
    print(f"{name:20}{seen[0]:>16}{seen[2]:>17}    less than 1e-12")

# %% [markdown]
# How far each went. Descent and momentum take the second parameter ten times as far as the first.
# What divides by a root of squares takes both as far: the scale of a gradient is gone. Adafactor,
# short, divides by the row's root as well, so its rate means something else.

# %%
_, ax = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
rows = np.arange(len(went))
ax.hlines(rows, *np.transpose([*went.values()]), color="#B0B0B0", zorder=1)
for i, (colour, size) in enumerate((("#0072B2", 100), ("#E69F00", 30))):
    distances = [each[i] for each in went.values()]
    ax.scatter(distances, rows, size, colour, label=f"parameter {i + 1}")
ax.set(xscale="log", xlabel="distance after three steps (log scale)", yticks=rows)
ax.set_yticklabels(went)
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
oc.plot.save(ax, "rules.png", dpi=110)
