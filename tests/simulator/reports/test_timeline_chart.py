"""The timeline stays readable from six minutes to a whole evening: no text covers another, everything has a legend."""

from pathlib import Path
from typing import Any

import pytest

from nowplaying_core.text import clock
from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.energy.usage import Usage
from simulator.phone.events import Answer, Answered, Event, MusicProbability, State, StateChange
from simulator.phone.history import history_of
from simulator.provenance import Provenance
from simulator.reports.run_report import render_report
from simulator.reports.timeline_chart import TIMELINE_LEGEND, timeline_chart
from simulator.result import SimulationResult
from tests.simulator.bench import build_bench, build_costs
from tests.simulator.reports.browser import measure, needs_chromium

TITLES = (
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "A",
    "Symphony No. 9 in D minor, Op. 125: IV. Presto - Allegro assai",
    "夜に駆ける 長い題名の曲",
    "Für Elise",
    "The Dark Amulet",
)
# Boxes of all texts that are shown, by picture, and the picture's own box.
BOXES = """[...document.querySelectorAll('svg.strip')].filter(svg => svg.getBoundingClientRect().width > 0).map(svg => {
  const plain = box => ({left: box.left, right: box.right, top: box.top, bottom: box.bottom})
  return {picture: plain(svg.getBoundingClientRect()),
    texts: [...svg.querySelectorAll('text')].map(t => ({text: t.textContent, label: t.classList.contains('label'),
      ...plain(t.getBoundingClientRect())}))}
})"""


def make_run(duration_s: float, answers_s: list[float], *, unknown: int = 3) -> SimulationResult:
    """Return a run of a phone with an answer at each time, every ``unknown``-th without a name."""
    events: list[Event] = [StateChange(time_s=0.0, before=State.OFF, after=State.LISTENING, reason="test")]
    for number, time_s in enumerate(answers_s):
        for before, after, at_s in (
            (State.LISTENING, State.CAPTURING, time_s - 8),
            (State.CAPTURING, State.RECOGNIZING, time_s - 0.6),
        ):
            events.append(StateChange(time_s=max(0.0, at_s), before=before, after=after, reason="test"))
        match = None
        if number % unknown != unknown - 1:
            track = Track(track_id=f"{number:016x}", title=TITLES[number % len(TITLES)], artist="Nobody")
            match = Match(track=track, offset_s=1.0, score=0.9)
        events.append(Answered(time_s=time_s, asked_at_s=time_s, answer=Answer(buffer_s=8.0, match=match)))
        after = State.COOLING_DOWN
        events.append(StateChange(time_s=time_s, before=State.RECOGNIZING, after=after, reason="test"))
        back_s = min(duration_s, time_s + 20)
        events.append(StateChange(time_s=back_s, before=after, after=State.LISTENING, reason="test"))
    events += [
        MusicProbability(
            time_s=0.64 * i,
            probability=(i * 37 % 100) / 100,
            smoothed=(i % 200) / 200,
            gate_is_open=False,
            music_since_s=None,
        )
        for i in range(int(duration_s / 0.64))
    ]
    events.append(StateChange(time_s=duration_s, before=State.LISTENING, after=State.OFF, reason="end"))
    events.sort(key=lambda event: event.time_s)
    published, modelled = build_costs()
    return SimulationResult(
        source="a run",
        duration_s=duration_s,
        wall_s=1.0,
        events=events,
        usage=Usage.of_events(events),
        published=published,
        modelled=modelled,
        gate=build_bench().phone.config.gate,
        provenance=Provenance(command="test", models=(), database="none", device="none"),
    )


RUNS = {
    "six minutes": make_run(360.0, [20.0 + 60 * i for i in range(6)]),
    "41 minutes, 17 wake-ups": make_run(2460.0, [62.0 + 70 * i + (i % 3) * 5 for i in range(16)] + [2459.0]),
    "six hours": make_run(21_600.0, [100.0 + 75.0 * i for i in range(280)]),
    "six hours, sparse": make_run(21_600.0, [4000.0, 12_345.0]),
    "a minute without a wake-up": make_run(60.0, []),
}


@needs_chromium
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_no_text_covers_another(tmp_path: Path, name: str, width: int) -> None:
    run = RUNS[name]
    path = tmp_path / "run.html"
    path.write_text(render_report(run), encoding="utf-8")
    pictures: list[dict[str, Any]] = measure(path, width, BOXES)
    labels = 0
    for picture in pictures:
        texts, frame = picture["texts"], picture["picture"]
        labels += sum(one["label"] for one in texts)
        for i, one in enumerate(texts):
            assert frame["left"] - 1 <= one["left"] < one["right"] <= frame["right"] + 1, one
            assert frame["top"] - 1 <= one["top"] < one["bottom"] <= frame["bottom"] + 1, one
            for other in texts[:i]:
                apart_x = one["right"] <= other["left"] + 0.5 or other["right"] <= one["left"] + 0.5
                apart_y = one["bottom"] <= other["top"] + 3 or other["bottom"] <= one["top"] + 3
                assert apart_x or apart_y, (name, width, one, other)
    assert labels == len(run.recognitions)


def test_a_long_run_is_wrapped_by_the_quarter_hour() -> None:
    assert timeline_chart(RUNS["six minutes"]).count("<svg") == 1 + 2
    assert timeline_chart(RUNS["41 minutes, 17 wake-ups"]).count("<svg") == 3 + 9
    assert timeline_chart(RUNS["six hours"]).count("<svg") == 24 + 72


def test_a_run_without_a_script_has_no_lanes_for_one() -> None:
    picture = timeline_chart(RUNS["six minutes"])
    for kind in (">music<", ">speech<", ">noise<"):
        assert kind not in picture
    assert "y='16.0'" not in picture


def test_the_legend_names_every_state_line_and_mark() -> None:
    page = render_report(RUNS["six minutes"])
    names = {name for _, _, name, _ in TIMELINE_LEGEND}
    shown = {str(state).replace("_", " ") for state in State} - {"off"}
    assert shown <= names
    assert {"P(music)", "smoothed P(music)", "the gate's thresholds"} <= names
    colours = [colour for shape, colour, *_ in TIMELINE_LEGEND if shape not in {"named", "unknown"}]
    assert len(set(colours)) == len(colours)
    for name in names:
        assert name.replace("'", "&#39;") in page
    # Two thresholds in each strip, wide and narrow.
    assert page.count("class='threshold'") == 2 * page.count("class='strip'")


def test_the_number_of_songs_is_that_of_the_table_below_it() -> None:
    run = RUNS["41 minutes, 17 wake-ups"]
    page = render_report(run)
    songs = len(history_of(run.events))
    table = page.partition('<h2 id="songs">')[2].partition("</table>")[0]
    assert table.count('<th scope="row">') == songs
    assert f"<b>{songs}</b>songs named" in page
    wakes = page.partition('<h2 id="answers">')[2].partition("</table>")[0]
    assert wakes.count('<th scope="row">') == run.usage.n_wakes == 17
    assert clock(2459.0) in wakes
