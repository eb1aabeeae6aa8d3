"""From audio to a song: choose eight seconds, fingerprint them, match them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import SAMPLE_RATE_HZ, Sound, samples_of
from nowplaying_core.errors import ConfigError, ManifestMismatchError
from nowplaying_core.text import clock, html_table
from ondevice_db.format.track import Track
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance
from ondevice_db.match.alignment import AlignmentMap, map_alignment
from ondevice_db.match.explain import Explanation, explain_match
from ondevice_db.match.match import Ranking
from ondevice_db.match.matcher import Matcher
from ondevice_db.match.popularity import read_popularity
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import Songs

__all__ = ["Match", "Query", "Recognition", "Recognizer", "acceptance_of", "first_audible_s"]

QUERY_S = 8.0
SILENCE_DBFS = -60.0
_BLOCK_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Match:
    """A song, where in it the query begins, and how sure that is.

    Printed, it reads "title - artist at 1:02.5 (score 0.998)".

    Attributes
    ----------
    track : Track
    offset_s : float, seconds
        Reference time of the query's first sample; negative when the query began before the song.
    score : float in [0, 1]
        Calibrated probability.
    also : tuple of (Track, float)
        Other songs of the database that are the same music there, such as another encoding, each with its offset in
        seconds.
    """

    track: Track
    offset_s: float
    score: float
    also: tuple[tuple[Track, float], ...] = ()

    @property
    def title(self) -> str:
        """The song's title."""
        return self.track.title

    @property
    def artist(self) -> str:
        """The song's artist, empty where it is not known."""
        return self.track.artist

    def __repr__(self) -> str:
        place = f"offset_s={self.offset_s:.1f}, score={self.score:.3f}"
        return f"Match(title={self.title!r}, artist={self.artist!r}, {place})"

    def __str__(self) -> str:
        return f"{self.track.name} at {clock(self.offset_s)} (score {self.score:.3f})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        also = [{**_names(track), "offset_s": round(offset_s, 3)} for track, offset_s in self.also]
        table = {**_names(self.track), "offset_s": round(self.offset_s, 3), "score": round(self.score, 4)}
        return {**table, "also": also} if also else table


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A query as it was matched.

    Attributes
    ----------
    start_s : float, seconds
        Where in the recording it begins.
    embeddings : ndarray of float32, shape (n, dim)
        Unit rows, zero where it is silent.
    match : Ranking
    """

    start_s: float
    embeddings: NDArray[np.float32]
    match: Ranking


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognition:
    """The answer to a query.

    Attributes
    ----------
    match : Match or None
        None is "unknown".
    latency_ms : float
        Fingerprinting and matching, without reading or decoding the file.
    n_fingerprints : int
    query : Query or None
        The fingerprints and their match, for `Recognizer.explain` and `Recognizer.align`.
    """

    match: Match | None
    latency_ms: float
    n_fingerprints: int
    query: Query | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        return {
            "match": self.match.to_dict() if self.match is not None else None,
            "latency_ms": round(self.latency_ms, 2),
            "n_fingerprints": self.n_fingerprints,
        }

    def _repr_html_(self) -> str:
        song = self.match
        names = (
            ("unknown", "", "", "")
            if song is None
            else (song.title, song.artist, clock(song.offset_s), f"{song.score:.3f}")
        )
        row = (*names, f"{self.latency_ms:.0f} ms")
        return html_table(("title", "artist", "at", "score", "latency"), [row], numbers=(2, 3, 4))


class Recognizer:
    """A database and the fingerprinter that it was built with.

    Parameters
    ----------
    database : Songs
        A `SongDatabase`, or several as one.
    fingerprinter : Fingerprinter
    acceptance : Acceptance, optional
        By default the one in the fingerprinter's manifest.
    log_prior : ndarray of float64, shape (n_slots,), optional
        Of the songs' popularity; see :mod:`ondevice_db.match.popularity`.

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

    @classmethod
    def open(
        cls,
        databases: str | Path | Sequence[str | Path],
        model: str | Path = SHIPPED_FINGERPRINTER,
        *,
        popularity: Path | None = None,
        min_score: float | None = None,
    ) -> "Recognizer":
        """Open a database, or several as one, and the model that made it.

        Parameters
        ----------
        databases : path or sequence of paths
            Folders NAME.npdb; the first one's songs win where several hold the same recording.
        model : str or Path
            Shipped name of a fingerprinter, or a model folder.
        popularity : Path, optional
            Table of track_id and count: of songs that sound alike, the one that is played more comes first.
        min_score : float in [0, 1], optional
            Reject answers with a lower score, in place of the model's own thresholds.

        Raises
        ------
        DatabaseError
            When there is no such database.
        ArtifactError
            When a database or the model is damaged, or they do not belong together.

        Examples
        --------
        >>> import nowplaying
        >>> recognizer = nowplaying.Recognizer.open("music.npdb")
        >>> print(recognizer.recognize("query.wav").match.title)
        Cabin Fever
        """
        if min_score is not None and not 0 <= min_score <= 1:
            message = f"min_score: expected 0 to 1, found {min_score}"
            raise ConfigError(message)
        fingerprinter = Fingerprinter.from_model(model)
        songs = open_packs(databases, fingerprinter.embedding_space)
        prior = None if popularity is None else read_popularity(popularity, songs)
        acceptance = acceptance_of(fingerprinter)
        if min_score is not None:
            acceptance = replace(acceptance, threshold=min_score, threshold_single=min_score)
        return cls(songs, fingerprinter, acceptance, log_prior=prior)

    def recognize(self, sound: Sound | NDArray[np.float32], at_s: float | None = None) -> Recognition:
        """Name the song in a recording.

        Parameters
        ----------
        sound : path, (samples, sample_rate_hz), or ndarray of float32, shape (n,), in [-1, 1]
            An array alone is mono at 16 kHz.
        at_s : float >= 0, optional
            Where to begin; by default where the first sound above silence begins. Eight seconds from there are used,
            and as far back as needed where the recording ends sooner.

        Raises
        ------
        AudioFormatError
            When a file cannot be read.
        ConfigError
            When there are no samples or ``at_s`` lies outside the recording.
        """
        samples = samples_of(sound)
        start_s = self._start_s(samples, at_s)
        return self._answer(_cut(samples, start_s), start_s)

    def recognize_every(self, sound: Sound | NDArray[np.float32], every_s: float) -> list[tuple[float, Recognition]]:
        """Name the song again and again.

        Parameters
        ----------
        sound : path, (samples, sample_rate_hz), or ndarray of float32, shape (n,), in [-1, 1]
            As of `recognize`.
        every_s : float > 0, seconds

        Returns
        -------
        list of (float, Recognition)
            The start of each query in seconds, and its answer. A rest shorter than half a query is left out.
        """
        if not every_s > 0:
            message = f"every_s: expected seconds above 0, found {every_s}"
            raise ConfigError(message)
        samples = samples_of(sound)
        last_s = max(samples.size / SAMPLE_RATE_HZ - QUERY_S / 2, 0.0)
        starts_s = np.arange(0.0, last_s + 1e-9, every_s)
        return [(float(start_s), self.recognize(samples, at_s=float(start_s))) for start_s in starts_s]

    def _start_s(self, samples: NDArray[np.float32], at_s: float | None) -> float:
        duration_s = samples.size / SAMPLE_RATE_HZ
        if samples.ndim != 1 or samples.size == 0:
            message = f"query: expected mono samples (n >= 1,), found an array {samples.shape}"
            raise ConfigError(message)
        if at_s is not None and not 0 <= at_s < duration_s:
            message = f"query: expected a start within the {duration_s:.1f} s of the recording, found {at_s} s"
            raise ConfigError(message)
        start_s = at_s if at_s is not None else first_audible_s(samples)
        if at_s is None:
            start_s = max(0.0, min(start_s, duration_s - QUERY_S))
        return start_s

    def explain(self, recognition: Recognition) -> Explanation:
        """Explain an answer of this recognizer; nothing is matched again."""
        query = _query_of(recognition)
        found = explain_match(query.match, self._matcher.acceptance, self._database, query_start_s=query.start_s)
        silent = not query.embeddings.any()
        return replace(found, reason=f"nothing above {SILENCE_DBFS:g} dBFS") if silent else found

    def align(self, recognition: Recognition) -> AlignmentMap | None:
        """Return the alignment of an answer with its best candidate, for a plot; None where there is no candidate."""
        query = _query_of(recognition)
        if not query.match.candidates:
            return None
        track = self._database.track(query.match.candidates[0].song_index)
        hop_s = self._fingerprinter.query_hop_s
        return map_alignment(self._database, query.match, query.embeddings, hop_s, title=track.title)

    def _answer(self, samples: NDArray[np.float32], start_s: float) -> Recognition:
        began_s = time.perf_counter()
        hop_s = self._fingerprinter.query_hop_s
        embeddings, levels_dbfs = self._fingerprinter.embed_with_levels(samples, hop_s)
        # Silence is alike everywhere: it is evidence for no song.
        embeddings = np.where((levels_dbfs <= SILENCE_DBFS)[:, None], np.float32(0), embeddings)
        match = self._matcher.match(embeddings, hop_s)
        song = None
        if match.best is not None:
            best = match.best
            track = self._database.track
            song = Match(
                track=track(best.song_index),
                offset_s=best.offset_s,
                score=best.score,
                also=tuple((track(one.song_index), one.offset_s) for one in best.also),
            )
        return Recognition(
            match=song,
            latency_ms=1000 * (time.perf_counter() - began_s),
            n_fingerprints=embeddings.shape[0],
            query=Query(start_s=start_s, embeddings=embeddings, match=match),
        )


def _names(track: Track) -> dict[str, str]:
    return {"track_id": track.track_id, "title": track.title, "artist": track.artist, "source": track.source}


def _cut(samples: NDArray[np.float32], start_s: float) -> NDArray[np.float32]:
    first = round(start_s * SAMPLE_RATE_HZ)
    return samples[first : first + round(QUERY_S * SAMPLE_RATE_HZ)]


def _query_of(recognition: Recognition) -> Query:
    if recognition.query is None:
        message = "recognition: expected an answer of a Recognizer with its query, found one without"
        raise ConfigError(message)
    return recognition.query


def first_audible_s(samples: NDArray[np.float32]) -> float:
    """Return where the first tenth of a second above silence begins, in seconds; 0 when there is none."""
    block = round(_BLOCK_S * SAMPLE_RATE_HZ)
    n_blocks = samples.size // block
    power = np.square(samples[: n_blocks * block].reshape(n_blocks, block), dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power > 10 ** (SILENCE_DBFS / 10))
    return float(loud[0]) * _BLOCK_S if loud.size else 0.0


def acceptance_of(fingerprinter: Fingerprinter) -> Acceptance:
    """Return the acceptance model of a fingerprinter's manifest, or the default where it has none."""
    table = fingerprinter.folder.manifest.get("acceptance")
    return DEFAULT_ACCEPTANCE if table is None else Acceptance.from_dict(table)
