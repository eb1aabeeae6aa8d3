"""Explanations agree with the decision that they explain."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ondevice_db.index.base import SearchOptions
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE
from ondevice_db.match.alignment import map_alignment
from ondevice_db.match.evidence import Evidence
from ondevice_db.match.explain import CLEAR_MATCH, reasons_against
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import walk, worsen

CLEAR = Evidence(**CLEAR_MATCH, n_fingerprints=12)  # type: ignore[arg-type]  # measures are floats


@pytest.fixture(scope="module", params=["pq", "flat"])
def matcher(request: pytest.FixtureRequest, pq_database: Path, flat_database: Path) -> Matcher:
    return Matcher(SongDatabase.open(pq_database if request.param == "pq" else flat_database))


def test_steps_are_the_evidence_taken_apart(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    rng = np.random.default_rng(5)
    for query in [worsen(rng, song_vectors[7][5:13], level) for level in (0.3, 1.0, 2.0)] + [walk(rng, 8)]:
        query[3] = 0
        match = matcher.match(query, 1.0)
        evidence, steps = match.evidence, match.steps()
        assert evidence is not None
        assert [step.time_s for step in steps] == [0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 7.0]
        assert np.mean([step.wins for step in steps]) == pytest.approx(evidence.win_rate)
        assert np.mean([step.similarity for step in steps]) == pytest.approx(evidence.mean_similarity)
        best = match.candidates[0]
        assert all(step.reference_s == pytest.approx(best.offset_s + step.time_s) for step in steps)
        assert all(step.runner_up_song != best.song_index for step in steps)


def test_without_another_song_there_is_no_runner_up(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    others = tuple(range(1, 40))
    steps = matcher.match(song_vectors[0][5:13], 1.0, SearchOptions(excluded_songs=others)).steps()
    assert [(step.runner_up_song, step.runner_up_similarity) for step in steps] == [(None, None)] * 8
    assert all(step.wins for step in steps)


def test_nothing_speaks_against_a_clear_match() -> None:
    assert reasons_against(CLEAR, DEFAULT_ACCEPTANCE) == ()


@pytest.mark.parametrize("measure", CLEAR_MATCH)
def test_what_is_missing_is_named(measure: str) -> None:
    """A measure that alone is bad is the only reason, if the acceptance model cares for it at all."""
    spoilt = replace(CLEAR, **{measure: -0.5})  # type: ignore[arg-type]
    reasons = reasons_against(spoilt, DEFAULT_ACCEPTANCE)
    odds = [DEFAULT_ACCEPTANCE.probability(evidence) for evidence in (CLEAR, spoilt)]
    clear, found = (np.log(probability / (1 - probability)) for probability in odds)
    assert [reason.measure for reason in reasons] == ([measure] if clear - found >= 0.25 else [])
    assert [reason.missing for reason in reasons] == ([pytest.approx(clear - found)] if reasons else [])


def test_reasons_do_not_hang_on_the_size_of_the_database() -> None:
    """Nor on how far from a match a query is, where its probability is next to nothing."""
    spoilt = replace(CLEAR, margin=0.0, win_rate=0.1, above_neighbors=-0.2, clear_wins=0.0)
    expected = reasons_against(spoilt, DEFAULT_ACCEPTANCE)
    assert expected
    for changed in ({"n_fitted": 100_000, "small_size_slope": 4.0}, {"intercept": -60.0}):
        assert reasons_against(spoilt, replace(DEFAULT_ACCEPTANCE, **changed)) == expected  # type: ignore[arg-type]


def test_reasons_come_worst_first() -> None:
    spoilt = replace(CLEAR, margin=0.0, win_rate=0.1, above_neighbors=-0.2, clear_wins=0.0)
    reasons = reasons_against(spoilt, DEFAULT_ACCEPTANCE)
    assert len(reasons) == 3
    assert [reason.missing for reason in reasons] == sorted((reason.missing for reason in reasons), reverse=True)
    assert all(f"{reason.value:.2f}" in reason.text for reason in reasons)


def test_the_map_holds_the_alignment(matcher: Matcher, song_vectors: list[np.ndarray]) -> None:
    query = np.array(song_vectors[7][12:20])
    query[2] = 0
    match = matcher.match(query, 1.0)
    alignment = map_alignment(matcher.database, match, query, 1.0, title="Seven", is_named=True)
    assert alignment.similarities.shape == (alignment.reference_s.size, 8)
    assert np.isnan(alignment.similarities[:, 2]).all()
    sounding = np.delete(np.arange(8), 2)
    best = alignment.reference_s[np.nanargmax(alignment.similarities[:, sounding], axis=0)]
    np.testing.assert_allclose(best, 12.0 + sounding)
    assert alignment.reference_s[0] <= 12.0 - 9
    assert alignment.reference_s[-1] >= 20.0 + 8


@pytest.mark.parametrize("start", [-6, 0, 30])
def test_the_map_ends_with_the_song(matcher: Matcher, song_vectors: list[np.ndarray], start: int) -> None:
    song = song_vectors[7]
    query = (
        song[max(start, 0) : start + 8] if start >= 0 else np.concatenate([walk(np.random.default_rng(4), 6), song[:6]])
    )
    match = matcher.match(query, 1.0)
    alignment = map_alignment(matcher.database, match, query, 1.0, title="Seven", is_named=True)
    assert alignment.reference_s[0] >= 0
    assert alignment.reference_s[-1] <= len(song_vectors[match.candidates[0].song_index]) - 1


def test_a_picture_is_drawn(matcher: Matcher, song_vectors: list[np.ndarray], tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image", reason="needs the report extra")
    query = song_vectors[7][12:20]
    alignment = map_alignment(matcher.database, matcher.match(query, 1.0), query, 1.0, title="$even_{", is_named=True)
    alignment.plot().savefig(tmp_path / "a.png")
    pixels = image.imread(tmp_path / "a.png")
    assert pixels.shape[0] > 500
    red = (pixels[..., 0] > 0.7) & (pixels[..., 1] < 0.3) & (pixels[..., 2] < 0.3)
    assert red.sum() > 500  # the alignment and the song's own line
