"""A scikit-learn classifier around optcore's NumPy network, stepped by any optimizer of optcore.

The other scripts of this folder import it. Copy it into your own project as it is.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import optcore as oc
from optcore.problems.data import batches

Floats = NDArray[Any]


class NumPyClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A multilayer perceptron. Like scikit-learn's own it computes in the float type of X.

    Args:
        hidden: the widths of the hidden layers.
        activation: "relu" or "tanh".
        dropout: the share of hidden activations that training leaves out.
        optimizer: the name of a class of optcore; or a class, or a function of parameters and lr.
        lr: the learning rate; the highest one under a schedule.
        schedule: the name of a class of optcore.schedules, a class or a function that takes the
            rate and the number of steps, such as "Cosine", "Linear" or "OneCycle"; None for none.
        alpha: the optimizer's weight_decay; None leaves it at its default.
        batch_size: rows in a mini-batch; the last one may be short.
        epochs: how often to go through the data, at most.
        tol, n_iter_no_change: stop when for so many epochs the mean loss has not fallen by tol or,
            with early_stopping, the accuracy on the held out rows has not risen by it.
        early_stopping: hold out validation_fraction, and keep the parameters that did best on it.
        random_state: decides on the start, the batches, dropout and what is held out.

    Attributes:
        classes_, n_features_in_: as everywhere in scikit-learn.
        params_: the network's parameters; `n_iter_`, `loss_curve_`: epochs, and their mean losses.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (100,),
        activation: str = "relu",
        dropout: float = 0.0,
        optimizer: Any = "Adam",
        lr: float = 1e-3,
        schedule: Any = None,
        alpha: float | None = None,
        batch_size: int = 200,
        epochs: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
    ):
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.alpha = alpha
        self.batch_size = batch_size
        self.epochs = epochs
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> NumPyClassifier:
        """Trains from new parameters.

        Raises:
            ValueError: the loss is not finite, among other reasons.
        """
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        seed = int(check_random_state(self.random_state).randint(2**31))
        rng = np.random.default_rng(seed)
        held_out = None
        if self.early_stopping:
            X, X_held, labels, y_held = train_test_split(
                X, labels, test_size=self.validation_fraction, stratify=labels, random_state=seed
            )
            held_out = X_held, y_held

        network = self._network(X.dtype)
        self.params_ = network.initial(seed)
        rows = min(self.batch_size, len(X))
        optimizer = self._optimizer(self.epochs * -(-len(X) // rows))
        stopping = oc.EarlyStopping(
            self.params_,
            patience=self.n_iter_no_change,
            min_delta=self.tol,
            mode="max" if held_out else "min",
            restore_best=held_out is not None,
        )
        self.loss_curve_: list[float] = []
        for _ in range(self.epochs):
            total = 0.0
            for X_batch, y_batch in batches(X, labels, rows, rng):
                masks = network.masks(len(y_batch), rng)
                loss, grads = network.loss_and_grads(self.params_, X_batch, y_batch, masks)
                optimizer.step(grads)
                total += loss * len(y_batch)
            self.loss_curve_.append(total / len(X))
            if not np.isfinite(total):
                raise ValueError(f"the loss is {total}, the rate too high; try less than {self.lr}")
            score = network.score(self.params_, *held_out) if held_out else self.loss_curve_[-1]
            if stopping.step(score):
                break
        if held_out:
            stopping.restore()
        self.n_iter_ = len(self.loss_curve_)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, a row for each row of X."""
        check_is_fitted(self)
        dtype = self.params_["layers"][0]["W"].dtype
        X = validate_data(self, X, dtype=dtype, reset=False)
        z = self._network(dtype).all_outputs(self.params_, X)
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(z / z.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _network(self, dtype: np.dtype[Any]) -> oc.problems.Network:
        sizes = (self.n_features_in_, *self.hidden, len(self.classes_))
        return oc.problems.Network(sizes, self.activation, dropout=self.dropout, dtype=dtype)

    def _optimizer(self, steps: int) -> oc.Optimizer:
        lr = self.lr
        if self.schedule is not None:
            lr = _named(self.schedule, oc.schedules)(lr, steps)
        decay = {} if self.alpha is None else {"weight_decay": self.alpha}
        made: oc.Optimizer = _named(self.optimizer, oc)(self.params_, lr=lr, **decay)
        return made


def _named(thing: Any, module: ModuleType) -> Any:
    return getattr(module, thing) if isinstance(thing, str) else thing
