"""Several databases searched as one answer as one database with all the songs would."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError, ManifestMismatchError
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.train_codebook import with_smoothing
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.builder import DatabaseWriter
from ondevice_db.store.packs import SongPacks, open_packs
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import SETTINGS, make_codebook, make_residual_codebook, make_track, walk, worsen


@pytest.fixture(scope="module")
def codebook(song_vectors: list[np.ndarray]) -> Codebook:
    return make_codebook(np.concatenate(song_vectors))


def write(path: Path, songs: dict[int, np.ndarray], codebook: Codebook, layout: str = "pq", **changes: object) -> Path:
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]
    with DatabaseWriter(path, settings=settings, codebook=codebook, layout=layout) as writer:
        for number, vectors in songs.items():
            writer.add(make_track(number), vectors)
        writer.finish()
    return path


@pytest.fixture
def shared_out(tmp_path: Path, song_vectors: list[np.ndarray], codebook: Codebook) -> list[Path]:
    """Return three packs of 20, 12 and 10 songs; two songs of the first are in the last too."""
    songs = dict(enumerate(song_vectors))
    parts = [range(20), range(20, 32), [*range(32, 40), 3, 17]]
    return [
        write(tmp_path / f"{number}.npdb", {song: songs[song] for song in part}, codebook)
        for number, part in enumerate(parts)
    ]


def test_answers_are_those_of_one_database(
    shared_out: list[Path], pq_database: Path, song_vectors: list[np.ndarray], rng: np.random.Generator
) -> None:
    # The size of a library counts, and a song that two packs hold counts once.
    acceptance = replace(DEFAULT_ACCEPTANCE, n_fitted=100, size_slope=2.0)
    one, many = (Matcher(songs, acceptance) for songs in (SongDatabase.open(pq_database), open_packs(shared_out)))
    options = SearchOptions(n_best=3)
    queries = [worsen(rng, vectors[4:12], 0.7) for vectors in song_vectors]
    queries += [walk(rng, 8) for _ in range(10)]
    for query in queries:
        expected, found = one.match(query, 1.0, options), many.match(query, 1.0, options)
        assert found.candidates[0].score == pytest.approx(expected.candidates[0].score, abs=1e-6)
        assert (found.best is None) == (expected.best is None)
        names = [one.database.track(candidate.song_index) for candidate in expected.candidates]
        assert [many.database.track(candidate.song_index) for candidate in found.candidates] == names


def test_a_recording_of_two_packs_is_no_competitor_of_itself(
    shared_out: list[Path], song_vectors: list[np.ndarray]
) -> None:
    packs = open_packs(shared_out)
    assert packs.n_songs == 40
    match = Matcher(packs).match(song_vectors[3][4:12], 1.0)
    assert match.best is not None
    assert packs.track(match.best.song_index) == make_track(3)
    ids = [packs.track(candidate.song_index).track_id for candidate in match.candidates]
    assert len(set(ids)) == len(ids)
    assert packs.indices() == {make_track(song).track_id: packs.find(make_track(song).track_id) for song in range(40)}


def test_the_first_pack_wins_in_any_order(shared_out: list[Path], song_vectors: list[np.ndarray]) -> None:
    turned = Matcher(open_packs(shared_out[::-1]))
    match = turned.match(song_vectors[17][4:12], 1.0)
    assert match.best is not None
    assert match.best.song_index == 9  # the tenth song of the last pack, which comes first here
    assert match.best.score == pytest.approx(
        Matcher(open_packs(shared_out)).match(song_vectors[17][4:12], 1.0).best.score
    )  # type: ignore[union-attr]


def test_a_flat_pack_beside_a_core(
    tmp_path: Path, shared_out: list[Path], song_vectors: list[np.ndarray], codebook: Codebook, rng: np.random.Generator
) -> None:
    own = [walk(rng, 40) for _ in range(3)]
    mine = write(tmp_path / "mine.npdb", {100 + number: song for number, song in enumerate(own)}, codebook, "flat")
    packs = open_packs([mine, *shared_out])
    matcher = Matcher(packs)
    for number, song in enumerate(own):
        match = matcher.match(worsen(rng, song[10:18], 0.3), 1.0)
        assert match.best is not None
        assert packs.track(match.best.song_index) == make_track(100 + number)
    match = matcher.match(song_vectors[25][4:12], 1.0)
    assert match.best is not None
    assert packs.track(match.best.song_index) == make_track(25)


def test_one_path_is_a_plain_database(pq_database: Path) -> None:
    assert isinstance(open_packs([pq_database, str(pq_database)]), SongDatabase)
    with pytest.raises(ConfigError, match="at least one"):
        open_packs([])


@pytest.mark.parametrize(("name", "value"), [("embedding_space", "feed"), ("hop_s", 0.5), ("window_s", 1.0)])
def test_packs_made_otherwise_are_refused(
    tmp_path: Path, pq_database: Path, song_vectors: list[np.ndarray], codebook: Codebook, name: str, value: object
) -> None:
    other = write(tmp_path / "other.npdb", {0: song_vectors[0]}, codebook, **{name: value})
    with pytest.raises(ManifestMismatchError, match=f"{name} is {value}"):
        open_packs([pq_database, other])


def test_stored_vectors_come_from_their_pack(shared_out: list[Path]) -> None:
    packs = open_packs(shared_out)
    assert isinstance(packs, SongPacks)
    numbers = np.random.default_rng(1).permutation(packs.manifest.n_fingerprints)[:200]
    found, first = packs.index.vectors(numbers), 0
    # The same rows at once: a product of other rows may round otherwise on some processors.
    for path, n in _counts(shared_out):
        own = (first <= numbers) & (numbers < first + n)
        np.testing.assert_array_equal(found[own], SongDatabase.open(path).index.vectors(numbers[own] - first))
        first += n
    assert first == packs.manifest.n_fingerprints


def test_references_are_smoothed_by_the_map_of_their_pack(
    tmp_path: Path, pq_database: Path, song_vectors: list[np.ndarray]
) -> None:
    codebook = with_smoothing(make_residual_codebook(np.concatenate(song_vectors)), song_vectors)
    other = write(tmp_path / "other.npdb", {50 + n: song_vectors[n] for n in range(3)}, codebook)
    packs, alone = open_packs([pq_database, other]), SongDatabase.open(other)
    first = SongDatabase.open(pq_database).manifest.n_fingerprints
    numbers = np.arange(alone.manifest.n_fingerprints)
    expected = alone.index.references(numbers, alone.song_starts)
    np.testing.assert_array_equal(packs.index.references(first + numbers, packs.song_starts), expected)
    assert np.abs(expected - alone.index.vectors(numbers)).max() > 0.01
    plain = np.arange(first)
    np.testing.assert_array_equal(
        packs.index.references(plain, packs.song_starts), SongDatabase.open(pq_database).index.vectors(plain)
    )


def _counts(paths: list[Path]) -> list[tuple[Path, int]]:
    return [(path, SongDatabase.open(path).manifest.n_fingerprints) for path in paths]
