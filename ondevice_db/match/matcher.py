"""From query fingerprints to a song, or to "unknown"."""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from ondevice_db.index.base import FingerprintIndex, Neighbors, SearchOptions
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance
from ondevice_db.match.candidates import Alignments, offset_histogram
from ondevice_db.match.evidence import Evidence, NearCohort, gather_evidence, shifted_alignments
from ondevice_db.match.match import Candidate, Ranking, SamePlace, Trace
from ondevice_db.match.rescore import Rescored, rescore
from ondevice_db.match.same_music import same_music, tag_quality
from ondevice_db.store.store import Songs

__all__ = ["Matcher"]

_SCORE_SCALE = 0.05  # difference of scores that makes a song e times as likely


class Matcher:
    """Finds the song of a sequence of fingerprints.

    Parameters
    ----------
    database : Songs
        A `SongDatabase`, or several as one.
    acceptance : Acceptance
        Of the model that made the fingerprints.
    index : FingerprintIndex, optional
        Another index over the same fingerprints, such as :class:`~ondevice_db.index.exact.ExactIndex`.
    log_prior : ndarray of float64, shape (n_slots,), optional
        How much likelier than the average each song is, from :func:`~ondevice_db.match.popularity.read_popularity`.

    Raises
    ------
    ConfigError
        When the prior is for another number of songs.
    """

    def __init__(
        self,
        database: Songs,
        acceptance: Acceptance = DEFAULT_ACCEPTANCE,
        index: FingerprintIndex | None = None,
        log_prior: NDArray[np.float64] | None = None,
    ) -> None:
        if log_prior is not None and log_prior.shape != (database.song_starts.size - 1,):
            message = f"prior: expected one for each of {database.song_starts.size - 1} songs, found {log_prior.shape}"
            raise ConfigError(message)
        self._log_prior = log_prior
        self.database = database
        self.acceptance = acceptance
        self._index = database.index if index is None else index

    def match(
        self,
        embeddings: NDArray[np.float32],
        hop_s: float = 0.5,
        options: SearchOptions | None = None,
        *,
        first_s: float = 0.0,
    ) -> Ranking:
        """Match a query.

        Parameters
        ----------
        embeddings : ndarray of float32, shape (n, dim), n >= 1
            Row i starts at ``first_s + i * hop_s`` seconds of the query: of length 1, or zero where it is silent.
        hop_s : float > 0, seconds
        options : SearchOptions, optional
        first_s : float, seconds
            Negative where windows overhang the query.

        Raises
        ------
        ConfigError
            When the array is empty, of another dimension, or holds NaN.
        """
        options = options or SearchOptions()
        manifest = self.database.manifest
        shape = (embeddings.shape[0], manifest.dim)
        if embeddings.shape != shape or shape[0] == 0 or not np.isfinite(embeddings).all() or hop_s <= 0:
            message = f"query: expected finite fingerprints (n >= 1, {manifest.dim}), found {embeddings.shape}"
            raise ConfigError(message)
        sounding = np.flatnonzero(embeddings.any(axis=1))
        if sounding.size == 0:
            return self._unknown(n_scanned=0)
        queries = np.ascontiguousarray(embeddings[sounding], np.float32)
        times_s = sounding.astype(np.float64) * hop_s + first_s
        neighbors, songs = self._neighbors(queries, options)
        positions = neighbors.fingerprints - self.database.song_starts[np.maximum(songs, 0)]
        alignments = offset_histogram(
            neighbors,
            songs,
            positions,
            times_s=times_s,
            reference_hop_s=manifest.hop_s,
            n_alignments=options.n_candidates,
        )
        if alignments.songs.size == 0:
            return self._unknown(n_scanned=neighbors.n_scanned)
        cohort = self._near_cohort(queries, neighbors)

        def rescored(alignments: Alignments) -> Rescored:
            return rescore(
                self._index,
                self.database.song_starts,
                alignments,
                queries,
                cohort_similarity=cohort.similarity,
                times_s=times_s,
                reference_hop_s=manifest.hop_s,
            )

        best_first = self._by_popularity(rescored(alignments))
        same = same_music(
            self._index, self.database.song_starts, best_first, times_s=times_s, reference_hop_s=manifest.hop_s
        )
        shifted = rescored(shifted_alignments(best_first))
        evidence = gather_evidence(
            best_first,
            shifted,
            neighbors,
            songs,
            queries=queries,
            same_songs=best_first.songs[same],
            cohort=cohort,
        )
        trace = Trace(
            rescored=best_first,
            neighbors=neighbors,
            songs=songs,
            same=self._preferred_first(best_first, same),
            nearest_cohort=cohort.nearest,
            times_s=times_s,
        )
        return self._decide(trace, evidence, options)

    def _neighbors(self, queries: NDArray[np.float32], options: SearchOptions) -> tuple[Neighbors, NDArray[np.int64]]:
        starts = self.database.song_starts
        masked = [song for song in options.excluded_songs if 0 <= song < starts.size - 1]
        n_masked = int(sum(starts[song + 1] - starts[song] for song in masked))
        # As many more neighbors as the masked songs could take, so that masking leaves the same list as their absence.
        neighbors = self._index.nearest(queries, options.n_neighbors + n_masked, options)
        songs = np.where(neighbors.fingerprints >= 0, self.database.song_of(np.maximum(neighbors.fingerprints, 0)), -1)
        if masked:
            hidden = np.isin(songs, masked)
            similarities = np.where(hidden, -np.inf, neighbors.similarities).astype(np.float32)
            order = np.argsort(-similarities, axis=1, kind="stable")[:, : options.n_neighbors]
            songs = np.take_along_axis(np.where(hidden, -1, songs), order, axis=1)
            fingerprints = np.take_along_axis(neighbors.fingerprints, order, axis=1)
            neighbors = Neighbors(fingerprints, np.take_along_axis(similarities, order, axis=1), neighbors.n_scanned)
        return neighbors, songs

    def _near_cohort(self, queries: NDArray[np.float32], neighbors: Neighbors) -> NearCohort:
        cohort = self._index.cohort
        return NearCohort.of_neighbors(neighbors.similarities) if cohort is None else NearCohort.of(queries @ cohort.T)

    def _by_popularity(self, rescored: Rescored) -> Rescored:
        """Put songs that score nearly alike in the order of their popularity."""
        if self._log_prior is None:
            return rescored
        order = np.argsort(-(rescored.scores + _SCORE_SCALE * self._log_prior[rescored.songs]), kind="stable")
        return Rescored(*(getattr(rescored, name)[order] for name in Rescored.__dataclass_fields__))

    def _preferred_first(self, rescored: Rescored, same: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the same music with the one to name first.

        Among those that fit as well as the best the more popular one is named, then the one whose tags say more, then
        the one that was added first.
        """
        if same.size == 1:
            return same
        songs = rescored.songs[same].tolist()
        is_near = rescored.scores[same] >= rescored.scores[same[0]] - _SCORE_SCALE
        prior = np.zeros(same.size) if self._log_prior is None else self._log_prior[rescored.songs[same]]
        quality = [tag_quality(self.database.track(song)) for song in songs]
        keys = zip(~is_near, -prior, [-one for one in quality], songs, range(same.size), strict=True)
        return same[[key[-1] for key in sorted(keys)]]

    def _decide(self, trace: Trace, evidence: Evidence, options: SearchOptions) -> Ranking:
        rescored = trace.rescored
        _, firsts = np.unique(rescored.songs, return_index=True)
        others = np.sort(firsts)[~np.isin(rescored.songs[np.sort(firsts)], rescored.songs[trace.same])]
        best = int(trace.same[0])
        rows = np.concatenate([trace.same[:1], others])[: max(options.n_best, 2)]
        prior = 0.0 if self._log_prior is None else float(self._log_prior[rescored.songs[best]])
        score = self.acceptance.probability(evidence, n_searched=self.database.n_fingerprints, log_prior=prior)
        threshold = self.acceptance.threshold_for(evidence.n_fingerprints)
        candidates = []
        for row in rows[: options.n_best]:
            # Probabilities of the songs together stay below one; the others share what the first leaves, by score.
            share = score if row == best else (1 - score) * _share(rescored.scores, row, rows)
            candidates.append(
                Candidate(
                    song_index=int(rescored.songs[row]),
                    offset_s=float(rescored.offsets_s[row]),
                    raw_score=float(rescored.scores[row]),
                    score=min(share, score),
                    also=tuple(
                        SamePlace(song_index=int(rescored.songs[one]), offset_s=float(rescored.offsets_s[one]))
                        for one in trace.same[1:]
                    )
                    if row == best
                    else (),
                )
            )
        return Ranking(
            candidates=tuple(candidates),
            best=candidates[0] if score >= threshold else None,
            evidence=evidence,
            threshold=threshold,
            n_scanned=trace.neighbors.n_scanned,
            trace=trace,
        )

    def _unknown(self, *, n_scanned: int) -> Ranking:
        return Ranking(
            candidates=(),
            best=None,
            evidence=None,
            threshold=self.acceptance.threshold,
            n_scanned=n_scanned,
        )


def _share(scores: NDArray[np.float64], row: int, rows: NDArray[np.int64]) -> float:
    weights = np.exp((scores[rows[1:]] - scores[rows[1]]) / _SCORE_SCALE)
    return float(np.exp((scores[row] - scores[rows[1]]) / _SCORE_SCALE) / (weights.sum() + 1))
