"""The phone on sound: detector and ring buffer on the DSP, real models on the processor, the loop between them."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import simpy
from numpy.typing import NDArray

from detector.stream import StreamingDetector
from nowplaying_core.audio import SAMPLE_RATE_HZ, mulaw, to_int16
from ondevice_db.recognizer import Recognizer
from simulator.phone.conditions import PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answer, Event, MusicProbability, State
from simulator.phone.listening import STEPS_PER_S, DspListener
from simulator.phone.loop import PhoneLoop
from simulator.phone.ring import MulawRing

__all__ = ["Phone"]

_STEP_SAMPLES = SAMPLE_RATE_HZ // STEPS_PER_S
_EARLY_ODDS = 10.0
"""How much higher the odds of a name have to be at an early look, because the last one may give a wrong name too."""
_EXACT_S = 1e-9  # sums of times are exact to a nanosecond only


class Phone:
    """A phone that listens for music; one object lives through one source.

    Parameters
    ----------
    detector : StreamingDetector
    recognizer : Recognizer
    config : PhoneConfig
    conditions : PhoneConditions
        When the phone must not listen.
    answer_s : float >= 0, seconds
        How long an answer keeps the processor busy on the clock of the sound, such as `CostModel.answer_s` of a device;
        0 for live sound, where the answer takes real time.
    """

    def __init__(
        self,
        detector: StreamingDetector,
        recognizer: Recognizer,
        config: PhoneConfig,
        conditions: PhoneConditions = PhoneConditions(),  # noqa: B008 (it is frozen)
        *,
        answer_s: float = 0.0,
    ) -> None:
        self.config = config
        self._listener = DspListener(detector, config.gate)
        self._conditions = conditions
        self._ring = MulawRing(config.buffer_s)
        self._env = simpy.Environment()
        self._events: list[Event] = []
        answers = _ModelAnswers(recognizer, self._ring, answer_s)
        self._loop = PhoneLoop(self._env, answers, config, self._events.append)
        self._pending = np.zeros(0, np.int16)
        self._n_steps = 0
        self._is_paused = False

    @property
    def state(self) -> State:
        """The loop's state."""
        return self._loop.state

    @property
    def now_s(self) -> float:
        """Seconds of sound since the source began, in whole 10 ms steps."""
        return _seconds(self._n_steps)

    @property
    def n_second_stage_runs(self) -> int:
        """How often the detector's second stage has run since the source began."""
        return self._listener.n_second_stage_runs

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
            yield from self.feed(to_int16(chunk))
        yield from self.finish()

    def feed(self, pcm: NDArray[np.int16]) -> Iterator[Event]:
        """Listen to one more chunk of any length: int16, mono at 16 kHz."""
        if self.state is State.OFF:
            self._loop.switch_on()
        pcm = np.concatenate([self._pending, pcm])
        n_steps, start = len(pcm) // _STEP_SAMPLES, 0
        while start < n_steps:
            reason = self._conditions.reason_at(_seconds(self._n_steps + 1))
            end = start + 1
            while end < n_steps and self._conditions.reason_at(_seconds(self._n_steps + 1 + end - start)) == reason:
                end += 1
            if reason is not None:
                self._be_paused(str(reason), end - start)
            else:
                self._listen(pcm[start * _STEP_SAMPLES : end * _STEP_SAMPLES])
            yield from self._new_events()
            start = end
        self._pending = pcm[n_steps * _STEP_SAMPLES :]

    def finish(self) -> Iterator[Event]:
        """End the source: a capture under way is recognized with the present buffer."""
        self._loop.end_capture()
        while self.state in {State.CAPTURING, State.RECOGNIZING}:
            self._env.step()
        self._loop.switch_off("end of the sound")
        yield from self._new_events()

    def _be_paused(self, reason: str, n_steps: int) -> None:
        self._pass_to(self._n_steps + 1)
        if not self._is_paused:
            # No sound from before a pause may be used after it.
            self._listener.reset()
            self._ring.clear()
            self._is_paused = True
        self._loop.pause(reason)
        self._pass_to(self._n_steps + n_steps - 1)

    def _listen(self, pcm: NDArray[np.int16]) -> None:
        """Listen to a stretch of sound: each thing happens when it is due, with the buffer of that time."""
        first, codes = self._n_steps, mulaw.encode(pcm)
        if self._is_paused:
            self._is_paused = False
            self._pass_to(first + 1, codes[:_STEP_SAMPLES])
            self._loop.resume()
        for event in self._listener.process(pcm, _seconds(first)):
            self._pass_to(round(event.time_s * STEPS_PER_S), codes[(self._n_steps - first) * _STEP_SAMPLES :])
            self._decide(event)
        self._pass_to(first + len(codes) // _STEP_SAMPLES, codes[(self._n_steps - first) * _STEP_SAMPLES :])

    def _pass_to(self, step: int, codes: NDArray[np.uint8] | None = None) -> None:
        """Let time pass until the end of a step; the buffer fills with the sound meanwhile."""
        while self._n_steps < step or self._env.peek() <= self.now_s + _EXACT_S:
            due_s = min(self._env.peek() - _EXACT_S, _seconds(step))
            due_step = max(self._n_steps, min(step, math.ceil(due_s * STEPS_PER_S)))
            if codes is not None:
                n_samples = (due_step - self._n_steps) * _STEP_SAMPLES
                self._ring.write_codes(codes[:n_samples])
                codes = codes[n_samples:]
            self._n_steps = due_step
            while self._env.peek() <= self.now_s + _EXACT_S:
                self._env.step()
        if self.now_s > self._env.now:
            self._env.run(until=self.now_s)

    def _decide(self, event: MusicProbability) -> None:
        self._events.append(event)
        self._loop.update_gate(is_open=event.gate_is_open, music_since_s=event.music_since_s)
        self._pass_to(self._n_steps)

    def _new_events(self) -> list[Event]:
        events = self._events.copy()
        self._events.clear()
        return events


class _ModelAnswers:
    """Answers of the real models to the content of the ring buffer."""

    def __init__(self, recognizer: Recognizer, ring: MulawRing, answer_s: float) -> None:
        self._recognizer = recognizer
        self._ring = ring
        self._answer_s = answer_s

    def answer(self, now_s: float, newest_s: float | None = None) -> Answer:  # noqa: ARG002 - the buffer has no clock
        samples = self._ring.read(newest_s)
        found = self._recognizer.recognize(samples)
        return Answer(
            buffer_s=samples.size / SAMPLE_RATE_HZ,
            match=found.match if newest_s is None or found.is_sure(_EARLY_ODDS) else None,
            latency_ms=found.latency_ms,
            n_fingerprints=found.n_fingerprints,
        )

    def takes_s(self, answer: Answer) -> float:  # noqa: ARG002 - the device's time, not the desktop's
        return self._answer_s


def _seconds(n_steps: int) -> float:
    return n_steps / STEPS_PER_S
