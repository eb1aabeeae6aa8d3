"""From one excerpt to its answer: fingerprint it, match it, and explain what was found."""

import time
from dataclasses import replace

import numpy as np
import soxr
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from ondevice_db.answer import Match, Query, Recognition
from ondevice_db.levels import brought_up
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance
from ondevice_db.match.alignment import AlignmentMap, map_alignment
from ondevice_db.match.direction import TURNED_HOPS, turned_lead
from ondevice_db.match.explain import Explanation, explain_match
from ondevice_db.match.match import Ranking
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import Songs

__all__ = ["Lookup", "acceptance_of"]


class Lookup:
    """Excerpts looked up in a database, with the fingerprinter that it was built with.

    Parameters
    ----------
    database : Songs
    fingerprinter : Fingerprinter
    acceptance : Acceptance, optional
        By default the one in the fingerprinter's manifest.
    log_prior : ndarray of float64, shape (n_slots,), optional
        Of the songs' popularity.

    Raises
    ------
    ManifestMismatchError
        When the database was built with another encoder.
    """

    def __init__(
        self,
        database: Songs,
        fingerprinter: Fingerprinter,
        acceptance: Acceptance | None = None,
        log_prior: NDArray[np.float64] | None = None,
    ) -> None:
        theirs, ours = database.manifest.embedding_space, fingerprinter.embedding_space
        if theirs != ours:
            message = (
                f"{database.path}: built with embedding space {theirs} ({database.manifest.encoder}), but "
                f"{fingerprinter.name} has {ours}; use that model (--fingerprinter) or index the music again"
            )
            raise ManifestMismatchError(message)
        self._database = database
        self._fingerprinter = fingerprinter
        acceptance = acceptance if acceptance is not None else acceptance_of(fingerprinter)
        self._matcher = Matcher(database, acceptance, log_prior=log_prior)

    def answer(self, samples: NDArray[np.float32], start_s: float, speed: float = 1.0) -> Recognition:
        """Name the song in an excerpt.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,), in [-1, 1]
            Mono at 16 kHz.
        start_s : float, seconds
            Where the excerpt begins in its recording.
        speed : float > 0
            At which the recording is taken to play, where 1 is the song's own.
        """
        began_s = time.perf_counter()
        samples, silence_dbfs = brought_up(samples)
        if speed != 1.0:
            samples = soxr.resample(samples, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * speed, quality="HQ").astype(np.float32)
        hop_s = self._fingerprinter.query_hop_s
        embeddings, first_s, match = self._match(samples, silence_dbfs, hop_s)
        query = Query(start_s=start_s, embeddings=embeddings, match=match, first_s=first_s, silence_dbfs=silence_dbfs)
        if match.best is not None:
            turned = self._match(samples[::-1], silence_dbfs, TURNED_HOPS * hop_s)[2]
            query = replace(query, turned_lead=turned_lead(match, turned))
        song = None
        if match.best is not None and not query.is_backwards:
            best = match.best
            track = self._database.track
            song = Match(
                track=track(best.song_index),
                offset_s=best.offset_s,
                score=best.score,
                also=tuple((track(one.song_index), one.offset_s) for one in best.also),
                speed=speed,
            )
        return Recognition(
            match=song,
            latency_ms=1000 * (time.perf_counter() - began_s),
            n_fingerprints=embeddings.shape[0],
            query=query,
        )

    def explain(self, recognition: Recognition) -> Explanation:
        """Explain an answer; nothing is matched again."""
        query = _query_of(recognition)
        found = explain_match(query.match, self._matcher.acceptance, self._database, query_start_s=query.start_s)
        if query.is_doubted:
            return replace(
                found, reason="the detector finds no music there, and the score is only just above its threshold"
            )
        if query.is_backwards:
            return replace(found, reason="the song fits better when the query is turned round: it is played backwards")
        silent = not query.embeddings.any()
        return replace(found, reason=f"nothing above {query.silence_dbfs:g} dBFS") if silent else found

    def align(self, recognition: Recognition) -> AlignmentMap | None:
        """Return the alignment of an answer with its best candidate, for a plot; None where there is no candidate."""
        query = _query_of(recognition)
        if not query.match.candidates:
            return None
        track = self._database.track(query.match.candidates[0].song_index)
        hop_s = self._fingerprinter.query_hop_s
        return map_alignment(
            self._database,
            query.match,
            query.embeddings,
            hop_s,
            title=track.title,
            is_named=recognition.match is not None,
            first_s=query.first_s,
        )

    def _match(
        self, samples: NDArray[np.float32], silence_dbfs: float, hop_s: float
    ) -> tuple[NDArray[np.float32], float, Ranking]:
        """Return the fingerprints of samples, where the first one begins in seconds, and their match."""
        found = self._fingerprinter.embed_query(samples, hop_s)
        # Silence is alike everywhere: it is evidence for no song.
        embeddings = np.where((found.levels_dbfs <= silence_dbfs)[:, None], np.float32(0), found.vectors)
        return embeddings, found.first_s, self._matcher.match(embeddings, hop_s, first_s=found.first_s)


def _query_of(recognition: Recognition) -> Query:
    if recognition.query is None:
        message = (
            "recognition: expected an answer of a Recognizer with its query, found one without; "
            "recognize_every keeps it where explainable is True"
        )
        raise ConfigError(message)
    return recognition.query


def acceptance_of(fingerprinter: Fingerprinter) -> Acceptance:
    """Return the acceptance model of a fingerprinter's manifest, or the default where it has none."""
    table = fingerprinter.folder.manifest.get("acceptance")
    return DEFAULT_ACCEPTANCE if table is None else Acceptance.from_dict(table)
