"""A song that fits a query better when the query is turned round is played backwards."""

import pytest

from ondevice_db.match.direction import fits_better_turned
from ondevice_db.match.match import Candidate, Ranking, SamePlace


def ranking(*songs: tuple[int, float], accepted: bool = True, copies: tuple[int, ...] = ()) -> Ranking:
    """Return a match of songs with raw scores, the first of them accepted or not, with other copies of it."""
    also = tuple(SamePlace(song_index=copy, offset_s=1.0) for copy in copies)
    candidates = tuple(
        Candidate(song_index=song, offset_s=1.0, raw_score=raw, score=0.9, also=() if number else also)
        for number, (song, raw) in enumerate(songs)
    )
    best = candidates[0] if accepted and candidates else None
    return Ranking(candidates=candidates, best=best, evidence=None, threshold=0.8, n_scanned=9)


@pytest.mark.parametrize(
    ("turned", "is_backwards"),
    [
        (ranking((3, 0.6), (4, 0.1)), True),
        (ranking((3, 0.6), accepted=False), True),
        (ranking((3, 0.425), (4, 0.1)), True),
        (ranking((3, 0.415), (4, 0.1)), False),
        (ranking((3, 0.39), (4, 0.1)), False),
        (ranking((4, 0.50), (3, 0.45)), False),
        (ranking((7, 0.50), (3, 0.2)), True),
        (ranking(), False),
    ],
    ids=["better", "better, unknown", "just better", "hardly better", "worse", "another song", "a copy", "nothing"],
)
def test_only_the_same_music_at_a_higher_score_is_backwards(turned: Ranking, *, is_backwards: bool) -> None:
    match = ranking((3, 0.40), (5, 0.2), copies=(7,))
    assert fits_better_turned(match, turned) is is_backwards


def test_what_is_unknown_has_no_direction() -> None:
    assert not fits_better_turned(ranking((3, 0.4), accepted=False), ranking((3, 0.6)))
