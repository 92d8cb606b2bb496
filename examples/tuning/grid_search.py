# %% [markdown]
# # Grid and random search over a network of NumPy arrays
#
# `GridSearchCV` and `RandomizedSearchCV` over a pipeline of a scaler and the classifier of
# `numpy_classifier.py`: which optimizer, which rate, which width, on the tumours of Wisconsin.
# Names and classes of optcore are parameters like any other.

# %%
import pandas as pd
from matplotlib import pyplot as plt
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import optcore as oc
from numpy_classifier import NumPyClassifier
from optcore.plot import style

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = NumPyClassifier(hidden=(32,), batch_size=32, epochs=30, random_state=0)
model = Pipeline([("scale", StandardScaler()), ("net", network)])
folds = StratifiedKFold(3, shuffle=True, random_state=0)

# %% [markdown]
# The grid: three optimizers, four rates, with and without a cosine schedule. The search looks at
# the log loss, in which no two combinations are equal; accuracy is only told.

# %%
grid = {
    "net__optimizer": ["SGD", "RMSprop", "AdamW"],
    "net__lr": [1e-4, 1e-3, 1e-2, 1e-1],
    "net__schedule": [None, "Cosine"],
}
scores = {"loss": "neg_log_loss", "accuracy": "accuracy"}
search = GridSearchCV(model, grid, cv=folds, scoring=scores, refit="loss").fit(X_train, y_train)


def table(search: GridSearchCV | RandomizedSearchCV) -> pd.DataFrame:
    """What was tried, and the mean over the folds."""
    rows = pd.DataFrame(search.cv_results_["params"]).rename(columns=lambda name: name[5:])
    rows = rows.fillna("constant")  # no schedule
    rows["loss"] = -search.cv_results_["mean_test_loss"]
    rows["accuracy"] = search.cv_results_["mean_test_accuracy"]
    return rows


tried = table(search)
print(f"Grid search, {len(tried)} combinations, the best five:")
print(tried.nsmallest(5, "loss").to_string(index=False, float_format="{:.4g}".format))

# %% [markdown]
# The random search: rates and decay drawn from log-uniform distributions, widths from a list. A
# dozen draws look at a dozen rates, where the grid has looked at four.

# %%
distributions = {
    "net__lr": loguniform(1e-3, 1e-1),
    "net__alpha": loguniform(1e-4, 1e0),
    "net__hidden": [(16,), (32,), (16, 16)],
}
model.set_params(net__optimizer="AdamW", net__schedule="Cosine")
draws = RandomizedSearchCV(
    model, distributions, n_iter=12, cv=folds, scoring=scores, refit="loss", random_state=0
).fit(X_train, y_train)
drawn = table(draws)
print(f"\nRandom search, {len(drawn)} draws, the best five:")
print(drawn.nsmallest(5, "loss").to_string(index=False, float_format="{:.4g}".format))

print(f"\n{'':18} {'loss in folds':>13}   right of {len(y_test)} test rows")
for name, found in (("grid search", search), ("random search", draws)):
    right = int((found.predict(X_test) == y_test).sum())
    print(f"{name:18} {-found.best_score_:13.3f}   {right}")

# %%
ax = plt.figure(figsize=style.SIZE, layout="constrained").subplots()
for k, (optimizer, rows) in enumerate(tried.groupby("optimizer")):
    for schedule, line in rows.groupby("schedule"):
        dashes = "-" if schedule == "Cosine" else ":"
        label = f"{optimizer}, {schedule}"
        ax.plot(line["lr"], line["loss"], dashes, marker="o", color=style.COLOURS[k], label=label)
ax.scatter(drawn["lr"], drawn["loss"], marker="x", color=style.INK, label="random draws", zorder=3)
ax.set(xscale="log", yscale="log")
ax.set_yticks([0.06, 0.1, 0.2, 0.4, 0.7], ["0.06", "0.1", "0.2", "0.4", "0.7"])
ax.set_yticks([], minor=True)
style.dress(ax)
style.words(ax, "learning rate", "cross-validated log loss", "Breast cancer, three folds")
style.legend(ax)
oc.plot.save(ax, "grid_search.png", dpi=120)
