"""A day on one picture: places, songs, the phone's states and its battery."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from simulator.days.day import DayRun
from simulator.energy.costs import DAY_S
from simulator.phone.events import Answered, State, StateChange

__all__ = ["LEGEND", "day_chart"]

_WIDTH, _LEFT, _RIGHT = 1000.0, 90.0, 20.0
_SCENES, _MUSIC, _PHONE, _BATTERY, _AXIS = 10.0, 54.0, 98.0, 150.0, 232.0
_LANE, _BATTERY_HEIGHT = 26.0, 70.0
_SOUND_COLOURS = {
    "quiet": "var(--paused)",
    "speech": "var(--speech)",
    "noise": "var(--noise)",
    "speech in noise": "var(--capturing)",
}
_SONG_COLOURS = {"named": "var(--music)", "missed": "#d64545", "not in the database": "var(--soft)"}
LEGEND = (
    *_SOUND_COLOURS.items(),
    *((f"song {name}", colour) for name, colour in _SONG_COLOURS.items()),
    ("wake-up that named a song", "var(--recognizing)"),
    ("other wake-up", "var(--soft)"),
    ("not listening", "var(--paused)"),
)
"""Names and colours in the picture."""


def day_chart(run: DayRun) -> str:
    """Return the picture as SVG."""
    parts = [
        f"<svg viewBox='0 0 {_WIDTH:g} 262' role='img'><title>A day: scenes, songs, phone, battery</title>",
        *_scenes(run),
        *_songs(run),
        *_phone(run),
        *_battery(run),
        *_axis(),
        "</svg>",
    ]
    return "".join(parts)


def _x(time_s: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(time_s, 0.0), DAY_S) / DAY_S


def _box(start_s: float, end_s: float, top: float, colour: str, title: str, *, height: float = _LANE) -> str:
    left, width = _x(start_s), max(0.6, _x(end_s) - _x(start_s))
    return (
        f"<rect x='{left:.1f}' y='{top}' width='{width:.1f}' height='{height}' fill='{colour}'>"
        f"<title>{escape(title)}</title></rect>"
    )


def _scenes(run: DayRun) -> Iterator[str]:
    yield f"<text x='0' y='{_SCENES + 17}'>place</text>"
    for dwell in run.plan.dwells:
        title = f"{_clock(dwell.start_s)} {dwell.scene.title}, {dwell.scene.level_db:g} dB"
        yield _box(dwell.start_s, dwell.end_s, _SCENES, _SOUND_COLOURS[dwell.scene.sound], title)


def _songs(run: DayRun) -> Iterator[str]:
    yield f"<text x='0' y='{_MUSIC + 17}'>music</text>"
    named = {one.answer.song for one in run.events if isinstance(one, Answered) and one.answer.is_right}
    for song in run.plan.songs:
        outcome = "named" if song.number in named else "missed" if song.known else "not in the database"
        title = f"{_clock(song.start_s)} song {song.number + 1}, {outcome}, {song.snr_db:.0f} dB above the rest"
        yield _box(song.start_s, song.end_s, _MUSIC, _SONG_COLOURS[outcome], title)


def _phone(run: DayRun) -> Iterator[str]:
    yield f"<text x='0' y='{_PHONE + 17}'>phone</text>"
    yield _box(0.0, DAY_S, _PHONE, "var(--listening)", "listening")
    changes = [event for event in run.events if isinstance(event, StateChange)]
    for event, after in pairwise(changes):
        if event.after is State.PAUSED:
            reason = event.reason.replace("_", " ")
            yield _box(event.time_s, after.time_s, _PHONE, "var(--paused)", f"not listening: {reason}")
    for answered in (event for event in run.events if isinstance(event, Answered)):
        match, time_s = answered.answer.match, answered.time_s
        title = f"{_clock(time_s)} {match.track.title if match is not None else 'unknown'} ({answered.answer.cause})"
        colour = "var(--soft)" if match is None else "var(--recognizing)"
        top, height = (_PHONE + 4, _LANE - 8) if match is None else (_PHONE - 6, _LANE + 12)
        yield _box(time_s, time_s, top, colour, title, height=height)


def _battery(run: DayRun) -> Iterator[str]:
    bottom = _BATTERY + _BATTERY_HEIGHT
    yield f"<text x='0' y='{_BATTERY + 40}'>battery</text>"
    for percent in (0, 50, 100):
        y = bottom - percent / 100 * _BATTERY_HEIGHT
        yield f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y}' y2='{y}' stroke='var(--line)'/>"
        yield f"<text x='{_LEFT - 4}' y='{y + 4}' text-anchor='end'>{percent}</text>"
    places = [(_x(time_s), bottom - percent / 100 * _BATTERY_HEIGHT) for time_s, percent in run.charge]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f"<polyline fill='none' stroke='var(--accent)' stroke-width='2' points='{points}'/>"


def _axis() -> Iterator[str]:
    for hour in range(0, 25, 3):
        x = _x(3600.0 * hour)
        anchor = "end" if hour == 24 else "middle"
        yield f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_SCENES}' y2='{_AXIS}' stroke='var(--line)' stroke-width='.6'/>"
        yield f"<text x='{x:.1f}' y='{_AXIS + 16}' text-anchor='{anchor}'>{hour}:00</text>"


def _clock(time_s: float) -> str:
    minutes = int(time_s // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
