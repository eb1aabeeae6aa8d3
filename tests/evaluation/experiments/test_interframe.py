"""Codes that follow from their neighbors, in evaluation/experiments/interframe.py."""

import numpy as np
import pytest

from evaluation.experiments.interframe import _coded, interframe, residual_coded
from tests.ondevice_db.material import walk


def test_a_prediction_saves_bytes_where_sound_changes_slowly(rng: np.random.Generator) -> None:
    pytest.importorskip("faiss", reason="needs the train extra")
    songs = [walk(rng, 60) for _ in range(60)]
    vectors, starts = np.concatenate(songs), np.arange(0, 3601, 60)
    is_train = np.arange(3600) < 2400
    noisy = vectors + 0.02 * rng.standard_normal(vectors.shape).astype(np.float32)
    layout, explained = interframe(vectors, starts, is_train, noisy, 8)
    odd = np.arange(3600) % 2 == 1
    np.testing.assert_array_equal(layout[~odd], noisy[~odd])
    assert 0.1 < explained < 1
    error = np.square(layout - vectors).sum(axis=1)[odd & ~is_train].mean()
    alone, _ = interframe(vectors, starts, is_train, np.zeros_like(noisy), 8)
    assert error < 0.9 * np.square(alone - vectors).sum(axis=1)[odd & ~is_train].mean()


def test_sums_of_whole_vectors_keep_more_than_parts_where_dimensions_are_bound(rng: np.random.Generator) -> None:
    faiss = pytest.importorskip("faiss", reason="needs the train extra")
    # Every dimension follows from four hidden ones, so parts of the dimensions say the same several times.
    rows = np.tanh(rng.standard_normal((3_000, 4)) @ rng.standard_normal((4, 16))).astype(np.float32)
    learned, rest = rows[:2_500], rows[2_500:]
    errors = [np.square(code(faiss, learned, rest, 2) - rest).sum(axis=1).mean() for code in (residual_coded, _coded)]
    assert errors[0] < 0.9 * errors[1]
    assert errors[0] < 0.2 * np.square(rest).sum(axis=1).mean()
