"""How much better a query fits its song when it is turned round."""

import math

import pytest

from ondevice_db.match.direction import turned_lead
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
    ("turned", "lead"),
    [
        (ranking((3, 0.6), (4, 0.1)), 0.2),
        (ranking((3, 0.6), accepted=False), 0.2),
        (ranking((3, 0.3), (4, 0.1)), -0.1),
        (ranking((4, 0.5), (3, 0.45)), -math.inf),
        (ranking((7, 0.5), (3, 0.2)), 0.1),
        (ranking(), -math.inf),
    ],
    ids=["better", "better but unknown", "worse", "another song", "a copy", "nothing"],
)
def test_the_lead_is_that_of_the_same_music(turned: Ranking, lead: float) -> None:
    assert turned_lead(ranking((3, 0.4), (5, 0.2), copies=(7,)), turned) == pytest.approx(lead)


def test_what_is_unknown_has_no_direction() -> None:
    assert turned_lead(ranking((3, 0.4), accepted=False), ranking((3, 0.6))) == -math.inf
