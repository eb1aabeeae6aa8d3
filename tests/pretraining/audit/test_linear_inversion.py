"""The linear attack finds a linear relation, and weights words as it is set to."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the train extra is not installed")

from pretraining.audit.dataset import AttackDataset
from pretraining.audit.linear_inversion import fit_linear_inversion


def unit_rows(rng: np.random.Generator, n: int) -> np.ndarray:
    rows = rng.standard_normal((n, 6)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_images_that_are_linear_in_what_is_stored_are_rebuilt() -> None:
    rng = np.random.default_rng(0)
    slopes, stored = rng.standard_normal((6, 8)).astype(np.float32), unit_rows(rng, 500)
    dataset = AttackDataset((stored @ slopes + 2.0).reshape(-1, 4, 2, 1).astype(np.float16), stored, n_words=0)
    inversion, asked = fit_linear_inversion(dataset, stored, 0.25), unit_rows(rng, 50)
    assert inversion.images(asked).shape == (50, 4, 2, 1)
    np.testing.assert_allclose(inversion.images(asked).reshape(50, 8), asked @ slopes + 2.0, atol=0.05)


@pytest.mark.parametrize("words_share", [0.0, 0.25, 0.75])
def test_words_count_for_their_share(words_share: float) -> None:
    """Where what is stored says nothing, the best image is the weighted mean of windows (0) and words (1)."""
    images = np.zeros((200, 2, 2, 1), np.float16)
    images[-20:] = 1.0
    stored = np.ones((200, 4), np.float32) / 2
    inversion = fit_linear_inversion(AttackDataset(images, stored, n_words=20), stored, words_share)
    np.testing.assert_allclose(inversion.images(stored[:1]), words_share, atol=1e-3)
