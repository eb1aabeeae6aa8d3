"""The answer to a query: the song, where in it, how sure, and what explains it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.text import clock, html_table
from ondevice_db.format.track import Track
from ondevice_db.levels import SILENCE_DBFS
from ondevice_db.match.direction import LEAST_LEAD
from ondevice_db.match.match import Ranking

__all__ = ["Match", "Query", "Recognition"]


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
    speed : float > 0
        Of the recording, where 1 is the song's own; others are tried only when asked for.

    Examples
    --------
    >>> import nowplaying
    >>> match = nowplaying.recognize("query.wav", "music.npdb").match
    >>> print(match)  # doctest: +ELLIPSIS
    Cabin Fever - HoliznaCC0 at 0:0... (score ...)
    """

    track: Track
    offset_s: float
    score: float
    also: tuple[tuple[Track, float], ...] = ()
    speed: float = 1.0

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
        speed = "" if self.speed == 1.0 else f", speed {self.speed:.2f}"
        return f"{self.track.name} at {clock(self.offset_s)} (score {self.score:.3f}{speed})"

    def _repr_html_(self) -> str:
        row = (self.title, self.artist, clock(self.offset_s), f"{self.score:.3f}")
        return html_table(("title", "artist", "at", "score"), [row], numbers=(2, 3))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that scripts depend on."""
        also = [{**_names(track), "offset_s": round(offset_s, 3)} for track, offset_s in self.also]
        table = {**_names(self.track), "offset_s": round(self.offset_s, 3), "score": round(self.score, 4)}
        return table | ({"also": also} if also else {}) | ({"speed": self.speed} if self.speed != 1.0 else {})


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
    first_s : float, seconds
        Where the first row begins, from the query's first sample: negative where windows overhang the query.
    silence_dbfs : float
        Level at or below which it is silent.
    is_doubted : bool
        Whether an answer was refused because the detector finds no music in the query.
    turned_lead : float
        By how much better the query turned round fits the song, as a difference of raw scores; minus infinity where
        there is no song or it fits another one better.
    """

    start_s: float
    embeddings: NDArray[np.float32]
    match: Ranking
    first_s: float = 0.0
    silence_dbfs: float = SILENCE_DBFS
    is_doubted: bool = False
    turned_lead: float = -math.inf

    @property
    def is_backwards(self) -> bool:
        """Whether an answer was refused because the song is played backwards."""
        return self.turned_lead > LEAST_LEAD


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

    Examples
    --------
    >>> import nowplaying
    >>> recognizer = nowplaying.Recognizer.open("music.npdb")
    >>> answer = recognizer.recognize("query.wav")
    >>> answer.match is not None, answer.n_fingerprints
    (True, 12)
    >>> figure = recognizer.align(answer).plot()  # every fingerprint of the query against every one of the song
    """

    match: Match | None
    latency_ms: float
    n_fingerprints: int
    query: Query | None = field(default=None, repr=False, compare=False)

    def is_sure(self, odds: float) -> bool:
        """Return whether the match would also reach a threshold whose odds are so many times higher.

        Several looks at one sound make a wrong name likelier, so all but one of them have to be surer.

        Parameters
        ----------
        odds : float >= 1
        """
        if self.match is None:
            return False
        if self.query is None:
            return True
        threshold = self.query.match.threshold
        needed = threshold / max(1 - threshold, 1e-9) * odds
        return self.match.score >= needed / (1 + needed)

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


def _names(track: Track) -> dict[str, str]:
    return {"track_id": track.track_id, "title": track.title, "artist": track.artist, "source": track.source}
