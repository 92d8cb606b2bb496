# %% [markdown]
# # Learning-rate schedules
#
# Step, exponential, cosine and inverse-time decay, linear warmup, and cosine with restarts: periods
# that double from 5000 steps, peaks that halve. Then Adam, driven by some of them, on a
# regression whose gradients come from eight examples each.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import optcore as oc
from optcore.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    Lambda,
    Schedule,
    Step,
    Warmup,
)

RATE, TOTAL = 0.1, 100

decays: dict[str, Schedule] = {
    "step: half every 10": Step(RATE, step_size=10, gamma=0.5),
    "exponential: exp(-0.1 t)": Exponential(RATE, decay=0.1),
    "cosine": Cosine(RATE, total=TOTAL),
    "warmup, then constant": Warmup(30, Constant(RATE)),
    "warmup, then cosine": Warmup(30, Cosine(RATE, total=TOTAL - 30)),
    "1 / (1 + 0.1 t)": InverseTime(RATE, decay=0.1),
}
print(f"{'rate at step':25}", *(f"{k:8}" for k in (0, 10, 30, 60, 99)))
for name, schedule in decays.items():
    print(f"{name:25}", *(f"{schedule(k):8.4f}" for k in (0, 10, 30, 60, 99)))

# %% [markdown]
# Cosine with restarts is printed in two forms. In Loshchilov and Hutter's the cosine falls over the
# whole period. In the other the number of the cycle comes from a logarithm, and the length that
# the cosine is divided by is half that of the cycle, so within each the rate falls, and rises again
# to where it began. Any function of the step is a schedule too.


# %%
def by_logarithm(step: float) -> float:
    """Restarts whose cosine is divided by half of the cycle's length."""
    cycle = math.floor(math.log2(step / 5000 + 1))
    within = step - 5000 * (2**cycle - 1)
    fall = 0.5 * (1 + math.cos(math.pi * within / (5000 * 2 ** (cycle - 1))))
    return (1e-6 + (RATE - 1e-6) * fall) * 0.5**cycle


restarts: dict[str, Schedule] = {
    "Loshchilov and Hutter's": CosineRestarts(RATE, 5000, 2.0, 0.5, 1e-6),
    "over half of each cycle": Lambda(by_logarithm),
}
print(f"\n{'restarts, at step':25}", *(f"{k:8}" for k in (0, 2500, 4999, 5000, 10000, 15000)))
for name, schedule in restarts.items():
    values = (f"{schedule(k):8.4f}" for k in (0, 2500, 4999, 5000, 10000, 15000))
    print(f"{name:25}", *values)

# %% [markdown]
# A rate of 0.1 keeps Adam jumping about the solution, as far as its noisy gradients throw it. Where
# the rate falls to nothing the parameters come to rest, much nearer.

# %%
problem = oc.problems.linear(batch_size=8, epochs=100)
steps = problem.epochs * problem.steps_per_epoch
rates: dict[str, Schedule] = {
    "constant": Constant(RATE),
    "step": Step(RATE, step_size=steps // 5, gamma=0.5),
    "1 / (1 + 0.1 t)": InverseTime(RATE, decay=0.1),
    "warmup, then cosine": Warmup(steps // 10, Cosine(RATE, total=steps - steps // 10)),
}
result = oc.compare(problem, {name: (oc.Adam, {"lr": s}) for name, s in rates.items()}, seeds=10)
X = np.c_[np.ones_like(problem.data.X), problem.data.X]
least = float(np.linalg.lstsq(X, problem.data.y)[1][0]) / len(X)

print(f"\nAdam, {steps} steps            loss above least squares, median of 10 seeds")
above = {name: np.array([run.losses for run in result.of(name)]) - least for name in result.labels}
for name, losses in above.items():
    print(f"{name:25} {np.median(losses[:, -1]):10.5f}")

# %%
_, axes = plt.subplots(1, 3, figsize=(12, 4.6), layout="constrained")
oc.plot.schedules(decays, TOTAL, axes[0], title="decays and warmup", legend=False)
oc.plot.schedules(restarts, 20000, axes[1], title="cosine with restarts", legend=False)
oc.plot.curves(
    above,
    axes[2],
    x=result.runs[0].steps,
    band=None,
    legend=False,
    title="Adam, median of 10 seeds",
    ylabel="loss above least squares",
)
for ax in axes:
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False, fontsize=9)
oc.plot.save(axes, "schedules.png", dpi=110)
