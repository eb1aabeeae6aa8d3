"""The table of songs: what is written can be read, and threads share what is open."""

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ondevice_db.format.songs import SongTable, write_songs
from tests.ondevice_db.material import make_track


def test_ids_of_any_letters_can_be_read_again(tmp_path: Path) -> None:
    ids = {f"{number} " + "key" * 40: '"\\\x01\0\udce9' * 60 for number in range(20)}
    write_songs(tmp_path / "songs.sqlite", [(0, replace(make_track(0), external_ids=ids))])
    found = SongTable(tmp_path / "songs.sqlite", n_slots=1, n_songs=1).track(0).external_ids
    assert found
    assert set(found) <= {key[:100] for key in ids}
    assert all(value.startswith('"\\\x01\\xe9') for value in found.values())


def test_threads_share_one_table(tmp_path: Path) -> None:
    path, n = tmp_path / "songs.sqlite", 3000
    write_songs(path, [(number, make_track(number)) for number in range(n)])
    table = SongTable(path, n_slots=n, n_songs=n)
    with ThreadPoolExecutor(8) as pool:
        lists = [pool.submit(lambda: [index for index, _ in table]) for _ in range(4)]
        tracks = pool.map(table.track, range(0, n, 10))
        found = pool.map(lambda number: table.find(make_track(number).track_id), range(0, n, 100))
        assert [track.title for track in tracks] == [f"Song {number}" for number in range(0, n, 10)]
        assert list(found) == list(range(0, n, 100))
        assert all(one.result() == list(range(n)) for one in lists)


def test_a_table_that_is_dropped_closes_its_file(tmp_path: Path) -> None:
    write_songs(tmp_path / "songs.sqlite", [(0, make_track(0))])
    table = SongTable(tmp_path / "songs.sqlite", n_slots=1, n_songs=1)
    connection = table._connection
    assert table.find(next(iter(table))[1].track_id) == 0
    del table
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")
