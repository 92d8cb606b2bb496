# %% [markdown]
# # Three landscapes
#
# The valleys that optimizers are tried on: Rosenbrock's, long and bent; Beale's, flat with steep
# walls; Himmelblau's, with four minima. Five rules go from the same start for as many steps, with
# one rate each for all three. The GIF shows them on Rosenbrock's as they go.

# %%
import matplotlib.pyplot as plt

import optcore as oc

STEPS = 1000
OPTIMIZERS = {
    "SGD": "sgd:lr=1e-3",
    "momentum": "momentum:lr=1e-3",
    "Nesterov": "nesterov:lr=1e-3",
    "RMSprop": "rmsprop:lr=0.01",
    "Adam": "adam:lr=0.05",
}
results = {
    name: oc.compare(name, OPTIMIZERS, steps=STEPS, target=0.01)
    for name in ("rosenbrock", "beale", "himmelblau")
}

for name, result in results.items():
    print(f"{name:12}f at the end  steps to 0.01")
    for row in result.rows:
        steps = f"{row.steps_to_target:.0f}" if row.reached else "not reached"
        print(f"  {row.label:10}{row.loss:12.4f}  {steps:>13}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), layout="constrained")
for ax, (name, result) in zip(axes, results.items(), strict=True):
    oc.plot.path_2d(name, result, ax, legend=False)
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False)
oc.plot.save(axes, "landscapes.png", dpi=110)

# %%
oc.plot.animate("rosenbrock", results["rosenbrock"], "landscapes-rosenbrock.gif", frames=30, dpi=80)
