# %% [markdown]
# # The learning-rate range test
#
# `oc.lr_range_test` trains for a hundred steps with ever larger rates, notes where the loss falls
# and where it runs away, and puts everything back. Here the rate it suggests trains a network on
# the handwritten digits, beside a tenth of it and ten times as much.

# %%
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt

import optcore as oc
import optcore.torch as ot
from optcore.plot import style

problem = oc.problems.named("digits-mlp:batch_size=64")
RULES: dict[str, Callable[..., oc.Optimizer]] = {
    "SGD": oc.SGD,
    "Momentum": oc.Momentum,
    "AdamW": oc.AdamW,
}


def batches() -> Iterator[Any]:
    """Mini-batches without end, the same ones in every call."""
    rng = np.random.default_rng(0)
    while True:
        yield from problem.batches(rng)


# %% [markdown]
# A test takes an optimizer, and a function that gives loss and gradients of the next batch.


# %%
def tested(rule: Callable[..., oc.Optimizer]) -> oc.RangeTest:
    """The range test of an optimizer, from the same start and on the same batches."""
    params, stream = problem.initial(seed=0), batches()
    return oc.lr_range_test(
        rule(params), lambda: problem.loss_and_grads(params, next(stream)), low=1e-5
    )


tests = {name: tested(rule) for name, rule in RULES.items()}

print(problem.described())
print(f"\n{'':10}{'steepest descent':>18}{'minimum / 10':>14}")
for name, test in tests.items():
    steepest, tenth = test.suggestion
    print(f"{name:10}{steepest:18.4f}{tenth:14.4f}")

# %% [markdown]
# Training with the rate of the steepest descent, a tenth of it, and ten times as much. A tenth is
# too slow for all three; the tenfold is too much for AdamW, but not for the others, which the test
# has seen for a hundred steps only: the suggestion is a rate to start from, on the safe side.

# %%
TIMES = {"a tenth": 0.1, "suggested": 1.0, "tenfold": 10.0}
print(f"\n{'test accuracy, %':20}" + "".join(f"{label:>12}" for label in TIMES))
for name, test in tests.items():
    rate = test.suggestion.steepest
    members = {label: (RULES[name], {"lr": times * rate}) for label, times in TIMES.items()}
    result = oc.compare(problem, members, seeds=10, epochs=5, progress=False)
    print(f"{name:20}" + "".join(f"{100 * row.metric:12.1f}" for row in result.rows))
print("after five epochs, the mean over ten seeds")

# %% [markdown]
# The same for torch, with any optimizer of its own or of `optcore.torch`. This model starts from
# the same weights and sees the same batches, so the test comes to the same rates.

# %%
start: Any = problem.initial(seed=0)
layers = start["layers"]
linear = [torch.nn.Linear(*layer["W"].shape) for layer in layers]
with torch.no_grad():
    for module, layer in zip(linear, layers, strict=True):
        module.weight.copy_(torch.from_numpy(layer["W"].T))
        module.bias.copy_(torch.from_numpy(layer["b"]))
model = torch.nn.Sequential(linear[0], torch.nn.ReLU(), linear[1], torch.nn.ReLU(), linear[2])
optimizer, stream = ot.AdamW(model.parameters()), batches()


def closure() -> torch.Tensor:
    """The loss of the next batch, and its gradients where torch keeps them."""
    X, y, _ = next(stream)
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(X)), torch.from_numpy(y))
    loss.backward()
    return loss


steepest, tenth = ot.lr_range_test(optimizer, closure, low=1e-5, model=model).suggestion
print(f"\nAdamW, torch's network: {steepest:.4f} and {tenth:.4f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 4.4), layout="constrained", sharey=True)
for ax, (name, test) in zip(axes, tests.items(), strict=True):
    test.plot(ax, title=name).label_outer()
    style.legend(ax, loc="upper left", bbox_to_anchor=(0, -0.16))
oc.plot.save(axes, "range_test.png", dpi=120)
