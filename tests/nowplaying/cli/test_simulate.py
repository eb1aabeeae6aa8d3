"""``nowplaying simulate``: energy, report, and wrong arguments."""

import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soxr

from nowplaying.cli.simulate import _wants_songs

from .conftest import Run


def test_simulating_the_same_sound_counts_energy(run: Run, database: Path, music_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run("simulate", "--db", database, "--json", "--report", page, music_folder / "song-1.wav")
    (record,) = done.records
    assert record["schema"] == "nowplaying/simulation/2"
    assert record["duration_s"] == pytest.approx(20.0, abs=0.02)
    second_stage_mj = record["components_mj"]["second stage"]
    assert second_stage_mj > 0
    assert record["energy_mj"]["listening"] - second_stage_mj == pytest.approx(0.4 * 4.0 * 20.0, rel=0.01)
    assert "<html" in page.read_text()


def test_simulate_wants_a_file_or_a_scene(run: Run, database: Path, music_folder: Path) -> None:
    assert run("simulate", "--db", database).code == 2
    assert run("simulate", "--db", database, "--scene", "evening", music_folder / "song-1.wav").code == 2
    unknown = run("simulate", "--db", database, "--scene", "nonsense")
    assert unknown.code == 2
    assert "evening" in unknown.err


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (("song-1.wav", "--speed", "20"), "--speed: it goes with --live"),
        (("song-1.wav", "--speed", "0"), "--speed: it goes with --live"),
        (("song-1.wav", "--no-scene-songs"), "--scene-songs: it goes with --scene"),
        (("song-1.wav", "--seed", "1"), "--seed: it goes with --scene"),
        (("song-1.wav", "--raw-rate", "8000"), "the input -"),
        (("--scene", "evening", "--raw-rate", "8000"), "--raw-rate: it goes with the input -"),
        (("--scene", "evening", "--raw-format", "u8"), "--raw-format: it goes with the input -"),
    ],
)
def test_options_without_what_they_change_are_refused(
    run: Run, database: Path, music_folder: Path, options: tuple[str, ...], needed: str
) -> None:
    done = run("simulate", "--db", database, *(music_folder / one if one == "song-1.wav" else one for one in options))
    assert (done.code, done.out) == (2, "")
    assert needed in done.err


def test_a_run_ends_with_its_summary(run: Run, database: Path, music_folder: Path) -> None:
    done = run("simulate", "--db", database, music_folder / "song-1.wav")
    tail = done.out[done.out.index("- 1 song named") :].splitlines()
    assert tail[0] == "- 1 song named in 0:20.0 of sound."
    assert tail[1] == "- 1 wake-up of the processor: 1 named a song, 0 did not."
    assert "J of energy" in tail[2]
    assert "% of the battery (Google Pixel 2)." in tail[2]
    (record,) = run("simulate", "--db", database, "--json", music_folder / "song-1.wav").records
    assert record["n_songs"] == record["n_wakes"] == 1
    assert record["battery_percent"] == pytest.approx(record["energy_mj"]["total"] / (2700 * 4.0 * 36), abs=1e-8)


def test_states_are_shown_where_they_are_asked_for(run: Run, database: Path, music_folder: Path) -> None:
    few = run("simulate", "--db", database, music_folder / "song-1.wav").out.partition("Energy of")[0]
    every = run("simulate", "--db", database, "--all-states", music_folder / "song-1.wav").out.partition("Energy of")[0]
    assert "capturing" in every
    assert "capturing" not in few
    assert "song-1" in few
    assert few.count("\n") < every.count("\n")


@pytest.mark.parametrize(("page", "code"), [("/no/such/folder/out.html", 3), ("out.txt", 2)])
@pytest.mark.parametrize("command", ["simulate", "demo"])
def test_a_report_that_cannot_be_written_fails_before_the_run(
    run: Run, command: str, database: Path, music_folder: Path, page: str, code: int
) -> None:
    source = ("--db", database, music_folder / "song-1.wav") if command == "simulate" else ()
    done = run(command, "--report", page, *source)
    assert (done.code, done.out) == (code, "")
    assert page in done.err


def test_a_scene_on_a_database_without_its_songs_says_so_and_offers_them(
    run: Run, database: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    without = run("simulate", "--db", database, "--scene", "evening", "--json")
    assert "4 songs of the scene are not in your database" in without.err
    assert "--scene-songs indexes them" in without.err
    assert (without.code, without.records[0]["n_songs"]) == (1, 0)
    done = run("simulate", "--db", database, "--scene", "evening", "--scene-songs", "--report", page)
    assert done.code == 0
    beside = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert beside["n_songs"] >= 3
    assert "scene-songs.npdb" in beside["provenance"]["database"]
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    named = [row for row in rows if row["event"] == "recognized"]
    assert len(named) >= 3
    assert all(row["title"] and float(row["score"]) > 0 and row["track_id"] for row in named)


def test_raw_samples_of_another_rate_are_simulated(
    run: Run, database: Path, songs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (32_767 * soxr.resample(songs[1], 16_000, 8_000)).astype(">i2").tobytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    done = run("simulate", "--db", database, "--json", "--raw-rate", "8000", "--raw-format", "s16be", "-")
    (record,) = done.records
    assert record["duration_s"] == pytest.approx(20.0, abs=0.02)


@pytest.mark.parametrize(("answer", "indexed"), [("y", True), ("n", False)])
def test_on_a_terminal_the_songs_of_a_scene_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, answer: str, *, indexed: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    for stream in ("sys.stdin", "sys.stderr"):
        monkeypatch.setattr(f"{stream}.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda question, **_: "Index them" in question and input() == "y")
    assert _wants_songs(["Winter Blues"], None) is indexed
    # Who has said it already is not asked.
    assert _wants_songs(["Winter Blues"], wanted=not indexed) is not indexed
