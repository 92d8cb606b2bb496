# %% [markdown]
# # Grid search over a support vector machine
#
# Every combination of a penalty, a kernel and its width, 48 in all, each with five-fold
# cross-validation on the handwritten digits. There is no optimizer in it: a kernel machine is
# solved to the end, and only its settings are searched for.

# %%
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import optcore as oc

# %% [markdown]
# The pixels are standardised inside the pipeline, so that each fold is scaled by what it trains
# on. 500 digits are for the search, which keeps it short; the others test what it has found.

# %%
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=500, stratify=y, random_state=0
)
grid: dict[str, list[Any]] = {
    "svc__C": [0.1, 1, 10, 100],
    "svc__kernel": ["rbf", "poly", "sigmoid"],
    "svc__gamma": ["scale", "auto", 0.1, 1],
}
search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=5, scoring="accuracy")
search.fit(X_train, y_train)

# %% [markdown]
# Several combinations do equally well. The search takes the first of them in the order of the
# grid, and so does this table.

# %%
results = pd.DataFrame(search.cv_results_["params"]).rename(columns=lambda name: name[5:])
results["accuracy"] = search.cv_results_["mean_test_score"].round(4)
results["std"] = search.cv_results_["std_test_score"].round(4)
best = results.sort_values("accuracy", ascending=False, kind="stable").head(5)
print("The best five of", len(results), "combinations, in cross-validation:")
print(best.to_string(index=False))
ties = int((results["accuracy"] == results["accuracy"].max()).sum())
print("\nBest parameters:", {name[5:]: value for name, value in search.best_params_.items()})
print(f"Best cross-validation score: {search.best_score_:.4f}, which {ties} combinations have")
print(f"Accuracy on the {len(y_test)} other digits: {search.score(X_test, y_test):.4f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.2), layout="constrained", sharey=True)
for ax, kernel in zip(axes, grid["svc__kernel"], strict=True):
    part = results[results["kernel"] == kernel]
    table = part.pivot(index="C", columns="gamma", values="accuracy")[grid["svc__gamma"]]
    image = ax.imshow(table, cmap="cividis", vmin=0, vmax=1, origin="lower")
    for (i, j), value in np.ndenumerate(table.to_numpy()):
        ax.text(
            j, i, f"{value:.2f}", ha="center", va="center", color="wk"[int(value > 0.5)], size=9
        )
    ax.set_xticks(range(4), table.columns)
    ax.set_yticks(range(4), [f"{C:g}" for C in table.index])
    ax.set(title=kernel, xlabel="gamma")
axes[0].set_ylabel("C")
figure.colorbar(image, ax=axes, label="cross-validated accuracy")
oc.plot.save(axes, "svc_grid_search.png")
