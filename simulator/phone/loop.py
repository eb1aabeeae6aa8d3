"""The low-power loop as a SimPy process: listen on the DSP, wake, name the song from what the buffer holds, rest."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import simpy

from simulator.phone.capture import Capture
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answer, Answered, Event, Looked, Skipped, State, StateChange

__all__ = ["Answering", "PhoneLoop"]


class Answering(Protocol):
    """The application processor's side of the loop: real models on a real buffer, or their measured error rates."""

    def answer(self, now_s: float, newest_s: float | None = None) -> Answer:
        """Return the answer to the buffer that ends now, or to its newest seconds alone."""
        ...

    def takes_s(self, answer: Answer) -> float:
        """Return how long an answer keeps the processor busy on the phone's clock, in s."""
        ...


class PhoneLoop:
    """The phone's states over time, driven by the detector's gate.

    Parameters
    ----------
    env : simpy.Environment
        Its clock counts seconds.
    answering : Answering
    config : PhoneConfig
    on_event : callable
        Called with every event as it happens.

    Attributes
    ----------
    state : State
    """

    def __init__(
        self, env: simpy.Environment, answering: Answering, config: PhoneConfig, on_event: Callable[[Event], None]
    ) -> None:
        self._env = env
        self._answering = answering
        self._config = config
        self._emit = on_event
        self._gate_changed = env.event()
        self._gate_is_open = False
        self._gate_closed_at_s = 0.0
        self._music_ended_at_s: float | None = None
        self._rest_ended = env.event()
        self._music_since_s = 0.0
        self._cool_until_s = 0.0
        self._same_song_until_s = 0.0
        self._same_song_reported = False
        self._skip_reported = False
        self._captures_afresh = False
        self._n_unknown = 0
        self._asked_at_s = 0.0
        self._sound_has_ended = False
        self._pause_reason: str | None = None
        self._may_listen = env.event()
        self.state = State.OFF
        self._process: simpy.Process | None = None

    def switch_on(self) -> None:
        """Begin to listen."""
        self._change(State.LISTENING, "switched on")
        self._process = self._env.process(self._live())

    def switch_off(self, reason: str) -> None:
        """Stop listening for good."""
        if self.state is not State.OFF:
            self._change(State.OFF, reason)
            if self._process is not None and self._process.is_alive:
                self._process.interrupt("off")

    def update_gate(self, *, is_open: bool, music_since_s: float | None = None) -> None:
        """Take in the present state of the detector's gate.

        Parameters
        ----------
        is_open : bool
        music_since_s : float or None, seconds
            When the first window of this run of music was complete; None stands for now.
        """
        now_s = self._env.now
        if self.state is State.PAUSED:
            return
        if not is_open:
            if self._gate_is_open:
                self._gate_closed_at_s = self._music_ended_at_s = now_s
            self._gate_is_open = False
            self._skip_reported = False
            if now_s - self._gate_closed_at_s > self._config.music_gap_s:
                self._end_song()
            return
        if not self._gate_is_open and now_s - self._gate_closed_at_s > self._config.music_gap_s:
            self._end_song()
        self._music_since_s = music_since_s if music_since_s is not None else now_s
        if not self._gate_is_open:
            self._gate_is_open = True
            self._notify()
            if self.state is State.COOLING_DOWN and self._is_new_music():
                self._cool_until_s = now_s
                if not self._rest_ended.triggered:
                    self._rest_ended.succeed()
                return
        if self.state is State.COOLING_DOWN and not self._skip_reported:
            self._skip_reported = True
            # The song just recognized going on is no news; music after a silence that is not looked up is.
            if now_s >= self._same_song_until_s:
                self._emit(Skipped(time_s=now_s, reason="cool_down"))

    def pause(self, reason: str) -> None:
        """Stop listening for a while; an answer under way is finished first."""
        self._pause_reason = reason
        if self.state in {State.LISTENING, State.CAPTURING, State.COOLING_DOWN} and self._process is not None:
            self._change(State.PAUSED, reason)
            self._process.interrupt("pause")

    def resume(self) -> None:
        """Listen again."""
        if self._pause_reason is not None:
            self._pause_reason = None
            if self.state is State.PAUSED:
                # The state changes at once; the process finds it when it runs.
                is_cool = self._env.now >= self._cool_until_s
                self._change(State.LISTENING if is_cool else State.COOLING_DOWN, "may listen again")
                if not self._may_listen.triggered:
                    self._may_listen.succeed()

    def end_capture(self) -> None:
        """End a capture with the present buffer, because the sound has ended; a look under way is finished first."""
        if self.state in {State.CAPTURING, State.RECOGNIZING}:
            self._sound_has_ended = True
        if self.state is State.CAPTURING and self._process is not None:
            self._process.interrupt("end of the sound")

    def _live(self) -> Generator[simpy.Event, Any, None]:
        while self.state is not State.OFF:
            try:
                if self.state is State.COOLING_DOWN:
                    yield from self._cool_down()
                yield from self._listen()
                yield from self._capture()
                if self._pause_reason is not None:
                    self._change(State.PAUSED, self._pause_reason)
                    yield from self._stay_paused()
            except simpy.Interrupt as interrupt:
                if interrupt.cause == "off":
                    return
                yield from self._stay_paused()

    def _listen(self) -> Generator[simpy.Event, Any, None]:
        while True:
            now_s = self._env.now
            if self._gate_is_open:
                if now_s >= self._same_song_until_s:
                    # After a song that was left alone the buffer is to hold the next one, not its end.
                    self._captures_afresh = self._music_since_s < self._same_song_until_s
                    return
                if not self._same_song_reported:
                    self._same_song_reported = True
                    until_s = round(self._same_song_until_s, 2)
                    self._emit(Skipped(time_s=now_s, reason="same_song", until_s=until_s))
                yield self._env.timeout(self._same_song_until_s - now_s) | self._next_gate_change()
            else:
                yield self._next_gate_change()

    def _capture(self) -> Generator[simpy.Event, Any, None]:
        """Fill the buffer and ask; early looks that find nothing go before the answer that ends a wake-up."""
        self._sound_has_ended = False
        is_afresh = self._config.captures_afresh or self._captures_afresh
        capture = Capture.plan(self._config, self._env.now, self._music_since_s, is_afresh=is_afresh)
        reason = "music"
        for look_at_s in capture.early_looks_s:
            if look_at_s < self._env.now:
                continue  # the look before took so long
            self._change(State.CAPTURING, reason)
            if (yield from self._fill(look_at_s)):
                break
            answer = yield from self._ask("music in the buffer", self._env.now - capture.began_s)
            if answer.match is not None:
                self._take(answer)
                return
            self._emit(Looked(time_s=self._env.now, asked_at_s=self._asked_at_s, answer=answer))
            if self._pause_reason is not None:
                return
            reason = "nothing found yet"
        else:
            self._change(State.CAPTURING, reason)
            yield from self._fill(capture.until_s)
        self._take((yield from self._ask("end of the sound" if self._sound_has_ended else "buffer full of music")))

    def _fill(self, until_s: float) -> Generator[simpy.Event, Any, bool]:
        """Wait until a time; return whether the sound ended before."""
        if not self._sound_has_ended:
            try:
                yield self._env.timeout(max(0.0, until_s - self._env.now))
            except simpy.Interrupt as interrupt:
                if interrupt.cause != "end of the sound":
                    raise
        return self._sound_has_ended

    def _ask(self, reason: str, newest_s: float | None = None) -> Generator[simpy.Event, Any, Answer]:
        """Wake the processor for an answer to the buffer, or to its newest seconds."""
        self._change(State.RECOGNIZING, reason)
        self._asked_at_s = self._env.now
        answer = self._answering.answer(self._env.now, newest_s)
        busy_s = self._answering.takes_s(answer)
        if busy_s > 0:
            yield self._env.timeout(busy_s)
        return answer

    def _take(self, answer: Answer) -> None:
        """End a wake-up with its answer, and rest."""
        match, asked_at_s = answer.match, self._asked_at_s
        if match is not None:
            self._n_unknown = 0
            if self._config.skips_same_song and match.track.duration_s > 0:
                rest_s = match.track.duration_s - match.offset_s - answer.buffer_s
                self._same_song_until_s = asked_at_s + min(rest_s, self._config.same_song_limit_s)
                self._same_song_reported = False
        else:
            self._n_unknown += 1
            self._same_song_until_s = 0.0
        self._emit(Answered(time_s=self._env.now, asked_at_s=asked_at_s, answer=answer))
        self._cool_until_s = self._env.now + self._config.rest_s(self._n_unknown)
        self._skip_reported = True
        self._change(State.COOLING_DOWN, "answered")

    def _cool_down(self) -> Generator[simpy.Event, Any, None]:
        reason = "cool-down over"
        if self._cool_until_s > self._env.now:
            self._rest_ended = self._env.event()
            yield self._env.timeout(self._cool_until_s - self._env.now) | self._rest_ended
            if self._rest_ended.triggered:
                reason = "new music"
        self._change(State.LISTENING, reason)

    def _is_new_music(self) -> bool:
        """Whether music that begins now follows a clear end of the music before; a pause is no such end."""
        gap_s, ended_s = self._config.rest_ends_after_gap_s, self._music_ended_at_s
        return gap_s is not None and ended_s is not None and self._env.now - ended_s >= gap_s

    def _stay_paused(self) -> Generator[simpy.Event, Any, None]:
        """Forget the sound: nothing recorded before a pause may be used after it. The cool-down goes on."""
        self._gate_is_open = False
        self._gate_closed_at_s = 0.0
        self._music_ended_at_s = None
        self._skip_reported = False
        self._end_song()
        self._same_song_reported = False
        while self.state is State.PAUSED:
            self._may_listen = self._env.event()
            try:
                yield self._may_listen
            except simpy.Interrupt as interrupt:
                if interrupt.cause == "off":
                    return

    def _end_song(self) -> None:
        self._same_song_until_s = 0.0
        self._n_unknown = 0

    def _next_gate_change(self) -> simpy.Event:
        self._gate_changed = self._env.event()
        return self._gate_changed

    def _notify(self) -> None:
        if not self._gate_changed.triggered:
            self._gate_changed.succeed()

    def _change(self, state: State, reason: str) -> None:
        before, self.state = self.state, state
        self._emit(StateChange(time_s=self._env.now, before=before, after=state, reason=reason))
