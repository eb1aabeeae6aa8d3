"""Files that are not what they seem: each is refused by name and reason, none is read short in silence."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import SAMPLE_RATE_HZ, load
from nowplaying_core.audio import decode as decode_module
from nowplaying_core.errors import AudioFormatError


def refused(path: Path, reason: str) -> None:
    with pytest.raises(AudioFormatError, match=reason) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.wav", "No such file")


def test_folder(tmp_path: Path) -> None:
    refused(tmp_path, "folder")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    refused(tmp_path / "empty.wav", "empty")


@pytest.mark.parametrize("ffmpeg_is_there", [True, False])
def test_text_renamed_mp3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ffmpeg_is_there: bool) -> None:
    if ffmpeg_is_there and shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on this machine")
    monkeypatch.setattr(decode_module, "has_ffmpeg", lambda: ffmpeg_is_there)
    (tmp_path / "text.mp3").write_text("These are words and not a sound.\n" * 200)
    refused(tmp_path / "text.mp3", "not an audio file")


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.95])
def test_truncated_flac(tmp_path: Path, rng: np.random.Generator, kept: float) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, rng.uniform(-0.5, 0.5, 5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    data = path.read_bytes()
    path.write_bytes(data[: round(kept * len(data))])
    refused(path, "truncated or damaged")


@pytest.mark.parametrize("name", ["cut.wav", "cut.aiff", "cut.au"])
def test_truncated_uncompressed_file(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, rng.uniform(-0.5, 0.5, 5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(path, "truncated")


def test_wav_from_a_pipe_states_no_length_and_is_whole(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, rng.uniform(-0.5, 0.5, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert load(path).shape == (SAMPLE_RATE_HZ,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_samples_that_are_no_numbers(tmp_path: Path, bad: float, rate_hz: int) -> None:
    samples = np.zeros((100_000, 2), np.float32)
    samples[70_001, 1] = bad
    soundfile.write(tmp_path / "nan.wav", samples, rate_hz, subtype="FLOAT")
    refused(tmp_path / "nan.wav", "sample 70001 is not a finite number")


def test_header_without_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), SAMPLE_RATE_HZ)
    refused(tmp_path / "none.wav", "no samples")


def test_impossible_rate_does_not_fill_the_memory(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "slow.wav", np.zeros(1_000), 1)
    refused(tmp_path / "slow.wav", "1 Hz")


def test_container_that_only_ffmpeg_reads(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on this machine")
    import subprocess

    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * 44_100) / 44_100)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 44_100)
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", tmp_path / "a.m4a"], check=True)
    samples = load(tmp_path / "a.m4a")
    assert abs(len(samples) - 3 * SAMPLE_RATE_HZ) < 1_200
    assert np.abs(np.fft.rfft(samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ])).argmax() == 440


def test_playlist_cannot_make_ffmpeg_open_other_files(tmp_path: Path, rng: np.random.Generator) -> None:
    soundfile.write(tmp_path / "secret.wav", rng.uniform(-0.5, 0.5, 16_000), 16_000)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.wav\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "list.m3u8", "not an audio file")
