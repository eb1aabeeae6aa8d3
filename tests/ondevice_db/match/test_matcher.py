import json
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from ondevice_db.index.base import SearchOptions
from ondevice_db.index.exact import ExactIndex
from ondevice_db.index.normalize import l2_normalize
from ondevice_db.match.explain import explain_match
from ondevice_db.match.match import Ranking
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import build_database, make_codebook, walk, worsen


@pytest.fixture(scope="module", params=["pq", "flat", "exact"])
def matcher(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path) -> Matcher:
    database = SongDatabase.open(flat_database if request.param == "flat" else pq_database)
    if request.param == "exact":
        vectors = SongDatabase.open(flat_database).index.vectors(np.arange(database.manifest.n_fingerprints))
        return Matcher(database, index=ExactIndex(vectors, database.index.cohort))
    return Matcher(database)


def fine(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return a song at four vectors a second whose neighbors are as near as those of overlapping windows."""
    coarse = walk(rng, n + 1)
    between = np.arange(4 * n) / 4
    left = between.astype(int)
    share = (between - left)[:, None]
    return l2_normalize((1 - share) * coarse[left] + share * coarse[left + 1])


def test_every_song_is_found_at_its_place(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    for song in range(0, len(song_vectors), 2):
        vectors = song_vectors[song]
        start = int(rng.integers(0, len(vectors) - 8))
        match = matcher.match(worsen(rng, vectors[start : start + 8], 0.6), hop_s=1.0)
        assert match.best is not None
        assert match.best.song_index == song
        # Untrained codes of vectors that change faster than a song's; finer offsets have a test of their own.
        assert match.best.offset_s == pytest.approx(start, abs=0.6)
        assert 0.5 <= match.best.score <= 1.0
        assert match.candidates[0] is match.best


def test_other_music_is_unknown(matcher: Matcher) -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        assert matcher.match(walk(rng, 12)).best is None


def test_masked_song_is_as_good_as_absent(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    query = song_vectors[12][4:12]
    match = matcher.match(query, 1.0, SearchOptions(excluded_songs=(12,)))
    assert match.best is None
    assert all(candidate.song_index != 12 for candidate in match.candidates)
    other = matcher.match(song_vectors[13][4:12], 1.0, SearchOptions(excluded_songs=(12,)))
    assert other.best is not None
    assert other.best.song_index == 13


@pytest.mark.parametrize(("first", "expected_s"), [(0, -4.0), (8, 4.0)])
def test_a_query_may_reach_over_the_edge(
    pq_database: Path, song_vectors: list[np.ndarray], rng: np.random.Generator, first: int, expected_s: float
) -> None:
    """Four seconds of something else before the song begins; then the same query from within."""
    vectors = np.concatenate([walk(rng, 4), song_vectors[5][first // 2 : first // 2 + 8]])
    match = Matcher(SongDatabase.open(pq_database)).match(vectors, hop_s=1.0)
    assert match.candidates[0].song_index == 5
    assert match.candidates[0].offset_s == pytest.approx(expected_s - 4.0 * (first > 0), abs=0.3)


def test_offset_is_finer_than_the_references(tmp_path: Path) -> None:
    """Queries at half-second steps that begin at quarters of a second between references one second apart."""
    rng = np.random.default_rng(6)
    songs = [fine(rng, 40) for _ in range(20)]
    path = build_database(tmp_path / "fine.npdb", [song[::4] for song in songs])
    database = SongDatabase.open(path)
    vectors = np.concatenate([song[::4] for song in songs])
    for index, allowed_s in ((ExactIndex(vectors, database.index.cohort), 0.08), (database.index, 0.25)):
        errors = []
        for song, quarters in enumerate(range(20, 40)):
            query = worsen(rng, songs[song][quarters : quarters + 24 : 2], 0.3)
            match = Matcher(database, index=index).match(query, hop_s=0.5)
            assert match.candidates[0].song_index == song
            errors.append(abs(match.candidates[0].offset_s - quarters / 4))
        assert np.median(errors) < allowed_s


def test_one_fingerprint_is_enough_for_a_clean_query(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    match = matcher.match(song_vectors[20][10:11])
    assert match.candidates[0].song_index == 20
    assert match.candidates[0].offset_s == pytest.approx(10.0, abs=0.6)


def test_noise_lowers_the_score(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    def score(level: float) -> float:
        rng = np.random.default_rng(9)
        queries = [worsen(rng, song_vectors[song][3:11], level) for song in range(10)]
        return float(np.mean([matcher.match(query, 1.0).candidates[0].score for query in queries]))

    scores = [score(level) for level in (0.2, 1.0, 2.0, 4.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9 > 0.5 > scores[-1]


def test_scores_are_probabilities_that_share_one(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    rng = np.random.default_rng(9)
    for level in (0.1, 1.0, 3.0):
        match = matcher.match(worsen(rng, song_vectors[3][3:11], level), 1.0)
        scores = [candidate.score for candidate in match.candidates]
        assert all(0 <= score <= 1 for score in scores)
        assert sum(scores) <= 1 + 1e-9
        assert len({candidate.song_index for candidate in match.candidates}) == len(match.candidates) <= 5
        assert (match.best is not None) == (match.candidates[0].score >= match.threshold)


def test_an_explanation_holds_the_raw_values(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    match = matcher.match(song_vectors[3][3:11], 1.0)
    table = explain_match(match, matcher.acceptance, matcher.database, query_start_s=2.0).to_dict()
    assert match.best is not None
    assert (table["reason"], table["reasons"], table["query_start_s"]) == (
        f"the best song's score of {match.best.score:.3f} reaches the threshold of {match.threshold:.3f}",
        [],
        2.0,
    )
    assert table["evidence"]["n_fingerprints"] == 8
    assert table["evidence"]["margin"] > 0
    assert table["candidates"][0]["song_index"] == 3
    assert table["candidates"][0]["title"] == "Song 3"
    assert len(table["steps"]) == 8
    assert {step["runner_up"]["title"] for step in table["steps"]} <= {f"Song {number}" for number in range(40)}
    assert (table["n_songs"], table["n_scanned"]) == (40, match.n_scanned)
    json.dumps(table, allow_nan=False)


@pytest.mark.parametrize("query", [np.zeros((0, 96)), np.ones((3, 95)), np.full((2, 96), np.nan)])
def test_bad_queries_are_refused(matcher: Matcher, query: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="query"):
        matcher.match(query.astype(np.float32))


def test_a_zero_query_is_unknown(matcher: Matcher) -> None:
    match: Ranking = matcher.match(np.zeros((4, 96), np.float32))
    assert match.best is None


def test_a_single_song_does_not_attract_everything(tmp_path: Path, rng: np.random.Generator) -> None:
    songs = [walk(rng, 60)]
    codebook = make_codebook(np.concatenate([walk(rng, 60) for _ in range(20)]), n_cells=64)
    matcher = Matcher(SongDatabase.open(build_database(tmp_path / "one.npdb", songs, codebook=codebook)))
    assert matcher.match(worsen(rng, songs[0][5:17], 0.5), 1.0).best is not None
    assert all(matcher.match(walk(rng, 12)).best is None for _ in range(20))


@pytest.mark.parametrize("layout", ["pq", "flat"])
def test_silence_matches_nothing_and_counts_for_nothing(
    tmp_path: Path, song_vectors: list[np.ndarray], layout: str
) -> None:
    """Songs with silent ends and middles, as zero rows: found by what sounds, and not by their silence."""
    songs = [song.copy() for song in song_vectors[:12]]
    for song in songs:
        song[:5] = song[12:14] = song[-6:] = 0.0
    codebook = make_codebook(np.concatenate(song_vectors))
    database = SongDatabase.open(build_database(tmp_path / "a.npdb", songs, layout, codebook=codebook))
    assert database.manifest.n_codes == sum(len(song) - 13 for song in songs)
    stored = database.index.vectors(np.arange(database.manifest.n_fingerprints))
    np.testing.assert_array_equal(stored.any(axis=1), np.concatenate(songs).any(axis=1))
    matcher = Matcher(database)
    match = matcher.match(songs[7][9:17], 1.0)
    assert match.best is not None
    assert (match.best.song_index, match.best.offset_s) == (7, pytest.approx(9.0, abs=0.6))
    assert match.evidence is not None
    assert match.evidence.n_fingerprints == 6
    assert matcher.match(songs[7][:5], 1.0).best is None
    assert matcher.match(songs[7][:5], 1.0).candidates == ()


def test_a_repetitive_song_leaves_room_for_a_runner_up(tmp_path: Path, rng: np.random.Generator) -> None:
    loop = walk(rng, 4)
    songs = [np.tile(loop, (50, 1)), *(walk(rng, 40) for _ in range(5))]
    codebook = make_codebook(np.concatenate([walk(rng, 60) for _ in range(10)]))
    database = SongDatabase.open(build_database(tmp_path / "a.npdb", songs, codebook=codebook))
    match = Matcher(database).match(np.tile(loop, (2, 1)), 1.0, SearchOptions(n_neighbors=400))
    assert match.candidates[0].song_index == 0
    assert len(match.candidates) > 2
