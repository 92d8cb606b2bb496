"""skorch: a net as a scikit-learn estimator, its parameters by name, its checkpoints."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import assert_close, assert_moved, assert_same_bits, weights

torch = pytest.importorskip("torch")

with warnings.catch_warnings():  # theirs
    warnings.simplefilter("ignore")
    skorch = pytest.importorskip("skorch")
    from sklearn.model_selection import GridSearchCV

    import optcore.torch as ot

pytestmark = pytest.mark.filterwarnings("ignore")


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    y = np.arange(120) % 3
    return (rng.standard_normal((120, 5)) + 2 * np.eye(3, 5)[y]).astype(np.float32), y


def net(kind: Any, epochs: int, **options: Any) -> Any:
    torch.manual_seed(0)
    return skorch.NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3)),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=kind,
        lr=1e-2,
        max_epochs=epochs,
        batch_size=20,
        train_split=None,
        verbose=0,
        **options,
    )


@pytest.mark.parametrize("name", ["AdamW", "SGD", "NAdam"])
def test_it_trains_as_with_torch(name: str) -> None:
    """skorch always steps with a closure, in which it runs the backward pass."""
    ours = net(getattr(ot, name), 4)
    before = weights(ours.module)
    ours.fit(*data())
    assert_moved(weights(ours.module_), before)
    theirs = net(getattr(torch.optim, name), 4).fit(*data())
    assert_close(weights(ours.module_), weights(theirs.module_))


@pytest.mark.parametrize("kind", [ot.AdamW, ot.Lion], ids=lambda kind: kind.__name__)
def test_it_resumes_with_the_bits_of_the_whole_run(tmp_path: Path, kind: Any) -> None:
    whole = net(kind, 4).fit(*data())
    files = {"f_params": tmp_path / "net.pt", "f_optimizer": tmp_path / "optimizer.pt"}
    net(kind, 2).fit(*data()).save_params(**files)
    second = net(kind, 2).initialize()
    second.load_params(**files)
    second.partial_fit(*data())
    assert_same_bits(weights(second.module_), weights(whole.module_))


def test_a_net_goes_on_after_pickle() -> None:
    """With its optimizer, as joblib sends it to other processes; the original is left alone."""
    whole = net(ot.AdamW, 4).fit(*data())
    first = net(ot.AdamW, 2).fit(*data())
    copy = pickle.loads(pickle.dumps(first))
    before = weights(first.module_)
    copy.partial_fit(*data())
    assert_same_bits(weights(copy.module_), weights(whole.module_))
    assert_same_bits(weights(first.module_), before)


def test_hyperparameters_by_name() -> None:
    """Of the optimizer, and of a group chosen by the names of its parameters."""
    groups = [("*.bias", {"weight_decay": 0.0})]
    ours = net(ot.AdamW, 2, optimizer__weight_decay=0.1, optimizer__param_groups=groups)
    ours.fit(*data())
    assert [g["weight_decay"] for g in ours.optimizer_.param_groups] == [0.0, 0.1]
    ours.set_params(optimizer__lr=1e-4)
    assert {g["lr"] for g in ours.optimizer_.param_groups} == {1e-4}
    ours.partial_fit(*data())


def test_a_grid_search_over_the_rate_and_the_rule() -> None:
    """It clones the estimator, fits and scores the copies."""
    search = GridSearchCV(
        net(ot.AdamW, 2),
        {"lr": [1e-4, 1e-2], "optimizer": [ot.AdamW, ot.Lion]},
        cv=2,
        scoring="accuracy",
    )
    search.fit(*data())
    assert search.best_score_ > 0.5
    assert search.best_params_["lr"] == 1e-2
