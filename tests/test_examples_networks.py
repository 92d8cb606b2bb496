"""What the examples of networks are made of; tests/test_examples.py runs them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

FOLDER = Path(__file__).parents[1] / "examples" / "networks"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="no examples here")


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that cuts photographs into patches, with pictures that need no Pillow."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import patches

    def numbered() -> SimpleNamespace:
        """Two images of the photographs' size, in which every pixel is another number."""
        pixels = np.arange(2 * 427 * 640, dtype=np.float64).reshape(2, 427, 640, 1)
        return SimpleNamespace(images=np.repeat(pixels, 3, axis=-1))

    monkeypatch.setattr(patches, "load_sample_images", numbered)
    return patches


def test_no_pixel_is_both_learnt_from_and_tested_on(patches: Any) -> None:
    data = patches.patches()
    assert data.X.shape == (264, 12288)
    assert data.X_test.shape == (144, 12288)
    assert not np.intersect1d(data.X, data.X_test).size


def test_labels_are_those_of_the_image(patches: Any) -> None:
    data = patches.patches()
    for X, y in ((data.X, data.y), (data.X_test, data.y_test)):
        pixels = np.rint(X * 255).astype(int)
        assert ((pixels >= 427 * 640).all(axis=1) == (y == 1)).all()
        assert ((pixels < 427 * 640).all(axis=1) == (y == 0)).all()


def test_a_patch_is_a_square_of_the_image(patches: Any) -> None:
    image = np.arange(100 * 70 * 3).reshape(100, 70, 3)
    cut = patches.cut(image)
    assert len(cut) == 2
    assert np.array_equal(cut[1], image[32:96, :64].astype(np.float32) / 255)


def test_smaller_patches_are_means(patches: Any) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.float32)
    small = patches.shrunk(image, 16)
    assert small.shape == (1, 16, 16, 3)
    assert small[0, 2, 5, 1] == pytest.approx(image[0, 8:12, 20:24, 1].mean())
    assert np.array_equal(patches.shrunk(image, 64), image)
