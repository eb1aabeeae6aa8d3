"""A folder handed over file by file: the order is the server's, and whatever goes wrong, a second run goes on."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import nowplaying
from nowplaying.web import indexing
from nowplaying.web.indexing import MOST_FILE_BYTES, IndexJob, stamps_of
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import MemoryFile
from nowplaying_core.errors import ConfigError
from ondevice_db.format.lock import writer_lock
from ondevice_db.store.store import SongDatabase
from simulator.scenes.recordings import demo_recordings

from .conftest import Server, running

SONGS = ("low-fi", "fur-elise")


def listed(**more: Any) -> list[dict[str, Any]]:
    files = [{"name": f"Music/{name}.opus", "size_bytes": 1, "modified_ms": 1} for name in SONGS]
    return [*files, *({"name": name, "size_bytes": size, "modified_ms": 1} for name, size in more.items())]


def content(number: int) -> MemoryFile:
    return MemoryFile("upload", demo_recordings()[SONGS[number]].path.read_bytes())


def start(database: Path, files: list[dict[str, Any]], patience_s: float = 30.0) -> tuple[IndexJob, list[str]]:
    done: list[str] = []
    job = IndexJob(
        database,
        stamps_of(files),
        fingerprinter=SHIPPED_FINGERPRINTER,
        on_done=lambda: done.append("done"),
        patience_s=patience_s,
    )
    job.start()
    wait(job)
    return job, done


def wait(job: IndexJob) -> None:
    while job.state()["state"] == "working":
        job.wait()


def give(job: IndexJob, number: int, file: MemoryFile | None = None) -> None:
    job.offer(number, file or content(number))
    wait(job)


def wait_for_the_end(job: IndexJob) -> None:
    while job.is_running:
        time.sleep(0.01)


def test_files_are_asked_for_in_turn(tmp_path: Path) -> None:
    job, done = start(tmp_path / "a.npdb", listed(**{"Music/huge.wav": MOST_FILE_BYTES + 1}))
    assert (job.state()["state"], job.state()["wanted"]) == ("waiting", 0)
    with pytest.raises(ConfigError, match="expected file 0"):
        job.offer(1, content(1))
    give(job, 0)
    assert (job.state()["wanted"], job.state()["n_done"]) == (1, 1)
    give(job, 1)
    state = job.state()
    assert (state["state"], state["report"]["n_added"], state["n_done"]) == ("done", 2, 3)
    assert state["report"]["failed"] == ["Music/huge.wav: larger than 256 MiB; use 'nowplaying index' for it"]
    assert done == ["done"]
    assert SongDatabase.open(tmp_path / "a.npdb").track(0).title == "Low-Fi"


def test_where_no_file_can_be_read_the_files_are_what_is_wrong(tmp_path: Path) -> None:
    job, done = start(tmp_path / "a.npdb", listed())
    for number in range(len(SONGS)):
        give(job, number, MemoryFile("upload", b"no sound"))
    state = job.state()
    assert (state["state"], state["error"], state["report"]["n_failed"], done) == ("done", "", 2, [])
    assert not (tmp_path / "a.npdb").exists()


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    job, done = start(tmp_path / "a.npdb", listed())
    give(job, 0)
    job.stop()
    wait(job)
    assert (job.state()["state"], done) == ("failed", [])
    assert "stopped; give the same folder again" in job.state()["error"]
    assert not (tmp_path / "a.npdb").exists()
    again, _ = start(tmp_path / "a.npdb", listed())
    assert again.state()["wanted"] == 1
    give(again, 1)
    assert (again.state()["state"], again.state()["report"]["n_resumed"]) == ("done", 1)


def test_a_file_that_takes_long_is_waited_for_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_ANSWER_S", 0.0)
    job, _ = start(tmp_path / "a.npdb", listed())
    for number in range(len(SONGS)):
        wait(job)
        job.offer(number, content(number))
        assert (job.state()["state"], job.state()["wanted"]) == ("working", None)
        with pytest.raises(ConfigError, match=f"file {number}: expected none now"):
            job.offer(number, content(number))
    wait(job)
    assert (job.state()["state"], job.state()["report"]["n_added"]) == ("done", 2)


def test_a_run_that_has_ended_says_why_when_a_file_comes(tmp_path: Path) -> None:
    job, _ = start(tmp_path / "a.npdb", listed(), patience_s=0.0)
    wait_for_the_end(job)
    job.offer(0, content(0))
    assert "no file came for 0 s" in job.state()["error"]


def test_a_page_that_was_closed_leaves_no_lock(tmp_path: Path) -> None:
    job, _ = start(tmp_path / "a.npdb", listed(), patience_s=0.05)
    wait_for_the_end(job)
    assert "no file came for 0.05 s" in job.state()["error"]
    with writer_lock(tmp_path / "a.npdb"):
        pass


def test_another_writer_is_told(tmp_path: Path) -> None:
    with writer_lock(tmp_path / "a.npdb"):
        job, _ = start(tmp_path / "a.npdb", listed())
    assert "is writing it" in job.state()["error"]


@pytest.mark.parametrize(
    "file",
    [
        {},
        {"name": "a.wav", "size_bytes": "many", "modified_ms": 0},
        {"name": "a.wav", "size_bytes": 1, "modified_ms": float("inf")},
        {"name": "/etc/a.wav", "size_bytes": 1, "modified_ms": 0},
        {"name": "music/../../a.wav", "size_bytes": 1, "modified_ms": 0},
        {"name": "a\x1b[31m.wav", "size_bytes": 1, "modified_ms": 0},
        {"name": "", "size_bytes": 1, "modified_ms": 0},
        {"name": "a" * 2_000, "size_bytes": 1, "modified_ms": 0},
    ],
)
def test_names_that_lead_elsewhere_are_refused(file: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="files: expected"):
        stamps_of([file])


def test_names_of_any_language_are_taken() -> None:
    for name in ("音楽\u3000集/曲.mp3", "Été\u00a0!/a b.flac", "👨\u200d👩/x.wav"):
        (path,) = stamps_of([{"name": name, "size_bytes": 1, "modified_ms": 0}])
        assert str(path) == name


def test_two_files_of_one_name_are_refused() -> None:
    """The page numbers what it lists: left out here, one of them would bring the next name another file's sound."""
    twice = [*listed(), {"name": f"Music//{SONGS[0]}.opus", "size_bytes": 2, "modified_ms": 2}]
    with pytest.raises(ConfigError, match=r"each name once, found 'Music//low-fi\.opus' twice"):
        stamps_of(twice)


def test_no_files_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected 1 to 20,000 audio files, found 0"):
        stamps_of([])


def test_a_new_database_has_the_hop_of_those_beside_it(tmp_path: Path) -> None:
    paths = {name: demo_recordings()[name].path for name in SONGS}
    nowplaying.index(paths[SONGS[0]], tmp_path / "fine.npdb", hop_s=0.5)
    content = paths[SONGS[1]].read_bytes()
    files = [{"name": "elise.opus", "size_bytes": len(content), "modified_ms": 1}]
    with running("--db", tmp_path / "fine.npdb") as server:
        server.ask("/api/index", json.dumps({"files": files, "database": "more"}).encode())
        state = server.ask("/api/index/0", content).table
        assert (state["state"], state["error"]) == ("done", "")
        assert server.ask("/api/recognize", content).table["recognition"]["match"]["title"] == "Für Elise"
    assert SongDatabase.open(tmp_path / "more.npdb").manifest.hop_s == 0.5


def test_songs_are_found_at_once_in_the_same_and_in_a_new_database(demo_database: Path, tmp_path: Path) -> None:
    database = tmp_path / "mine.npdb"
    shutil.copytree(demo_database, database)
    tavern = demo_recordings()["jrpg-tavern"].path.read_bytes()
    files = [{"name": "tavern.opus", "size_bytes": len(tavern), "modified_ms": 1}]
    with running("--db", database) as server:
        assert server.ask("/api/recognize", tavern).table["recognition"]["match"] is None
        body = json.dumps({"files": files, "database": "games"}).encode()
        assert server.ask("/api/index", body).table["wanted"] == 0
        assert server.ask("/api/index", body).status == 409  # one at a time
        state = server.ask("/api/index/0", tavern).table
        assert (state["state"], state["report"]["n_added"], state["database"]) == ("done", 1, "games.npdb")
        assert server.ask("/api/recognize", tavern).table["recognition"]["match"]["title"] == "JRPG Tavern"
        counts = {one["name"]: one["n_songs"] for one in server.ask("/api/status").table["databases"]}
        assert counts == {"mine.npdb": 12, "games.npdb": 1}
        assert server.ask("/api/index/0", tavern).table == state  # it has ended


@pytest.mark.parametrize("name", ["../evil", "/root/evil", "a/b", ".hidden", "a\u202e", "x" * 80])
def test_a_new_database_lies_beside_the_first(server: Server, name: str) -> None:
    body = json.dumps({"files": listed(), "database": name}).encode()
    answer = server.ask("/api/index", body)
    assert answer.status == 400
    assert "new database: expected" in answer.table["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"files": 3}', b'{"files": []}', b"[" * 100_000])
def test_a_list_that_is_none_is_refused(server: Server, body: bytes) -> None:
    answer = server.ask("/api/index", body)
    assert answer.status == 400
    assert "expected" in answer.table["error"]["message"]
