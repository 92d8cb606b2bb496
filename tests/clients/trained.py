"""What the tests of real clients compare: the weights of two trained models."""

from __future__ import annotations

from typing import Any

import numpy as np

Weights = dict[str, np.ndarray[Any, Any]]


def weights(model: Any) -> Weights:
    return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}


def assert_same_bits(got: Weights, wanted: Weights) -> None:
    assert got.keys() == wanted.keys()
    for name, array in got.items():
        np.testing.assert_array_equal(array, wanted[name], err_msg=name)


def assert_close(got: Weights, wanted: Weights, tolerance: float = 2e-6) -> None:
    """To `tolerance` of the largest weight: some have no gradient but rounding errors."""
    assert got.keys() == wanted.keys()
    largest = max(np.abs(array).max() for array in wanted.values())
    for name, array in got.items():
        np.testing.assert_allclose(
            array, wanted[name], rtol=0, atol=tolerance * largest, err_msg=name
        )


def assert_moved(got: Weights, before: Weights) -> None:
    for name, array in got.items():
        assert (array != before[name]).any(), name
