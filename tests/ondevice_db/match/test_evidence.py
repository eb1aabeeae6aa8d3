from pathlib import Path

import numpy as np
import pytest

from ondevice_db.index.normalize import l2_normalize
from ondevice_db.match.evidence import FEATURES, N_FEATURES, Evidence, NearCohort, mean_of_largest
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, make_codebook, walk, worsen


def evidence_of(path: Path, query: np.ndarray) -> Evidence:
    match = Matcher(SongDatabase.open(path)).match(query, 1.0)
    assert match.evidence is not None
    assert match.candidates[0].song_index == 0
    return match.evidence


@pytest.fixture
def database(tmp_path: Path, rng: np.random.Generator):
    """Return a function that indexes a song beside others and gives the path."""
    others = [walk(rng, 40) for _ in range(10)]
    codebook = make_codebook(np.concatenate([walk(rng, 60) for _ in range(10)]), n_cells=64)
    return lambda song: build_database(tmp_path / "a.npdb", [song, *others], "flat", codebook=codebook)


def test_a_changing_song_is_sharp(database, rng: np.random.Generator) -> None:
    song = walk(rng, 60)
    evidence = evidence_of(database(song), worsen(rng, song[20:32], 0.5))
    assert evidence.sharpness == pytest.approx(0.1)
    assert evidence.above_shifted > 0.3


def test_a_drone_is_near_but_not_sharp(database, rng: np.random.Generator) -> None:
    """The same sound all along: every place is as good, however near."""
    drone = l2_normalize(np.tile(walk(rng, 1), (60, 1)) + 0.01 * rng.standard_normal((60, 96)))
    evidence = evidence_of(database(drone), worsen(rng, drone[20:32], 0.5))
    assert evidence.mean_similarity > 0.8
    assert abs(evidence.sharpness) < 0.02
    assert abs(evidence.above_shifted) < 0.02


def test_one_repeated_place_leaves_a_song_sharp(database, rng: np.random.Generator) -> None:
    song = walk(rng, 60)
    song[24:36] = song[20:32] = np.tile(walk(rng, 4), (3, 1))
    evidence = evidence_of(database(song), worsen(rng, song[20:32], 0.3))
    assert evidence.sharpness > 0.05


def test_beyond_its_ends_a_song_is_as_near_as_any(database, rng: np.random.Generator) -> None:
    """A song of eight seconds: most shifted places lie outside, and count as music in general."""
    song = walk(rng, 8)
    evidence = evidence_of(database(song), worsen(rng, song, 0.3))
    assert evidence.sharpness == pytest.approx(0.1)


def test_a_small_database_does_not_make_a_stranger_stand_out(tmp_path: Path, rng: np.random.Generator) -> None:
    """With two songs nothing else is near, but the cohort is still there."""
    codebook = make_codebook(np.concatenate([walk(rng, 60) for _ in range(20)]), n_cells=256)
    path = build_database(tmp_path / "two.npdb", [walk(rng, 40) for _ in range(2)], codebook=codebook)
    matcher = Matcher(SongDatabase.open(path))
    for _ in range(10):
        evidence = matcher.match(walk(rng, 12), 1.0).evidence
        assert evidence is not None
        assert evidence.above_neighbors <= evidence.above_cohort + 1e-9
        assert evidence.win_rate < 0.5


def test_a_drone_is_steady_and_a_song_is_not(database, rng: np.random.Generator) -> None:
    song = walk(rng, 60)
    path, changing = database(song), worsen(rng, song[20:32], 0.3)
    assert evidence_of(path, changing).steadiness == 0.0
    assert evidence_of(path, np.repeat(changing[:1], 12, axis=0)).steadiness == pytest.approx(0.2)
    nearly = l2_normalize(changing[:1] + 0.03 * rng.standard_normal((12, 96)))
    assert evidence_of(path, nearly).steadiness == pytest.approx(np.mean(nearly @ nearly.T) - 0.8, abs=1e-6)


def test_a_spread_out_cohort_makes_the_same_lead_worth_less(database, rng: np.random.Generator) -> None:
    """Each fingerprint counts in units of its own spread: standard deviation over the hundred nearest of the cohort."""
    song = walk(rng, 60)
    query = worsen(rng, song[20:32], 0.5)
    songs = SongDatabase.open(database(song))
    match = Matcher(songs).match(query, 1.0)
    cohort = make_codebook(np.concatenate([walk(rng, 60) for _ in range(10)]), n_cells=256).cohort
    near = NearCohort.of((query @ cohort.T).astype(np.float32))
    np.testing.assert_allclose(near.spread, np.sort(query @ cohort.T, axis=1)[:, -100:].std(axis=1), rtol=1e-4)
    doubled = NearCohort.of((2 * query @ cohort.T).astype(np.float32))
    np.testing.assert_allclose(doubled.spread, 2 * near.spread, rtol=1e-4)
    assert match.evidence is not None
    assert match.trace is not None
    assert match.evidence.z_above_neighbors > 3 * match.evidence.above_neighbors


def test_a_cohort_without_spread_divides_by_no_zero() -> None:
    alone = NearCohort.of(np.array([[0.4], [0.2]], np.float32))
    assert alone.spread.tolist() == [0.02, 0.02]
    missing = NearCohort.of_neighbors(np.full((2, 3), -np.inf, np.float32))
    assert missing.spread.tolist() == [0.02, 0.02]
    assert missing.similarity.tolist() == [0.0, 0.0]


def test_vector_has_the_named_features() -> None:
    values = {name: 0.01 * number for number, name in enumerate(FEATURES[: N_FEATURES // 2])}
    vector = Evidence(**values, n_fingerprints=12).to_vector()
    assert vector.shape == (N_FEATURES,)
    assert FEATURES[N_FEATURES // 2] == "log_fingerprints"
    assert vector[N_FEATURES // 2] == pytest.approx(np.log(12))
    np.testing.assert_allclose(vector[N_FEATURES // 2 + 1 :], np.log(12) * vector[: N_FEATURES // 2])


def test_missing_neighbors_count_as_the_fallback() -> None:
    values = np.array([[0.5, 0.3, -np.inf], [-np.inf, -np.inf, -np.inf]])
    np.testing.assert_allclose(mean_of_largest(values, 4, fallback=np.array([0.1, 0.2])), [0.25, 0.2])
    np.testing.assert_allclose(mean_of_largest(values, 2), [0.4, 0.0])
