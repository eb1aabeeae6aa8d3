"""Decoded references and the matcher, in evaluation/experiments/decoded_references.py."""

from pathlib import Path

import numpy as np

from evaluation.experiments.decoded_references import matched_songs, smoothed_by_train
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, walk, worsen


def test_neighbors_take_away_part_of_the_error(rng: np.random.Generator) -> None:
    songs = [walk(rng, 60) for _ in range(40)]
    vectors, starts = np.concatenate(songs), np.arange(0, 2401, 60)
    vectors[100] = 0
    noisy = vectors + 0.05 * rng.standard_normal(vectors.shape).astype(np.float32)
    is_train = np.arange(2400) < 1800
    estimate = smoothed_by_train(vectors, starts, is_train, noisy)
    error, before = (np.square(rows - vectors).sum(axis=1)[~is_train].mean() for rows in (estimate, noisy))
    assert error < 0.9 * before
    assert not estimate[100].any()


def test_answers_are_those_of_the_database_that_stores_the_codes(tmp_path: Path, rng: np.random.Generator) -> None:
    songs = [walk(rng, 40) for _ in range(12)]
    songs[3][10] = 0
    database = SongDatabase.open(build_database(tmp_path / "songs.npdb", songs))
    decoded = database.index.vectors(np.arange(480))
    queries = [worsen(rng, songs[number % 12][5:9], 2.5) for number in range(30)]
    matcher = Matcher(database)
    expected = [matcher.match(query, 1.0).candidates[0].song_index for query in queries]
    assert matched_songs(database, decoded, queries, 1.0).tolist() == expected
    assert len({*expected}) > 6
    true = np.concatenate(songs)
    assert matched_songs(database, true, [songs[7][3:9]], 1.0).tolist() == [7]
