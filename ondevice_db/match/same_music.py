"""Songs that are the same music at the same place: two encodings of a recording, a single and its album track.

Such songs are one answer and do not compete. Their own stored fingerprints show it: along the stretch where the query
lies they agree as two encodings of one recording do. Two songs that merely sound alike do not agree, and compete.
"""

import numpy as np
from numpy.typing import NDArray

from ondevice_db.format.track import Track
from ondevice_db.index.base import FingerprintIndex
from ondevice_db.index.normalize import power_normalize
from ondevice_db.match.candidates import Alignments
from ondevice_db.match.rescore import Rescored, rescore

__all__ = ["is_same_recording", "same_music", "tag_quality"]

# Of 30 recordings with three more encodings each, one of them cut elsewhere: 95 % of the copies' stretches lie above
# it, and none of 7,900 stretches of other music, of which the highest reached 0.58.
_LEAST_AGREEMENT = 0.75
_AROUND_S = 4.0
# A copy scores nearly as well as the best song: of 534 copies the farthest was 0.11 below.
_SCORE_WINDOW = 0.15
_MOST_ALIGNMENTS = 48


def same_music(
    index: FingerprintIndex,
    song_starts: NDArray[np.int64],
    rescored: Rescored,
    *,
    times_s: NDArray[np.float64],
    reference_hop_s: float,
) -> NDArray[np.int64]:
    """Return the rows of the songs that are the best alignment's music at its place: one a song, its own first.

    The stretch that is compared is the query's and four seconds on either side, as far as both songs reach; they must
    share half of it.

    Parameters
    ----------
    index : FingerprintIndex
    song_starts : ndarray of int64, shape (n_slots + 1,)
    rescored : Rescored
        At least one alignment, best first.
    times_s : ndarray of float64, shape (n_queries,), seconds, ascending
        When each query fingerprint begins.
    reference_hop_s : float, seconds
    """
    alone = np.zeros(1, np.int64)
    song, offset_s = int(rescored.songs[0]), float(rescored.offsets_s[0])
    near = (rescored.songs != song) & (rescored.scores >= rescored.scores[0] - _SCORE_WINDOW)
    rows = np.flatnonzero(near)[:_MOST_ALIGNMENTS]
    first = int(np.floor((offset_s + times_s[0] - _AROUND_S) / reference_hop_s))
    last = int(np.ceil((offset_s + times_s[-1] + _AROUND_S) / reference_hop_s))
    positions = np.arange(max(first, 0), min(last + 1, int(song_starts[song + 1] - song_starts[song])))
    if rows.size == 0 or positions.size == 0:
        return alone
    own = power_normalize(index.references(song_starts[song] + positions, song_starts))
    sounding = own.any(axis=1)
    positions, own = positions[sounding], own[sounding]
    if positions.size == 0:
        return alone
    own_s = positions * reference_hop_s
    start_offsets_s = rescored.offsets_s[rows] - offset_s + own_s[0]
    aligned_there = rescore(
        index,
        song_starts,
        Alignments(rescored.songs[rows], start_offsets_s, rows.astype(np.float64)),
        own,
        cohort_similarity=np.zeros(positions.size),
        times_s=own_s - own_s[0],
        reference_hop_s=reference_hop_s,
    )
    # What a song does not cover counts as zero in these similarities, and is left out of their mean.
    means = aligned_there.similarities.sum(axis=1) / np.maximum(aligned_there.aligned * positions.size, 1)
    same = np.unique(aligned_there.songs[(aligned_there.aligned >= 0.5) & (means >= _LEAST_AGREEMENT)])
    found = rows[np.isin(rescored.songs[rows], same)]
    _, firsts = np.unique(rescored.songs[found], return_index=True)
    return np.concatenate([alone, found[np.sort(firsts)]])


def is_same_recording(stored: NDArray[np.float32], embeddings: NDArray[np.float32]) -> bool:
    """Return whether two rows of fingerprints, begun at the same time, are of one recording in two encodings.

    Parameters
    ----------
    stored, embeddings : ndarray of float32, shape (n, dim)
        Of length 1, or zero for silence; their lengths may differ by two rows.
    """
    n = min(len(stored), len(embeddings))
    if n == 0 or abs(len(stored) - len(embeddings)) > 2:
        return False
    both = stored[:n].any(axis=1) & embeddings[:n].any(axis=1)
    if 2 * both.sum() < n:
        return False
    similarities = np.einsum("ij,ij->i", stored[:n][both], embeddings[:n][both])
    return float(similarities.mean()) >= _LEAST_AGREEMENT


def tag_quality(track: Track) -> int:
    """Return how much a song's tags say, from 0: a title that is not the file's name, artist, album, external ids."""
    name = track.source.replace("\\", "/").rpartition("/")[2]
    has_title = bool(track.title) and track.title != (name.rpartition(".")[0] or name)
    return 2 * has_title + 2 * bool(track.artist) + bool(track.album) + bool(track.external_ids)
