"""``nowplaying listen`` on files, and without a microphone library."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import stream
from tests.synthesis import SAMPLE_RATE_HZ

from .conftest import Run


def test_listening_to_a_file_names_the_song(run: Run, database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    long = np.concatenate([np.zeros(5 * SAMPLE_RATE_HZ, np.float32), songs[3], songs[3][: 5 * SAMPLE_RATE_HZ]])
    soundfile.write(tmp_path / "evening.wav", long, SAMPLE_RATE_HZ)
    done = run("listen", "--db", database, "--json", tmp_path / "evening.wav")
    (record,) = done.records
    assert done.code == 0
    assert (record["schema"], record["event"], record["title"]) == ("nowplaying/song/1", "recognized", "song-3")
    # The file begins five seconds before the song.
    assert record["offset_s"] == pytest.approx(record["asked_at_s"] - record["buffer_s"] - 5.0, abs=0.5)


def test_silence_names_no_song(run: Run, database: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(10 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    done = run("listen", "--db", database, "--json", tmp_path / "silence.wav")
    assert (done.code, done.out) == (1, "")


def test_listening_without_a_microphone_library_names_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    done = run("listen", "--db", database, "mic")
    assert done.code == 5
    assert "nowplaying-ondevice[mic]" in done.err
    assert "listening" not in done.err


@pytest.mark.parametrize("microphone", ["mic", "mic:3"])
def test_a_microphone_has_no_raw_format(run: Run, database: Path, microphone: str) -> None:
    for options in (("--raw-rate", "8000"), ("--raw-format", "u8")):
        done = run("listen", "--db", database, microphone, *options)
        assert done.code == 2
        assert f"expected the input -, found {microphone}" in done.err


def test_listening_is_said_once_there_is_sound(run: Run, monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    blocks = [np.zeros((1_600, 1), np.float32)] * 3
    monkeypatch.setattr(stream, "microphone_frames", lambda device: (SAMPLE_RATE_HZ, iter(blocks)))
    assert "listening" not in run("listen", "--db", database.with_name("none.npdb"), "mic").err
    done = run("listen", "--db", database, "mic")
    assert (done.code, done.err.count("listening")) == (1, 1)


def test_a_microphone_has_the_time_at_which_it_is_answered(
    run: Run, monkeypatch: pytest.MonkeyPatch, database: Path, songs: list[np.ndarray]
) -> None:
    """Its samples are no clock: they drift, and none come while the machine sleeps."""
    sound = np.concatenate([np.zeros(300 * SAMPLE_RATE_HZ, np.float32), songs[3], songs[3]])[:, None]
    blocks = (sound[start : start + SAMPLE_RATE_HZ] for start in range(0, len(sound), SAMPLE_RATE_HZ))
    monkeypatch.setattr(stream, "microphone_frames", lambda device: (SAMPLE_RATE_HZ, blocks))
    before = datetime.now(UTC).replace(microsecond=0)
    (record, *_) = run("listen", "--db", database, "--json", "mic").records
    assert record["time_s"] > 300
    assert before <= datetime.fromisoformat(record["wall_clock"]) <= datetime.now(UTC)


def test_live_sound_has_the_time_of_day(executable: Run, database: Path, songs: list[np.ndarray]) -> None:
    pcm = (32767 * np.concatenate([songs[3], songs[3]])).astype("<i2").tobytes()
    before = datetime.now(UTC)
    done = executable("listen", "--db", database, "--json", "-", stdin=pcm)
    (record, *_) = done.records
    at = datetime.fromisoformat(record["wall_clock"])
    assert at.tzinfo is not None
    # Sound from a pipe comes faster than real time: its clock is the start plus the sound's own time.
    assert -1 <= (at - before).total_seconds() - record["time_s"] < 60
    text = executable("listen", "--db", database, "-", stdin=pcm).out
    assert re.match(r"\d\d:\d\d:\d\d  ", text)
