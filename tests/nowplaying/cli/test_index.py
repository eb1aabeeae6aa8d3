"""Indexing: duplicates, failures, a full disk, and Ctrl-C in the middle."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.synthesis import SAMPLE_RATE_HZ, song

from .conftest import SCRIPT, Run


def titles(run: Run, database: Path) -> list[str]:
    return sorted(record["title"] for record in run("db", "list", "--json", database).records)


def test_same_sound_is_indexed_once(run: Run, music_folder: Path, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    shutil.copy(music_folder / "song-0.wav", music / "a.wav")
    shutil.copy(music_folder / "song-0.wav", music / "b.wav")
    done = run("index", music, "--db", tmp_path / "a.npdb", "--jobs", "1", "--json")
    (record,) = done.records
    assert (done.code, record["added"], record["duplicates"], record["failed"]) == (0, 1, 1, [])
    assert record["seconds_of_audio"] == pytest.approx(20.0)


def test_a_bad_file_is_reported_and_the_others_are_indexed(run: Run, music_folder: Path, tmp_path: Path) -> None:
    music = Path(shutil.copytree(music_folder, tmp_path / "music"))
    (music / "bad.mp3").write_text("words, words, words\n" * 100)
    done = run("index", music, "--db", tmp_path / "a.npdb", "--jobs", "1", "--json")
    assert done.code == 3
    assert done.records[0]["added"] == 8
    assert "bad.mp3" in done.err
    assert len(titles(run, tmp_path / "a.npdb")) == 8


def test_where_every_file_is_bad_no_database_is_made_and_this_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.mp3").write_text("words, words, words\n" * 100)
    done = run("index", tmp_path / "bad.mp3", "--db", tmp_path / "a.npdb", "--jobs", "1")
    assert done.code == 3
    assert "a.npdb: not made" in done.err
    assert not (tmp_path / "a.npdb").exists()


def test_an_existing_database_needs_add_and_then_keeps_its_songs(run: Run, database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    soundfile.write(tmp_path / "new.wav", song(50, 20.0), SAMPLE_RATE_HZ)
    refused = run("index", tmp_path / "new.wav", "--db", copy, "--jobs", "1")
    assert refused.code == 3
    assert "--add" in refused.err
    assert len(titles(run, copy)) == 8
    added = run("index", tmp_path / "new.wav", "--db", copy, "--add", "--jobs", "1")
    assert added.code == 0, added.err
    assert titles(run, copy) == ["new", *(f"song-{number}" for number in range(8))]


def start(music: Path, database: Path, **options: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SCRIPT, "index", str(music), "--db", str(database), "--jobs", "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def test_ctrl_c_ends_with_130_and_the_second_run_resumes(run: Run, tmp_path: Path) -> None:
    music, database = tmp_path / "music", tmp_path / "big.npdb"
    music.mkdir()
    tunes = [song(200 + number, 8.0) for number in range(4)]
    for number in range(20):
        # Minutes long, so that the signal comes long before the end on any machine.
        samples = np.tile(tunes[number % 4] * (1 - number / 100), 12)
        soundfile.write(music / f"{number:02}.wav", samples, SAMPLE_RATE_HZ)
    # As at a terminal, also where these tests run in a background job, which ignores Ctrl-C and hands that on.
    process = start(music, database, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    # One song's fingerprints take 36 kB: more means that at least one is done.
    journal_seen = wait_for_progress(process, tmp_path, database, n_bytes=45_000)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert journal_seen, err.decode()
    assert process.returncode == 130, err.decode()
    assert b"interrupted; run the command again: it goes on where it stopped" in err
    assert b"Traceback" not in err
    assert run("db", "list", database).code == 3  # nothing half-made is taken for a database
    done = run("-v", "index", music, "--db", database, "--jobs", "1", "--json")
    assert done.code == 0, done.err
    assert done.records[0]["added"] == 20
    assert 1 <= done.records[0]["resumed"] < 20
    assert len(titles(run, database)) == 20


def wait_for_progress(process: "subprocess.Popen[bytes]", folder: Path, database: Path, n_bytes: int = 5_000) -> bool:
    """Wait until some, but hardly all, songs are done: until the journal beside the database grows."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        work = [path for path in folder.rglob("*") if database.name in str(path.relative_to(folder))]
        # What is still being written is renamed at any moment.
        if sum(path.stat().st_size for path in work if path.is_file() and path.suffix != ".tmp") > n_bytes:
            return True
        time.sleep(0.01)
    return False


def limit_file_size(limit_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))


# 20 s are 7 kB of fingerprints: the smaller limit stops fingerprinting, the larger one the writing of the song table.
@pytest.mark.parametrize("limit_bytes", [1_000, 7_500])
def test_full_disk_ends_with_3_and_loses_nothing(
    run: Run, database: Path, music_folder: Path, tmp_path: Path, limit_bytes: int
) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    music = tmp_path / "more"
    music.mkdir()
    for number in range(3):
        soundfile.write(music / f"more-{number}.wav", song(300 + number, 20.0), SAMPLE_RATE_HZ)
    command = [sys.executable, "-c", SCRIPT, "index", str(music), "--db", str(copy), "--add", "--jobs", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=lambda: limit_file_size(limit_bytes)
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "run the command again" in done.stderr
    for name, content in before.items():
        if not name.endswith(".lock"):
            assert (copy / name).read_bytes() == content
    assert run("recognize", "--db", copy, music_folder / "song-2.wav").code == 0
    again = run("index", music, "--db", copy, "--add", "--jobs", "1")
    assert again.code == 0, again.err
    assert len(titles(run, copy)) == 11


def test_unwritable_place_ends_with_3(executable: Run, music_folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        place = Path("/proc/nowplaying.npdb")  # root may write anywhere else
    else:
        place = tmp_path / "locked" / "a.npdb"
        place.parent.mkdir(mode=0o500)
    done = executable("index", music_folder / "song-0.wav", "--db", place, "--jobs", "1")
    assert done.code == 3
    assert str(place) in done.err or str(place.parent) in done.err


def test_jobs_do_not_change_the_database(run: Run, executable: Run, music_folder: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        assert executable("index", music_folder, "--db", tmp_path / f"{jobs}.npdb", "--jobs", str(jobs)).code == 0
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / f"{jobs}.npdb").iterdir() if path.suffix == ".npy"}
        for jobs in (1, 2)
    )
    assert first
    assert first == second


def test_silent_music_is_bad_input(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(10 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    done = run("index", tmp_path / "silent.wav", "--db", tmp_path / "a.npdb", "--jobs", "1")
    assert done.code == 3
    assert "silent throughout" in done.err
    assert not (tmp_path / "a.npdb").exists()
