"""What the recognizer makes of eight seconds of a day, drawn from its measured error rates."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.days.architectures import Architecture
from simulator.days.error_rates import ErrorRates
from simulator.days.plan import DayPlan, PlayedSong
from simulator.energy.costs import ANSWER, RECHECK

__all__ = ["MUSIC", "OTHER_SOUND", "RecognizerErrorModel"]

MUSIC, OTHER_SOUND = "music", "other sound"
_LEAST_MUSIC_S = 1.0


class RecognizerErrorModel:
    """The processor's side of the loop on a day without sound.

    Parameters
    ----------
    plan : DayPlan
    rates : ErrorRates
    architecture : Architecture
    answer_s : float >= 0, seconds
    rng : numpy.random.Generator
    """

    def __init__(
        self, plan: DayPlan, rates: ErrorRates, architecture: Architecture, answer_s: float, rng: np.random.Generator
    ) -> None:
        self._plan = plan
        self._rates = rates
        self._strategy = architecture
        self._answer_s = answer_s
        self._rng = rng

    def answer(self, now_s: float) -> Mapping[str, Any]:
        """Return the answer to what was to be heard in the last eight seconds."""
        buffer_s = self._strategy.buffer_s
        song, heard_s = self._most_heard(now_s - buffer_s, now_s)
        is_music = song is not None and heard_s >= _LEAST_MUSIC_S
        data: dict[str, Any] = {
            "buffer_s": buffer_s,
            "recorded_s": buffer_s if self._strategy.records_on_processor else 0.0,
            "cause": MUSIC if is_music else OTHER_SOUND,
            "work": ANSWER,
        }
        if song is not None and is_music:
            data["song"] = song.number
        if not self._passes_second_look(is_music=is_music):
            return data | {"work": RECHECK}
        if song is None or not is_music:
            return data | (self._wrong_name() if self._rng.random() < self._rates.noise_accepted.value else {})
        if not song.known:
            return data | (self._wrong_name() if self._rng.random() < self._rates.unknown_accepted.value else {})
        if self._rng.random() < self._rates.accepted_at(song.snr_db, heard_s, room=song.scene.room):
            return data | {
                "track_id": f"song-{song.number}",
                "title": f"Song {song.number + 1}",
                "is_right": True,
                "offset_s": now_s - buffer_s - song.start_s + song.offset_s,
                "duration_s": song.duration_s,
            }
        return data

    def takes_s(self, data: Mapping[str, Any]) -> float:
        """Return how long an answer keeps the processor busy."""
        return self._answer_s if data["work"] == ANSWER else min(self._answer_s, self._strategy.recheck_s)

    def _most_heard(self, start_s: float, end_s: float) -> tuple[PlayedSong | None, float]:
        heard = [
            (min(song.end_s, end_s) - max(song.start_s, start_s), song.number, song)
            for song in self._plan.songs_between(start_s, end_s)
        ]
        longest_s, _, song = max(heard, default=(0.0, -1, None))
        return song, longest_s

    def _passes_second_look(self, *, is_music: bool) -> bool:
        share = self._strategy.music_passing if is_music else self._strategy.other_passing
        return share >= 1 or bool(self._rng.random() < share)

    def _wrong_name(self) -> dict[str, Any]:
        return {"track_id": "wrong", "title": "a wrong song", "is_right": False, "offset_s": 0.0, "duration_s": None}
