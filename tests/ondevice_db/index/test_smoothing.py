"""References estimated from their own code and their neighbors', in ondevice_db/index/smoothing.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.endurance.trials import trial_codebook, trial_database, trial_song
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.pq import PqIndex
from ondevice_db.index.smoothing import beside, fit_prediction, fit_smoothing, predicted, smoothed, unsmoothed
from ondevice_db.index.train_codebook import with_smoothing
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import make_codebook, make_residual_codebook, walk


def test_a_missing_neighbor_counts_as_the_other_one_and_else_as_the_fingerprint_itself() -> None:
    rows = np.arange(1, 9, dtype=np.float32)[:, None]
    rows[5] = 0  # silence
    before, after = beside(rows, np.array([0, 0, 3, 4, 8, 8]))
    #                            1  2  3 | 4 | 5  -  7  8
    assert before[:, 0].tolist() == [2, 1, 2, 4, 5, 5, 8, 7]
    assert after[:, 0].tolist() == [2, 3, 2, 4, 5, 7, 8, 7]


def test_a_linear_rule_is_found(rng: np.random.Generator) -> None:
    context = rng.standard_normal((5000, 6)).astype(np.float32)
    wanted = (context @ rng.standard_normal((6, 3)) + 0.5).astype(np.float32)
    weights = fit_prediction(context, wanted, ridge=1e-9)
    np.testing.assert_allclose(predicted(context, weights), wanted, atol=1e-4)


def test_the_map_that_changes_nothing_changes_nothing(rng: np.random.Generator) -> None:
    before, own, after = rng.standard_normal((3, 20, 96)).astype(np.float32)
    own[7] = before[3] = after[3] = 0
    np.testing.assert_array_equal(smoothed(unsmoothed(96), before, own, after), own)


def test_silence_stays_silence(rng: np.random.Generator) -> None:
    before, own, after = rng.standard_normal((3, 20, 6)).astype(np.float32)
    own[7] = 0
    estimate = smoothed(np.ones((19, 6), np.float32), before, own, after)
    assert estimate.any(axis=1).tolist() == [number != 7 for number in range(20)]


def test_neighbors_take_away_part_of_the_error(rng: np.random.Generator) -> None:
    songs = [walk(rng, 60) for _ in range(40)]
    vectors, starts = np.concatenate(songs), np.arange(0, 2401, 60)
    vectors[100] = 0
    noisy = vectors + 0.05 * rng.standard_normal(vectors.shape).astype(np.float32)
    noisy[100] = 0
    smoothing = fit_smoothing(vectors[:1800], noisy[:1800], starts[:31])
    assert (smoothing.shape, smoothing.dtype) == ((289, 96), np.float32)
    before, after = beside(noisy, starts)
    estimate = smoothed(smoothing, before, noisy, after)
    error, as_decoded = (np.square(rows - vectors).sum(axis=1)[1800:].mean() for rows in (estimate, noisy))
    assert error < 0.9 * as_decoded
    assert not estimate[100].any()


def test_a_codebooks_map_is_fitted_in_its_own_coordinates(rng: np.random.Generator) -> None:
    songs = [walk(rng, 60) for _ in range(30)]
    songs[2][10] = 0
    plain = make_residual_codebook(np.concatenate(songs))
    # Dimensions in another order and of other signs: words are rounded there as they are here.
    turned = (np.eye(96)[rng.permutation(96)] * rng.choice([-1, 1], 96)).astype(np.float32)
    codebook = with_smoothing(plain, songs)
    rotated = with_smoothing(replace(plain, rotation=turned, pq_centroids=plain.pq_centroids @ turned.T), songs)
    vectors = np.concatenate([walk(rng, 60) for _ in range(5)])

    def estimates(one: Codebook) -> np.ndarray:
        decoded = one.decode(*one.quantize(vectors)) @ one.rotation.T
        before, after = beside(decoded, np.arange(0, 301, 60))
        return smoothed(one.smoothing, before, decoded, after) @ one.rotation

    # Here and there rounding makes the search for a code end otherwise.
    assert (np.abs(estimates(rotated) - estimates(codebook)).max(axis=1) < 0.01).mean() > 0.9
    errors = [np.square(estimates(one) - vectors).sum(axis=1).mean() for one in (plain, codebook, rotated)]
    assert max(errors[1:]) < 0.95 * errors[0]


def test_product_codes_go_without(rng: np.random.Generator) -> None:
    song = walk(rng, 300)
    codebook = make_codebook(song)
    assert with_smoothing(codebook, [song]) is codebook
    assert codebook.smoothing.size == 0


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> SongDatabase:
    return SongDatabase.open(trial_database(tmp_path_factory.mktemp("trial") / "t.npdb", range(6), kind="residual"))


def test_a_databases_references_are_those_of_the_rule(trial: SongDatabase) -> None:
    index, starts = trial.index, trial.song_starts
    assert isinstance(index, PqIndex)
    codebook = trial_codebook(kind="residual")
    np.testing.assert_array_equal(index.codebook.smoothing, codebook.smoothing)
    decoded = index.vectors(np.arange(starts[-1])) @ codebook.rotation.T
    before, after = beside(decoded, starts)
    expected = smoothed(codebook.smoothing, before, decoded, after) @ codebook.rotation
    numbers = np.random.default_rng(3).permutation(starts[-1])
    found = index.references(numbers, starts)
    np.testing.assert_allclose(found, expected[numbers], atol=1e-5)
    np.testing.assert_array_equal(found.any(axis=1), decoded[numbers].any(axis=1))
    assert np.abs(found - index.vectors(numbers)).max() > 0.1
    for number in (0, int(starts[2]) - 1, int(starts[2])):  # alone, a song's last and the next one's first
        np.testing.assert_allclose(index.references(np.array([number]), starts)[0], expected[number], atol=1e-5)


def test_the_references_of_product_codes_are_their_vectors(tmp_path: Path) -> None:
    database = SongDatabase.open(trial_database(tmp_path / "p.npdb", range(4)))
    numbers = np.arange(len(trial_song(0)) + 5)
    np.testing.assert_array_equal(
        database.index.references(numbers, database.song_starts), database.index.vectors(numbers)
    )
