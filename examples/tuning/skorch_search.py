# %% [markdown]
# # Grid and random search over a torch model
#
# skorch makes a scikit-learn estimator of a torch module, and an optimizer of `optcore.torch` goes
# in where one of `torch.optim` would. Its options are parameters of the search, by the name
# `optimizer__…`, those that torch does not have among them.

# %%
import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

import optcore as oc
import optcore.torch as ot
from optcore.plot import style

torch.set_num_threads(1)  # the model is small

# %% [markdown]
# A small network on the handwritten digits, standardised in the pipeline.


# %%
class Perceptron(torch.nn.Sequential):
    """One hidden layer; from the same weights whenever it is made."""

    def __init__(self, hidden: int = 64, dropout: float = 0.0):
        torch.manual_seed(0)
        layers = [torch.nn.Linear(64, hidden), torch.nn.ReLU(), torch.nn.Dropout(dropout)]
        super().__init__(*layers, torch.nn.Linear(hidden, 10))


X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.astype(np.float32), y, train_size=600, stratify=y, random_state=0
)
network = NeuralNetClassifier(
    Perceptron,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=ot.AdamW,
    optimizer__clip_norm=1.0,
    max_epochs=8,
    batch_size=64,
    iterator_train__shuffle=True,
    train_split=None,  # the search holds rows out itself
    verbose=0,
)
model = Pipeline([("scale", StandardScaler()), ("net", network)])
scores = {"loss": "neg_log_loss", "accuracy": "accuracy"}


def table(search: GridSearchCV | RandomizedSearchCV) -> pd.DataFrame:
    """What was tried, the best first, and the mean over the folds."""
    rows = pd.DataFrame(search.cv_results_["params"])
    rows = rows.rename(columns=lambda name: name.split("__")[-1])
    rows["loss"] = -search.cv_results_["mean_test_loss"]
    rows["accuracy"] = search.cv_results_["mean_test_accuracy"]
    return rows.sort_values("loss", kind="stable")


# %% [markdown]
# A grid of rules and rates. The classes themselves are the values.

# %%
grid = {
    "net__optimizer": [ot.AdamW, ot.NAdam, ot.Lion],
    "net__optimizer__lr": [1e-3, 1e-2, 1e-1],
}
search = GridSearchCV(model, grid, cv=3, scoring=scores, refit="loss").fit(X_train, y_train)
tried = table(search)
tried["optimizer"] = [kind.__name__ for kind in tried["optimizer"]]
print(f"Grid search, {len(tried)} combinations, the best three:")
print(tried.head(3).to_string(index=False, float_format="{:.4g}".format))

# %% [markdown]
# A random search around it, with the optimizer that the grid has found.

# %%
model.set_params(net__optimizer=search.best_params_["net__optimizer"])
distributions = {
    "net__optimizer__lr": loguniform(3e-3, 3e-2),
    "net__optimizer__weight_decay": loguniform(1e-5, 1e-2),
    "net__module__dropout": [0.0, 0.2],
}
draws = RandomizedSearchCV(
    model, distributions, n_iter=6, cv=3, scoring=scores, refit="loss", random_state=2
).fit(X_train, y_train)
drawn = table(draws)
print(f"\nRandom search with {tried['optimizer'].iloc[0]}, {len(drawn)} draws, the best three:")
print(drawn.head(3).to_string(index=False, float_format="{:.4g}".format))

print(f"\n{'':14} {'loss in folds':>13} {'test accuracy':>14}")
for name, found in (("grid search", search), ("random search", draws)):
    accuracy = np.mean(found.predict(X_test) == y_test)
    print(f"{name:14} {-found.best_score_:13.3f} {accuracy:14.3f}")

# %%
ax = plt.figure(figsize=style.SIZE, layout="constrained").subplots()
for k, (optimizer, rows) in enumerate(tried.sort_values("lr").groupby("optimizer")):
    ax.plot(rows["lr"], rows["loss"], marker="o", label=optimizer, **style.line(k))
ax.scatter(drawn["lr"], drawn["loss"], marker="x", color=style.INK, label="random draws", zorder=3)
ax.set(xscale="log", yscale="log")
ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
ax.set_yticks([], minor=True)
style.dress(ax)
style.words(ax, "learning rate", "cross-validated log loss", "Digits, three folds")
style.legend(ax)
oc.plot.save(ax, "skorch_search.png")
