"""The study's page: complete, needs no network, and shows without an error in a real browser, wide and narrow."""

import json
import re
import struct
from pathlib import Path

import pytest

from simulator.days.record import SongOutcome
from simulator.days.study import Study
from simulator.days.study_result import StudyResult, run_study
from simulator.days.sweeps import compare
from simulator.reports.page import span
from simulator.reports.study_report import render_study, write_study
from tests.simulator.reports.browser import look, measure, needs_chromium
from tests.simulator.reports.test_bars import WIDTHS, check_bars
from tests.simulator.reports.test_run_report import _parse, check_links

STUDY = Study.load()


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return run_study(STUDY, day="office-worker", n_days=3, detail_days=1, command="nowplaying energy --seed 1")


@pytest.fixture(scope="module")
def page(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "out.html"
    write_study(path, result)
    return path


def test_the_page_is_well_formed_and_needs_no_network(result: StudyResult) -> None:
    html = render_study(result)
    parsed = _parse(html)
    assert parsed.open == []
    assert "script" not in parsed.tags
    check_links(parsed)
    assert "https://arxiv.org/abs/1711.10958" in parsed.sources
    assert {"findings", "sensitivity", "provenance"} <= set(parsed.targets)
    assert not re.search(r"\b(nan|inf)\b", parsed.text)
    assert "url(" not in html


def test_the_page_holds_everything_that_was_found(result: StudyResult) -> None:
    text = _parse(render_study(result)).text
    for architecture in result.architectures:
        assert architecture.title in text
    for row in result.sensitivity:
        assert row.title in text
    for sweep in result.sweeps:
        assert sweep.title in text
    for outcome in SongOutcome:
        assert str(outcome) in text
    for group in (STUDY.device.constants, STUDY.assumptions.constants, STUDY.rates.constants()):
        for name, constant in group.items():
            assert name in text
            assert constant.source in text
    assert f"{result.summary['modelled']['battery_percent_per_day']:.2f} %" in text


def test_json_and_csv_lie_beside_the_page(page: Path, result: StudyResult) -> None:
    assert {path.suffix for path in page.parent.iterdir() if path.is_file()} == {".html", ".json", ".csv"}
    beside = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert beside["schema"] == "nowplaying/energy-study/2"
    assert len(beside["sensitivity"]) == len(result.sensitivity) >= 30
    assert page.with_suffix(".csv").read_text(encoding="utf-8").count("\n") == 1 + 3


def test_every_figure_with_a_range_is_moved(result: StudyResult) -> None:
    names = {row.name for row in result.sensitivity}
    priced = {name for name in STUDY.device.constants if name.partition(".")[0] in {"dsp", "processor", "memory"}}
    assert {name for name in priced if STUDY.device.constants[name].has_range} <= names
    assert {f"days.{name}" for name in STUDY.assumptions.constants} <= names
    widths = [row.width_mah for row in result.sensitivity]
    assert widths == sorted(widths, reverse=True)
    assert result.sensitivity[0].name == "dsp.detector_ma"


def test_the_baseline_costs_less_than_the_ways_without_a_detector(result: StudyResult) -> None:
    mah = {one.name: one.mah.mean for one in result.architectures}
    assert mah["baseline"] < mah["server-wifi"] < mah["server-lte"]
    assert mah["baseline"] < mah["every-five-minutes"] < mah["every-minute"] < mah["always-on"]
    assert mah["second-look-lte"] < mah["server-lte"]


@needs_chromium
@pytest.mark.parametrize(("width", "height"), [(360, 4000), (1400, 2000)])
def test_a_browser_shows_it_without_an_error(page: Path, width: int, height: int) -> None:
    seen = look(page, width, height)
    assert seen.console == []
    # The page itself never scrolls sideways; wide tables and pictures do so in a box of their own.
    assert seen.page_width == seen.frame_width == width
    assert struct.unpack(">II", seen.picture[16:24]) == (width, height)


@needs_chromium
def test_the_browser_would_report_an_error_and_a_page_that_is_too_wide(page: Path) -> None:
    wide = "document.body.innerHTML += '<div style=width:2000px>x</div>'; " + "parent.postMessage('page ' + "
    wide += "document.documentElement.scrollWidth + ' in ' + innerWidth, '*')"
    seen = look(page, 800, 600, script=f"console.error('reported'); {wide}; nothing.there")
    assert any("reported" in line for line in seen.console)
    assert any("nothing is not defined" in line for line in seen.console)
    assert seen.page_width > seen.frame_width == 800


def test_the_page_says_how_it_was_made(page: Path, result: StudyResult) -> None:
    text = _parse(page.read_text(encoding="utf-8")).text
    made = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["provenance"]
    assert (made["command"], made["seed"], made["n_days"]) == ("nowplaying energy --seed 1", 1, 3)
    for value in (made["command"], made["version"], made["date"], made["database"], made["device"]):
        assert value in text
    assert {one["role"] for one in made["models"]} == {"detector", "fingerprinter"}
    for model in made["models"]:
        assert model["name"] in text
        for name, digest in model["sha256"].items():
            assert len(digest) == 64
            assert digest[:12] in text or not name.endswith(".tflite")
    for sentence in result.findings:
        assert sentence in text


def test_every_column_and_row_is_named_for_a_screen_reader(result: StudyResult) -> None:
    html = render_study(result)
    assert re.findall(r"<th(?! scope)[^e]", html) == []
    assert html.count('scope="col"') > 40


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_every_bar_is_as_long_as_its_number(page: Path, width: int) -> None:
    assert check_bars(page, width) > 50


# Whatever reaches beyond the window, and long texts that a column squeezes to slivers; a link is squeezed alone.
CUT = """[...document.querySelectorAll('table,td,th,svg,p,li,h1,h2,h3,code')].filter(one => {
  const box = one.getBoundingClientRect()
  return box.width > 2 && (box.right > innerWidth + 0.5 || box.left < -0.5) && !one.closest('thead')
}).map(one => one.textContent.slice(0, 80))"""
SQUEEZED = """[...document.querySelectorAll('td > span, td a')].filter(one => {
  const n = one.textContent.length, box = one.getBoundingClientRect()
  return n > 12 && box.width > 0 && box.width < Math.min(140, 6 * n) && box.height > 90
}).map(one => one.textContent.slice(0, 80))"""


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_no_column_is_cut_or_squeezed(page: Path, width: int) -> None:
    assert measure(page, width, CUT) == []
    assert measure(page, width, SQUEEZED) == []


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.1451, 4.3288, "0.15 to 4.33"),
        (0.831424, 1.114, "0.83 to 1.11"),
        (2.5, 8.0, "2.5 to 8.0"),
        (0.0, 0.01745, "0 to 0.0175"),
        (-5.0, 5.0, "-5 to 5"),
        (150.0, 600.0, "150 to 600"),
        (1000.0, 115_000.0, "1,000 to 115,000"),
        (0.0, 0.0, "0 to 0"),
    ],
)
def test_both_ends_of_a_range_have_the_same_decimals(low: float, high: float, text: str) -> None:
    assert span(low, high) == text


def test_the_published_system_is_shown_on_every_architecture_with_a_detector(result: StudyResult) -> None:
    percent = {one.name: one.published_percent for one in result.architectures}
    # 0.4 mA at all times and 100 wake-ups of 2.0 J, as published.
    assert percent["baseline"] == pytest.approx(0.87, abs=0.005)
    waking = 100 * 100 * 2.0 / (2700 * 3.6 * 4.0)
    assert waking < percent["vad-microphone"] < percent["baseline"]
    assert percent["duty-cycled"] < 0.75 * percent["baseline"]
    for name in ("always-on", "every-minute", "server-lte", "server-wifi"):
        assert percent[name] is None
    # With another current it is not the published system.
    for stated, is_published in ({"dsp.detector_ma": 0.2}, False), ({"processor.resume_j": 0.2}, True):
        rows = compare(STUDY.stating(stated), day="silence", n_days=1)
        assert (rows[0].published_percent is not None) is is_published
