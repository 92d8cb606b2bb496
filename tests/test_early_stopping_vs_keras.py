"""EarlyStopping against Keras's: the same epochs. Keras compares in float32."""

from __future__ import annotations

import os

import numpy as np
import pytest

import optcore as oc

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")


def test_keras_stops_at_the_same_epoch() -> None:
    for seed in range(40):
        random = np.random.default_rng(seed)
        metrics = (random.normal(scale=4, size=60).round() / 4).tolist()
        mode = ("min", "max")[seed % 2]
        patience, min_delta = int(random.integers(1, 8)), float(random.choice([0.0, 0.25]))
        theirs = keras.callbacks.EarlyStopping(
            "loss", min_delta=min_delta, patience=patience, mode=mode
        )
        theirs.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        theirs.on_train_begin()
        ours = oc.EarlyStopping(patience=patience, min_delta=min_delta, mode=mode)
        for epoch, metric in enumerate(metrics):
            theirs.on_epoch_end(epoch, {"loss": metric})
            if ours.step(metric):
                break
            assert not theirs.stopped_epoch
        assert (theirs.stopped_epoch, theirs.best_epoch) == (epoch, ours.best_step)
        assert theirs.best == ours.best
