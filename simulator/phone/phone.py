"""The phone on sound: detector and ring buffer on the DSP, real models on the processor, the loop between them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_float32, to_int16
from simulator.phone.conditions import PhoneConditions, Situation
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Event, EventKind, State
from simulator.phone.history import History
from simulator.phone.listening import DspListener, MusicDetector, MusicProbability
from simulator.phone.loop import PhoneLoop
from simulator.phone.recognition import SongRecognizer, answer_data
from simulator.phone.ring import MulawRing

__all__ = ["Phone", "PhoneConfig"]

_STEPS_PER_S = 100
_STEP_SAMPLES = SAMPLE_RATE_HZ // _STEPS_PER_S
_EXACT_S = 1e-9  # sums of times are exact to a nanosecond only


class Phone:
    """A phone that listens for music; one object lives through one source.

    Parameters
    ----------
    detector : MusicDetector
    recognizer : SongRecognizer
    config : PhoneConfig
    situation : Situation
        Says when the phone must not listen; by default never.
    answer_s : float >= 0, seconds
        How long an answer keeps the processor busy on the clock of the sound, such as `CostModel.answer_s` of a device;
        0 where the sound is heard live and the answer takes real time.

    Attributes
    ----------
    history : History
        The songs recognized so far.
    """

    def __init__(
        self,
        detector: MusicDetector,
        recognizer: SongRecognizer,
        config: PhoneConfig,
        situation: Situation | None = None,
        *,
        answer_s: float = 0.0,
    ) -> None:
        self._listener = DspListener(detector, config.gate)
        self._situation = situation if situation is not None else PhoneConditions()
        self._ring = MulawRing(config.buffer_s)
        self._env = simpy.Environment()
        self._events: list[Event] = []
        self._loop = PhoneLoop(self._env, _Answers(recognizer, self._ring, answer_s), config, self._note)
        self._pending = np.zeros(0, np.int16)
        self._n_steps = 0
        self._is_paused = False
        self.history = History()

    @property
    def state(self) -> State:
        """What the phone is doing."""
        return self._loop.state

    @property
    def now_s(self) -> float:
        """Seconds of sound heard since the source began, in whole 10 ms steps."""
        return _seconds(self._n_steps)

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
            self._loop.switch_on()
        pcm = np.concatenate([self._pending, to_int16(samples)])
        codes = mulaw.encode(pcm)
        heard = to_float32(pcm)
        n_steps, start = len(pcm) // _STEP_SAMPLES, 0
        while start < n_steps:
            reason = self._situation.reason_at(_seconds(self._n_steps + 1))
            end = start + 1
            while end < n_steps and self._situation.reason_at(_seconds(self._n_steps + 1 + end - start)) == reason:
                end += 1
            part = slice(start * _STEP_SAMPLES, end * _STEP_SAMPLES)
            if reason is not None:
                self._be_paused(str(reason), end - start)
            else:
                self._listen(heard[part], codes[part])
            yield from self._new_events()
            start = end
        self._pending = pcm[n_steps * _STEP_SAMPLES :]

    def finish(self) -> Iterator[Event]:
        """End the source: a capture under way is recognized with what the buffer holds."""
        self._loop.hurry()
        while self.state in {State.CAPTURING, State.RECOGNIZING}:
            self._env.step()
        self._loop.switch_off("end of the sound")
        yield from self._new_events()

    def _be_paused(self, reason: str, n_steps: int) -> None:
        self._pass_to(self._n_steps + 1)
        if not self._is_paused:
            # Nothing heard before a pause may be used after it.
            self._listener.reset()
            self._ring.clear()
            self._is_paused = True
        self._loop.pause(reason)
        self._pass_to(self._n_steps + n_steps - 1)

    def _listen(self, samples: NDArray[np.float32], codes: NDArray[np.uint8]) -> None:
        """Hear a stretch of sound: what is due happens in it when it is due, with what the buffer holds by then."""
        first = self._n_steps
        if self._is_paused:
            self._is_paused = False
            self._pass_to(first + 1, codes[:_STEP_SAMPLES])
            self._loop.resume()
        for hearing in self._listener.process(samples, _seconds(first)):
            step = round(hearing.time_s * _STEPS_PER_S)
            self._pass_to(step, codes[(self._n_steps - first) * _STEP_SAMPLES :])
            self._hear(hearing)
        self._pass_to(first + len(codes) // _STEP_SAMPLES, codes[(self._n_steps - first) * _STEP_SAMPLES :])

    def _pass_to(self, step: int, codes: NDArray[np.uint8] | None = None) -> None:
        """Let time pass until the end of a step; the buffer fills with what is heard meanwhile."""
        while self._n_steps < step or self._env.peek() <= self.now_s + _EXACT_S:
            due_s = min(self._env.peek() - _EXACT_S, _seconds(step))
            due_step = max(self._n_steps, min(step, math.ceil(due_s * _STEPS_PER_S)))
            if codes is not None:
                n_samples = (due_step - self._n_steps) * _STEP_SAMPLES
                self._ring.write_codes(codes[:n_samples])
                codes = codes[n_samples:]
            self._n_steps = due_step
            while self._env.peek() <= self.now_s + _EXACT_S:
                self._env.step()
        if self.now_s > self._env.now:
            self._env.run(until=self.now_s)

    def _hear(self, hearing: MusicProbability) -> None:
        data: dict[str, Any] = {
            "probability": round(hearing.probability, 4),
            "smoothed": round(hearing.smoothed, 4),
            "gate_is_open": hearing.gate_is_open,
        }
        self._note(Event(self.now_s, EventKind.PROBABILITY, data))
        self._loop.hear(is_open=hearing.gate_is_open, music_since_s=hearing.music_since_s)
        self._pass_to(self._n_steps)

    def _note(self, event: Event) -> None:
        if event.kind is EventKind.RECOGNIZED:
            self.history.add(event)
        self._events.append(event)

    def _new_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events


class _Answers:
    """Real models on what the ring buffer holds."""

    def __init__(self, recognizer: SongRecognizer, ring: MulawRing, answer_s: float) -> None:
        self._recognizer = recognizer
        self._ring = ring
        self._answer_s = answer_s

    def answer(self, now_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - the buffer knows no clock
        buffer_s = self._ring.filled_s
        return answer_data(self._recognizer.recognize(self._ring.read())) | {"buffer_s": buffer_s}

    def takes_s(self, data: Mapping[str, Any]) -> float:  # noqa: ARG002 - the device's time, not the desktop's
        return self._answer_s


def _seconds(n_steps: int) -> float:
    return n_steps / _STEPS_PER_S
