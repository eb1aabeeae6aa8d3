"""Synthetic drones: sustained, each its own, those of a fit not those of its judgement, and none has a right name."""

from pathlib import Path

import numpy as np

from evaluation.detector.onsets import onset_class
from evaluation.retrieval.drones import FITTED_SEED, JUDGED_SEED, Drones, synthetic_drone
from evaluation.retrieval.evaluation_set import build_evaluation_set
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from ondevice_db.match.evidence import MEASURES


def test_synthetic_drones_are_sustained_and_each_is_its_own() -> None:
    drones = [synthetic_drone(8.0, number) for number in range(3)]
    assert all(onset_class(one) == "sustained" for one in drones)
    assert not np.allclose(drones[0], drones[1])
    np.testing.assert_array_equal(drones[2], synthetic_drone(8.0, 2))


def test_the_fit_has_other_drones_than_the_judgement() -> None:
    assert FITTED_SEED != JUDGED_SEED
    assert not np.allclose(synthetic_drone(2.0, 0, FITTED_SEED), synthetic_drone(2.0, 0, JUDGED_SEED))


def test_drones_are_asked_behind_the_corpus(corpus: Path, tmp_path: Path) -> None:
    data = build_evaluation_set(
        SHIPPED_FINGERPRINTER, corpus, tmp_path / "cache", n_queries=4, n_unknown=2, n_sounds=2, seed=2, room_kinds=()
    )
    drones = Drones.among(data.library, data.embeddings, tmp_path / "drones.npdb", n_indexed=3, seed=FITTED_SEED)
    n_songs = data.library.groups.size
    assert drones.library.groups.size == n_songs + 3
    found = drones.ask(4)
    assert found.songs.shape == (4,)
    assert (found.songs >= n_songs).any(), "a drone is nearer to a drone than to a melody"
    steadiness = found.features[:, MEASURES.index("steadiness")]
    assert (steadiness > 0).any()
    short = drones.ask(2, 2.0)
    assert (short.features[:, len(MEASURES)] < found.features[0, len(MEASURES)]).all()
