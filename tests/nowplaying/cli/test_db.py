"""The commands that change a database, end to end, and the files that travel between two machines."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.synthesis import SAMPLE_RATE_HZ, song

from .conftest import Run


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(database, tmp_path / "copy.npdb"))


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of one more song and one that the shared database holds too."""
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.ingest.ingest import index_paths

    folder = tmp_path_factory.mktemp("mine")
    soundfile.write(folder / "mine.wav", song(77, 20.0), SAMPLE_RATE_HZ)
    soundfile.write(folder / "song-2.wav", song(2, 20.0), SAMPLE_RATE_HZ, subtype="PCM_16")
    index_paths(sorted(folder.glob("*.wav")), folder / "mine.npdb", Fingerprinter.from_model())
    return folder / "mine.npdb"


def titles(run: Run, database: Path) -> list[str]:
    return sorted(record["title"] for record in run("db", "list", database, "--json").records)


def ids(run: Run, database: Path) -> dict[str, str]:
    return {record["title"]: record["track_id"] for record in run("db", "list", database, "--json").records}


def test_list_info_and_remove(run: Run, database: Path, tmp_path: Path, music_folder: Path) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    tracks = run("db", "list", "--json", copy).records
    assert {track["title"] for track in tracks} == {f"song-{number}" for number in range(8)}
    assert all(track["duration_s"] == pytest.approx(20.0) for track in tracks)
    (facts,) = run("db", "info", "--json", copy).records
    assert facts["n_songs"] == 8
    (gone,) = [track["track_id"] for track in tracks if track["title"] == "song-2"]
    assert run("db", "remove", copy, gone).code == 0
    assert len(run("db", "list", "--json", copy).records) == 7
    assert run("recognize", "--db", copy, music_folder / "song-2.wav").code == 1
    assert run("recognize", "--db", copy, music_folder / "song-3.wav").code == 0


def test_removing_an_unknown_song_is_refused(run: Run, database: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(database, tmp_path / "copy.npdb"))
    done = run("db", "remove", copy, "0" * 16)
    assert done.code == 2
    assert "0" * 16 in done.err


def test_merge_then_roll_back(run: Run, copy: Path, mine: Path) -> None:
    (merged,) = run("db", "merge", copy, mine, "--json").records
    assert (merged["added"], merged["duplicates"], merged["n_songs"]) == (1, 1, 9)
    assert "mine" in titles(run, copy)
    assert run("db", "verify", copy).code == 0
    (info,) = run("db", "info", copy, "--json").records
    assert (info["generation"], info["generation_before"], info["signed"]) == (2, 1, False)
    assert info["bytes_before"] > 0
    (back,) = run("db", "rollback", copy, "--json").records
    assert (back["n_songs"], back["generation"]) == (8, 1)
    again = run("db", "rollback", copy)
    assert again.code == 3
    assert "nothing to roll back" in again.err


def test_describe_and_compact(run: Run, copy: Path) -> None:
    track_id = ids(run, copy)["song-4"]
    assert run("db", "describe", copy, track_id, "--title", "Morning", "--artist", "Somebody").code == 0
    assert "Morning" in titles(run, copy)
    assert run("db", "describe", copy, track_id).code == 2
    assert run("db", "describe", copy, "f" * 16, "--title", "x").code == 2
    (done,) = run("db", "compact", copy, "--json").records
    assert done["action"] == "compact"
    assert run("db", "rollback", copy).code == 3


def test_replace(run: Run, copy: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "better.wav", song(90, 20.0), SAMPLE_RATE_HZ)
    assert run("db", "replace", copy, ids(run, copy)["song-4"], tmp_path / "better.wav").code == 0
    assert titles(run, copy)[0] == "better"
    assert len(titles(run, copy)) == 8
    assert run("recognize", "--db", copy, tmp_path / "better.wav").code == 0
    soundfile.write(tmp_path / "best.wav", song(91, 20.0), SAMPLE_RATE_HZ)
    here = os.path.relpath(tmp_path / "best.wav")
    (best,) = run("db", "replace", copy, ids(run, copy)["better"], here, "--json").records
    assert best["track"]["source"] == "best.wav"  # from the folder of the database
    assert run("db", "replace", copy, ids(run, copy)["best"], tmp_path / "better.wav").code == 0
    (tmp_path / "words.mp3").write_text("words " * 1000)
    assert run("db", "replace", copy, ids(run, copy)["better"], tmp_path / "words.mp3").code == 3
    soundfile.write(tmp_path / "short.wav", song(7, 1.0), SAMPLE_RATE_HZ)
    done = run("db", "replace", copy, ids(run, copy)["better"], tmp_path / "short.wav")
    assert done.code == 3
    assert "'nowplaying index --min-seconds' takes shorter ones" in done.err
    assert len(titles(run, copy)) == 8


def test_a_signed_delta_to_another_machine(run: Run, copy: Path, mine: Path, tmp_path: Path) -> None:
    pytest.importorskip("zstandard", reason="needs the delta extra")
    pytest.importorskip("cryptography", reason="needs the sign extra")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    for command in (
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private],
        ["openssl", "ec", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(command, check=True, capture_output=True)
    new = Path(shutil.copytree(copy, tmp_path / "new.npdb"))
    assert run("db", "merge", new, mine).code == 0
    assert run("db", "delta", copy, new, "-o", tmp_path / "unsigned.npdelta").code == 0
    assert run("db", "sign", new, "--key", private).code == 0
    (made,) = run("db", "delta", copy, new, "-o", tmp_path / "signed.npdelta", "--json").records
    assert made["bytes"] == (tmp_path / "signed.npdelta").stat().st_size < 10_000
    refused = run("db", "apply", copy, tmp_path / "unsigned.npdelta", "--public-key", public)
    assert (refused.code, len(titles(run, copy))) == (4, 8)
    assert run("db", "verify", copy, "--public-key", public).code == 4
    assert run("db", "apply", copy, tmp_path / "signed.npdelta", "--public-key", public).code == 0
    assert run("db", "verify", copy, "--public-key", public).code == 0
    assert titles(run, copy) == titles(run, new)


def test_packs_have_one_answer(run: Run, database: Path, mine: Path, music_folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mine.wav", song(77, 20.0)[5 * SAMPLE_RATE_HZ :], SAMPLE_RATE_HZ)
    files = [tmp_path / "mine.wav", music_folder / "song-2.wav"]
    alone = run("recognize", "--db", database, "--json", *files).records
    assert [record["match"] is None for record in alone] == [True, False]
    both = run(
        "recognize", "--db", database, "--db", mine, "--json", tmp_path / "mine.wav", music_folder / "song-2.wav"
    )
    assert [record["match"]["title"] for record in both.records] == ["mine", "song-2"]
    assert both.records[1]["match"]["score"] == pytest.approx(alone[1]["match"]["score"], abs=0.02)


def test_nothing_in_a_title_steers_the_terminal(run: Run, copy: Path) -> None:
    track_id = ids(run, copy)["song-4"]
    assert run("db", "describe", copy, track_id, "--title", "\x1b]0;owned\x07\x9b31m red").code == 0
    shown = run("db", "list", copy).out
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\\u001b]0;owned\\u0007\\u009b31m red" in shown
    assert "\x1b]0;owned\x07\x9b31m red" in titles(run, copy)


def test_listening_takes_packs_too(run: Run, database: Path, mine: Path, tmp_path: Path) -> None:
    samples = np.concatenate([song(77, 20.0), np.zeros(SAMPLE_RATE_HZ, np.float32)])
    soundfile.write(tmp_path / "mine.wav", samples, SAMPLE_RATE_HZ)
    done = run("listen", "--db", database, "--db", mine, tmp_path / "mine.wav", "--json")
    assert done.code == 0
    assert [record["title"] for record in done.records] == ["mine"]


def test_a_database_that_may_not_be_read_is_no_usage_error(run: Run, database: Path) -> None:
    assert run("db", "info", database).code == 0  # what it imports is there now, and root's files are not read later
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "closed.npdb"
        Path(folder).chmod(0o755)
        place.mkdir(mode=0)
        try:
            if is_root:
                os.setresuid(65534, 65534, 0)  # root may read everything
            done = run("db", "info", place)
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
    assert done.code == 3
    assert f"error: {place}: Permission denied; check the permissions" in done.err
