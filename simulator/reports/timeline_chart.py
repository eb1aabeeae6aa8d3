"""A run on one picture: the scene's sounds, P(music), the phone's states and the songs, as inline SVG in strips."""

from collections.abc import Iterator
from html import escape

from simulator.phone.events import Answered, MusicProbability, State, StateChange
from simulator.reports.strips import (
    LABEL_HEIGHT,
    Label,
    Layout,
    Strip,
    in_layouts,
    label_rows,
    labels_svg,
    strips,
    ticks,
)
from simulator.result import SimulationResult

__all__ = ["TIMELINE_LEGEND", "timeline_chart"]

_LANE, _PROBABILITY_HEIGHT, _STATE_HEIGHT = 22.0, 84.0, 22.0
_FLAT = 0.003  # a change of probability that no eye sees

TIMELINE_LEGEND = (
    ("box", "listening", "listening", "the DSP listens, the processor sleeps"),
    ("box", "capturing", "capturing", "the buffer fills"),
    ("box", "recognizing", "recognizing", "the processor is awake"),
    ("box", "cooling_down", "cooling down", "music is not looked up"),
    ("box", "paused", "paused", "the DSP is off"),
    ("line", "raw", "P(music)", "of each window"),
    ("thick", "smoothed", "smoothed P(music)", "the gate's average"),
    ("dashed", "threshold", "the gate's thresholds", "to open (upper) and to close (lower)"),
    ("named", "ink", "wake-up that named a song", ""),
    ("unknown", "ink", "wake-up without a name", ""),
)
"""Shape, colour, name and meaning of everything in the picture."""


def timeline_chart(result: SimulationResult) -> str:
    """Return the scene's sounds, P(music), the phone's states and the songs over time."""

    def draw(layout: Layout) -> Iterator[str]:
        for strip in strips(result.duration_s, layout):
            yield from _strip(result, strip)

    return in_layouts(draw)


def _strip(result: SimulationResult, strip: Strip) -> Iterator[str]:
    kinds = list(dict.fromkeys(str(one.sound.kind) for one in result.scene_results))
    probability_top = 12.0 + _LANE * len(kinds)
    state_top = probability_top + _PROBABILITY_HEIGHT + 14
    labels_top = state_top + _STATE_HEIGHT + 16
    answers = [one for one in result.events if isinstance(one, Answered) and strip.has(one.time_s)]
    named = [Label(one.time_s, one.answer.match.track.title) for one in answers if one.answer.match is not None]
    placed = label_rows(named, strip)
    axis = labels_top + LABEL_HEIGHT * (1 + max((row for *_, row in placed), default=-1)) + 4
    title = f"{result.source}: sounds, probability of music, states and songs from {strip.start_s / 60:.0f} to "
    yield (
        f"<svg class='strip' viewBox='0 0 {strip.layout.width:g} {axis + 24:g}' role='img'>"
        f"<title>{escape(title)}{strip.end_s / 60:.0f} min</title>"
    )
    yield from _scene_lanes(result, strip, kinds)
    yield from _probability_lane(result, strip, probability_top)
    yield from _state_lane(result, strip, state_top)
    yield from labels_svg(placed, strip, labels_top)
    for one in answers:
        yield _mark(strip.x(one.time_s), state_top + _STATE_HEIGHT + 8, is_named=one.answer.match is not None)
    yield from ticks(strip, axis)
    yield "</svg>"


def _mark(x: float, y: float, *, is_named: bool) -> str:
    if is_named:
        return f"<path d='M{x - 5:.1f} {y - 5:g}h10l-5 9z' fill='var(--ink)'/>"
    return f"<circle cx='{x:.1f}' cy='{y:g}' r='4' fill='none' stroke='var(--ink)' stroke-width='1.5'/>"


def _scene_lanes(result: SimulationResult, strip: Strip, kinds: list[str]) -> Iterator[str]:
    for row, kind in enumerate(kinds):
        top = 4 + _LANE * row
        yield f"<text x='0' y='{top + 13:g}'>{kind}</text>"
        for one in result.scene_results:
            sound = one.sound
            if str(sound.kind) == kind and strip.meets(sound.start_s, sound.end_s):
                left, right = strip.x(sound.start_s), strip.x(sound.end_s)
                yield (
                    f"<rect x='{left:.1f}' y='{top:g}' width='{right - left:.1f}' height='17' rx='3' "
                    f"fill='var(--scene)'><title>{escape(sound.label)}: {escape(sound.recording)}</title></rect>"
                )


def _probability_lane(result: SimulationResult, strip: Strip, top: float) -> Iterator[str]:
    bottom, layout = top + _PROBABILITY_HEIGHT, strip.layout
    yield f"<text x='0' y='{top + _PROBABILITY_HEIGHT / 2 + 4:g}'>P(music)</text>"
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _PROBABILITY_HEIGHT
        yield f"<line x1='{layout.left:g}' x2='{strip.line_end:.1f}' y1='{y:g}' y2='{y:g}' stroke='var(--line)'/>"
        if share != 0.5:
            yield f"<text x='{layout.left - 5:g}' y='{y + 4:g}' text-anchor='end'>{share:g}</text>"
    for key, style in (
        ("probability", "stroke='var(--raw)' stroke-width='.9'"),
        ("smoothed", "stroke='var(--smoothed)' stroke-width='2'"),
    ):
        for run in _runs(result, strip):
            points = _thinned([(one.time_s, float(getattr(one, key))) for one in run])
            drawn = " ".join(f"{strip.x(t):.1f},{bottom - p * _PROBABILITY_HEIGHT:.1f}" for t, p in points)
            yield f"<polyline fill='none' {style} points='{drawn}'/>"
    for name in ("enter_threshold", "leave_threshold"):
        y = bottom - getattr(result.gate, name) * _PROBABILITY_HEIGHT
        yield (
            f"<line class='threshold' x1='{layout.left:g}' x2='{strip.line_end:.1f}' y1='{y:.1f}' y2='{y:.1f}' "
            "stroke='var(--threshold)' stroke-dasharray='5 4'/>"
        )


def _runs(result: SimulationResult, strip: Strip) -> list[list[MusicProbability]]:
    """Return the probability track in runs, broken where the phone did not listen."""
    runs: list[list[MusicProbability]] = [[]]
    for event in result.events:
        if isinstance(event, MusicProbability) and strip.meets(event.time_s - 1, event.time_s + 1):
            runs[-1].append(event)
        elif isinstance(event, StateChange) and event.after is State.PAUSED:
            runs.append([])
    return [run for run in runs if run]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a line without the points in the middle of a flat part."""
    last = len(points) - 1
    return [
        (time_s, value)
        for i, (time_s, value) in enumerate(points)
        if i in {0, last} or max(abs(points[i - 1][1] - value), abs(points[i + 1][1] - value)) >= _FLAT
    ]


def _state_lane(result: SimulationResult, strip: Strip, top: float) -> Iterator[str]:
    yield f"<text x='0' y='{top + 15:g}'>phone</text>"
    changes = [event for event in result.events if isinstance(event, StateChange)]
    ends_s = [event.time_s for event in changes[1:]] + [result.duration_s]
    for event, end_s in zip(changes, ends_s, strict=False):
        state = event.after
        if state is State.OFF or not strip.meets(event.time_s, end_s):
            continue
        left = strip.x(event.time_s)
        # A wake-up of half a second is seen too.
        width = max(strip.x(end_s) - left, 1.5 if state is State.RECOGNIZING else 0.0)
        yield (
            f"<rect x='{left:.1f}' y='{top:g}' width='{width:.1f}' height='{_STATE_HEIGHT:g}' fill='var(--{state})'>"
            f"<title>{state.replace('_', ' ')}</title></rect>"
        )
