"""Names and titles of every kind reach the terminal and the JSON; no output ends a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying.cli.output import visible
from ondevice_db.match.popularity import read_popularity
from ondevice_db.store.store import SongDatabase
from tests.nowplaying.cli.conftest import SCRIPT, Run

from .sounds import SAMPLE_RATE_HZ, music, wav

LATIN = os.fsdecode("caf\u00e9".encode("latin-1") + b".wav")


@pytest.fixture
def latin(tmp_path: Path, songs: list[np.ndarray]) -> Path:
    """Return 10 s of song 3 under a name in Latin-1."""
    path = wav(tmp_path / "a.wav", songs[3][: 10 * SAMPLE_RATE_HZ]).rename(tmp_path / LATIN)
    assert b"\xe9" in os.fsencode(path)
    return path


# Point 8.
def test_a_name_in_latin_1_is_recognized(run: Run, database: Path, latin: Path) -> None:
    done = run("recognize", "--db", database, "--json", latin)
    (record,) = done.records
    assert (done.code, record["match"]["title"]) == (0, "song-3")
    assert record["file"].endswith(r"caf\xe9.wav")
    assert bytes.fromhex(record["file_bytes_hex"]) == os.fsencode(latin)
    done = run("recognize", "--db", database, latin)
    assert done.out.startswith(record["file"])


@pytest.mark.parametrize("command", [("detect",), ("detect", "--json"), ("detect", "--stream", "--json")])
def test_a_name_in_latin_1_is_heeded_by_other_commands(run: Run, latin: Path, command: tuple[str, ...]) -> None:
    assert run(*command, latin).code == 0


def test_a_name_in_latin_1_may_fail_too(run: Run, database: Path, latin: Path) -> None:
    latin.write_bytes(b"words")
    done = run("recognize", "--db", database, "--json", latin)
    assert done.code == 3
    assert r"caf\xe9.wav" in done.err
    assert r"caf\xe9.wav" in done.records[0]["error"]


def test_a_folder_in_latin_1_is_indexed_and_simulated(run: Run, latin: Path, tmp_path: Path) -> None:
    assert run("index", tmp_path, "--db", tmp_path / "a.npdb", "--jobs", "1").code == 0
    done = run("db", "list", tmp_path / "a.npdb", "--json")
    assert done.records[0]["title"] == r"caf\xe9"
    database = (tmp_path / "a.npdb").rename(latin.with_suffix(".npdb"))
    done = run("simulate", "--db", database, latin, "--json", "--report", tmp_path / "a.html")
    assert done.code == 0
    assert r"caf\xe9.wav" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert [one["title"] for one in done.records[-1]["events"] if one["event"] == "recognized"] == [r"caf\xe9"]


# Point 9.
@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
)
def test_a_narrow_terminal_gets_every_title(
    songs: list[np.ndarray], tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "m\u00fcsik"
    folder.mkdir()
    with soundfile.SoundFile(folder / "s\u014fng.flac", "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
        file.title, file.artist = "\u97f3\u697d caf\u00e9", "Bj\u00f6rk"
        file.write(songs[2])
    env = {name: value for name, value in os.environ.items() if name not in {"LC_ALL", "PYTHONUTF8"}} | environment

    def call(*arguments: str | Path) -> str:
        done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, check=False, env=env)
        assert done.returncode == 0, done.stderr.decode("ascii", "backslashreplace")
        assert b"Traceback" not in done.stderr
        return done.stdout.decode("latin-1" if "latin" in str(environment) else "ascii")

    database = folder / "a.npdb"
    call("index", folder, "--db", database, "--jobs", "1")
    assert "Bj" in call("recognize", "--db", database, folder / "s\u014fng.flac")
    record = json.loads(call("recognize", "--db", database, "--json", folder / "s\u014fng.flac"))
    assert (record["match"]["title"], record["match"]["artist"]) == ("\u97f3\u697d caf\u00e9", "Bj\u00f6rk")
    assert record["file"].endswith("m\u00fcsik/s\u014fng.flac")
    assert "Bj" in call("db", "list", database)


# Point 21.
def test_nothing_in_a_title_steers_a_terminal() -> None:
    assert visible("a\nb\tc\u202ed\u2066e\u200ff\x1b[2Jg") == r"a\u000ab\u0009c\u202ed\u2066e\u200ff\u001b[2Jg"
    assert visible("\u97f3\u697d caf\u00e9") == "\u97f3\u697d caf\u00e9"


def test_a_long_title_does_not_push_the_others_aside(run: Run, songs: list[np.ndarray], tmp_path: Path) -> None:
    for number, title in enumerate(("t" * 1000, "short")):
        with soundfile.SoundFile(tmp_path / f"{number}.flac", "w", SAMPLE_RATE_HZ, 1, format="FLAC") as file:
            file.title = title
            file.write(songs[number])
    assert run("index", tmp_path, "--db", tmp_path / "a.npdb", "--jobs", "1").code == 0
    lines = run("db", "list", tmp_path / "a.npdb").out.splitlines()
    (short,) = (line for line in lines if "short" in line)
    assert len(short) < 300
    assert any("t" * 1000 in line for line in lines)


def test_a_reader_that_leaves_is_no_failure(database: Path, music_folder: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, "recognize", "--db", database, music_folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        assert (process.wait(timeout=120), error) == (0, b"")


def test_a_reader_that_leaves_a_table_is_no_failure_either(database: Path, music_folder: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, "simulate", "--db", database, min(music_folder.iterdir())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=300) == 0


@pytest.mark.parametrize("content", ["\ufefftrack_id;count\r\n{};7\r\n", "track_id,count\n{},7\n"])
def test_a_table_of_a_spreadsheet_is_read(database: Path, tmp_path: Path, content: str) -> None:
    songs = SongDatabase.open(database)
    path = tmp_path / "plays.csv"
    path.write_bytes(content.format(songs.track(2).track_id).encode())
    prior = read_popularity(path, songs)
    assert prior.argmax() == 2
    assert prior[2] > prior[0]


def test_a_decoder_is_quiet_and_speaks_when_asked(executable: Run, tmp_path: Path) -> None:
    from .sounds import encode

    data = bytearray(encode(wav(tmp_path / "a.wav", music(1, 10.0)), tmp_path / "a.mp3").read_bytes())
    for at in range(20_000, len(data) - 3_000, 9_000):
        data[at : at + 700] = np.random.default_rng(at).integers(0, 255, 700, np.uint8).tobytes()
    (tmp_path / "a.mp3").write_bytes(data)
    assert executable("-q", "detect", tmp_path / "a.mp3").err == ""
    assert "decoder:" in executable("-vv", "detect", tmp_path / "a.mp3").err
