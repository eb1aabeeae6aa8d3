"""The page in a real browser: a microphone that plays a file, keys alone, three widths, light and dark."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from evaluation.chrome import Chrome
from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from simulator.scenes.recordings import demo_recordings
from tests.simulator.reports.browser import needs_chromium

from .conftest import SCRIPT, Server, running

pytestmark = needs_chromium

ANSWERED = "document.getElementById('announcement').textContent !== ''"
SONG = "document.getElementById('song').textContent"
PROBLEM = "document.getElementById('problem').textContent"
MICROPHONE_HZ = 48_000


def recording(name: str) -> Path:
    return demo_recordings()[name].path


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Return a browser whose microphone plays thirty seconds of a demo song."""
    folder = tmp_path_factory.mktemp("chrome")
    samples = soxr.resample(load(recording("martian-cowboy")), SAMPLE_RATE_HZ, MICROPHONE_HZ)
    soundfile.write(folder / "song.wav", samples, MICROPHONE_HZ, subtype="PCM_16")
    with Chrome(folder, microphone=folder / "song.wav") as found:
        yield found


def test_a_song_at_the_microphone_is_named(chrome: Chrome, server: Server) -> None:
    chrome.open(server.url)
    # By keys alone: the first stop is the link to the answer, the second the button.
    chrome.press("Tab")
    assert chrome.value("document.activeElement.textContent") == "Skip to the answer"
    chrome.press("Tab")
    assert chrome.value("document.activeElement.id") == "record"
    chrome.press(" ", " ")
    chrome.wait("document.getElementById('record').getAttribute('aria-pressed') === 'true'")
    chrome.wait("document.getElementById('level').value > -50")
    chrome.wait("parseInt(document.getElementById('record').textContent.match(/\\d+/)) >= 9")
    chrome.press(" ", " ")
    chrome.wait(f"{ANSWERED} || {PROBLEM}")
    assert chrome.value(SONG) == "Martian Cowboy - Kevin MacLeod", chrome.value("document.body.innerText")
    assert chrome.value("document.getElementById('record').textContent") == "Record"
    assert chrome.value("document.activeElement.id") == "answer"
    assert "Martian Cowboy - Kevin MacLeod. " in chrome.value("document.getElementById('announcement').textContent")
    assert "microphone" in chrome.value("document.getElementById('history').innerText")
    chrome.wait("document.getElementById('playback').duration > 8")


def test_a_recording_ends_by_itself(chrome: Chrome, server: Server) -> None:
    chrome.open(server.url)
    chrome.value("document.getElementById('record').click()")
    chrome.wait(f"{ANSWERED} || {PROBLEM}")
    chrome.wait("document.getElementById('playback').duration > 0")  # the browser reads it after the answer is drawn
    assert 11 < chrome.value("document.getElementById('playback').duration") < 14


def test_the_place_is_said_to_be_the_songs(chrome: Chrome, server: Server, tmp_path: Path) -> None:
    samples = load(recording("low-fi"))
    chrome.open(server.url)
    for name, sound, place in (
        ("inside", samples[12 * SAMPLE_RATE_HZ :], r"at 0:1[12]\.\d of the song"),
        ("before", np.concatenate([np.zeros(3 * SAMPLE_RATE_HZ, np.float32), samples]), r"0:0[23]\.\d before the song"),
    ):
        soundfile.write(tmp_path / f"{name}.wav", sound, SAMPLE_RATE_HZ)
        chrome.choose("#sound", [tmp_path / f"{name}.wav"])
        chrome.wait(f"document.getElementById('history').textContent.includes('{name}.wav')")
        assert re.search(f"begins {place}", chrome.value("document.getElementById('song-more').textContent"))
        assert re.search(rf"{name}\.wav, {place}", chrome.value("document.querySelector('#history li').textContent"))
    late = np.concatenate([np.zeros(20 * SAMPLE_RATE_HZ, np.float32), samples])
    soundfile.write(tmp_path / "late.wav", late, SAMPLE_RATE_HZ)
    chrome.choose("#sound", [tmp_path / "late.wav"])
    chrome.wait("document.getElementById('history').textContent.includes('late.wav')")
    # The last tick of the alignment stands in the recording, not in the eight seconds that were looked up.
    assert re.fullmatch(r"0:2\d", chrome.value("[...document.querySelectorAll('#alignment text')].at(-1).textContent"))


def test_a_file_is_answered_with_curve_reasons_and_alignment(chrome: Chrome, server: Server) -> None:
    chrome.open(server.url)
    chrome.choose("#sound", [recording("low-fi")])
    chrome.wait(ANSWERED)
    assert chrome.value(SONG) == "Low-Fi - Alexandr Zhelanov"
    assert chrome.value("document.querySelectorAll('#probability .curve').length") == 1
    assert "reaches the threshold" in chrome.value("document.getElementById('reason').textContent")
    assert chrome.value("document.querySelector('#candidates th').textContent") == "Low-Fi - Alexandr Zhelanov"
    assert chrome.value("document.querySelectorAll('#alignment .cell').length") > 100
    chrome.choose("#sound", [recording("jrpg-tavern")])
    chrome.wait(f"{SONG} === 'Unknown'")
    assert chrome.value("document.querySelectorAll('#reasons li').length") >= 1


def test_the_same_file_can_be_chosen_again(chrome: Chrome, server: Server) -> None:
    """A browser says nothing where the file that is chosen is the one that was."""
    chrome.open(server.url)
    chrome.choose("#sound", [recording("low-fi")])
    chrome.wait(ANSWERED)
    assert chrome.value("document.getElementById('sound').files.length") == 1
    chrome.value("document.getElementById('sound').dispatchEvent(new MouseEvent('click', {cancelable: true}))")
    assert chrome.value("document.getElementById('sound').files.length") == 0


def test_what_the_server_cannot_read_the_browser_decodes(chrome: Chrome, server: Server, tmp_path: Path) -> None:
    # Its index comes last, so that it cannot be read through a pipe.
    path = tmp_path / "song.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", recording("low-fi"), "-c:a", "aac", path], check=True)
    assert server.ask("/api/recognize", path.read_bytes()).status == 422
    chrome.open(server.url)
    chrome.choose("#sound", [path])
    chrome.wait(f"{ANSWERED} || {PROBLEM}")
    assert chrome.value(SONG) == "Low-Fi - Alexandr Zhelanov", chrome.value(PROBLEM)


def test_problems_are_told_on_the_page(chrome: Chrome, server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all " * 100)
    chrome.open(server.url)
    chrome.choose("#sound", [tmp_path / "notes.wav"])
    chrome.wait(PROBLEM)
    assert chrome.value(PROBLEM).startswith("notes.wav: not an audio file")
    assert chrome.value("document.getElementById('problem').getAttribute('role')") == "alert"


def test_hostile_names_are_text(chrome: Chrome, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=document.title='taken'>.opus"
    shutil.copy(recording("low-fi"), path)
    chrome.open(server.url)
    chrome.choose("#sound", [path])
    chrome.wait(ANSWERED)
    assert "<img src=x" in chrome.value("document.getElementById('history').innerText")
    assert chrome.value("document.title") == "nowplaying"


# As if each file took longer than the server waits before it answers.
IMPATIENT = f"from nowplaying.web import indexing; indexing._ANSWER_S = 0.1; {SCRIPT}"


@pytest.mark.parametrize("script", [SCRIPT, IMPATIENT])
def test_a_folder_is_indexed_and_its_songs_are_known(chrome: Chrome, tmp_path: Path, script: str) -> None:
    folder = tmp_path / "Music"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("low-fi", "jrpg-tavern", "fur-elise")):
        shutil.copy(recording(name), folder / ("more" if number else ".") / f"{name}.opus")
    (folder / "broken.wav").write_bytes(b"RIFF")
    (folder / "cover.jpg").write_bytes(b"no sound")
    with running("--db", tmp_path / "new.npdb", script=script) as server:
        chrome.open(server.url)
        assert "no songs yet" in chrome.value("document.getElementById('databases').textContent")
        chrome.value(
            "window.seen = [];"
            "new MutationObserver(() => seen.push(document.getElementById('index-progress').value))"
            ".observe(document.getElementById('index-label'), {childList: true}), 1"
        )
        chrome.choose("#folder", [folder])
        chrome.wait("document.getElementById('index-state').textContent.includes('added')")
        assert "new.npdb: 3 songs added, 0 duplicates, 1 failed" in chrome.value(
            "document.getElementById('index-state').textContent"
        )
        assert chrome.value("seen") == sorted(chrome.value("seen"))
        assert len(set(chrome.value("seen"))) >= 3
        assert "broken.wav" in chrome.value("document.getElementById('failures').textContent")
        chrome.wait("document.getElementById('databases').textContent === '3 songs in new.npdb'")
        chrome.choose("#sound", [recording("jrpg-tavern")])
        chrome.wait(ANSWERED)
        assert chrome.value(SONG) == "JRPG Tavern - Yubatake"


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(chrome: Chrome, server: Server, width: int, dark: bool) -> None:
    chrome.open(server.url, width=width, dark=dark)
    chrome.choose("#sound", [recording("cabin-fever")])
    chrome.wait(ANSWERED)
    assert chrome.value("document.documentElement.scrollWidth") == width
    outside = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert chrome.value(f"{outside}.map(e => e.outerHTML.slice(0, 80))") == []
    background = chrome.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(_channels(background)) < 200) == dark
    assert [one for one in chrome.value(_CONTRASTS) if _contrast(one[1], one[2]) < 4.5] == []


def test_everything_has_a_name_for_a_screen_reader(chrome: Chrome, server: Server) -> None:
    chrome.open(server.url)
    chrome.choose("#sound", [recording("cabin-fever")])
    chrome.wait(ANSWERED)
    nodes = chrome.send("Accessibility.getFullAXTree")["nodes"]
    seen: dict[str, list[str]] = {}
    for node in nodes:
        if not node["ignored"]:
            seen.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    for role in ("button", "radio", "textbox", "image", "region", "table", "meter"):
        assert seen.get(role), role
        assert all(seen[role]), (role, seen[role])
    assert {"Name a song", "Answer", "This session", "Index a folder"} <= set(seen["heading"])
    assert any(name.startswith("Alignment with Cabin Fever. 12 of 12") for name in seen["image"])


def test_all_controls_are_reached_by_the_tab_key(chrome: Chrome, server: Server) -> None:
    chrome.open(server.url)
    controls = "[...document.querySelectorAll('button, input, a')].filter(e => e.offsetParent && e.type !== 'radio')"
    wanted = chrome.value(f"{controls}.map(e => e.id)")
    reached = set()
    for _ in range(20):
        chrome.press("Tab")
        reached.add(chrome.value("document.activeElement.id"))
        outlined = chrome.value(
            "['BODY', 'AUDIO'].includes(document.activeElement.tagName) || "
            "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        assert outlined
    assert set(wanted) <= reached


def test_nothing_is_asked_of_other_hosts_and_nothing_is_refused(chrome: Chrome, server: Server) -> None:
    chrome.events.clear()
    chrome.open(server.url)
    chrome.choose("#sound", [recording("cabin-fever")])
    chrome.wait(ANSWERED)
    own = (f"http://{server.host}/", "data:", f"blob:http://{server.host}/")
    asked = chrome.requested()
    assert len(asked) >= 8
    assert [one for one in asked if not one.startswith(own)] == []
    assert chrome.complaints() == []


def test_the_microphone_may_be_refused(server: Server, tmp_path: Path) -> None:
    with Chrome(tmp_path) as without:
        without.open(server.url)
        without.value("document.getElementById('record').click()")
        without.wait(PROBLEM)
        assert "The microphone cannot be used" in without.value(PROBLEM)
        assert without.value("document.getElementById('record').disabled") is False


# Every text with its colour and the first background behind it that is not transparent.
_CONTRASTS = """
  [...document.querySelectorAll('h1, h2, h3, p, label, li, td, th, figcaption, caption, legend, button, time, span')]
  .filter(e => e.offsetParent && e.textContent.trim() && !e.closest('.unseen') && e.className !== 'skip')
  .map(e => {
    let at = e;
    while (at && getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;
    const behind = getComputedStyle(at ?? document.body).backgroundColor;
    return [e.textContent.slice(0, 40), getComputedStyle(e).color, behind];
  })"""


def _channels(colour: str) -> list[float]:
    return [float(one) for one in colour.partition("(")[2].rstrip(")").split(",")[:3]]


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by the Web Content Accessibility Guidelines 2.2."""

    def luminance(colour: str) -> float:
        shares = np.array(_channels(colour)) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
