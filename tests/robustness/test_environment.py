"""The process's surroundings: closed and full streams, too few resources, odd arguments."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.audio import find_audio
from nowplaying_core.errors import AudioFormatError
from ondevice_db.format import arrays
from tests.nowplaying.cli.conftest import SCRIPT, Run

from .sounds import SAMPLE_RATE_HZ, music, wav


@pytest.fixture
def query(tmp_path: Path, songs: list[np.ndarray]) -> Path:
    """Return 8 s of song 3."""
    return wav(tmp_path / "query.wav", songs[3][: 8 * SAMPLE_RATE_HZ])


def shell(line: str, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run ``nowplaying "$@"`` with a shell's redirections behind it."""
    command = ["sh", "-c", f'exec "$0" -c "{SCRIPT}" "$@" {line}', sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("redirection", "code", "words"),
    [
        ("2>&-", 0, ""),
        ("<&- 2>&-", 0, ""),
        (">&-", 3, "standard output is closed"),
        ("<&- >&- 2>&-", 3, ""),
        (">/dev/full", 3, "No space left on device"),
    ],
)
def test_streams_that_are_closed_or_full(database: Path, query: Path, redirection: str, code: int, words: str) -> None:
    done = shell(redirection, "recognize", "--db", database, query)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False)
    assert words in done.stderr.decode()
    assert bool(done.stdout) == (code == 0)


@pytest.mark.parametrize("command", [("detect", "--json"), ("energy", "figures"), ("index", "--db", "a.npdb")])
def test_a_closed_output_is_refused_before_the_work(
    query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = shell(">&-", *command, *([] if "figures" in command else [query]))
    assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
    assert done.stderr.decode().count("standard output is closed") == 1
    assert not Path("a.npdb").exists()


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_an_error_keeps_its_code_where_nobody_reads_it(database: Path, query: Path, redirection: str) -> None:
    done = shell(redirection, "recognize", "--db", database, query.with_name("none.wav"), query)
    assert (done.returncode, b"song-3" in done.stdout) == (3, True)


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (("detect", "--stream", "--save-wakes", "wakes"), "wakes/wake-"),
        (("recognize", "--plot", "a.png", "--db"), "a.png"),
        (("energy", "account", "--out", "account.json"), "account.json"),
    ],
)
def test_a_file_that_does_not_fit_is_named_and_not_begun(
    database: Path, query: Path, tmp_path: Path, command: tuple[str, ...], written: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    inputs = {"--db": [database, query], "wakes": [query]}.get(command[-1], [])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command, *inputs],
        capture_output=True,
        check=False,
        cwd=place,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)),
    )
    assert done.returncode == 3, done.stderr.decode()
    assert f"error: {written}" in done.stderr.decode()
    assert b"File too large; the file may not grow any larger here" in done.stderr
    assert not [path for path in place.rglob("*") if path.is_file()]


def test_standard_input_that_is_closed(database: Path) -> None:
    done = shell("<&-", "recognize", "--db", database, "-")
    assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
    assert b"standard input: it is closed" in done.stderr


@pytest.mark.parametrize("command", [("recognize", "--db"), ("detect",), ("index", "--db")])
def test_an_empty_name_is_not_the_current_folder(
    run: Run, database: Path, query: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(query.parent)
    target = tmp_path / "new.npdb" if command[0] == "index" else database
    done = run(*command, *([target] if command[-1] == "--db" else []), "")
    assert (done.code, done.out) == (3, "")
    assert "found an empty one" in done.err


@pytest.mark.parametrize("options", [("--at", "1e308"), ("--every", "1e308"), ("--every", "inf"), ("--at", "nan")])
def test_times_that_are_no_times(run: Run, database: Path, query: Path, options: tuple[str, str]) -> None:
    done = run("recognize", "--db", database, *options, query)
    assert done.code == 2
    assert "expected" in done.err or "not in the range" in done.err or "Invalid value" in done.err


def test_a_picture_of_an_unknown_kind_is_refused_before_the_work(
    run: Run, database: Path, query: Path, tmp_path: Path
) -> None:
    done = run("recognize", "--db", database, "--plot", tmp_path / "a.xyz", query)
    assert (done.code, done.out) == (2, "")
    assert ".png" in done.err


def test_a_name_that_is_too_long_is_a_failure_of_that_file(run: Run, database: Path, query: Path) -> None:
    assert find_audio([Path("x" * 5_000)]) == [Path("x" * 5_000)]
    done = run("recognize", "--db", database, "x" * 5_000, query)
    assert done.code == 3
    assert "File name too long" in done.err
    assert "song-3" in done.out


def test_numpy_that_cannot_write_all_means_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(*_: object, **__: object) -> None:
        message = "98304 requested and 68576 written"
        raise OSError(message)

    monkeypatch.setattr(np.lib.format, "write_array", cut_short)
    with pytest.raises(OSError, match="No space left on device"):
        arrays.save_array(tmp_path / "a.npy", np.zeros(3))


def limited(more_mb: int) -> Callable[[], None]:
    """Return what limits a process's address space to so much above what it needs to start."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (more_mb << 20, more_mb << 20))

    return limit


@pytest.mark.parametrize("command", ["recognize", "index", "detect"])
def test_where_memory_ends_a_message_says_so_and_the_other_files_go_on(
    database: Path, query: Path, tmp_path: Path, command: str
) -> None:
    # A second of a thousand channels at a high rate is a gigabyte as floats; its zeros take no space on the disk.
    rate, channels = 300_000, 1_024
    n_bytes = 2 * rate * channels
    wide = tmp_path / "wide.wav"
    with wide.open("wb") as file:
        file.write(b"RIFF" + (36 + n_bytes).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little"))
        file.write((1).to_bytes(2, "little") + channels.to_bytes(2, "little") + rate.to_bytes(4, "little"))
        file.write((rate * channels).to_bytes(4, "little") + channels.to_bytes(2, "little") + (8).to_bytes(2, "little"))
        file.write(b"data" + n_bytes.to_bytes(4, "little"))
        file.truncate(44 + n_bytes)
    words = {
        "recognize": ["recognize", "--db", database, wide, query],
        "detect": ["detect", wide, query],
        "index": ["index", wide, query, "--db", tmp_path / "a.npdb", "--jobs", "1"],
    }[command]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        preexec_fn=limited(1_800),
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 3, done.stderr
    assert "not enough memory" in done.stderr
    assert "wide.wav" in done.stderr
    assert {"recognize": "song-3", "detect": "query.wav: music", "index": "1 song added"}[command] in done.stdout


def test_memory_that_ends_while_reading_is_an_error_of_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nowplaying_core.audio import load, stream

    def hungry(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(stream, "downmix", hungry)
    with pytest.raises(AudioFormatError, match="not enough memory"):
        load(wav(tmp_path / "a.wav", music(0, 1.0)))
