"""What a file is decides how it is read, not its name; and it is read to its end."""

import io
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import find_audio, load, open_stream, to_int16
from nowplaying_core.audio.decode import open_parts
from nowplaying_core.audio.raw import RawFormat
from nowplaying_core.errors import AudioFormatError, ConfigError

from .sounds import SAMPLE_RATE_HZ, encode, join, music, seconds, wav


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 4 s of music at 44.1 kHz in stereo."""
    path = tmp_path_factory.mktemp("tone") / "a.wav"
    samples = np.repeat(music(1, 4.0), 3)[: 4 * 44_100]
    return wav(path, np.stack([samples, 0.8 * samples], axis=1), 44_100)


def alike(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the correlation of two recordings at their best shift."""
    n = 1 << (len(found) + len(expected)).bit_length()
    products = np.fft.irfft(np.fft.rfft(found, n) * np.conj(np.fft.rfft(expected, n)))
    return float(products.max() / np.sqrt(np.square(found).sum() * np.square(expected).sum()))


# Point 2: a compressed file under a wrong name.
@pytest.mark.parametrize(
    ("suffix", "options", "name"),
    [
        (".m4a", ("-c:a", "aac"), "a.mp3"),
        (".aac", ("-c:a", "aac"), "a.mp3"),
        (".mp3", (), "a.wav"),
        (".mp3", (), "a.m4a"),
        (".flac", (), "a.mp3"),
        (".ogg", ("-c:a", "libvorbis"), "a.mp3"),
        (".mka", ("-c:a", "aac"), "a.mp3"),
        (".wav", (), "a.mp3"),
        (".mp3", (), "a.raw"),
    ],
)
def test_the_content_decides_and_not_the_name(
    tone: Path, tmp_path: Path, suffix: str, options: tuple[str, ...], name: str
) -> None:
    real = encode(tone, tmp_path / f"real{suffix}", *options)
    wrong = tmp_path / name
    wrong.write_bytes(real.read_bytes())
    found = load(wrong)
    assert seconds(found) == pytest.approx(4.0, abs=0.15)
    assert alike(found, load(tone)) > 0.9


def test_noise_named_mp3_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for number in range(20):
        path = tmp_path / f"{number}.mp3"
        path.write_bytes(rng.integers(0, 256, 60_000, np.uint8).tobytes())
        with pytest.raises(AudioFormatError, match=f"{number}.mp3: not an audio file"):
            load(path)


@pytest.mark.parametrize("suffix", [".au", ".vox", ".snd", ".gsm", ".wav", ".m4a", ".ogg"])
def test_noise_is_no_recording_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(np.random.default_rng(4).bytes(4_096))
    with pytest.raises(AudioFormatError, match="not an audio file"):
        load(path)


def test_mp3_with_tags_and_art_is_still_mp3(tone: Path, tmp_path: Path) -> None:
    plain = encode(tone, tmp_path / "a.mp3", "-map_metadata", "-1", "-id3v2_version", "0")
    size = 300_000
    head = b"ID3\x04\x00\x00" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    (tmp_path / "art.mp3").write_bytes(head + b"\xff\xfb" * (size // 2) + plain.read_bytes())
    np.testing.assert_array_equal(load(tmp_path / "art.mp3"), load(plain))


# Point 3: any container on standard input.
@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".wav", ()), (".mp3", ()), (".flac", ()), (".ogg", ("-c:a", "libvorbis")), (".m4a", ("-c:a", "aac"))],
)
def test_a_container_on_standard_input_is_decoded(
    tone: Path, tmp_path: Path, suffix: str, options: tuple[str, ...]
) -> None:
    path = encode(tone, tmp_path / f"in{suffix}", *options)
    with open_stream("-", stdin=io.BytesIO(path.read_bytes())) as source:
        found = np.concatenate(list(source))
    np.testing.assert_allclose(found, load(path), atol=1e-6)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "PCM_U8", "ULAW"])
def test_wav_of_any_sample_format_on_standard_input(tmp_path: Path, subtype: str) -> None:
    path = wav(tmp_path / "a.wav", np.stack([music(2, 2.0), music(3, 2.0)], axis=1), 22_050, subtype)
    with open_stream("-", stdin=io.BytesIO(path.read_bytes())) as source:
        found = np.concatenate(list(source))
    np.testing.assert_allclose(found, load(path), atol=1e-6)


def test_a_wav_that_is_still_being_written_is_read_as_it_comes(tmp_path: Path) -> None:
    data = bytearray(wav(tmp_path / "a.wav", music(2, 3.0)).read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"

    class Endless(io.BytesIO):
        """Fails where more is read ahead than a second."""

        def read(self, n: int | None = -1) -> bytes:
            assert n is not None
            assert 0 < n <= 2 * SAMPLE_RATE_HZ
            return super().read(n)

    with open_stream("-", stdin=Endless(bytes(data)), chunk_samples=1_600) as source:
        assert seconds(next(iter(source))) == pytest.approx(0.1)


def test_raw_samples_of_another_rate_and_format() -> None:
    samples = music(4, 3.0)[::2]
    for encoding, kind, scale in (
        ("s16be", ">i2", 32_767),
        ("s32le", "<i4", 2**31 - 1),
        ("f32le", "<f4", 1),
        ("s8", "i1", 127),
    ):
        data = (samples.astype(np.float64) * scale).astype(kind).tobytes()
        with open_stream("-", stdin=io.BytesIO(data), raw=RawFormat(rate_hz=8_000, encoding=encoding)) as source:
            found = np.concatenate(list(source))
        assert seconds(found) == pytest.approx(3.0, abs=0.01), encoding
        assert alike(found, music(4, 3.0)) > 0.7, encoding
    with pytest.raises(ConfigError, match="s16le"):
        RawFormat(encoding="pcm")


# Point 4: all of a file that holds several.
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp3", ()),
        (".mp3", ("-write_xing", "0")),
        (".mp3", ("-q:a", "3")),
        (".ogg", ("-c:a", "libvorbis")),
        (".opus", ("-c:a", "libopus")),
        (".flac", ()),
        (".wav", ()),
        (".aac", ("-c:a", "aac")),
    ],
)
def test_joined_files_are_read_to_the_end(tone: Path, tmp_path: Path, suffix: str, options: tuple[str, ...]) -> None:
    parts = []
    for number in range(3):
        source = wav(tmp_path / f"{number}.wav", music(number, 5.0))
        parts.append(encode(source, tmp_path / f"part-{number}{suffix}", *options))
    found = load(join(tmp_path / f"all{suffix}", *parts))
    assert seconds(found) == pytest.approx(15.0, abs=0.5)
    whole = np.concatenate([load(part) for part in parts])
    assert alike(found[-4 * SAMPLE_RATE_HZ :], whole[-4 * SAMPLE_RATE_HZ :]) > 0.8


def test_joined_files_of_other_rates_are_read_to_the_end(tmp_path: Path) -> None:
    a = wav(tmp_path / "a.wav", music(1, 3.0), 16_000)
    b = wav(tmp_path / "b.wav", np.stack([music(1, 3.0)] * 2, axis=1), 32_000)
    assert seconds(load(join(tmp_path / "c.wav", a, b))) == pytest.approx(4.5, abs=0.02)


@pytest.mark.parametrize("share", [0.3, 3.0])
def test_a_wrong_count_of_frames_is_not_believed(tone: Path, tmp_path: Path, share: float) -> None:
    path = encode(tone, tmp_path / "a.mp3", "-q:a", "4")
    data = bytearray(path.read_bytes())
    at = max(data.find(b"Xing", 0, 4_000), data.find(b"Info", 0, 4_000))
    assert at > 0
    count = int.from_bytes(data[at + 8 : at + 12], "big")
    data[at + 8 : at + 12] = int(share * count).to_bytes(4, "big")
    path.write_bytes(data)
    assert seconds(load(path)) == pytest.approx(4.0, abs=0.15)


# Point 5: channels that cancel each other out.
def test_antiphase_is_not_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = music(5, 4.0)
    path = wav(tmp_path / "anti.wav", np.stack([samples, -samples], axis=1))
    with caplog.at_level(logging.DEBUG, "nowplaying_core"):
        found = load(path)
    np.testing.assert_allclose(np.abs(found), np.abs(samples), atol=1e-3)
    assert "channels cancel each other out" in caplog.text


def test_an_offset_in_one_channel_does_not_hide_that_they_cancel(tmp_path: Path) -> None:
    samples = 0.1 * music(5, 4.0)
    found = load(wav(tmp_path / "lifted.wav", np.stack([samples, 0.3 - samples], axis=1), subtype="FLOAT"))
    assert np.std(found) == pytest.approx(np.std(samples), rel=0.01)


def test_channels_that_cancel_on_standard_input() -> None:
    samples = 0.1 * music(5, 4.0)
    pcm = to_int16(np.stack([samples, -samples], axis=1).astype(np.float32)).astype("<i2").tobytes()
    with open_stream("-", stdin=io.BytesIO(pcm), raw=RawFormat(n_channels=2)) as source:
        found = np.concatenate(list(source))
    np.testing.assert_allclose(np.abs(found), np.abs(samples), atol=1e-3)


def test_channels_that_do_not_cancel_are_averaged(tmp_path: Path) -> None:
    frames = np.stack([music(5, 4.0), 0.9 * music(6, 4.0)], axis=1)
    path = wav(tmp_path / "two.wav", frames, subtype="FLOAT")
    np.testing.assert_allclose(load(path), frames.mean(axis=1), atol=1e-6)


def test_the_mix_does_not_depend_on_the_blocks(tmp_path: Path) -> None:
    samples = music(5, 4.0)
    other = np.where(np.arange(len(samples)) < 30_000, samples, -0.95 * samples)
    path = wav(tmp_path / "part.wav", np.stack([samples, other], axis=1))
    with open_stream(path, chunk_samples=777) as source:
        np.testing.assert_array_equal(np.concatenate(list(source)), load(path))


# Point 10: what is no regular file.
def test_a_named_pipe_in_a_folder_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(tmp_path / "plug.mp3"))
        song = wav(tmp_path / "song.wav", music(0, 1.0))
        assert find_audio([tmp_path]) == [song]
    assert "pipe.wav" in caplog.text
    assert "plug.mp3" in caplog.text


def test_a_named_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioFormatError, match="found a named pipe"):
        load(tmp_path / "pipe.wav")
    with pytest.raises(AudioFormatError, match="found a device"):
        load(Path("/dev/zero"))


# Point 16: files that every player plays.
@pytest.mark.parametrize("n_frames", [65_536, 131_072, 200_000, 352_800])
def test_flac_without_a_length_is_whole(tmp_path: Path, n_frames: int) -> None:
    source = wav(tmp_path / "a.wav", np.stack([np.resize(music(7, 5.0), n_frames)] * 2, axis=1), 44_100)
    encode(source, tmp_path / "whole.flac")
    data = bytearray((tmp_path / "whole.flac").read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(data)
    assert seconds(load(tmp_path / "a.flac")) == pytest.approx(n_frames / 44_100, abs=0.01)


def test_mp3_in_a_wav_container_is_whole(tone: Path, tmp_path: Path) -> None:
    path = encode(tone, tmp_path / "a.wav", "-c:a", "libmp3lame")
    assert seconds(load(path)) == pytest.approx(4.0, abs=0.15)


def test_damage_in_the_middle_of_an_mp3_costs_only_what_is_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = wav(tmp_path / "a.wav", music(8, 30.0))
    data = bytearray(encode(source, tmp_path / "a.mp3", "-b:a", "128k").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = np.random.default_rng(1).integers(0, 255, 3_000, np.uint8).tobytes()
    (tmp_path / "a.mp3").write_bytes(data)
    found = load(tmp_path / "a.mp3")
    assert seconds(found) == pytest.approx(30.0, abs=0.6)
    assert alike(found[-8 * SAMPLE_RATE_HZ :], load(source)[-8 * SAMPLE_RATE_HZ :]) > 0.8
    assert "left out" in caplog.text


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_a_lenient_reading_says_what_it_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, music(9, 10.0), SAMPLE_RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFormatError, match="truncated"):
        load(path)
    assert 3.0 < seconds(load(path, lenient=True)) < 7.0
    assert "left out" in caplog.text


# Point 20: nothing of the decoders reaches stderr.
def test_decoders_do_not_write_to_stderr(tmp_path: Path) -> None:
    source = wav(tmp_path / "a.wav", music(8, 10.0))
    data = bytearray(encode(source, tmp_path / "a.mp3", "-b:a", "128k").read_bytes())
    for at in range(20_000, len(data) - 3_000, 9_000):
        data[at : at + 700] = np.random.default_rng(at).integers(0, 255, 700, np.uint8).tobytes()
    (tmp_path / "a.mp3").write_bytes(data)
    code = (
        "import sys, logging; logging.disable(50); from nowplaying_core.audio import load; "
        "from pathlib import Path; load(Path(sys.argv[1]), lenient=True)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.mp3"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# Point 21: a size of zero from a writer that was stopped.
def test_a_wav_whose_header_says_nothing_is_read(tmp_path: Path) -> None:
    data = bytearray(wav(tmp_path / "a.wav", music(3, 3.0)).read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    (tmp_path / "a.wav").write_bytes(data)
    assert seconds(load(tmp_path / "a.wav")) == pytest.approx(3.0)


def test_an_unreadable_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wav(tmp_path / "a.wav", music(3, 1.0))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioFormatError, match="Permission denied"):
        next(open_parts(path))


def id3(size: int, content: bytes | None = None) -> bytes:
    """Return an ID3 tag that states a size."""
    sizes = bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    return b"ID3\x04\x00\x00" + sizes + (bytes(size) if content is None else content)


# Tags where nobody expects them.
@pytest.mark.parametrize("suffix", [".flac", ".wav", ".mp3"])
@pytest.mark.parametrize("n_tags", [1, 9])
def test_tags_before_any_container_are_passed_over(tone: Path, tmp_path: Path, suffix: str, n_tags: int) -> None:
    plain = encode(tone, tmp_path / f"plain{suffix}")
    tagged = tmp_path / f"tagged{suffix}"
    tagged.write_bytes(n_tags * id3(3_000) + plain.read_bytes())
    assert seconds(load(tagged)) == pytest.approx(4.0, abs=0.15)


def test_joined_flac_files_with_tags_are_read_once_each(tone: Path, tmp_path: Path) -> None:
    plain = encode(tone, tmp_path / "plain.flac")
    (tmp_path / "tagged.flac").write_bytes(id3(3_000) + plain.read_bytes())
    both = join(tmp_path / "both.flac", tmp_path / "tagged.flac", tmp_path / "tagged.flac")
    assert seconds(load(both)) == pytest.approx(8.0, abs=0.01)


def test_a_tag_that_states_more_than_there_is(tone: Path, tmp_path: Path) -> None:
    plain = encode(tone, tmp_path / "a.mp3", "-map_metadata", "-1", "-id3v2_version", "0")
    (tmp_path / "b.mp3").write_bytes(id3(200_000_000, b"x") + plain.read_bytes())
    assert seconds(load(tmp_path / "b.mp3")) == pytest.approx(4.0, abs=0.15)
    (tmp_path / "c.mp3").write_bytes(id3(200_000_000, b"x" * 500))
    with pytest.raises(AudioFormatError, match="not an audio file"):
        load(tmp_path / "c.mp3")


def test_lyrics_behind_an_mp3_are_no_damage(tone: Path, tmp_path: Path) -> None:
    plain = encode(tone, tmp_path / "a.mp3", "-map_metadata", "-1", "-id3v2_version", "0", "-b:a", "64k")
    lyrics = b"LYRICSBEGIN" + b"la " * 1_500 + b"004511LYRICS200" + b"TAG" + bytes(125)
    (tmp_path / "b.mp3").write_bytes(plain.read_bytes() + lyrics)
    np.testing.assert_array_equal(load(tmp_path / "b.mp3"), load(plain))


# A list of other files is no recording: it could name any file of this machine.
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "ffconcat version 1.0\nfile a.wav\n"),
        ("a.wav.mp3", "ffconcat version 1.0\nfile a.wav\n"),
        ("a.m3u", "#EXTM3U\na.wav\n"),
        ("a.cue", 'FILE "a.wav" WAVE\n TRACK 01 AUDIO\n'),
    ],
)
def test_a_list_of_files_is_no_recording(tmp_path: Path, name: str, text: str) -> None:
    wav(tmp_path / "a.wav", music(1, 2.0))
    (tmp_path / name).write_text(text)
    with pytest.raises(AudioFormatError, match="not an audio file"):
        load(tmp_path / name)


def test_floats_on_the_scale_of_integers_are_clipped_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loud = wav(tmp_path / "loud.wav", 32_768 * music(1, 2.0), subtype="FLOAT")
    assert np.abs(load(loud)).max() == 1.0
    assert caplog.text.count("times full scale and are clipped") == 1
    caplog.clear()
    load(wav(tmp_path / "over.wav", 1.5 * music(1, 2.0), subtype="FLOAT"))
    assert caplog.text == ""


def test_aac_in_which_frames_are_found_by_chance_is_decoded_as_what_it_is(tmp_path: Path) -> None:
    times_s = np.arange(6 * 44_100) / 44_100
    for seed in (3, 5, 16):
        noise = 0.3 * np.random.default_rng(seed).standard_normal(times_s.size)
        samples = np.clip(noise + 0.3 * np.sin(2 * np.pi * (200 + 37 * seed) * times_s), -1, 1)
        source = wav(tmp_path / f"{seed}.wav", samples, 44_100)
        encode(source, tmp_path / f"{seed}.mp3", "-c:a", "aac", "-f", "adts")
        assert seconds(load(tmp_path / f"{seed}.mp3")) == pytest.approx(6.0, abs=0.15)
