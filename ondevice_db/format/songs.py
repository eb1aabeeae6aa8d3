"""The songs' metadata in SQLite, opened as the untrusted file it is."""

import itertools
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from nowplaying_core.errors import ConfigError, CorruptArtifactError, DatabaseError
from nowplaying_core.text import printable
from ondevice_db.format.arrays import sync_file
from ondevice_db.format.track import Track

__all__ = ["SongTable", "as_stored", "write_songs"]

MAX_TEXT_CHARACTERS = 1000
_MAX_IDS = 10
_MAX_IDS_CHARACTERS = 4000
_MAX_VALUE_BYTES = 1 << 16
# Pages that name the same page again and again make a table without end out of a small file. A pass over the songs
# takes some twenty of SQLite's steps for each.
_MAX_STEPS = 1_000_000
_MAX_STEPS_PER_SONG = 200
_STEPS_PER_LOOK = 10_000
_ROWS_AT_ONCE = 1000  # that one thread reads before another's turn
_SCHEMA = (
    "CREATE TABLE songs (song_index INTEGER PRIMARY KEY, track_id TEXT NOT NULL, title TEXT NOT NULL, "
    "artist TEXT NOT NULL, album TEXT NOT NULL, duration_s REAL NOT NULL, source TEXT NOT NULL, "
    "external_ids TEXT NOT NULL)"
)
_COLUMNS = "song_index, track_id, title, artist, album, duration_s, source, external_ids"


def as_stored(track: Track) -> Track:
    """Return a track as a database keeps it: over-long texts are cut, and what is no Unicode stands with escapes."""
    known = sorted(track.external_ids.items())[:_MAX_IDS]
    ids = {_storable(str(key), 100): _storable(str(value), 200) for key, value in known}
    while len(_packed(ids)) > _MAX_IDS_CHARACTERS:
        ids.popitem()  # escaped letters are longer than the texts
    title, artist, album, source = (_storable(text) for text in (track.title, track.artist, track.album, track.source))
    return replace(track, title=title, artist=artist, album=album, source=source, external_ids=ids)


def write_songs(path: Path, songs: Iterable[tuple[int, Track]]) -> None:
    """Write the table; over-long texts are cut.

    Parameters
    ----------
    path : Path
        Must not exist.
    songs : iterable of (song index, Track), ascending

    Raises
    ------
    DatabaseError
        When SQLite cannot write the file, for instance on a full disk.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # The file is written once, into a place nobody reads yet: no journal is needed beside it.
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_SCHEMA)
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO songs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_to_row, songs))
            connection.execute("COMMIT")
        sync_file(path)
    except sqlite3.Error as error:
        message = f"{path}: SQLite cannot write the songs ({error}); free some space and run the command again"
        raise DatabaseError(message) from error


class SongTable:
    """Read-only access to ``songs.sqlite``; threads may share it.

    The file stays open, so that it can be read even after a later version of the database took its name or place.

    Parameters
    ----------
    path : Path
        A file whose size and hash the caller has checked.
    n_slots, n_songs : int
        What the manifest promises.
    verified : bool
        The file has been opened before without it: its rows need not be counted again.

    Raises
    ------
    CorruptArtifactError
        When the file is not exactly this table with so many songs.
    """

    def __init__(self, path: Path, *, n_slots: int, n_songs: int, verified: bool = False) -> None:
        self._path = path
        self._n_slots = n_slots
        self._n_looks = (_MAX_STEPS + _MAX_STEPS_PER_SONG * n_songs) // _STEPS_PER_LOOK
        self._turn = threading.Lock()
        with self._readable():
            # immutable: no lock and no side file; SQLite never writes here, nor reads a journal somebody planted.
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            weakref.finalize(self, self._connection.close)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"):
                self._connection.execute(f"PRAGMA {pragma}")
        if verified:
            return
        if list(self._rows("SELECT type, name, sql FROM sqlite_master")) != [("table", "songs", _SCHEMA)]:
            self._refuse("holds something other than the table of songs")
        ((count, low, high),) = self._rows("SELECT count(*), min(song_index), max(song_index) FROM songs")
        if count != n_songs or low < 0 or high >= n_slots:
            self._refuse(f"expected {n_songs} songs numbered below {n_slots}, found {count} in [{low}, {high}]")

    def track(self, song_index: int) -> Track:
        """Return the track of a song index.

        Raises
        ------
        CorruptArtifactError
            When there is no such song or its row breaks the bounds.
        """
        query = f"SELECT {_COLUMNS} FROM songs WHERE song_index = ?"  # noqa: S608 (constants only)
        row = next(self._rows(query, song_index), None)
        if row is None:
            self._refuse(f"no song has the index {song_index}")
        return self._from_row(row)[1]

    def find(self, track_id: str) -> int | None:
        """Return the song index of a track id, or None."""
        row = next(self._rows("SELECT song_index FROM songs WHERE track_id = ?", track_id), None)
        return None if row is None else int(row[0])

    def track_ids(self) -> list[tuple[int, str]]:
        """Return every song index with its track id, ascending."""
        rows = list(self._rows("SELECT song_index, track_id FROM songs ORDER BY song_index"))
        if not all(isinstance(track_id, str) for _, track_id in rows):
            self._refuse("a track id is no text")
        return rows

    def __iter__(self) -> Iterator[tuple[int, Track]]:
        """Yield (song index, track), ascending."""
        query = f"SELECT {_COLUMNS} FROM songs ORDER BY song_index"  # noqa: S608 (constants only)
        return map(self._from_row, self._rows(query))

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        # The handler must not hold the table: whoever drops it closes the connection.
        looks, most, cursor = itertools.count(), self._n_looks, None
        while True:
            with self._turn, self._readable():
                self._connection.set_progress_handler(lambda: next(looks) > most, _STEPS_PER_LOOK)
                cursor = cursor or self._connection.execute(query, values)
                rows = cursor.fetchmany(_ROWS_AT_ONCE)
            if not rows:
                return
            yield from rows

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            message = f"{self._path}: SQLite cannot read the songs ({error}); restore or rebuild the database"
            raise CorruptArtifactError(message) from error

    def _from_row(self, row: tuple[object, ...]) -> tuple[int, Track]:
        index, track_id, title, artist, album, duration_s, source, ids = row
        texts = (track_id, title, artist, album, source)
        if not all(isinstance(text, str) and len(text) <= MAX_TEXT_CHARACTERS for text in texts):
            self._refuse(f"song {index!r} has a text that is none or longer than {MAX_TEXT_CHARACTERS} characters")
        if not isinstance(index, int) or not 0 <= index < self._n_slots or not isinstance(duration_s, float):
            self._refuse(f"song {index!r} has no valid index and duration")
        try:
            parsed = json.loads(ids) if isinstance(ids, str) and len(ids) <= _MAX_IDS_CHARACTERS else None
            if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
                self._refuse(f"song {index} has external ids that are not a table of texts")
            track = Track(
                track_id=str(track_id),
                title=str(title),
                artist=str(artist),
                album=str(album),
                duration_s=duration_s,
                source=str(source),
                external_ids=parsed,
            )
        except (ConfigError, ValueError, RecursionError) as error:
            message = f"{self._path}: song {index}: {error}; restore or rebuild the database"
            raise CorruptArtifactError(message) from error
        return index, track

    def _refuse(self, reason: str) -> NoReturn:
        message = f"{self._path}: {reason}; restore or rebuild the database"
        raise CorruptArtifactError(message)


def _to_row(song: tuple[int, Track]) -> tuple[object, ...]:
    index, track = song[0], as_stored(song[1])
    texts = (track.title, track.artist, track.album, float(track.duration_s), track.source)
    return index, track.track_id, *texts, _packed(track.external_ids)


def _packed(external_ids: Mapping[str, str]) -> str:
    return json.dumps(dict(external_ids), ensure_ascii=False, separators=(",", ":"))


def _storable(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    # SQLite cannot store surrogates, and NUL would cut a text short.
    return printable(text).replace("\0", "")[:limit]
