"""Everything a user can hand over that is not what it should be: documented message and code, nothing lost."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir, file_record
from tests.synthesis import SAMPLE_RATE_HZ

from .conftest import Run


def hostile(kind: str, folder: Path, songs: list[np.ndarray]) -> tuple[Path, str]:
    """Make a bad file; return it and a word of the documented message."""
    rng = np.random.default_rng(3)
    if kind == "empty":
        path = folder / "empty.mp3"
        path.touch()
        return path, "empty"
    if kind == "text":
        path = folder / "text.mp3"
        path.write_text("These are words and not a sound.\n" * 200)
        return path, "not an audio file"
    if kind == "truncated":
        path = folder / "cut.flac"
        soundfile.write(path, songs[0], SAMPLE_RATE_HZ)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return path, "truncated"
    if kind == "nan":
        path = folder / "nan.wav"
        samples = rng.uniform(-0.5, 0.5, 5 * SAMPLE_RATE_HZ)
        samples[12_345] = np.nan
        soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="FLOAT")
        return path, "sample 12345 is not a finite number"
    if kind == "missing":
        return folder / "gone.wav", "No such file"
    path = folder / "none"
    path.mkdir()
    (path / "notes.txt").write_text("no audio here")
    return path, "no audio file in there"


@pytest.mark.parametrize("command", ["recognize", "detect", "index"])
@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "nan", "missing", "folder"])
def test_bad_audio_ends_with_3_and_its_name(
    run: Run, database: Path, tmp_path: Path, songs: list[np.ndarray], command: str, kind: str
) -> None:
    path, reason = hostile(kind, tmp_path, songs)
    options = {"recognize": ["--db", database], "detect": [], "index": ["--db", tmp_path / "new.npdb"]}[command]
    done = run(command, *options, path)
    # What is left of a damaged file is enough to name its song or its music; a database must not hold half a song.
    assert done.code == (0 if kind == "truncated" and command != "index" else 3)
    assert str(path) in done.err
    assert reason in done.err


@pytest.mark.parametrize("command", ["listen", "simulate", "detect"])
def test_the_live_loop_uses_what_there_is_of_a_file(
    run: Run, database: Path, tmp_path: Path, songs: list[np.ndarray], command: str
) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, np.tile(songs[0], 2), SAMPLE_RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = run(command, *(["--stream"] if command == "detect" else ["--db", database]), path)
    assert done.code == 0
    assert "song-0" in done.out or "music 0:0" in done.out
    assert "truncated" in done.err


@pytest.mark.parametrize("command", ["listen", "simulate"])
def test_bad_audio_in_the_live_loop(run: Run, database: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "empty.wav").touch()
    done = run(command, "--db", database, tmp_path / "empty.wav")
    assert done.code == 3
    assert "empty" in done.err


def test_a_third_of_a_second_is_no_error(run: Run, database: Path, tmp_path: Path, songs: list[np.ndarray]) -> None:
    soundfile.write(tmp_path / "short.wav", songs[0][:4_800], SAMPLE_RATE_HZ)
    recognized = run("recognize", "--db", database, "--json", tmp_path / "short.wav")
    assert recognized.code == 1
    assert (recognized.records[0]["match"], recognized.records[0]["n_fingerprints"]) == (None, 1)
    detected = run("detect", "--json", tmp_path / "short.wav")
    assert (detected.code, detected.records[0]["segments"]) == (0, [])


def test_eight_channels_at_192_khz(run: Run, database: Path, tmp_path: Path, songs: list[np.ndarray]) -> None:
    part = np.repeat(songs[4][2 * SAMPLE_RATE_HZ : 11 * SAMPLE_RATE_HZ], 12)  # a crude resampler is good enough here
    soundfile.write(tmp_path / "wide.wav", np.tile(part[:, None], (1, 8)), 192_000)
    done = run("recognize", "--db", database, "--json", tmp_path / "wide.wav")
    assert done.code == 0
    assert done.records[0]["match"]["title"] == "song-4"


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(database, tmp_path / "copy.npdb"))


def test_every_file_of_a_database_is_guarded_against_a_flipped_byte(run: Run, copy: Path, music_folder: Path) -> None:
    files = sorted(path for path in copy.iterdir() if path.is_file() and path.suffix != ".lock" and path.stat().st_size)
    assert len(files) > 5
    for path in files:
        original = path.read_bytes()
        damaged = bytearray(original)
        damaged[len(damaged) // 2] ^= 0x40
        path.write_bytes(damaged)
        done = run("recognize", "--db", copy, music_folder / "song-0.wav")
        assert (done.code, done.out) == (4, ""), path.name
        assert str(copy) in done.err
        path.write_bytes(original)
    assert run("recognize", "--db", copy, music_folder / "song-0.wav").code == 0


def test_verify_names_the_damaged_file(run: Run, copy: Path) -> None:
    assert run("db", "verify", copy).code == 0
    (codes,) = copy.glob("codes*")
    damaged = bytearray(codes.read_bytes())
    damaged[-1] ^= 1
    codes.write_bytes(damaged)
    done = run("db", "verify", copy)
    assert done.code == 4
    assert codes.name in done.err + done.out


@pytest.fixture
def other_fingerprinter(tmp_path: Path) -> Path:
    """Return the shipped model with a few bytes after the graph, which makes its embedding space another one."""
    folder = Path(shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), tmp_path / "other-model"))
    encoder = folder / "encoder.tflite"
    encoder.write_bytes(encoder.read_bytes() + bytes(16))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["encoder.tflite"] = file_record(encoder)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("command", ["recognize", "listen", "simulate"])
def test_a_database_of_another_encoder_is_refused(
    run: Run, database: Path, music_folder: Path, other_fingerprinter: Path, command: str
) -> None:
    song = music_folder / "song-0.wav"
    done = run(command, "--db", database, "--fingerprinter", other_fingerprinter, song)
    assert (done.code, done.out) == (4, "")
    assert "embedding space" in done.err


@pytest.mark.parametrize("place", ["missing.npdb", "empty.npdb", "file.npdb"])
def test_what_is_no_database_ends_with_3(run: Run, tmp_path: Path, music_folder: Path, place: str) -> None:
    (tmp_path / "empty.npdb").mkdir()
    (tmp_path / "file.npdb").write_text("no folder")
    done = run("recognize", "--db", tmp_path / place, music_folder / "song-0.wav")
    assert done.code == 3
    assert str(tmp_path / place) in done.err


def test_a_damaged_model_ends_with_4(run: Run, tmp_path: Path, music_folder: Path, database: Path) -> None:
    folder = Path(shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), tmp_path / "model"))
    encoder = bytearray((folder / "encoder.tflite").read_bytes())
    encoder[1_000] ^= 1
    (folder / "encoder.tflite").write_bytes(encoder)
    done = run("recognize", "--db", database, "--fingerprinter", folder, music_folder / "song-0.wav")
    assert done.code == 4
    assert "encoder.tflite" in done.err
