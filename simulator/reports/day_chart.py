"""A day on one picture: places, songs, the phone's states and its battery."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from simulator.days.day import DayRun
from simulator.energy.costs import DAY_S
from simulator.phone.events import Answered, State, StateChange
from simulator.reports.strips import NARROW, Layout, Strip, in_layouts, strips, ticks

__all__ = ["DAY_LEGEND", "day_chart"]

_SCENES, _MUSIC, _PHONE, _BATTERY, _AXIS = 6.0, 46.0, 92.0, 146.0, 218.0
_LANE, _BATTERY_HEIGHT = 24.0, 60.0
_NARROW_STRIP_S = 6 * 3600 / NARROW.share
_SONGS = {"named": "named", "missed": "missed", "not in the database": "foreign"}
DAY_LEGEND = (
    ("box", "quiet", "quiet place", ""),
    ("box", "speech", "speech", ""),
    ("box", "noise", "noise", ""),
    ("box", "speech-in-noise", "speech in noise", ""),
    *(("box", colour, f"song {name}", "") for name, colour in _SONGS.items()),
    ("box", "listening", "listening", "the DSP is on"),
    ("box", "paused", "paused", "the DSP is off"),
    ("tall", "recognizing", "wake-up that named a song", ""),
    ("short", "recognizing", "other wake-up", ""),
    ("thick", "battery", "battery, %", "with everything else on the phone"),
)
"""Shape, colour, name and meaning of everything in the picture."""


def day_chart(run: DayRun) -> str:
    """Return the picture as SVG."""

    def draw(layout: Layout) -> Iterator[str]:
        for strip in strips(DAY_S, layout, strip_s=_NARROW_STRIP_S if layout is NARROW else DAY_S):
            yield (
                f"<svg class='strip' viewBox='0 0 {layout.width:g} {_AXIS + 24:g}' role='img'>"
                f"<title>A day from {strip.start_s / 3600:g} to {strip.end_s / 3600:g} h: places, songs, phone, "
                "battery</title>"
            )
            yield from _scenes(run, strip)
            yield from _songs(run, strip)
            yield from _phone(run, strip)
            yield from _battery(run, strip)
            yield from ticks(strip, _AXIS, most=12 if layout is not NARROW else 3)
            yield "</svg>"

    return in_layouts(draw)


def _box(
    strip: Strip, span_s: tuple[float, float], top: float, colour: str, title: str, *, height: float = _LANE
) -> Iterator[str]:
    start_s, end_s = span_s
    if strip.meets(start_s, max(end_s, start_s + 1)):
        left, width = strip.x(start_s), max(1.2, strip.x(end_s) - strip.x(start_s))
        yield (
            f"<rect x='{left:.1f}' y='{top:g}' width='{width:.1f}' height='{height:g}' fill='var(--{colour})'>"
            f"<title>{escape(title)}</title></rect>"
        )


def _scenes(run: DayRun, strip: Strip) -> Iterator[str]:
    yield f"<text x='0' y='{_SCENES + 16:g}'>place</text>"
    for dwell in run.plan.dwells:
        title = f"{_clock(dwell.start_s)} {dwell.scene.title}, {dwell.scene.level_db:g} dB"
        yield from _box(strip, (dwell.start_s, dwell.end_s), _SCENES, dwell.scene.sound.replace(" ", "-"), title)


def _songs(run: DayRun, strip: Strip) -> Iterator[str]:
    yield f"<text x='0' y='{_MUSIC + 16:g}'>music</text>"
    named = {one.answer.song for one in run.events if isinstance(one, Answered) and one.answer.is_right}
    for song in run.plan.songs:
        outcome = "named" if song.number in named else "missed" if song.known else "not in the database"
        title = f"{_clock(song.start_s)} song {song.number + 1}, {outcome}, {song.snr_db:.0f} dB above the rest"
        yield from _box(strip, (song.start_s, song.end_s), _MUSIC, _SONGS[outcome], title)


def _phone(run: DayRun, strip: Strip) -> Iterator[str]:
    yield f"<text x='0' y='{_PHONE + 16:g}'>phone</text>"
    yield from _box(strip, (0.0, DAY_S), _PHONE, "listening", "listening")
    changes = [event for event in run.events if isinstance(event, StateChange)]
    for event, after in pairwise(changes):
        if event.after is State.PAUSED:
            reason = event.reason.replace("_", " ")
            yield from _box(strip, (event.time_s, after.time_s), _PHONE, "paused", f"paused: {reason}")
    for answered in (event for event in run.events if isinstance(event, Answered)):
        match, time_s = answered.answer.match, answered.time_s
        title = f"{_clock(time_s)} {match.track.title if match is not None else 'unknown'} ({answered.answer.cause})"
        top, height = (_PHONE + 7, _LANE - 14) if match is None else (_PHONE - 7, _LANE + 14)
        yield from _box(strip, (time_s, time_s), top, "recognizing", title, height=height)


def _battery(run: DayRun, strip: Strip) -> Iterator[str]:
    bottom, left = _BATTERY + _BATTERY_HEIGHT, strip.layout.left
    yield f"<text x='0' y='{_BATTERY + _BATTERY_HEIGHT / 2 + 4:g}'>battery</text>"
    for percent in (0, 50, 100):
        y = bottom - percent / 100 * _BATTERY_HEIGHT
        yield f"<line x1='{left:g}' x2='{strip.line_end:.1f}' y1='{y:g}' y2='{y:g}' stroke='var(--line)'/>"
        if percent != 50:
            yield f"<text x='{left - 5:g}' y='{y + 4:g}' text-anchor='end'>{percent}</text>"
    inside = [one for one in run.charge if strip.meets(one[0] - 900, one[0] + 900)]
    points = " ".join(f"{strip.x(time_s):.1f},{bottom - p / 100 * _BATTERY_HEIGHT:.1f}" for time_s, p in inside)
    yield f"<polyline fill='none' stroke='var(--battery)' stroke-width='2' points='{points}'/>"


def _clock(time_s: float) -> str:
    minutes = int(time_s // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
