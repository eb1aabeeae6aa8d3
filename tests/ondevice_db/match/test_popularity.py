from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from ondevice_db.match.matcher import Matcher
from ondevice_db.match.popularity import log_prior, read_popularity
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, walk


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
    prior = log_prior(np.array([0.0, 1.0, 1.0, 1000.0]))
    assert prior[3] > 0 > prior[1] >= prior[0]
    assert np.abs(log_prior(np.array([0.0] * 999 + [1e9]))).max() <= 3
    np.testing.assert_array_equal(log_prior(np.zeros(3)), np.zeros(3))
    np.testing.assert_allclose(log_prior(np.full(4, 7.0)), 0, atol=1e-12)


@pytest.mark.parametrize("row", ["x\t-1", "x\tnan", "x\tmany", "x"])
def test_bad_tables_are_named_with_their_fault(duplicates: SongDatabase, tmp_path: Path, row: str) -> None:
    with pytest.raises(ConfigError, match=r"plays\.tsv"):
        read_popularity(table(tmp_path, row), duplicates)
    with pytest.raises(ConfigError, match="missing"):
        read_popularity(tmp_path / "missing.tsv", duplicates)


def test_a_prior_of_another_database_is_refused(duplicates: SongDatabase) -> None:
    with pytest.raises(ConfigError, match="12 songs"):
        Matcher(duplicates, log_prior=np.zeros(3))
