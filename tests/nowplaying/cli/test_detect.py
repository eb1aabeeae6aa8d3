"""``detect`` on files and streams, and ``evaluate detector-cost``."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import load, mulaw, to_float32, to_int16
from tests.detector.sounds import noise, pcm
from tests.synthesis import song

from .conftest import Run

SOUND = np.concatenate([noise(1, 8.0, 0.02), song(2, 20.0), noise(3, 14.0, 0.02)])


def test_segments_come_as_they_happen_from_standard_input(executable: Run) -> None:
    done = executable("detect", "-", "--stream", "--json", stdin=pcm(SOUND).tobytes())
    assert done.code == 0
    assert [record["schema"] for record in done.records] == ["nowplaying/music/1"] * 3
    begin, wake, end = done.records
    assert [record["event"] for record in done.records] == ["begin", "wake", "end"]
    assert begin["end_s"] is None
    assert 5 < begin["start_s"] < 12 < wake["time_s"] + 3
    assert 26 < end["end_s"] < 33
    assert end["time_s"] > end["end_s"]


def test_a_file_gives_the_same_and_the_sound_before_a_wake_up_is_kept_as_mu_law(run: Run, tmp_path: Path) -> None:
    path, folder = tmp_path / "sound.wav", tmp_path / "wakes"
    soundfile.write(path, SOUND, 16_000, subtype="PCM_16")
    done = run("detect", path, "--stream", "--save-wakes", folder)
    assert done.code == 0
    assert done.out.startswith("music 0:")
    assert "music since" in done.err
    (wake,) = folder.iterdir()
    kept, rate_hz = soundfile.read(wake, dtype="float32")
    assert (kept.size, rate_hz) == (8 * 16_000, 16_000)
    # The ring ends with the chunk of 100 ms that completed the decision.
    stop = round((float(wake.stem.removeprefix("wake-").removesuffix("s")) + 0.05) * 10 + 0.5) * 1_600
    through = to_float32(mulaw.decode(mulaw.encode(to_int16(load(path)))))
    ends = [end for end in range(stop - 4_800, stop + 4_801, 1_600) if end >= kept.size]
    assert any(np.allclose(kept, through[end - kept.size : end], atol=1e-3) for end in ends)


def test_silence_says_nothing(executable: Run) -> None:
    done = executable("detect", "-", "--stream", stdin=bytes(2 * 16_000 * 12))
    assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize("arguments", [("a.wav", "b.wav", "--stream"), ("a.wav", "--save-wakes", "out")])
def test_what_does_not_go_together_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    done = run("detect", *arguments)
    assert done.code == 2
    assert "--stream" in done.err


def test_cost_of_the_shipped_detector(run: Run) -> None:
    (record,) = run("evaluate", "detector-cost", "--json").records
    assert record["schema"] == "nowplaying/detector-cost/1"
    assert record["model"] == SHIPPED_DETECTOR
    assert record["n_parameters"] == 5_601
    has_micro = importlib.util.find_spec("tflite_micro") is not None
    assert record["arena_bytes"] == (13_392 if has_micro else None)
    assert "5601" in run("evaluate", "detector-cost").out


def test_detect_gives_segments_and_the_track_behind_them(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "music.wav", song(0, 15.0), 16_000)
    done = run("detect", "--json", tmp_path / "music.wav")
    (record,) = done.records
    assert done.code == 0
    assert record["schema"] == "nowplaying/detection/1"
    times = [time_s for time_s, _ in record["probabilities"]]
    assert np.diff(times) == pytest.approx(0.64, abs=0.011)
    assert all(0.0 <= probability <= 1.0 for _, probability in record["probabilities"])
    assert all(0.0 <= start < end <= 15.1 and 0.0 <= p <= 1.0 for start, end, p in record["segments"])


def test_detect_without_music_ends_with_0(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(10 * 16_000), 16_000)
    done = run("detect", tmp_path / "quiet.wav")
    assert (done.code, done.out) == (0, f"{tmp_path / 'quiet.wav'}: no music\n")
