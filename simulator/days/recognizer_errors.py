"""The recognizer's error model: answers to the buffer on a day, drawn from the measured error rates."""

import numpy as np

from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.days.architectures import Architecture
from simulator.days.error_rates import ErrorRates
from simulator.days.plan import DayPlan, PlayedSong
from simulator.phone.events import ANSWER, RECHECK, Answer

__all__ = ["MUSIC", "OTHER_SOUND", "RecognizerErrorModel"]

MUSIC, OTHER_SOUND = "music", "other sound"
_LEAST_MUSIC_S = 1.0
_WRONG_SONG = Match(track=Track(track_id=16 * "f", title="a wrong song"), offset_s=0.0, score=1.0)


class RecognizerErrorModel:
    """The processor's side of the loop on a day without sound.

    Parameters
    ----------
    plan : DayPlan
    rates : ErrorRates
    architecture : Architecture
    answer_s : float >= 0, seconds
    rng : numpy.random.Generator

    Notes
    -----
    The looks of one wake-up at one sound share their draws. What an early look does not name, the last one names only
    where the longer query makes it easier: early looks bring the name sooner, but no more names. The measured rate of
    wrong names counts once a wake-up: it is that of the worst condition, which both looks together did not exceed
    (docs/experiments.md, Two looks at a wake-up).
    """

    def __init__(
        self, plan: DayPlan, rates: ErrorRates, architecture: Architecture, answer_s: float, rng: np.random.Generator
    ) -> None:
        self._plan = plan
        self._rates = rates
        self._architecture = architecture
        self._answer_s = answer_s
        self._rng = rng
        # Of the wake-up whose early look found nothing: whether a second look passes it on, and its name.
        self._draws: tuple[float, float] | None = None
        self._drawn_for = -1

    def answer(self, now_s: float, newest_s: float | None = None) -> Answer:
        """Return the answer to the sound of the last eight seconds, or of the newest ones."""
        buffer_s = self._architecture.buffer_s if newest_s is None else min(newest_s, self._architecture.buffer_s)
        song, song_s = self._longest_song(now_s - buffer_s, now_s)
        if song_s < _LEAST_MUSIC_S:
            song = None
        passing, naming = self._draws_for(song)
        passes = passing < (self._architecture.other_passing if song is None else self._architecture.music_passing)
        match, is_right = self._match(song, song_s, now_s - buffer_s, naming) if passes else (None, False)
        if newest_s is None or match is not None:
            self._draws = None
        return Answer(
            buffer_s=buffer_s,
            match=match,
            work=ANSWER if passes else RECHECK,
            cause=OTHER_SOUND if song is None else MUSIC,
            recorded_s=buffer_s if self._architecture.records_on_processor else 0.0,
            song=None if song is None else song.number,
            is_right=is_right,
        )

    def takes_s(self, answer: Answer) -> float:
        """Return how long an answer keeps the processor busy."""
        return self._answer_s if answer.work == ANSWER else min(self._answer_s, self._architecture.recheck_s)

    def _match(self, song: PlayedSong | None, song_s: float, start_s: float, draw: float) -> tuple[Match | None, bool]:
        """Return the match, and whether it is right."""
        rates = self._rates
        if song is None or not song.known:
            rate = rates.noise_accepted if song is None else rates.unknown_accepted
            return (_WRONG_SONG if draw < rate.value else None), False
        if draw >= rates.accepted_at(song.snr_db, song_s, room=song.scene.room):
            return None, False
        track = Track(track_id=f"{song.number:016x}", title=f"Song {song.number + 1}", duration_s=song.duration_s)
        return Match(track=track, offset_s=start_s - song.start_s + song.offset_s, score=1.0), True

    def _draws_for(self, song: PlayedSong | None) -> tuple[float, float]:
        """Return the wake-up's draws for a song, or for other sound."""
        number = -1 if song is None else song.number
        if self._draws is None or self._drawn_for != number:
            has_second_look = min(self._architecture.other_passing, self._architecture.music_passing) < 1
            passing = float(self._rng.random()) if has_second_look else 0.0
            self._draws, self._drawn_for = (passing, float(self._rng.random())), number
        return self._draws

    def _longest_song(self, start_s: float, end_s: float) -> tuple[PlayedSong | None, float]:
        """Return the song that fills most of a stretch of time, and how long it does."""
        songs = self._plan.songs_between(start_s, end_s)
        lengths = [(min(song.end_s, end_s) - max(song.start_s, start_s), song.number, song) for song in songs]
        longest_s, _, song = max(lengths, default=(0.0, -1, None))
        return song, longest_s
