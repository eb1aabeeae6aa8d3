"""Tables and the HTML report: complete, self-contained, and safe against hostile titles."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from detector.stream import Decision
from simulator.days.study import Study
from simulator.days.summary import summarise
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.work import DatabaseSize
from simulator.phone.conditions import Condition, PauseReason, PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answered, MusicProbability
from simulator.phone.phone import Phone
from simulator.reports.run_report import render_report, write_report
from simulator.reports.timeline import energy_rows, run_tables
from simulator.result import SimulationResult
from simulator.run import run_phone
from simulator.scenes.scene import Scene, Sound, SoundKind
from simulator.scenes.score_scene import score_scene
from tests.simulator.bench import (
    MODELS,
    LoudnessDetector,
    ScriptedRecognizer,
    build_bench,
    build_costs,
    known_song,
    make_sound,
    unknown_song,
)
from tests.simulator.reports.browser import look, needs_chromium
from tests.simulator.reports.test_bars import WIDTHS, check_bars

HOSTILE = "<script>alert(1)</script> [bold]&amp;"
SCENE = Scene(
    name="test",
    title=HOSTILE,
    duration_s=120.0,
    sounds=(
        Sound(recording="a", kind=SoundKind.MUSIC, label="music & more", start_s=5.0, duration_s=15.0, offset_s=8.0),
        Sound(recording="talk", kind=SoundKind.SPEECH, label="talking", start_s=85.0, duration_s=20.0),
    ),
)


@pytest.fixture(scope="module")
def result() -> SimulationResult:
    import dataclasses

    answer = known_song("a")
    assert answer.match is not None
    song = dataclasses.replace(answer.match, track=dataclasses.replace(answer.match.track, title=HOSTILE))
    call = Condition(reason=PauseReason.CALL, start_s=108.0, end_s=112.0)
    bench = build_bench(dataclasses.replace(answer, match=song), unknown_song(), conditions=(call,))
    sound = make_sound((5, 0.001), (15, 0.5), (65, 0.001), (20, 0.5), (15, 0.001))
    published, modelled = build_costs()
    simulated = run_phone(bench.phone, [sound], name=HOSTILE, published=published, modelled=modelled)
    return dataclasses.replace(simulated, scene_results=tuple(score_scene(SCENE, simulated.events, {"a": 16 * "a"})))


class _Page(HTMLParser):
    """Collects tags, text and balance of a page."""

    VOID = ("meta", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.targets: list[str] = []
        self.sources: list[str] = []
        self.names: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.names += [given["id"]] if "id" in given else []
        links = [value for name, value in given.items() if name in {"src", "href", "action"}]
        if tag != "a":
            self.fetched += links
        self.targets += [link[1:] for link in links if tag == "a" and link.startswith("#")]
        self.sources += [link for link in links if tag == "a" and not link.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _parse(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser


def test_the_page_is_well_formed_and_needs_no_network(result: SimulationResult) -> None:
    page = _parse(render_report(result))
    assert page.open == []
    assert "script" not in page.tags
    check_links(page)


def check_links(page: _Page) -> None:
    """Fail unless a page fetches nothing: links are inside it, or lead to a source where a reader clicks."""
    assert page.fetched == ["data:,"]
    assert set(page.targets) <= set(page.names)
    assert all(link.startswith("https://") for link in page.sources)


def test_hostile_titles_are_shown_as_text(result: SimulationResult) -> None:
    html = render_report(result)
    assert "<script" not in html
    assert HOSTILE in _parse(html).text


def test_the_page_holds_songs_energy_and_sources(result: SimulationResult) -> None:
    text = _parse(render_report(result)).text
    for expected in (
        "cooling down",
        "battery.capacity_mah",
        "2,700 mAh",
        "assumption",
        "resume and suspend",
        "scene results",
    ):
        assert expected.lower() in text.lower()


def test_every_number_in_a_picture_is_finite(result: SimulationResult) -> None:
    html = render_report(result)
    assert not re.search(r"\b(nan|inf)\b", " ".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL)))


def test_written_whole(tmp_path: Path, result: SimulationResult) -> None:
    write_report(tmp_path / "out.html", result)
    assert (tmp_path / "out.html").read_text(encoding="utf-8") == render_report(result)
    assert {path.name for path in tmp_path.iterdir()} == {"out.html", "out.json", "out.csv"}
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["event"] for row in rows] == [event.kind for event in result.events]
    assert {field for event in result.events for field in event.to_dict()} - {"also"} <= set(rows[0])
    # Fields, not prose: numbers are numbers, and a title is the title.
    probabilities = [float(row["smoothed"]) for row in rows if row["event"] == "probability"]
    assert len(probabilities) > 100
    assert 0 <= min(probabilities) < 0.1 < 0.9 < max(probabilities) <= 1
    (named,) = [row for row in rows if row["event"] == "recognized"]
    assert (named["title"], float(named["score"]), float(named["offset_s"])) == (HOSTILE, 0.9, 10.0)
    assert {row["to"] for row in rows if row["event"] == "state"} >= {"listening", "capturing", "paused", "off"}
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["n_wakes"] == 2


@needs_chromium
@pytest.mark.parametrize("width", [360, 1400])
def test_a_browser_shows_it_without_an_error(tmp_path: Path, result: SimulationResult, width: int) -> None:
    write_report(tmp_path / "out.html", result)
    seen = look(tmp_path / "out.html", width, 2000)
    assert seen.console == []
    assert seen.page_width == seen.frame_width == width


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_every_bar_is_as_long_as_its_number(tmp_path: Path, result: SimulationResult, width: int) -> None:
    write_report(tmp_path / "out.html", result, summarise_days())
    assert check_bars(tmp_path / "out.html", width) >= 15


@needs_chromium
@pytest.mark.parametrize("width", [360, 1400])
def test_a_long_title_widens_nothing(tmp_path: Path, result: SimulationResult, width: int) -> None:
    events = []
    for event in result.events:
        if isinstance(event, Answered) and event.match is not None:
            track = replace(event.match.track, title=200 * "W", artist=200 * "m")
            event = replace(event, answer=replace(event.answer, match=replace(event.match, track=track)))  # noqa: PLW2901
        events.append(event)
    write_report(tmp_path / "out.html", replace(result, events=events))
    seen = look(tmp_path / "out.html", width, 1000)
    assert seen.page_width == seen.frame_width == width


def summarise_days() -> dict[str, Any]:
    """Return the summary of an average day, as the demo's report shows it."""
    study = Study.load()
    return summarise(study.simulate("average", 10), study.published, study.modelled)


def test_the_average_day_is_shown_where_it_is_given(result: SimulationResult) -> None:
    text = _parse(render_report(result, summarise_days())).text
    assert "10 simulated days (average day" in text
    assert "of the battery on an average day" in text


def test_a_run_without_scene_or_song_has_a_report_too() -> None:
    published, modelled = build_costs()
    phone, sound = build_bench(unknown_song()).phone, np.zeros(100, np.float32)
    simulated = run_phone(phone, [sound], name="silence", published=published, modelled=modelled)
    assert "No song was recognized" in render_report(simulated)


class _EverySecond(LoudnessDetector):
    """Counts a run of its second stage for every decision that is no silence."""

    def __init__(self) -> None:
        super().__init__()
        self.second_stage = SimpleNamespace(n_runs=0)  # type: ignore[assignment]

    def reset(self) -> None:
        super().reset()
        self.second_stage = SimpleNamespace(n_runs=0)  # type: ignore[assignment]

    def process_pcm(self, pcm: NDArray[np.int16]) -> list[Decision]:
        decisions = super().process_pcm(pcm)
        self.second_stage.n_runs += sum(one.probability > 0 for one in decisions)  # type: ignore[union-attr]
        return decisions


def test_a_second_stage_is_a_component_of_its_own_on_every_report(result: SimulationResult) -> None:
    profile, size = DeviceProfile.load("pixel-2"), DatabaseSize(n_songs=1000)
    modelled = CostModel.modelled(profile, replace(MODELS, second_stage_macs=6e6), size)
    call = Condition(reason=PauseReason.CALL, start_s=30.0, end_s=32.0)
    config = PhoneConfig(gate=build_bench(unknown_song()).phone.config.gate)
    detector, recognizer = _EverySecond(), ScriptedRecognizer([unknown_song()])
    phone = Phone(detector, recognizer, config, PhoneConditions((call,)))
    sound = make_sound((5, 0.001), (15, 0.5), (40, 0.001))
    simulated = run_phone(phone, [sound], name="test", published=None, modelled=modelled)
    # A pause resets the detector, and the runs before it count.
    n_runs = sum(isinstance(one, MusicProbability) and one.probability > 0 for one in simulated.events)
    assert n_runs > 20
    assert simulated.usage.n_second_stage_runs == n_runs
    run_mj = 6e6 * profile.dsp.pj_per_mac * 1e-9
    assert simulated.to_dict()["components_mj"]["second stage"] == pytest.approx(n_runs * run_mj, abs=1e-3)
    assert ("second stage", f"{n_runs * run_mj / 1000:.3f}") in {row[:2] for row in energy_rows(simulated)}
    assert "second stage" in _parse(render_report(simulated)).text
    assert _terminal(simulated).count("second stage") == 1
    # A detector of one stage has no such row.
    assert "second stage" not in result.to_dict()["components_mj"]
    assert "second stage" not in _parse(render_report(result)).text
    assert "second stage" not in _terminal(result)


def _terminal(simulated: SimulationResult) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    for table in run_tables(simulated):
        console.print(table)
    return console.export_text()


def test_tables_in_a_terminal(result: SimulationResult) -> None:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    for table in run_tables(result, all_states=True):
        console.print(table)
    text = console.export_text()
    for expected in (HOSTILE, "recognizing", "music & more", "recognized", "woke for nothing", "paused", "total"):
        assert expected in text
    for table in run_tables(result):
        console.print(table)
    short = console.export_text()
    assert "recognizing" not in short
    for line in short.splitlines():
        if line.strip().startswith("total "):
            joules, mwh, mah, microamperes = (float(cell) for cell in line.replace("100 %", "").split()[-4:])
            assert mwh == pytest.approx(joules / 3.6, abs=2e-4)
            assert mah == pytest.approx(mwh / 4.0, abs=3e-5)
            assert microamperes == pytest.approx(1000 * mah / (120 / 3600), rel=2e-3)


def test_json_of_a_run(result: SimulationResult) -> None:
    stored = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert stored["n_wakes"] == 2
    assert [one["event"] for one in stored["events"]].count("recognized") == 1
    energy_mj = stored["energy_mj"]
    assert energy_mj["total"] == pytest.approx(energy_mj["listening"] + energy_mj["wakes"], abs=0.01)
    assert energy_mj["total_published"] > energy_mj["total"]
    assert stored["provenance"].keys() >= {"command", "version", "date", "models", "database", "device", "seed"}
    assert stored["findings"][0] == "1 song named in 2:00.0 of sound."
