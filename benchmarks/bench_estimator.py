"""A scikit-learn classifier around optcore's NumPy network, beside scikit-learn's own.

Both are fitted to the handwritten digits, standardised, with the same widths, batches and epochs,
by Adam at its usual rate, and go through all epochs. scikit-learn computes in the float type of X,
and so does the other; `load_digits` gives float64. BLAS is held to the race's threads for both; the
optimizer's step on so few parameters takes one.

The estimator is an example, and so it is in the checkout only: examples/tuning/numpy_classifier.py.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import rivals

EXAMPLE = Path(__file__).parents[1] / "examples" / "tuning" / "numpy_classifier.py"
EPOCHS, SPLITS, APART = 40, 4, 0.01  # in accuracy


@dataclass(frozen=True)
class Fit:
    """Training from new parameters, on three quarters of the digits."""

    batch_size: int
    format: str = "float64"
    threads: int = 1
    small: bool = True
    quick: bool = True

    @property
    def title(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"fit, digits, batches of {self.batch_size}, {self.format}, {threads}"

    @property
    def elements(self) -> int:
        return 64 * 100 + 100 + 100 * 10 + 10

    @property
    def bytes(self) -> int:
        return 7 * np.dtype(self.format).itemsize * self.elements  # Adam's, a step

    def with_threads(self, threads: int) -> Fit:
        return replace(self, threads=threads)

    def contenders(self, quick: bool) -> list[str]:
        return ["optcore", "sklearn-mlp"]

    def laps(self, who: str) -> int:
        return 3

    def prepare(self, who: str) -> Callable[[], object]:
        """A fit, once its accuracy is near the other's."""
        if not find_spec("sklearn"):
            raise rivals.AbsentError("the data are scikit-learn's: pip install scikit-learn")
        if not EXAMPLE.exists():
            raise rivals.AbsentError("the estimator is in examples/ of a checkout")
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import ThreadpoolController

        warnings.simplefilter("ignore", ConvergenceWarning)  # that the last epoch was reached
        controller = ThreadpoolController()

        def accuracy(who: str, split: int) -> float:
            X, X_test, y, y_test = digits(split, self.format)
            with controller.limit(limits=self.threads):
                return classifier(who, self.batch_size, split).fit(X, y).score(X_test, y_test)

        if who != "optcore":
            ours, theirs = (
                np.mean([accuracy(each, split) for split in range(SPLITS)])
                for each in ("optcore", who)
            )
            if not abs(ours - theirs) <= APART:
                raise AssertionError(
                    f"{who} has an accuracy of {theirs:.3f}, optcore of {ours:.3f}: expected "
                    f"{APART} or less between them"
                )
        X, _, y, _ = digits(0, self.format)
        chosen = classifier(who, self.batch_size, 0)

        def step() -> object:
            with controller.limit(limits=self.threads):
                return chosen.fit(X, y)

        return step


def digits(split, format):
    """X, X_test, y, y_test of a random split, standardised."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=split)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X).astype(format), scaler.transform(X_test).astype(format), y, y_test


def classifier(who, batch_size, seed):
    """A contender's estimator; neither stops early."""
    options = {"batch_size": batch_size, "n_iter_no_change": EPOCHS, "random_state": seed}
    if who == "optcore":
        return example().NumPyClassifier(epochs=EPOCHS, **options)
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(max_iter=EPOCHS, **options)


def example():
    """The module of the estimator."""
    name = EXAMPLE.stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLE)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


RACES = [Fit(200), Fit(200, "float32", quick=False), Fit(32, quick=False)]


def test_fit(turn, heat):
    """A whole fit."""
    turn(heat)
