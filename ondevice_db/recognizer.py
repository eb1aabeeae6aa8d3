"""From audio to a song: which eight seconds are looked up, and when the answer of a further look counts."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.audio import AudioSource, Sound
from nowplaying_core.errors import ConfigError
from ondevice_db.answer import Recognition
from ondevice_db.excerpts import MOST_S, blocks_of, cut, excerpt_at, excerpts_every
from ondevice_db.lookup import Lookup, acceptance_of
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.alignment import AlignmentMap
from ondevice_db.match.explain import Explanation
from ondevice_db.match.popularity import read_popularity
from ondevice_db.places import QUERY_S, Opening, Places
from ondevice_db.store.packs import open_packs
from ondevice_db.store.store import Songs

__all__ = ["Recognizer"]

_FURTHER_PLACES = 2
_SPEED_STEP = 0.02  # between speeds that are tried: the fingerprints bear one per cent
# Several looks make a wrong answer likelier: a look behind the first has to reach a threshold whose odds are higher by
# such a factor. With these, unknown music was named no more often than with one look (docs/robustness.md).
_PLACE_ODDS, _SPEED_ODDS = 10.0, 1_000.0
# Below such a factor an answer needs the detector's consent: it is refused where no window is music with so much.
_SURE_ODDS, _SOME_MUSIC = 3.0, 0.1


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
    detector : str or Path, optional
        Name or folder of the model that says where a recording holds music, opened when it is needed; without it
        the first sound above silence is used.
    needs_consent : bool
        An answer whose odds are less than three times those of the threshold is refused where the detector finds no
        music at all; not in an array alone, the phone's buffer, for which it woke.

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
        detector: str | Path | None = None,
        *,
        needs_consent: bool = True,
    ) -> None:
        self._detector_model, self._needs_consent = detector, needs_consent
        self._detector: StreamingDetector | None = None
        self._lookup = Lookup(database, fingerprinter, acceptance, log_prior)

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
            Reject answers with a lower score, in place of the model's own thresholds and of the detector's consent.

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
        needs_consent = min_score is None
        return cls(
            songs, fingerprinter, acceptance, log_prior=prior, detector=SHIPPED_DETECTOR, needs_consent=needs_consent
        )

    def recognize(
        self,
        sound: Sound | AudioSource | NDArray[np.float32],
        at_s: float | None = None,
        *,
        speeds_percent: float = 0.0,
    ) -> Recognition:
        """Name the song in a recording.

        No more of a file is read than needed: 9.28 s where it begins with music that is known (eight, and two of the
        detector's steps), about two minutes at most. A file that is truncated or damaged is used as far as it can be
        read, with a warning.

        Parameters
        ----------
        sound : path, (samples, sample_rate_hz), or ndarray of float32, shape (n,), in [-1, 1]
            An array alone is mono at 16 kHz.
        at_s : float >= 0, optional
            Where to begin, and where ``offset_s`` counts from. By default the eight seconds that the detector is surest
            of are used, and where the answer is unknown two further places; ``offset_s`` then counts from the
            recording's first sample.
        speeds_percent : 0, or float in [2, 20]
            Where the answer is unknown, also try speeds up to so much lower and higher, in steps of two per cent.

        Raises
        ------
        AudioFormatError
            When a file cannot be read, or ends before ``at_s``.
        ConfigError
            When there are no samples, ``at_s`` lies outside the array or a setting is out of range.
        """
        is_buffer, speeds = isinstance(sound, np.ndarray), _speeds(speeds_percent)
        with blocks_of(sound) as blocks:
            opening = Opening(iter(blocks))
            if at_s is not None:
                samples = excerpt_at(blocks.name, opening, at_s)
                answer = self._first_look(samples, at_s, is_buffer=is_buffer)
                return self._at_other_speeds(answer, samples, at_s, speeds)
            places = Places(opening, self._open_detector if self._detector_model is not None else None)
            start_s = places.first()
            samples = cut(opening.read(start_s + QUERY_S), start_s)
            answer = self._first_look(samples, start_s, is_buffer=is_buffer)
            for further_s in places.further(_FURTHER_PLACES) if answer.match is None else ():
                found = self._lookup.answer(cut(opening.read(further_s + QUERY_S), further_s), further_s)
                answer = self._better(answer, found, _PLACE_ODDS)
                if answer.match is not None:
                    break
        return _from_the_first_sample(self._at_other_speeds(answer, samples, start_s, speeds))

    def recognize_every(
        self,
        sound: Sound | AudioSource | NDArray[np.float32],
        every_s: float,
        *,
        speeds_percent: float = 0.0,
        explainable: bool = False,
    ) -> Iterator[tuple[float, Recognition]]:
        """Name the song again and again, each time as soon as so much of the recording is there.

        Parameters
        ----------
        sound : path, (samples, sample_rate_hz), or ndarray of float32, shape (n,), in [-1, 1]
            As of `recognize`.
        every_s : float > 0, seconds
        speeds_percent : 0, or float in [2, 20]
            As of `recognize`, for each answer that is unknown.
        explainable : bool
            Keep what `explain` and `align` need; without it the answers of a whole day are small.

        Yields
        ------
        start_s : float, seconds
            Of the query, where its ``offset_s`` counts from. A rest shorter than half a query is left out.
        answer : Recognition
        """
        if not 0 < every_s <= MOST_S:
            message = f"every_s: expected seconds above 0 up to {MOST_S:g}, found {every_s}"
            raise ConfigError(message)
        is_buffer, speeds = isinstance(sound, np.ndarray), _speeds(speeds_percent)
        with blocks_of(sound) as blocks:
            for start_s, samples in excerpts_every(blocks, every_s):
                answer = self._first_look(samples, start_s, is_buffer=is_buffer)
                answer = self._at_other_speeds(answer, samples, start_s, speeds)
                yield start_s, answer if explainable else replace(answer, query=None)

    def explain(self, recognition: Recognition) -> Explanation:
        """Explain an answer of this recognizer; nothing is matched again."""
        return self._lookup.explain(recognition)

    def align(self, recognition: Recognition) -> AlignmentMap | None:
        """Return the alignment of an answer with its best candidate, for a plot; None where there is no candidate."""
        return self._lookup.align(recognition)

    def _open_detector(self) -> StreamingDetector:
        if self._detector is None:
            self._detector = StreamingDetector.from_model(self._detector_model or SHIPPED_DETECTOR)
        return self._detector

    def _at_other_speeds(
        self, answer: Recognition, samples: NDArray[np.float32], start_s: float, speeds: Sequence[float]
    ) -> Recognition:
        for speed in speeds if answer.match is None else ():
            answer = self._better(answer, self._lookup.answer(samples, start_s, speed), _SPEED_ODDS)
            if answer.match is not None:
                break
        return answer

    def _better(self, before: Recognition, found: Recognition, factor: float) -> Recognition:
        """Return the answer of a further look where it is beyond doubt, else the one before; with the time of both."""
        latency_ms = before.latency_ms + found.latency_ms
        return replace(found if found.is_sure(factor) else before, latency_ms=latency_ms)

    def _first_look(self, samples: NDArray[np.float32], start_s: float, *, is_buffer: bool) -> Recognition:
        answer = self._lookup.answer(samples, start_s)
        return answer if is_buffer else self._with_consent(answer, samples)

    def _with_consent(self, answer: Recognition, samples: NDArray[np.float32]) -> Recognition:
        """Return an answer that is not beyond doubt only where the detector finds some music; with the time of both."""
        is_asked = self._needs_consent and self._detector_model is not None
        if not is_asked or answer.match is None or answer.is_sure(_SURE_ODDS):
            return answer
        began_s = time.perf_counter()
        detector = self._open_detector()
        detector.reset()
        found = [decision.probability for decision in detector.process(samples)]
        answer = replace(answer, latency_ms=answer.latency_ms + 1000 * (time.perf_counter() - began_s))
        if not found or max(found) >= _SOME_MUSIC:  # shorter than the detector's window: nothing is known
            return answer
        query = None if answer.query is None else replace(answer.query, is_doubted=True)
        return replace(answer, match=None, query=query)


def _from_the_first_sample(answer: Recognition) -> Recognition:
    """Return an answer whose offsets count from the recording's first sample."""
    if answer.match is None or answer.query is None or answer.query.start_s == 0:
        return answer
    song, start_s = answer.match, answer.query.start_s * answer.match.speed
    also = tuple((track, offset_s - start_s) for track, offset_s in song.also)
    return replace(answer, match=replace(song, offset_s=song.offset_s - start_s, also=also))


def _speeds(percent: float) -> list[float]:
    """Return the speeds to try, the smallest changes first."""
    n = percent / 100 / _SPEED_STEP
    if percent != 0 and not 1 <= n <= 20 / 100 / _SPEED_STEP:
        message = f"speeds_percent: expected 0, or {100 * _SPEED_STEP:g} to 20, found {percent}"
        raise ConfigError(message)
    return [round(1 + sign * step * _SPEED_STEP, 4) for step in range(1, int(n + 1e-9) + 1) for sign in (1, -1)]
