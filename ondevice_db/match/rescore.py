"""The aligned sequence score: the query laid along the song at a fine grid of offsets.

References stand once a second, queries twice, and the query starts anywhere between two references. At a trial offset
a query fingerprint falls between two references; the fingerprint that the song would have there is taken as the
point between them on the sphere. The grid's best offset, refined by a parabola, is finer than the references' hop.

An alignment's score is a soft mean, t log mean exp(a / t), of how far its similarities are above those to the cohort: a
few clear seconds identify a song even where noise covers the others, and what is covered must not decide between songs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ondevice_db.index.base import FingerprintIndex
from ondevice_db.index.normalize import power_normalize
from ondevice_db.match.candidates import Alignments

__all__ = ["NO_SCORE", "Rescored", "rescore"]

NO_SCORE = -3.0  # below any score: similarities lie in [-1, 1]

_SOFTNESS = 0.15
# In reference hops.
_OFFSET_STEP = 0.125
_OFFSET_SPAN = 0.75


@dataclass(frozen=True, slots=True)
class Rescored:
    """Alignments with their sequence scores, best first.

    Attributes
    ----------
    songs : ndarray of int64, shape (n,)
    offsets_s : ndarray of float64, shape (n,), seconds
        Refined; may be negative.
    scores : ndarray of float64, shape (n,)
        Soft mean of the similarities above the cohort's.
    similarities : ndarray of float64, shape (n, n_queries)
        Of each query fingerprint; where the song does not reach, the query's similarity to the cohort.
    aligned : ndarray of float64, shape (n,), in [0, 1]
        Share of the query that the song covers.
    """

    songs: NDArray[np.int64]
    offsets_s: NDArray[np.float64]
    scores: NDArray[np.float64]
    similarities: NDArray[np.float64]
    aligned: NDArray[np.float64]


def rescore(
    index: FingerprintIndex,
    song_starts: NDArray[np.int64],
    alignments: Alignments,
    queries: NDArray[np.float32],
    *,
    cohort_similarity: NDArray[np.float64],
    times_s: NDArray[np.float64],
    reference_hop_s: float,
) -> Rescored:
    """Score alignments from the songs' stored vectors.

    Parameters
    ----------
    index : FingerprintIndex
    song_starts : ndarray of int64, shape (n_slots + 1,)
    alignments : Alignments
    queries : ndarray of float32, shape (n_queries, dim)
        Unit rows.
    cohort_similarity : ndarray of float64, shape (n_queries,)
        Of a query fingerprint, which also stands in where the song has ended or not begun.
    times_s : ndarray of float64, shape (n_queries,), seconds, ascending
        When each query fingerprint begins; below zero where its window overhangs the query.
    reference_hop_s : float, seconds
    """
    n = alignments.songs.size
    starts = song_starts[alignments.songs]
    counts = song_starts[alignments.songs + 1] - starts
    before_s = min(float(times_s[0]), 0.0)  # windows that overhang the query begin before it
    first = np.floor((alignments.offsets_s + before_s) / reference_hop_s - _OFFSET_SPAN).astype(np.int64)
    n_window = int(np.ceil((times_s[-1] - before_s) / reference_hop_s + 2 * _OFFSET_SPAN)) + 3
    positions = first[:, None] + np.arange(n_window)
    inside = (positions >= 0) & (positions < counts[:, None])
    numbers = starts[:, None] + np.clip(positions, 0, counts[:, None] - 1)
    unique, inverse = np.unique(numbers, return_inverse=True)
    references = power_normalize(index.references(unique, song_starts))
    # Where the song is silent it says nothing, as outside of it.
    sounding: NDArray[np.bool_] = np.any(references != 0, axis=1)
    inside &= sounding[inverse.reshape(numbers.shape)]
    similarities = (references @ queries.T)[inverse.reshape(numbers.shape)]
    adjacent = np.zeros(unique.size)
    adjacent[:-1] = np.einsum("nd,nd->n", references[:-1], references[1:])
    cosine = np.clip(adjacent, 0.0, 1.0)[inverse.reshape(numbers.shape)]

    deltas_s = reference_hop_s * np.arange(-_OFFSET_SPAN, _OFFSET_SPAN + _OFFSET_STEP / 2, _OFFSET_STEP)
    trial_s = alignments.offsets_s[:, None] + deltas_s
    position = (trial_s[:, :, None] + times_s) / reference_hop_s - first[:, None, None]
    left = np.floor(position + 1e-9).astype(np.int64)
    between, covered = _interpolate(similarities, cosine, inside, left, position - left)
    between = np.where(covered, between, cohort_similarity)
    scores = _SOFTNESS * np.log(np.exp((between - cohort_similarity) / _SOFTNESS).mean(axis=2))
    share = covered.mean(axis=2)
    # A song must cover half of the query at least; a sliver at its edge is no evidence.
    scores = np.where(share >= 0.5, scores, NO_SCORE)
    best = np.argmax(scores, axis=1)
    rows = np.arange(n)
    refined = alignments.offsets_s + deltas_s[best] + _vertex(scores, best) * _OFFSET_STEP * reference_hop_s
    order = np.argsort(-scores[rows, best], kind="stable")
    picked = rows[order], best[order]
    return Rescored(alignments.songs[order], refined[order], scores[picked], between[picked], share[picked])


def _interpolate(
    similarities: NDArray[np.float32],
    cosine: NDArray[np.float64],
    inside: NDArray[np.bool_],
    left: NDArray[np.int64],
    fraction: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the similarity at each trial position and whether the song covers it, shapes (n, n_trials, n_queries)."""
    rows = np.arange(left.shape[0])[:, None, None]
    query = np.arange(left.shape[2])
    low, high = similarities[rows, left, query], similarities[rows, left + 1, query]
    has_low, has_high = inside[rows, left], inside[rows, left + 1]
    both = has_low & has_high
    weight = np.where(both, fraction, np.where(has_high, 1.0, 0.0))
    # Length of the straight line between two unit vectors at that point, which brings it back onto the sphere.
    squared = 1 - 2 * weight * (1 - weight) * (1 - cosine[rows, left])
    value = ((1 - weight) * low + weight * high) / np.sqrt(np.where(both, squared, 1.0))
    covered = both | (has_low & (fraction <= 0.5)) | (has_high & (fraction >= 0.5))
    return value, covered


def _vertex(scores: NDArray[np.float64], best: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where, in steps from the best trial, a parabola through it and its neighbors has its top."""
    rows = np.arange(scores.shape[0])
    inner = (best > 0) & (best < scores.shape[1] - 1)
    before, here = scores[rows, np.maximum(best - 1, 0)], scores[rows, best]
    after = scores[rows, np.minimum(best + 1, scores.shape[1] - 1)]
    curvature = 2 * here - before - after
    usable = inner & (curvature > 1e-9) & (before > NO_SCORE) & (after > NO_SCORE)
    return np.where(usable, 0.5 * (after - before) / np.where(usable, curvature, 1.0), 0.0)
