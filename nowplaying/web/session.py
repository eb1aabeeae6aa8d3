"""What one server knows: the opened models and databases, and the songs of this session. It ends with the process."""

import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detector.segments import Detector
from detector.stream import StreamingDetector
from fingerprinter.fingerprint import Fingerprinter
from nowplaying.web.upload import Clip
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.text import plain
from ondevice_db.answer import Recognition
from ondevice_db.recognizer import Recognizer
from ondevice_db.store.packs import open_packs

__all__ = ["Session"]

_MOST_ENTRIES = 200


class Session:
    """Recognizes recordings one at a time and remembers what it named.

    Parameters
    ----------
    databases : sequence of Path
        Searched as one. Music is indexed into the first, which need not exist yet.
    detector, fingerprinter : str or Path
        Shipped names or model folders.

    Raises
    ------
    DatabaseError, ArtifactError
        When a database that exists, or a model, cannot be used.
    """

    def __init__(self, databases: Sequence[Path], *, detector: str | Path, fingerprinter: str | Path) -> None:
        self.databases = list(databases)
        self.fingerprinter_model = fingerprinter
        self._space = Fingerprinter.from_model(fingerprinter).embedding_space
        stream = StreamingDetector.from_model(detector)
        self._gate = stream.gate_config
        self._detector = Detector(stream)
        self._lock = threading.Lock()  # interpreters of models take one query at a time
        self._history: deque[dict[str, Any]] = deque(maxlen=_MOST_ENTRIES)
        self._recognizer: Recognizer | None = None
        self._songs: list[tuple[str, int]] = []
        self._hop_s: float | None = None
        self.reopen()

    def reopen(self, more: Path | None = None) -> None:
        """Open the databases anew, after songs were added; ``more`` is searched from now on too."""
        databases = list(dict.fromkeys([*self.databases, *([more] if more is not None else [])]))
        # The first may be made later; another one that is missing is a mistake.
        present = [path for number, path in enumerate(databases) if number or path.exists()]
        opened = [open_packs(path, self._space) for path in present]
        songs = [(path.name, pack.n_songs) for path, pack in zip(present, opened, strict=True)]
        hop_s = opened[0].manifest.hop_s if opened else None
        recognizer = Recognizer.open(present, self.fingerprinter_model) if present else None
        with self._lock:
            self.databases, self._songs, self._hop_s, self._recognizer = databases, songs, hop_s, recognizer

    @property
    def hop_s(self) -> float | None:
        """Seconds between the fingerprints of the databases, which another must share; None where there is none yet."""
        with self._lock:
            return self._hop_s

    def status(self) -> dict[str, Any]:
        """Return the databases with their numbers of songs, and the history with the newest song first."""
        with self._lock:
            databases = [{"name": name, "n_songs": n} for name, n in self._songs]
            return {"databases": databases, "target": self.databases[0].name, "history": list(self._history)}

    def forget(self) -> None:
        """Empty the history."""
        with self._lock:
            self._history.clear()

    def answer(self, clip: Clip) -> dict[str, Any]:
        """Return all that the page shows of a recording: P(music), the song, why, and the alignment."""
        with self._lock:
            detection = self._detector.detect((clip.samples, SAMPLE_RATE_HZ))
            table: dict[str, Any] = {
                "name": clip.name,
                "duration_s": clip.duration_s,
                "is_cut": clip.is_cut,
                "detection": {
                    **detection.to_dict(),
                    "enter_threshold": self._gate.enter_threshold,
                    "leave_threshold": self._gate.leave_threshold,
                },
                "recognition": None,
            }
            if self._recognizer is not None:
                recognition = self._recognizer.recognize((clip.samples, SAMPLE_RATE_HZ))
                table["recognition"] = _recognition(self._recognizer, recognition)
                self._remember(clip, recognition)
            return {**plain(table), "history": list(self._history)}

    def _remember(self, clip: Clip, recognition: Recognition) -> None:
        song = recognition.match
        at = datetime.now(UTC).astimezone()
        entry = {"time": at.isoformat(timespec="seconds"), "clock": f"{at:%H:%M:%S}", "recording": clip.name}
        if song is None:
            self._history.appendleft({**entry, "song": None})
            return
        times = sum(one["song"] is not None and one["song"]["track_id"] == song.track.track_id for one in self._history)
        found = {
            "track_id": song.track.track_id,
            "name": song.track.name,
            "offset_s": song.offset_s,
            "score": song.score,
            "times": times + 1,
        }
        self._history.appendleft({**entry, "song": plain(found)})


def _recognition(recognizer: Recognizer, recognition: Recognition) -> dict[str, Any]:
    explanation, alignment, song = recognizer.explain(recognition), recognizer.align(recognition), recognition.match
    track = None
    if song is not None:
        track = {"album": song.track.album, "duration_s": song.track.duration_s}
    drawn = None
    if alignment is not None:
        drawn = {
            "title": alignment.title,
            "times_s": alignment.times_s,
            "reference_s": alignment.reference_s,
            "similarities": alignment.similarities,
            "offset_s": alignment.offset_s,
        }
    return {**recognition.to_dict(), "track": track, "explanation": explanation.to_dict(), "alignment": drawn}
