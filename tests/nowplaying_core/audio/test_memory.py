"""Bytes are decoded like the file that they were read from, and nothing is written."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import MemoryFile, load, open_stream
from nowplaying_core.errors import AudioFormatError
from tests.synthesis import SAMPLE_RATE_HZ, song

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")


def from_memory(path: Path, **options: bool) -> np.ndarray:
    with open_stream(MemoryFile("upload", path.read_bytes()), chunk_samples=None, **options) as source:
        return np.concatenate(list(source))


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, song(3, 4.0), SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


@pytest.mark.parametrize(("suffix", "form"), [(".wav", "WAV"), (".flac", "FLAC"), (".ogg", "OGG"), (".mp3", "MP3")])
def test_bytes_are_read_like_their_file(tmp_path: Path, suffix: str, form: str) -> None:
    path = tmp_path / f"song{suffix}"
    soundfile.write(path, song(3, 4.0), SAMPLE_RATE_HZ, format=form)
    np.testing.assert_array_equal(from_memory(path), load(path))


def test_joined_files_are_read_to_their_end(tmp_path: Path, wav: Path) -> None:
    joined = tmp_path / "joined.wav"
    joined.write_bytes(2 * wav.read_bytes())
    assert from_memory(joined).size == 2 * load(wav).size


@needs_ffmpeg
@pytest.mark.parametrize("options", [["-c:a", "libopus", "clip.webm"], ["-movflags", "+faststart", "clip.m4a"]])
def test_what_only_ffmpeg_reads_goes_through_a_pipe(
    tmp_path: Path, wav: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / options[-1]
    subprocess.run(["ffmpeg", "-v", "error", "-i", wav, *options[:-1], path], check=True)
    np.testing.assert_array_equal(from_memory(path), load(path))


@needs_ffmpeg
def test_a_playlist_opens_no_file_of_this_machine(tmp_path: Path, wav: Path) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:{wav}\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioFormatError, match="upload"):
        from_memory(playlist)


@pytest.mark.parametrize("data", [b"", b"\x00" * 5_000, b"RIFF\x24\x00\x00\x00WAVE", bytes(range(256)) * 40])
def test_what_is_no_audio_is_refused_by_name(data: bytes) -> None:
    with (
        pytest.raises(AudioFormatError, match=r"clip\.wav"),
        open_stream(MemoryFile("clip.wav", data), chunk_samples=None) as source,
    ):
        list(source)


def test_truncated_bytes_are_refused_or_read_as_far_as_they_go(tmp_path: Path, wav: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(wav.read_bytes()[:40_000])
    with pytest.raises(AudioFormatError, match="truncated"):
        from_memory(cut)
    assert from_memory(cut, lenient=True).size == (40_000 - 44) // 2


def test_nothing_is_written(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(tempfile, "_mkstemp_inner", lambda *given, **options: written.append(str(given)))
    from_memory(wav)
    assert written == []
