"""Rescoring does not care where a query's time begins."""

from pathlib import Path

import numpy as np
import pytest

from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase
from tests.ondevice_db.material import worsen


@pytest.mark.parametrize("kind", ["pq", "flat"])
@pytest.mark.parametrize("first_s", [-0.3, -0.7, -3.0, -8.5, 0.4])
def test_a_query_that_begins_elsewhere_has_the_same_answer_there(
    pq_database: Path, flat_database: Path, song_vectors: list[np.ndarray], kind: str, first_s: float
) -> None:
    matcher = Matcher(SongDatabase.open(flat_database if kind == "flat" else pq_database))
    rng = np.random.default_rng(3)
    for song in range(0, len(song_vectors), 5):
        start = int(rng.integers(0, len(song_vectors[song]) - 6))
        query = worsen(rng, song_vectors[song][start : start + 6], 0.6)
        plain, moved = matcher.match(query, 1.0), matcher.match(query, 1.0, first_s=first_s)
        assert plain.evidence is not None
        assert moved.evidence is not None
        # The histogram's steps of half a reference lie elsewhere, and the trial offsets with them: half a trial apart.
        assert moved.candidates[0].song_index == plain.candidates[0].song_index == song
        assert moved.candidates[0].offset_s == pytest.approx(plain.candidates[0].offset_s - first_s, abs=0.07)
        assert moved.evidence.to_vector()[:8] == pytest.approx(plain.evidence.to_vector()[:8], abs=0.03)
        assert [step.time_s for step in moved.steps()] == pytest.approx(
            [step.time_s + first_s for step in plain.steps()]
        )
        assert [step.reference_s for step in moved.steps()] == pytest.approx(
            [step.reference_s for step in plain.steps()], abs=0.07
        )


def test_whole_steps_change_nothing(pq_database: Path, song_vectors: list[np.ndarray]) -> None:
    """Where the query's time moves by whole references, the very same numbers come out, but for rounding."""
    matcher = Matcher(SongDatabase.open(pq_database))
    query = worsen(np.random.default_rng(4), song_vectors[7][3:9], 0.5)
    plain, moved = matcher.match(query, 1.0), matcher.match(query, 1.0, first_s=-2.0)
    assert plain.evidence is not None
    assert moved.evidence is not None
    np.testing.assert_allclose(moved.evidence.to_vector(), plain.evidence.to_vector(), atol=1e-9)
    assert moved.candidates[0].offset_s == pytest.approx(plain.candidates[0].offset_s + 2.0, abs=1e-9)
