"""A run on one picture: the scene's sounds, P(music), the phone's states and the songs, as inline SVG."""

from collections.abc import Callable, Iterator
from html import escape

from simulator.phone.events import Answered, MusicProbability, State, StateChange
from simulator.run import SimulationResult

__all__ = ["timeline_chart"]

_WIDTH, _LEFT, _RIGHT = 1000.0, 90.0, 10.0
_TRUTH_TOP, _PROBABILITY_TOP, _STATE_TOP, _BOTTOM = 10.0, 84.0, 210.0, 262.0
_PROBABILITY_HEIGHT, _STATE_HEIGHT = 110.0, 26.0
_TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400)


def timeline_chart(result: SimulationResult) -> str:
    """Return the scene's sounds, P(music), the phone's states and the songs over time."""
    duration_s = max(result.duration_s, 1e-3)
    scale = (_WIDTH - _LEFT - _RIGHT) / duration_s

    def x(time_s: float) -> float:
        return _LEFT + scale * min(max(time_s, 0.0), duration_s)

    title = f"<title>{escape(result.source)}: sounds, probability of music, states and songs over time</title>"
    parts = [
        f"<svg viewBox='0 0 {_WIDTH:g} 310' role='img'>{title}",
        *_truth_lane(result, x_of=x),
        *_probability_lane(result, x_of=x),
        *_state_lane(result, x_of=x),
        *_ticks(duration_s, x_of=x),
        "</svg>",
    ]
    return "".join(parts)


def _truth_lane(result: SimulationResult, *, x_of: Callable[[float], float]) -> Iterator[str]:
    rows = {"music": 0, "speech": 1, "noise": 2}
    for kind, row in rows.items():
        sounds = [one.sound for one in result.scene_results if str(one.sound.kind) == kind]
        top = _TRUTH_TOP + 22 * row
        if result.scene_results:
            yield f"<text x='0' y='{top + 13}'>{kind}</text>"
        for sound in sounds:
            left, width = x_of(sound.start_s), x_of(sound.end_s) - x_of(sound.start_s)
            yield (
                f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='18' rx='3' fill='var(--{kind})' "
                f"opacity='.75'><title>{escape(sound.label)}: {escape(sound.recording)}</title></rect>"
            )


def _probability_lane(result: SimulationResult, *, x_of: Callable[[float], float]) -> Iterator[str]:
    bottom = _PROBABILITY_TOP + _PROBABILITY_HEIGHT
    yield f"<text x='0' y='{_PROBABILITY_TOP + _PROBABILITY_HEIGHT / 2}'>P(music)</text>"
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _PROBABILITY_HEIGHT
        yield f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y}' y2='{y}' stroke='var(--line)'/>"
        yield f"<text x='{_LEFT - 6}' y='{y + 4}' text-anchor='end'>{share:g}</text>"
    for key, style in (
        ("probability", "stroke='var(--soft)' stroke-width='.8'"),
        ("smoothed", "stroke='var(--music)' stroke-width='2'"),
    ):
        for run in _runs(result):
            points = " ".join(
                f"{x_of(one.time_s):.1f},{bottom - round(getattr(one, key), 4) * _PROBABILITY_HEIGHT:.1f}"
                for one in run
            )
            yield f"<polyline fill='none' {style} points='{points}'/>"


def _runs(result: SimulationResult) -> list[list[MusicProbability]]:
    """Return the probability track in runs, broken where the phone did not listen."""
    runs: list[list[MusicProbability]] = [[]]
    for event in result.events:
        if isinstance(event, MusicProbability):
            runs[-1].append(event)
        elif isinstance(event, StateChange) and event.after is State.PAUSED:
            runs.append([])
    return [run for run in runs if run]


def _state_lane(result: SimulationResult, *, x_of: Callable[[float], float]) -> Iterator[str]:
    yield f"<text x='0' y='{_STATE_TOP + 17}'>phone</text>"
    changes = [event for event in result.events if isinstance(event, StateChange)]
    ends_s = [event.time_s for event in changes[1:]] + [result.duration_s]
    for event, end_s in zip(changes, ends_s, strict=False):
        state = event.after
        width = x_of(end_s) - x_of(event.time_s)
        if state is not State.OFF and width > 0:
            yield (
                f"<rect x='{x_of(event.time_s):.1f}' y='{_STATE_TOP}' width='{width:.1f}' height='{_STATE_HEIGHT}' "
                f"fill='var(--{state})'><title>{state.replace('_', ' ')}</title></rect>"
            )
    for answered in (event for event in result.events if isinstance(event, Answered)):
        x, match = x_of(answered.time_s), answered.answer.match
        # A label that would leave the picture on the right hangs to the left of its mark.
        anchor = "end" if x > 0.85 * _WIDTH else "start"
        yield (
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_STATE_TOP - 4}' y2='{_STATE_TOP + _STATE_HEIGHT + 4}' "
            "stroke='var(--recognizing)' stroke-width='3'/>"
            f"<text x='{x:.1f}' y='{_STATE_TOP + _STATE_HEIGHT + 18}' text-anchor='{anchor}'>"
            f"{escape('unknown' if match is None else match.track.title)}</text>"
        )


def _ticks(duration_s: float, *, x_of: Callable[[float], float]) -> Iterator[str]:
    step_s = next((one for one in _TICKS_S if duration_s / one <= 12), _TICKS_S[-1])
    y = _BOTTOM + 12
    yield f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y}' y2='{y}' stroke='var(--soft)'/>"
    for index in range(int(duration_s // step_s) + 1):
        time_s = index * step_s
        label = f"{time_s // 60}:{time_s % 60:02d}"
        yield f"<line x1='{x_of(time_s):.1f}' x2='{x_of(time_s):.1f}' y1='{y}' y2='{y + 5}' stroke='var(--soft)'/>"
        anchor = "end" if x_of(time_s) > _WIDTH - 3 * _RIGHT else "middle"
        yield f"<text x='{x_of(time_s):.1f}' y='{y + 19}' text-anchor='{anchor}'>{label}</text>"
