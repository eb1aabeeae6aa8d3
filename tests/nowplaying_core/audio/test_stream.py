import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from nowplaying_core.audio import SAMPLE_RATE_HZ, load, open_stream, to_int16
from nowplaying_core.audio.raw import RawFormat
from nowplaying_core.errors import AudioFormatError, ConfigError, MissingExtraError


@pytest.fixture(scope="module")
def stereo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audio") / "stereo-44100.flac"
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (200_000, 2))
    soundfile.write(path, noise, 44_100)
    return path


@pytest.fixture(scope="module")
def whole(stereo_file: Path) -> np.ndarray:
    return load(stereo_file)


@given(chunk_samples=st.integers(min_value=1, max_value=100_000))
@settings(max_examples=25, deadline=None)
def test_whole_file_equals_concatenated_stream(stereo_file: Path, whole: np.ndarray, chunk_samples: int) -> None:
    with open_stream(stereo_file, chunk_samples=chunk_samples) as source:
        chunks = list(source)
    assert all(len(chunk) == chunk_samples for chunk in chunks[:-1])
    assert 1 <= len(chunks[-1]) <= chunk_samples
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


def test_loaded_samples_are_mono_float32_at_16_khz(whole: np.ndarray) -> None:
    assert whole.dtype == np.float32
    assert whole.shape == (round(200_000 * SAMPLE_RATE_HZ / 44_100),)
    assert np.abs(whole).max() <= 1.0


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 48_000, 96_000, 192_000])
def test_resampling_keeps_pitch_level_and_place(tmp_path: Path, rate_hz: int) -> None:
    time_s = np.arange(2 * rate_hz) / rate_hz
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1_000 * time_s), rate_hz, subtype="FLOAT")
    samples = load(tmp_path / "tone.wav")
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(len(samples)) / SAMPLE_RATE_HZ)
    # The ends ring, as band-limited sound must where it starts from nothing.
    np.testing.assert_allclose(samples[800:-800], expected[800:-800], atol=1e-4)


def test_sound_above_8_khz_is_removed_not_folded_down(tmp_path: Path) -> None:
    time_s = np.arange(48_000) / 48_000
    soundfile.write(tmp_path / "high.wav", 0.5 * np.sin(2 * np.pi * 11_000 * time_s), 48_000, subtype="FLOAT")
    assert np.abs(load(tmp_path / "high.wav")[800:-800]).max() < 1e-4


def test_channels_are_averaged(tmp_path: Path, rng: np.random.Generator) -> None:
    frames = rng.uniform(-0.5, 0.5, (SAMPLE_RATE_HZ, 3)).astype(np.float32)
    soundfile.write(tmp_path / "three.wav", frames, SAMPLE_RATE_HZ, subtype="FLOAT")
    np.testing.assert_allclose(load(tmp_path / "three.wav"), frames.mean(axis=1), atol=1e-7)


def test_eight_channels_at_192_khz(tmp_path: Path, rng: np.random.Generator) -> None:
    soundfile.write(tmp_path / "eight.wav", rng.uniform(-0.5, 0.5, (192_000, 8)), 192_000)
    assert load(tmp_path / "eight.wav").shape == (SAMPLE_RATE_HZ,)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {}),
        ("a.flac", {}),
        ("a.ogg", {}),
        ("a.mp3", {}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.aiff", {}),
    ],
)
def test_formats_of_libsndfile(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * 48_000) / 48_000)
    soundfile.write(tmp_path / name, tone, 48_000, **options)
    samples = load(tmp_path / name)
    assert abs(len(samples) - 3 * SAMPLE_RATE_HZ) < 1_200  # lossy codecs pad
    spectrum = np.abs(np.fft.rfft(samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]))
    assert spectrum.argmax() == 440


def test_overshoot_of_float_files_is_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.array([0.5, 3.0, -3.0] * 100), SAMPLE_RATE_HZ, subtype="FLOAT")
    samples = load(tmp_path / "loud.wav")
    assert samples[:3].tolist() == [0.5, 1.0, -1.0]


def test_a_pipe_and_a_wav_file_of_the_same_pcm_are_the_same_samples(tmp_path: Path, rng: np.random.Generator) -> None:
    pcm = rng.integers(-32_768, 32_768, 5_001).astype("<i2")
    soundfile.write(tmp_path / "a.wav", pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
    with open_stream("-", chunk_samples=160, stdin=io.BytesIO(pcm.tobytes())) as source:
        piped = np.concatenate(list(source))
    np.testing.assert_array_equal(piped, load(tmp_path / "a.wav"))


def test_odd_last_byte_of_a_pipe_is_ignored() -> None:
    with open_stream("-", stdin=io.BytesIO(b"\x00\x40\x00\x40\x7f")) as source:
        np.testing.assert_array_equal(np.concatenate(list(source)), np.float32([0.5, 0.5]))


@pytest.mark.parametrize(("n_channels", "n_bytes"), [(1, 1001), (2, 1002), (2, 1003), (3, 1001)])
@pytest.mark.parametrize("chunk_samples", [None, 7])
def test_a_wav_whose_size_ends_within_a_frame_is_the_same_from_a_pipe(
    tmp_path: Path, n_channels: int, n_bytes: int, chunk_samples: int | None
) -> None:
    path = tmp_path / "a.wav"
    pcm = np.random.default_rng(5).integers(-9_000, 9_000, (800, n_channels)).astype("<i2")
    soundfile.write(path, pcm, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
    wav = bytearray(path.read_bytes())
    at = wav.index(b"data") + 4
    wav[at : at + 4] = n_bytes.to_bytes(4, "little")
    path.write_bytes(wav)
    with open_stream("-", chunk_samples=chunk_samples, stdin=io.BytesIO(wav)) as source:
        piped = np.concatenate(list(source))
    assert len(piped) == n_bytes // (2 * n_channels)
    np.testing.assert_array_equal(piped, load(path))


def test_numbers_that_are_none_are_refused_from_a_pipe() -> None:
    samples = np.float32([0.1, np.nan, 0.2]).tobytes()
    with (
        open_stream("-", stdin=io.BytesIO(samples), raw=RawFormat(encoding="f32le")) as source,
        pytest.raises(AudioFormatError, match="standard input: sample 1 is not a finite number"),
    ):
        list(source)


def test_empty_pipe_is_an_error() -> None:
    with open_stream("-", stdin=io.BytesIO(b"")) as source, pytest.raises(AudioFormatError, match="standard input"):
        list(source)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "reason"),
    [
        (np.zeros(0, np.float32), 16_000, "no samples"),
        (np.zeros((0, 2), np.int16), 16_000, "no samples"),
        (np.zeros((5, 0), np.float32), 16_000, "no samples"),
        (np.zeros((2, 16_000), np.float32), 16_000, "transposed"),
        (np.zeros(100, np.float32), float("nan"), "whole Hz"),
        (np.zeros(100, np.float32), 44_100.5, "whole Hz"),
        (np.zeros(100, np.float32), "16000", "whole Hz"),
        (np.zeros(100, np.float32), None, "whole Hz"),
        (np.zeros(100, np.float32), 0, "a rate of 1000"),
        (np.float32([0, np.inf]), 16_000, "sample 1 is not a finite number"),
    ],
)
def test_samples_that_are_no_sound_are_refused(samples: np.ndarray, rate_hz: Any, reason: str) -> None:
    with pytest.raises(AudioFormatError, match=reason):
        load((samples, rate_hz))


@pytest.mark.parametrize("rate_hz", [8_000, 8_000.0, np.int32(8_000), np.float64(8_000)])
def test_a_rate_may_be_any_whole_number(rate_hz: Any) -> None:
    assert len(load((np.zeros(100, np.float32), rate_hz))) == 200


@pytest.mark.parametrize("chunk_samples", [0, -1])
def test_chunk_must_have_samples(stereo_file: Path, chunk_samples: int) -> None:
    with pytest.raises(ConfigError, match="chunk_samples"):
        open_stream(stereo_file, chunk_samples=chunk_samples)


def test_leaving_a_stream_early_frees_it_and_closing_twice_is_harmless(stereo_file: Path) -> None:
    def descriptors() -> int:
        return sum(str(stereo_file) == os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir())

    before = descriptors()
    source = open_stream(stereo_file, chunk_samples=10)
    next(iter(source))
    assert descriptors() == before + 1
    source.close()
    assert descriptors() == before
    source.close()


def test_microphone_without_its_extra_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"nowplaying-ondevice\[mic\]"):
        open_stream("mic")


def test_track_of_16_bit_file_survives_the_round_trip(tmp_path: Path, rng: np.random.Generator) -> None:
    pcm = rng.integers(-32_767, 32_768, 1_000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
    assert np.abs(to_int16(load(tmp_path / "a.wav")).astype(int) - pcm).max() <= 1
