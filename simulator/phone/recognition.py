"""The application processor's side: what the loop needs of a recognizer, and its answer as event data."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ondevice_db.recognizer import Recognition

__all__ = ["SongRecognizer", "answer_data"]


class SongRecognizer(Protocol):
    """What the loop needs of a recognizer: `ondevice_db.recognizer.Recognizer` is one."""

    def recognize(self, samples: NDArray[np.float32]) -> Recognition:
        """Name the song in a buffer, or say that it is unknown."""
        ...


def answer_data(recognition: Recognition) -> dict[str, Any]:
    """Return an answer as event data: how it was found, and the song where there is one.

    Returns
    -------
    dict
        "latency_ms" and "n_fingerprints" always; "track_id", "title", "artist", "source", "offset_s", "score" and
        "duration_s" (None where the database does not know it) for a song.
    """
    data: dict[str, Any] = {"latency_ms": recognition.latency_ms, "n_fingerprints": recognition.n_fingerprints}
    match = recognition.match
    if match is not None:
        track = match.track
        data |= {
            "track_id": track.track_id,
            "title": track.title,
            "artist": track.artist,
            "source": track.source,
            "offset_s": match.offset_s,
            "score": match.score,
            "duration_s": track.duration_s or None,
        }
    return data
