"""Whether a song is played backwards, which is no answer.

Fingerprints of a sound and of the same sound turned round are much alike, and rhythms fit a song at many places: the
order of time alone tells half of the songs that are played backwards from others (docs/experiments.md). But such a
query, turned round, is the song itself, and fits it better than before; any other query, turned round, fits worse.
"""

from typing import Final

from ondevice_db.match.match import Ranking

__all__ = ["TURNED_HOPS", "fits_better_turned"]

# Query hops between the windows of a query that is turned round: every second one tells as much as all of them.
TURNED_HOPS: Final = 2
# Fewer windows give less exact scores: by less than this a song in noise may fit better turned round by chance.
_LEAST_LEAD: Final = 0.02


def fits_better_turned(match: Ranking, turned: Ranking) -> bool:
    """Return whether a query turned round fits the song that was found clearly better than the query itself.

    Parameters
    ----------
    match : Ranking
        With an accepted song.
    turned : Ranking
        Of the same sound from its last sample to its first.
    """
    if match.best is None or not turned.candidates:
        return False
    same = {match.best.song_index, *(one.song_index for one in match.best.also)}
    best = turned.candidates[0]
    return best.song_index in same and best.raw_score > match.best.raw_score + _LEAST_LEAD
