"""Whether a song is played backwards, which is no answer.

Fingerprints of a sound and of the same sound turned round are much alike, and rhythms fit a song at many places: the
order of time alone tells half of the songs that are played backwards from others (docs/experiments.md). But such a
query, turned round, is the song itself and fits it better than before; any other query fits worse turned round.
"""

import math
from typing import Final

from ondevice_db.match.match import Ranking

__all__ = ["LEAST_LEAD", "TURNED_HOPS", "turned_lead"]

# Query hops between the windows of a query that is turned round: every second one tells as much as all of them.
TURNED_HOPS: Final = 2
# Of the raw score. Less than this a query in noise may gain by chance when it is turned round (docs/robustness.md).
LEAST_LEAD: Final = 0.03


def turned_lead(match: Ranking, turned: Ranking) -> float:
    """Return by how much better a query turned round fits the song that was found than the query itself.

    Parameters
    ----------
    match : Ranking
        With an accepted song.
    turned : Ranking
        Of the same sound from its last sample to its first.

    Returns
    -------
    float
        Difference of the raw scores; minus infinity where no song is accepted or it finds another one, or none.
    """
    if match.best is None or not turned.candidates:
        return -math.inf
    best, same = turned.candidates[0], {match.best.song_index, *(one.song_index for one in match.best.also)}
    return best.raw_score - match.best.raw_score if best.song_index in same else -math.inf
