"""Recordings in the body: bounded, decoded from memory, and problems that a person can read."""

import io
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying.web.upload import MOST_BYTES, read_clip
from nowplaying_core.audio import MemoryFile
from simulator.scenes.recordings import demo_recordings
from tests.synthesis import SAMPLE_RATE_HZ, song

from .conftest import Server, running


def wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def test_a_demo_song_is_named_with_its_evidence(server: Server) -> None:
    server.ask("/api/forget", b"")
    data = demo_recordings()["fur-elise"].path.read_bytes()
    table = server.ask("/api/recognize", data, x_name="f%C3%BCr%20elise.opus").table
    assert table["name"] == "für elise.opus"
    assert table["recognition"]["match"]["title"] == "Für Elise"
    assert table["detection"]["probabilities"]
    alignment = table["recognition"]["alignment"]
    shape = (len(alignment["reference_s"]), len(alignment["times_s"]))
    assert np.array(alignment["similarities"], float).shape == shape
    assert len(table["recognition"]["explanation"]["steps"]) == len(alignment["times_s"])
    assert [entry["song"]["name"] for entry in table["history"]] == ["Für Elise - Musopen"]


def test_the_history_counts_and_forgets(server: Server) -> None:
    server.ask("/api/forget", b"")
    known, unknown = (demo_recordings()[name].path.read_bytes() for name in ("low-fi", "jrpg-tavern"))
    for data in (known, unknown, known):
        history = server.ask("/api/recognize", data).table["history"]
    assert [entry["song"] and entry["song"]["times"] for entry in history] == [2, None, 1]
    assert server.ask("/api/status").table["history"] == history
    assert server.ask("/api/forget", b"").table["history"] == []


@pytest.mark.parametrize("data", [b"", b"no sound at all" * 100, b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_what_is_no_audio_is_told_by_name(server: Server, data: bytes) -> None:
    answer = server.ask("/api/recognize", data, x_name="notes.txt")
    assert answer.status == 422
    assert answer.table["error"]["code"] == "audio"
    assert answer.table["error"]["message"].startswith("notes.txt: ")


def test_more_than_the_limit_is_refused_before_it_is_read(server: Server) -> None:
    answer = server.ask("/api/recognize", b"x", content_length=str(MOST_BYTES + 1))
    assert answer.status == 413
    assert "64 MiB" in answer.table["error"]["message"]


def test_a_body_without_a_length_is_bounded_too(server: Server) -> None:
    import http.client

    connection = http.client.HTTPConnection(server.host, timeout=60)
    block = b"x" * (8 << 20)
    try:
        connection.putrequest("POST", "/api/recognize")
        for name, value in (("x-nowplaying-token", server.token), ("transfer-encoding", "chunked")):
            connection.putheader(name, value)
        connection.endheaders()
        for _ in range(9):
            connection.send(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        assert connection.getresponse().status == 413  # and the body has not even ended
    finally:
        connection.close()
    assert server.ask("/api/status").status == 200


def test_a_page_that_is_closed_while_it_sends_is_no_error(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w") as errors, running("--db", tmp_path / "new.npdb", stderr=errors) as server:
        host, port = server.host.split(":")
        head = f"POST /api/recognize HTTP/1.1\r\nHost: {server.host}\r\nx-nowplaying-token: {server.token}\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\nhalf".encode())
        assert server.ask("/api/status").status == 200
    assert "error" not in (tmp_path / "errors").read_text()


def test_a_long_recording_is_cut() -> None:
    clip = read_clip(MemoryFile("long.wav", wav(song(1, 9.0))), most_seconds=4.0)
    assert (clip.is_cut, clip.samples.size) == (True, 4 * SAMPLE_RATE_HZ)
    clip = read_clip(MemoryFile("short.wav", wav(song(1, 4.0))), most_seconds=4.0)
    assert (clip.is_cut, clip.samples.size) == (False, 4 * SAMPLE_RATE_HZ)


def test_nothing_of_a_recording_is_written(demo_database: Path, tmp_path: Path) -> None:
    import os

    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder)}
    with running("--db", demo_database, cwd=folder, env=environment) as server:
        assert server.ask("/api/recognize", wav(song(1, 9.0))).status == 200  # models are open now
        before = folder.stat().st_mtime_ns
        for data in (wav(song(2, 9.0)), demo_recordings()["city"].path.read_bytes(), 20 * wav(song(1, 9.0))):
            assert server.ask("/api/recognize", data).status == 200
        # Any file made here would have changed its folder's time, even one that is gone again.
        assert folder.stat().st_mtime_ns == before
        assert list(folder.iterdir()) == []


def test_an_empty_server_finds_music_and_says_what_is_missing(tmp_path: Path) -> None:
    with running("--db", tmp_path / "new.npdb") as server:
        assert server.ask("/api/status").table["databases"] == []
        table = server.ask("/api/recognize", demo_recordings()["low-fi"].path.read_bytes()).table
    assert table["recognition"] is None
    assert table["detection"]["segments"]


@pytest.mark.parametrize(("path", "status"), [("/api/nothing", 404), ("/api/recognize", 405), ("/api/index/0", 405)])
def test_other_addresses_are_told_too(server: Server, path: str, status: int) -> None:
    answer = server.ask(path)
    assert answer.status == status
    assert "nothing here" in answer.table["error"]["message"]
