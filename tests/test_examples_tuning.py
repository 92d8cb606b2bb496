"""The estimator of examples/tuning: scikit-learn's own checks, and what they do not look at."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import optcore as oc

SCRIPT = Path(__file__).parents[1] / "examples" / "tuning" / "numpy_classifier.py"

if not SCRIPT.exists():
    pytest.skip("no examples here", allow_module_level=True)
pytest.importorskip("sklearn", "1.6")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402


def load() -> ModuleType:
    """The example as a module, under the name by which scripts and pickles know it."""
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[SCRIPT.stem] = module
    spec.loader.exec_module(module)
    return module


NumPyClassifier = load().NumPyClassifier

OTHERWISE = {
    "hidden": (32, 16),
    "activation": "tanh",
    "dropout": 0.1,
    "optimizer": oc.AdamW,
    "lr": 0.01,
    "schedule": "OneCycle",
    "alpha": 0.1,
    "batch_size": 7,
    "epochs": 40,
}


@parametrize_with_checks([NumPyClassifier(), NumPyClassifier(**OTHERWISE)])
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


# Beside scikit-learn's network. ------------------------------------------------------------------


def test_it_is_as_accurate_as_scikit_learns_own() -> None:
    """Both with their defaults, over the same epochs, on average over splits of the digits."""
    epochs, splits = 40, 6
    X, y = load_digits(return_X_y=True)
    apart = []
    for split in range(splits):
        X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=split)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        ours = NumPyClassifier(epochs=epochs, n_iter_no_change=epochs, random_state=split)
        theirs = MLPClassifier(max_iter=epochs, n_iter_no_change=epochs, random_state=split)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs.fit(X_train, y_train)
        apart.append(ours.fit(X_train, y_train).score(X_test, y_test))
        apart[-1] -= theirs.score(X_test, y_test)
    assert np.mean(apart) > -0.01, apart


# What its parameters do. -------------------------------------------------------------------------


def clouds(rows: int = 120) -> tuple[Any, Any]:
    """Three clouds of points that overlap a little."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 3
    return rng.standard_normal((rows, 4)) + 2 * np.eye(3, 4)[y], np.array(["a", "b", "c"])[y]


def leaves(model: Any) -> list[Any]:
    return [a for layer in model.params_["layers"] for a in layer.values()]


def test_an_optimizer_goes_by_name_or_class() -> None:
    X, y = clouds()
    by_name = NumPyClassifier(optimizer="NAdam", schedule="Cosine", epochs=5, random_state=0)
    by_class = clone(by_name).set_params(optimizer=oc.NAdam, schedule=oc.schedules.Cosine)
    other = clone(by_name).set_params(optimizer="SGD")
    first, second, third = (leaves(model.fit(X, y)) for model in (by_name, by_class, other))
    for a, b, c in zip(first, second, third, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_a_schedule_gets_the_rate_and_the_number_of_steps() -> None:
    X, y = clouds(50)
    seen = []

    def shape(lr: float, steps: int) -> oc.schedules.Schedule:
        seen.append((lr, steps))
        return oc.schedules.Linear(lr, steps)

    NumPyClassifier(schedule=shape, lr=0.02, batch_size=20, epochs=4).fit(X, y)
    assert seen == [(0.02, 12)]  # three batches of the fifty rows, the last of ten


def test_alpha_is_the_weight_decay() -> None:
    X, y = clouds()
    norms = []
    for alpha in (0.0, 1.0):
        model = NumPyClassifier(optimizer="AdamW", alpha=alpha, lr=0.01, epochs=50, random_state=0)
        norms.append(np.linalg.norm(leaves(model.fit(X, y))[0]))
    assert norms[1] < 0.9 * norms[0]


def test_dropout_is_for_training_only() -> None:
    X, y = clouds()
    plain = NumPyClassifier(epochs=5, random_state=0).fit(X, y)
    model = NumPyClassifier(epochs=5, random_state=0, dropout=0.5).fit(X, y)
    assert not np.array_equal(leaves(plain)[0], leaves(model)[0])
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))


def test_it_computes_in_the_type_of_x() -> None:
    X, y = clouds()
    for dtype in (np.float32, np.float64):
        model = NumPyClassifier(epochs=2).fit(X.astype(dtype), y)
        assert {a.dtype for a in leaves(model)} == {np.dtype(dtype)}
        assert model.predict_proba(X).dtype == dtype


def test_it_stops_when_the_loss_no_longer_falls() -> None:
    X, y = clouds()
    model = NumPyClassifier(tol=0.01, n_iter_no_change=3, lr=0.01, random_state=0).fit(X, y)
    assert 3 < model.n_iter_ < model.epochs
    assert len(model.loss_curve_) == model.n_iter_
    assert min(model.loss_curve_[:-3]) - 0.01 <= min(model.loss_curve_[-3:])


@pytest.mark.parametrize("epochs", [300, 6], ids=["it stops early", "it runs out of epochs"])
def test_early_stopping_keeps_what_did_best_on_the_held_out_rows(epochs: int) -> None:
    X, y = clouds(300)
    options = {"lr": 0.1, "batch_size": 16, "random_state": 3}  # so high that it wavers
    model = NumPyClassifier(early_stopping=True, n_iter_no_change=8, epochs=epochs, **options).fit(
        X, y
    )
    assert (model.n_iter_ < epochs) == (epochs == 300)
    scores = []  # what a run of each length has on the same rows
    seed = int(np.random.RandomState(3).randint(2**31))
    _, X_held, _, y_held = train_test_split(
        X, y, test_size=0.1, stratify=np.unique(y, return_inverse=True)[1], random_state=seed
    )
    for length in range(1, model.n_iter_ + 1):
        shorter = NumPyClassifier(
            early_stopping=True, n_iter_no_change=length, epochs=length, **options
        )
        scores.append(shorter.fit(X, y).score(X_held, y_held))
    assert model.score(X_held, y_held) == max(scores)


def test_a_rate_far_too_high_is_an_error_that_says_so() -> None:
    X, y = clouds()
    model = NumPyClassifier(optimizer="SGD", lr=1e30, epochs=5, random_state=0)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"rate too high.*less than"):
        model.fit(X.astype(np.float32), y)


def test_an_unknown_optimizer_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Adamm"):
        NumPyClassifier(optimizer="Adamm").fit(*clouds())
