"""A day in figures: usage, songs named, time to song with its parts, songs missed and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.days.day import DayRun
from simulator.days.plan import PlayedSong
from simulator.energy.costs import DAY_S
from simulator.energy.usage import Usage
from simulator.phone.events import Answered, Event, State, StateChange

__all__ = ["DayRecord", "Latency", "SongOutcome", "record_day"]


_LEAST_PLAYED_S = 8.0
"""A song of which the phone may listen to less was too short, or was played while it did not listen."""


class SongOutcome(StrEnum):
    """Outcome of a song of the database that was played."""

    NAMED = "named"
    NOT_LISTENED = "not listening"
    TOO_SHORT = "too short"
    GATE = "not detected"
    COOL_DOWN = "during the cool-down"
    MATCHER = "not accepted"


@dataclass(frozen=True, slots=True)
class Latency:
    """From the first note to the name, in s: its parts one after the other.

    Attributes
    ----------
    detecting_s : float
        Until the gate opened; 0 where it was open already.
    waiting_s : float
        From then until the capture that named it: cool-down, failed answers, a song that was taken to go on.
    filling_s, answering_s : float
        The buffer's filling, with early looks that found nothing; the processor's answer.
    """

    detecting_s: float
    waiting_s: float
    filling_s: float
    answering_s: float

    @property
    def total_s(self) -> float:
        """From the first note to the name."""
        return self.detecting_s + self.waiting_s + self.filling_s + self.answering_s


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRecord:
    """A day in figures.

    Attributes
    ----------
    scenario : str
    usage : Usage
        Any cost model can price it.
    n_songs : int
        Songs of the database that were played.
    n_wrong : int
        Answers that named another song than the one that played.
    song_outcomes : mapping of SongOutcome to int
    latencies : sequence of Latency
    music_s : float, seconds
        Time with music from outside the phone.
    """

    scenario: str
    usage: Usage
    n_songs: int
    n_wrong: int
    song_outcomes: Mapping[SongOutcome, int]
    latencies: Sequence[Latency]
    music_s: float


def record_day(scenario: str, run: DayRun) -> DayRecord:
    """Reduce a day's events to figures.

    Parameters
    ----------
    scenario : str
    run : DayRun
    """
    answers = [event for event in run.events if isinstance(event, Answered)]
    song_outcomes, latencies = _song_outcomes(run, answers)
    return DayRecord(
        scenario=scenario,
        usage=_usage(run),
        n_songs=sum(song.known for song in run.plan.songs),
        n_wrong=sum(one.answer.match is not None and not one.answer.is_right for one in answers),
        song_outcomes=song_outcomes,
        latencies=latencies,
        music_s=run.plan.music_s(),
    )


def _usage(run: DayRun) -> Usage:
    """Return the usage, with the quiet and the expected runs of the detector's second stage while the phone listens."""
    usage, pauses = Usage.of_events(run.events), _pauses(run.events)

    def listened_s(seconds: Callable[[float, float], float]) -> float:
        return max(0.0, seconds(0.0, DAY_S) - sum(seconds(start_s, end_s) for start_s, end_s in pauses))

    quiet_s = listened_s(run.plan.quiet_s)
    if not run.second_stage_per_h:
        return replace(usage, quiet_s=quiet_s)
    music_s = listened_s(run.plan.music_s)
    seconds = {"music": music_s, "quiet": quiet_s, "other": max(0.0, usage.listened_s - music_s - quiet_s)}
    n_runs = {kind: run.second_stage_per_h[kind] * kind_s / 3600 for kind, kind_s in seconds.items()}
    return replace(
        usage,
        quiet_s=quiet_s,
        n_second_stage_runs=sum(n_runs.values()),
        n_second_stage_runs_in_quiet=n_runs["quiet"],
    )


def _song_outcomes(run: DayRun, answers: Sequence[Answered]) -> tuple[dict[SongOutcome, int], list[Latency]]:
    by_song: dict[int, list[Answered]] = {}
    for event in answers:
        if event.answer.song is not None:
            by_song.setdefault(event.answer.song, []).append(event)
    captures_s = [
        event.time_s
        for event in run.events
        # A capture that goes on after an early look has begun before.
        if isinstance(event, StateChange) and event.after is State.CAPTURING and event.before is State.LISTENING
    ]
    pauses = _pauses(run.events)
    counts = dict.fromkeys(SongOutcome, 0)
    latencies = []
    for song in run.plan.songs:
        if not song.known:
            continue
        asked = by_song.get(song.number, [])
        named = next((event for event in asked if event.answer.is_right), None)
        if named is not None:
            latencies.append(_latency(run, song, named, captures_s))
            counts[SongOutcome.NAMED] += 1
        else:
            counts[_why_missed(run, song, asked=bool(asked), pauses=pauses)] += 1
    return counts, latencies


def _latency(run: DayRun, song: PlayedSong, named: Answered, captures_s: Sequence[float]) -> Latency:
    asked_at_s = named.asked_at_s
    capture_s = max((s for s in captures_s if s <= asked_at_s), default=asked_at_s)
    opened_s = next(
        (
            change.time_s
            for change, closed in zip(run.gate[::2], run.gate[1::2], strict=True)
            if closed.time_s > song.start_s and change.time_s <= capture_s
        ),
        song.start_s,
    )
    detected_s = max(song.start_s, opened_s)
    began_s = max(detected_s, capture_s)
    return Latency(
        detecting_s=detected_s - song.start_s,
        waiting_s=began_s - detected_s,
        filling_s=max(0.0, asked_at_s - began_s),
        answering_s=named.time_s - asked_at_s,
    )


def _why_missed(run: DayRun, song: PlayedSong, *, asked: bool, pauses: Sequence[tuple[float, float]]) -> SongOutcome:
    if asked:
        return SongOutcome.MATCHER
    length_s = song.end_s - song.start_s
    missed_s = sum(max(0.0, min(song.end_s, end_s) - max(song.start_s, start_s)) for start_s, end_s in pauses)
    if length_s - missed_s < _LEAST_PLAYED_S:
        return SongOutcome.NOT_LISTENED if missed_s else SongOutcome.TOO_SHORT
    pairs = zip(run.gate[::2], run.gate[1::2], strict=True)
    if run.gate and not any(opened.time_s < song.end_s and closed.time_s > song.start_s for opened, closed in pairs):
        return SongOutcome.GATE
    return SongOutcome.COOL_DOWN


def _pauses(events: Sequence[Event]) -> list[tuple[float, float]]:
    pauses, since_s = [], None
    for event in events:
        if not isinstance(event, StateChange):
            continue
        if event.after is State.PAUSED:
            since_s = event.time_s
        elif since_s is not None:
            pauses.append((since_s, event.time_s))
            since_s = None
    return pauses
