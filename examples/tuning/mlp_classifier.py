# %% [markdown]
# # A network of NumPy arrays as a scikit-learn estimator
#
# `numpy_classifier.py` puts optcore's NumPy network and any of its optimizers behind `fit` and
# `predict`. It passes scikit-learn's own `check_estimator`, and here it is beside scikit-learn's
# `MLPClassifier`: the same sizes, epochs and batches on ten splits of the handwritten digits.

# %%
import warnings
from typing import Any

import numpy as np
from scipy.stats import t
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import optcore as oc
from numpy_classifier import NumPyClassifier

checks = check_estimator(NumPyClassifier(), on_skip=None)  # raises an error where a check fails
print("checks of scikit-learn that fail:", sum(check["status"] == "failed" for check in checks))

# %% [markdown]
# Both classifiers come with Adam at a rate of 0.001, one hidden layer of 100 and batches of 200.
# Neither is to stop before the last epoch. What only optcore has comes as a third row: the same
# network with its rate on a schedule.

# %%
SPLITS, EPOCHS = 10, 40
ours: dict[str, Any] = {"epochs": EPOCHS, "n_iter_no_change": EPOCHS}
classifiers = {
    "MLPClassifier": MLPClassifier(max_iter=EPOCHS, n_iter_no_change=EPOCHS),
    "NumPyClassifier": NumPyClassifier(**ours),
    "NumPyClassifier, OneCycle": NumPyClassifier(**ours, lr=0.01, schedule="OneCycle"),
}
warnings.simplefilter("ignore", ConvergenceWarning)  # MLPClassifier tells that it was not to stop

X, y = load_digits(return_X_y=True)
accuracy = np.zeros((len(classifiers), SPLITS))
losses: dict[str, list[list[float]]] = {name: [] for name in classifiers}
for split in range(SPLITS):
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=split)
    scaler = StandardScaler().fit(X_train)
    for k, (name, classifier) in enumerate(classifiers.items()):
        classifier.set_params(random_state=split).fit(scaler.transform(X_train), y_train)
        accuracy[k, split] = classifier.score(scaler.transform(X_test), y_test)
        losses[name].append(classifier.loss_curve_)

# %% [markdown]
# The last column is the difference from `MLPClassifier` on the same splits, in percentage points,
# with the 95 % interval of its mean: Student's t, widened for the rows that splits have in common
# (Nadeau & Bengio, 2003).

# %%
print(f"\n{'test accuracy, %':26} {'mean':>6} {'worst':>6} {'best':>6}   less MLPClassifier's")
for name, values in zip(classifiers, 100 * accuracy, strict=True):
    row = f"{name:26} {values.mean():6.1f} {values.min():6.1f} {values.max():6.1f}"
    if name != "MLPClassifier":
        apart = values - 100 * accuracy[0]
        shared = 1 / SPLITS + len(y_test) / len(y_train)
        half = t.ppf(0.975, SPLITS - 1) * apart.std(ddof=1) * np.sqrt(shared)
        row += f"   {apart.mean():+.1f} ± {half:.1f}"
    print(row)

# %%
ax = oc.plot.curves(
    losses,
    x=np.arange(1, EPOCHS + 1),
    xlabel="epoch",
    ylabel="mean training loss",
    title=f"Handwritten digits, {SPLITS} splits",
)
oc.plot.save(ax, "mlp_classifier.png")
