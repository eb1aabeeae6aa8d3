"""The low-power loop: listen on the DSP, wake for eight seconds of sound, name the song, rest for a minute."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.gate import GateConfig
from nowplaying.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16
from nowplaying.errors import ConfigError
from simulator.conditions import PhoneConditions, Situation
from simulator.events import Event, EventKind, State
from simulator.history import History
from simulator.listening import DspListener, Hearing, MusicDetector
from simulator.recognition import SongRecognizer, answer_data
from simulator.ring import MulawRing

__all__ = ["Phone", "PhoneConfig"]

_STEP_SAMPLES = SAMPLE_RATE_HZ // 100


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneConfig:
    """Settings of the loop.

    Attributes
    ----------
    gate : GateConfig
        From the detector's manifest; its cool-down is the least time from one wake-up to the next trigger.
    buffer_s : float > 0, seconds
        Length of the ring buffer.
    max_capture_s : float >= 0, seconds
        The longest wait after the gate opened for the buffer to fill with music.
    onset_in_window_s : float >= 0, seconds
        How long before the end of the first window called music the music is taken to have begun: half a detector
        window, where a window is as much music as not.
    skips_same_song : bool
        Whether a recognized song that goes on is left alone until it should be over.
    same_song_limit_s : float >= 0, seconds
        The longest that it is left alone, whatever length the database states.
    music_gap_s : float >= 0, seconds
        A gate closed for longer ends the song.
    """

    gate: GateConfig
    buffer_s: float = 8.0
    max_capture_s: float = 4.0
    onset_in_window_s: float = 2.23
    skips_same_song: bool = True
    same_song_limit_s: float = 600.0
    music_gap_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("max_capture_s", "onset_in_window_s", "same_song_limit_s", "music_gap_s"):
            if not getattr(self, name) >= 0:
                message = f"phone settings: expected {name} >= 0, found {getattr(self, name)}"
                raise ConfigError(message)
        if not self.buffer_s > 0:
            message = f"phone settings: expected buffer_s > 0, found {self.buffer_s}"
            raise ConfigError(message)


class Phone:
    """A phone that listens for music; one object lives through one source.

    Parameters
    ----------
    detector : MusicDetector
    recognizer : SongRecognizer
    config : PhoneConfig
    situation : Situation
        Says when the phone must not listen; by default never.

    Attributes
    ----------
    state : State
    history : History
        The songs recognized so far.
    """

    def __init__(
        self,
        detector: MusicDetector,
        recognizer: SongRecognizer,
        config: PhoneConfig,
        situation: Situation | None = None,
    ) -> None:
        self._listener = DspListener(detector, config.gate)
        self._recognizer = recognizer
        self._config = config
        self._situation = situation if situation is not None else PhoneConditions()
        self._ring = MulawRing(config.buffer_s)
        self._pending = np.zeros(0, np.int16)
        self._n_samples = 0
        self._cool_until_s = 0.0
        self._capture_until_s = 0.0
        self._same_song_until_s = 0.0
        self._same_song_told = False
        self._skip_told = False
        self._gate_open_at_s = 0.0
        self.state = State.OFF
        self.history = History()

    @property
    def now_s(self) -> float:
        """Seconds of sound heard since the source began, in whole 10 ms steps."""
        return self._n_samples / SAMPLE_RATE_HZ

    def run(self, source: Iterable[NDArray[np.float32]]) -> Iterator[Event]:
        """Listen to a source until it ends.

        Parameters
        ----------
        source : iterable of ndarray of float32, each of shape (n,), in [-1, 1], mono at 16 kHz
            Chunks of any lengths; the events do not depend on them.

        Yields
        ------
        Event
            In order of time, as soon as it is known.
        """
        for chunk in source:
            yield from self.feed(chunk)
        yield from self.finish()

    def feed(self, samples: NDArray[np.float32]) -> Iterator[Event]:
        """Listen to one more chunk."""
        if self.state is State.OFF:
            yield self._change(State.LISTENING, "switched on")
        pcm = np.concatenate([self._pending, to_int16(samples)])
        codes = mulaw.encode(pcm)
        heard = to_float32(pcm)
        n_whole = len(pcm) - len(pcm) % _STEP_SAMPLES
        for start in range(0, n_whole, _STEP_SAMPLES):
            step = slice(start, start + _STEP_SAMPLES)
            self._n_samples += _STEP_SAMPLES
            yield from self._step(heard[step], codes[step])
        self._pending = pcm[n_whole:]

    def finish(self) -> Iterator[Event]:
        """End the source: a capture under way is recognized with what the buffer holds."""
        if self.state is State.CAPTURING:
            yield from self._recognize("end of the sound")
        if self.state is not State.OFF:
            yield self._change(State.OFF, "end of the sound")

    def _step(self, samples: NDArray[np.float32], codes: NDArray[np.uint8]) -> Iterator[Event]:
        reason = self._situation.reason_at(self.now_s)
        if reason is not None:
            if self.state is not State.PAUSED:
                self._forget()
                yield self._change(State.PAUSED, str(reason))
            return
        if self.state is State.PAUSED:
            is_cool = self.now_s >= self._cool_until_s
            yield self._change(State.LISTENING if is_cool else State.COOLING_DOWN, "may listen again")
        self._ring.write_codes(codes)
        if self.state is State.COOLING_DOWN and self.now_s >= self._cool_until_s:
            yield self._change(State.LISTENING, "cool-down over")
        for hearing in self._listener.process(samples, self.now_s):
            yield from self._hear(hearing)
        if self.state is State.CAPTURING and self.now_s >= self._capture_until_s:
            yield from self._recognize("buffer full of music")

    def _hear(self, hearing: Hearing) -> Iterator[Event]:
        data: dict[str, Any] = {
            "probability": round(hearing.probability, 4),
            "smoothed": round(hearing.smoothed, 4),
            "gate_is_open": hearing.gate_is_open,
        }
        yield Event(self.now_s, EventKind.PROBABILITY, data)
        if not hearing.gate_is_open:
            self._skip_told = False
            if self.now_s - self._gate_open_at_s > self._config.music_gap_s:
                self._same_song_until_s = 0.0
            return
        self._gate_open_at_s = self.now_s
        if self.state is State.COOLING_DOWN and not self._skip_told:
            self._skip_told = True
            # The song just recognized going on is no news; music after a silence that is not looked up is.
            if self.now_s >= self._same_song_until_s:
                yield Event(self.now_s, EventKind.SKIPPED, {"reason": "cool_down"})
        elif self.state is State.LISTENING:
            if self.now_s < self._same_song_until_s:
                if not self._same_song_told:
                    self._same_song_told = True
                    data = {"reason": "same_song", "until_s": round(self._same_song_until_s, 2)}
                    yield Event(self.now_s, EventKind.SKIPPED, data)
                return
            music_since_s = hearing.music_since_s if hearing.music_since_s is not None else self.now_s
            full_at_s = music_since_s - self._config.onset_in_window_s + self._config.buffer_s
            self._capture_until_s = min(max(full_at_s, self.now_s), self.now_s + self._config.max_capture_s)
            yield self._change(State.CAPTURING, "music")

    def _recognize(self, reason: str) -> Iterator[Event]:
        yield self._change(State.RECOGNIZING, reason)
        buffer_s = self._ring.filled_s
        data = answer_data(self._recognizer.recognize(self._ring.read()))
        duration_s: float | None = data.pop("duration_s", None)
        data["buffer_s"] = buffer_s
        if "track_id" in data:
            event = Event(self.now_s, EventKind.RECOGNIZED, data)
            self.history.add(event)
            if self._config.skips_same_song and duration_s is not None:
                rest_s = duration_s - data["offset_s"] - buffer_s
                self._same_song_until_s = self.now_s + min(rest_s, self._config.same_song_limit_s)
                self._same_song_told = False
            yield event
        else:
            self._same_song_until_s = 0.0
            yield Event(self.now_s, EventKind.UNKNOWN, data)
        self._cool_until_s = self.now_s + self._config.gate.cool_down_s
        self._skip_told = True
        yield self._change(State.COOLING_DOWN, "answered")

    def _forget(self) -> None:
        """Forget the sound: nothing heard before a pause may be used after it. The cool-down goes on."""
        self._listener.reset()
        self._ring.clear()
        self._capture_until_s = 0.0
        self._same_song_until_s = 0.0
        self._same_song_told = False
        self._skip_told = False
        self._gate_open_at_s = 0.0

    def _change(self, state: State, reason: str) -> Event:
        data: dict[str, Any] = {"from": str(self.state), "to": str(state), "reason": reason}
        self.state = state
        return Event(self.now_s, EventKind.STATE, data)
