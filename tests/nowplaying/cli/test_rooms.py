"""The commands over the other rooms: database, detector, phone, training, doctor."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from tests.synthesis import SAMPLE_RATE_HZ, song

from .conftest import Run


def test_list_info_and_remove(run: Run, database: Path, tmp_path: Path, music_folder: Path) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    tracks = run("db", "list", "--json", copy).records
    assert {track["title"] for track in tracks} == {f"song-{number}" for number in range(8)}
    assert all(track["duration_s"] == pytest.approx(20.0) for track in tracks)
    (facts,) = run("db", "info", "--json", copy).records
    assert facts["n_songs"] == 8
    (gone,) = [track["track_id"] for track in tracks if track["title"] == "song-2"]
    assert run("db", "remove", copy, gone).code == 0
    assert len(run("db", "list", "--json", copy).records) == 7
    assert run("recognize", "--db", copy, music_folder / "song-2.wav").code == 1
    assert run("recognize", "--db", copy, music_folder / "song-3.wav").code == 0


def test_removing_an_unknown_song_is_told(run: Run, database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    done = run("db", "remove", copy, "0" * 16)
    assert done.code in {2, 3}
    assert "0" * 16 in done.err


def test_listening_to_a_file_names_the_song(run: Run, database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    long = np.concatenate([np.zeros(5 * SAMPLE_RATE_HZ, np.float32), songs[3], songs[3][: 5 * SAMPLE_RATE_HZ]])
    soundfile.write(tmp_path / "evening.wav", long, SAMPLE_RATE_HZ)
    done = run("listen", "--db", database, "--json", tmp_path / "evening.wav")
    assert [record["title"] for record in done.records] == ["song-3"] * len(done.records)
    assert done.code == (0 if done.records else 1)


def test_simulating_the_same_sound_counts_energy(run: Run, database: Path, music_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run("simulate", "--db", database, "--json", "--report", page, music_folder / "song-1.wav")
    (record,) = done.records
    assert record["schema"] == "nowplaying/simulation/1"
    assert record["duration_s"] == pytest.approx(20.0, abs=0.02)
    assert record["energy_mj"]["detector"] == pytest.approx(0.4 * 4.0 * 20.0, rel=0.01)
    assert "<html" in page.read_text()


def test_simulate_wants_a_file_or_a_scene(run: Run, database: Path, music_folder: Path) -> None:
    assert run("simulate", "--db", database).code == 2
    assert run("simulate", "--db", database, "--scene", "evening", music_folder / "song-1.wav").code == 2
    unknown = run("simulate", "--db", database, "--scene", "nonsense")
    assert unknown.code == 2
    assert "evening" in unknown.err


def test_detect_gives_segments_and_the_track_behind_them(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "music.wav", song(0, 15.0), SAMPLE_RATE_HZ)
    done = run("detect", "--json", tmp_path / "music.wav")
    (record,) = done.records
    assert done.code == 0
    assert record["schema"] == "nowplaying/detection/1"
    times = [time_s for time_s, _ in record["probabilities"]]
    assert np.diff(times) == pytest.approx(0.64, abs=0.011)
    assert all(0.0 <= probability <= 1.0 for _, probability in record["probabilities"])
    assert all(0.0 <= start < end <= 15.1 and 0.0 <= p <= 1.0 for start, end, p in record["segments"])


def test_detect_without_music_ends_with_0(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(10 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    done = run("detect", tmp_path / "quiet.wav")
    assert (done.code, done.out) == (0, f"{tmp_path / 'quiet.wav'}: no music\n")


def test_training_without_tensorflow_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib.util

    (tmp_path / "config.toml").write_text("")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "tensorflow" else find(name, *rest)
    )
    places = ["--corpus", tmp_path, "--run-dir", tmp_path / "run", "--cache-dir", tmp_path / "cache"]
    done = run("train", "fingerprinter", "--config", tmp_path / "config.toml", *places)
    assert done.code == 5
    assert "nowplaying[train]" in done.err


@pytest.mark.parametrize("network", ["fingerprinter", "detector"])
def test_wrong_settings_are_usage_errors(run: Run, tmp_path: Path, network: str) -> None:
    (tmp_path / "config.toml").write_text("no_such_setting = 1\n")
    places = ["--corpus", tmp_path, "--run-dir", tmp_path / "run", "--cache-dir", tmp_path / "cache"]
    done = run("train", network, "--config", tmp_path / "config.toml", *places)
    assert done.code == 2
    assert "no_such_setting" in done.err


def test_listening_without_a_microphone_library_names_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    done = run("listen", "--db", database, "mic")
    assert done.code == 5
    assert "nowplaying[mic]" in done.err


def test_doctor_is_content_with_this_installation(run: Run) -> None:
    done = run("doctor", "--json")
    checks = {record["name"]: record["status"] for record in done.records}
    assert done.code == 0
    assert "failed" not in checks.values()
    assert {"nowplaying", "runtime", SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, "annoy index"} <= set(checks)


def test_doctor_tells_a_missing_runtime(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from nowplaying_core import runtime

    monkeypatch.setattr(runtime, "installed_runtimes", list)
    done = run("doctor")
    assert done.code == 5
    assert "FAILED  runtime" in done.out
