from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from ondevice_db.match.matcher import Matcher
from ondevice_db.match.popularity import log_prior, read_popularity
from ondevice_db.store.changes import remove_tracks
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, walk, worsen


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "plays.tsv"
    path.write_text("\n".join(["track_id\tcount", *rows]) + "\n")
    return path


@pytest.fixture
def duplicates(tmp_path: Path, rng: np.random.Generator) -> SongDatabase:
    """Return a database in which song 1 is song 0 again."""
    songs = [walk(rng, 40) for _ in range(12)]
    songs[1] = songs[0].copy()
    return SongDatabase.open(build_database(tmp_path / "duplicates.npdb", songs))


def test_of_duplicates_the_popular_one_is_named(duplicates: SongDatabase, tmp_path: Path) -> None:
    query = duplicates.index.vectors(np.arange(10, 18))
    for popular in (0, 1):
        prior = read_popularity(table(tmp_path, f"{popular:016x}\t900", f"{1 - popular:016x}\t10"), duplicates)
        assert Matcher(duplicates, log_prior=prior).match(query, 1.0).candidates[0].song_index == popular


def test_a_clear_match_is_not_overruled(duplicates: SongDatabase, tmp_path: Path) -> None:
    start = int(duplicates.song_starts[5])
    query = duplicates.index.vectors(np.arange(start + 10, start + 18))
    prior = read_popularity(table(tmp_path, f"{7:016x}\t100000"), duplicates)
    match = Matcher(duplicates, log_prior=prior).match(query, 1.0)
    assert match.candidates[0].song_index == 5


def test_priors_are_relative_and_bounded() -> None:
    prior = log_prior(np.array([0.0, 1.0, 1.0, 1000.0]), 4)
    assert prior[3] > 0 > prior[1] >= prior[0]
    assert np.abs(log_prior(np.array([0.0] * 999 + [1e9]), 1000)).max() <= 3
    np.testing.assert_array_equal(log_prior(np.zeros(3), 3), np.zeros(3))
    np.testing.assert_allclose(log_prior(np.full(4, 7.0), 4), 0, atol=1e-12)


def test_songs_that_are_gone_or_hidden_make_no_other_more_popular(
    duplicates: SongDatabase, tmp_path: Path, rng: np.random.Generator
) -> None:
    played_alike = table(tmp_path, *(f"{number:016x}\t10" for number in range(12)))
    other = build_database(tmp_path / "other.npdb", [walk(rng, 40) for _ in range(12)])
    packs = open_packs([duplicates.path, other])
    np.testing.assert_allclose(read_popularity(played_alike, packs)[:12], 0, atol=1e-12)
    remove_tracks(duplicates.path, [f"{number:016x}" for number in range(8)])
    left = SongDatabase.open(duplicates.path)
    np.testing.assert_allclose(read_popularity(played_alike, left)[8:], 0, atol=1e-12)


def test_the_margin_is_to_the_best_of_the_others_whatever_its_popularity(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    songs = [walk(rng, 40) for _ in range(12)]
    songs[1] = worsen(rng, songs[0], 1.6)
    database = SongDatabase.open(build_database(tmp_path / "alike.npdb", songs, "flat"))
    unpopular = np.where(np.arange(12) == 1, -3.0, 3.0)
    plain, changed = (Matcher(database, log_prior=prior).match(songs[0][10:18], 1.0) for prior in (None, unpopular))
    assert plain.candidates[1].song_index == 1 != changed.candidates[1].song_index
    assert plain.evidence is not None
    assert changed.evidence is not None
    assert changed.evidence.margin == plain.evidence.margin


@pytest.mark.parametrize("row", ["x\t-1", "x\tnan", "x\tmany", "x"])
def test_bad_tables_are_named_with_their_fault(duplicates: SongDatabase, tmp_path: Path, row: str) -> None:
    with pytest.raises(ConfigError, match=r"plays\.tsv"):
        read_popularity(table(tmp_path, row), duplicates)
    with pytest.raises(ConfigError, match="missing"):
        read_popularity(tmp_path / "missing.tsv", duplicates)


def test_a_prior_of_another_database_is_refused(duplicates: SongDatabase) -> None:
    with pytest.raises(ConfigError, match="12 songs"):
        Matcher(duplicates, log_prior=np.zeros(3))
