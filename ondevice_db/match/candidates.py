"""From neighbors to alignments: a histogram of time offsets for every song."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import Neighbors

__all__ = ["Alignments", "offset_histogram"]

# Bins are half a reference hop wide; a neighbor counts for its own bin and the two beside it, because the
# query's frames fall anywhere between the reference's.
_STEPS_PER_HOP = 2
# A song that repeats itself must not crowd out the others: the runner-up shows how good the best one is.
_ALIGNMENTS_PER_SONG = 6


@dataclass(frozen=True, slots=True)
class Alignments:
    """Candidate alignments, best first.

    Attributes
    ----------
    songs : ndarray of int64, shape (n,)
        Song indices.
    offsets_s : ndarray of float64, shape (n,), seconds
        Reference time of the query's start.
    weights : ndarray of float64, shape (n,)
        Of the histogram bins.
    """

    songs: NDArray[np.int64]
    offsets_s: NDArray[np.float64]
    weights: NDArray[np.float64]


def offset_histogram(
    neighbors: Neighbors,
    songs: NDArray[np.int64],
    positions: NDArray[np.int64],
    *,
    times_s: NDArray[np.float64],
    reference_hop_s: float,
    n_alignments: int,
) -> Alignments:
    """Return the alignments with the heaviest bins of the offset histogram.

    A neighbor weighs by how much nearer it is than the last neighbor of the same query fingerprint: where the
    neighborhood is crowded, being near is worth little (after Qin et al., "Query adaptive similarity for large scale
    object retrieval", CVPR 2013). Each query fingerprint counts once for an alignment, with its largest weight.

    Parameters
    ----------
    neighbors : Neighbors
    songs : ndarray of int64, shape (n_queries, n_neighbors)
        Song of each neighbor; -1 where there is none or it must not count.
    positions : ndarray of int64, shape (n_queries, n_neighbors)
        Number of each neighbor within its song.
    times_s : ndarray of float64, shape (n_queries,), seconds
        When each query fingerprint begins.
    reference_hop_s : float, seconds
    n_alignments : int
    """
    query, column = np.nonzero(songs >= 0)
    if query.size == 0:
        return Alignments(np.empty(0, np.int64), np.empty(0), np.empty(0))
    similarities = np.where(songs >= 0, neighbors.similarities, np.inf)
    floor = similarities.min(axis=1)
    weights = neighbors.similarities[query, column] - floor[query] + 1e-3
    step_s = reference_hop_s / _STEPS_PER_HOP
    offsets = np.rint((positions[query, column] * reference_hop_s - times_s[query]) / step_s).astype(np.int64)
    lowest = int(offsets.min()) - 1
    n_steps = int(offsets.max()) - lowest + 2
    bins = (songs[query, column] * n_steps + offsets - lowest)[:, None] + np.array([-1, 0, 1])
    keys = (bins * neighbors.fingerprints.shape[0] + query[:, None]).ravel()
    # Neighboring bins count a little less, so that the middle of a plateau wins.
    values = (weights[:, None] * np.array([0.9, 1.0, 0.9])).ravel()
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    best_of_query = np.maximum.reduceat(values, first)
    alignment = keys[first] // neighbors.fingerprints.shape[0]
    begin = np.flatnonzero(np.concatenate([[True], alignment[1:] != alignment[:-1]]))
    totals = np.add.reduceat(best_of_query, begin)
    alignment = alignment[begin]
    order = np.argsort(-totals, kind="stable")
    order = order[_rank_within(alignment[order] // n_steps) < _ALIGNMENTS_PER_SONG]
    kept = order[:n_alignments]
    chosen_songs, chosen_steps = np.divmod(alignment[kept], n_steps)
    return Alignments(chosen_songs, (chosen_steps + lowest) * step_s, totals[kept])


def _rank_within(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each entry, how many entries before it have the same label."""
    order = np.argsort(labels, kind="stable")
    grouped = labels[order]
    starts = np.flatnonzero(np.concatenate([[True], grouped[1:] != grouped[:-1]]))
    lengths = np.diff(np.append(starts, labels.size))
    ranks = np.empty(labels.size, np.int64)
    ranks[order] = np.arange(labels.size) - np.repeat(starts, lengths)
    return ranks
