"""A folder that a browser hands over file by file, indexed by the function and under the lock of all indexing."""

import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import MemoryFile
from nowplaying_core.errors import AudioFormatError, ConfigError, DatabaseError, NowPlayingError
from ondevice_db.ingest.arriving import Arriving
from ondevice_db.ingest.ingest import index_paths
from ondevice_db.ingest.journal import FileStamp
from ondevice_db.ingest.read_options import ReadOptions
from ondevice_db.ingest.report import IndexProgress, IndexReport

__all__ = ["MOST_FILES", "MOST_FILE_BYTES", "IndexJob", "stamps_of"]

MOST_FILES = 20_000
MOST_FILE_BYTES = 256 << 20
_MOST_SECONDS = 4 * 3600.0
_ANSWER_S = 60.0  # browsers give up on a request that is not answered for some minutes
_MOST_NAME = 1_000
_MOST_FAILURES = 50  # that the page lists
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # controls, surrogates and separators of lines; spaces of any width are text


def stamps_of(files: Sequence[Mapping[str, Any]]) -> dict[Path, FileStamp]:
    """Return the names of files and what the browser says of them.

    Parameters
    ----------
    files : sequence of mapping
        With ``name`` (a relative path), ``size_bytes`` and ``modified_ms``.

    Raises
    ------
    ConfigError
        When there is none, too many, one is not described so, or two have one name.
    """
    if not 1 <= len(files) <= MOST_FILES:
        message = f"expected 1 to {MOST_FILES:,} audio files, found {len(files):,}; use 'nowplaying index' for more"
        raise ConfigError(message)
    stamps: dict[Path, FileStamp] = {}
    for file in files:
        try:
            name, size_bytes, modified_ms = str(file["name"]), int(file["size_bytes"]), int(file["modified_ms"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            message = f"files: expected name, size_bytes and modified_ms of each, found {str(file)[:100]}"
            raise ConfigError(message) from error
        path = PurePosixPath(name)
        is_text = not any(unicodedata.category(letter) in _NO_TEXT for letter in name)
        if not name or len(name) > _MOST_NAME or path.is_absolute() or ".." in path.parts or not is_text:
            message = f"files: expected a name within the folder, found {name[:100]!r}"
            raise ConfigError(message)
        if Path(path) in stamps:
            # The page and the server would count the files differently.
            message = f"files: expected each name once, found {name[:100]!r} twice; give one folder after the other"
            raise ConfigError(message)
        stamps[Path(path)] = FileStamp(path=str(path), size_bytes=size_bytes, mtime_ns=1_000_000 * modified_ms)
    return stamps


class IndexJob:
    """One run of the index function in a thread, which asks for each file when it is its turn.

    Parameters
    ----------
    database : Path
        To add to, or to make.
    stamps : mapping of Path to FileStamp
        As of `stamps_of`.
    fingerprinter : str or Path
        Shipped name or model folder.
    on_done : callable
        Called when the database holds what could be indexed.
    hop_s : float, seconds, optional
        That of the databases beside which it is searched.
    patience_s : float > 0, seconds
        How long to wait for a file; then the run stops, and goes on when the same folder comes again.
    """

    def __init__(
        self,
        database: Path,
        stamps: Mapping[Path, FileStamp],
        *,
        fingerprinter: str | Path,
        on_done: Callable[[], None],
        hop_s: float | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self._database, self._stamps, self._model = database, dict(stamps), fingerprinter
        self._numbers = {path: number for number, path in enumerate(self._stamps)}
        self._on_done, self._hop_s, self._patience_s = on_done, hop_s, patience_s
        self._changed = threading.Condition()
        self._state: Literal["working", "waiting", "done", "failed"] = "working"
        self._wanted: int | None = None
        self._given: MemoryFile | None = None
        self._is_stopped = False
        self._progress = IndexProgress(n_done=0, n_total=len(self._stamps), seconds_of_audio=0.0, elapsed_s=0.0)
        self._report: IndexReport | None = None
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._state in {"working", "waiting"}

    def stop(self) -> None:
        """End the run before the next file; what is done is kept for a run with the same folder."""
        with self._changed:
            self._is_stopped = True
            if self._state == "waiting":
                self._state, self._wanted = "working", None
            self._changed.notify_all()

    def offer(self, number: int, file: MemoryFile) -> None:
        """Hand over the wanted file, and wait as `wait` does; a run that has ended takes none.

        Raises
        ------
        ConfigError
            When another one is wanted, or none now.
        """
        with self._changed:
            if self.is_running and self._wanted != number:
                expected = "none now" if self._wanted is None else f"file {self._wanted}, which is the next"
                message = f"file {number}: expected {expected}; ask for the state first"
                raise ConfigError(message)
            if self.is_running:
                self._state, self._wanted, self._given = "working", None, file
                self._changed.notify_all()
        self.wait()

    def wait(self) -> None:
        """Wait until a file is wanted or the run has ended, but for a minute only: a long file takes several waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._state != "working", timeout=_ANSWER_S)

    def state(self) -> dict[str, Any]:
        """Return how far it is, as JSON."""
        with self._changed:
            progress, report = self._progress, self._report
            table: dict[str, Any] = {
                "state": self._state,
                "database": self._database.name,
                "wanted": self._wanted,
                "n_done": progress.n_done,
                "n_total": progress.n_total,
                "times_real_time": round(progress.times_real_time, 1),
                "error": self._error,
                "report": None,
            }
        if report is not None:
            failed = [str(reason) for _, reason in report.failed[:_MOST_FAILURES]]
            table["report"] = {
                "text": str(report),
                "n_added": len(report.added),
                "n_resumed": report.n_resumed,
                "failed": failed,
                "n_failed": len(report.failed),
                "duplicates": [[str(path), first] for path, first in report.skipped[:_MOST_FAILURES]],
            }
        return table

    def _run(self) -> None:
        try:
            self._report = index_paths(
                list(self._stamps),
                self._database,
                Fingerprinter.from_model(self._model),
                add=self._database.exists(),
                hop_s=self._hop_s,
                options=ReadOptions(max_s=_MOST_SECONDS),
                arriving=Arriving(stamps=self._stamps, take=self._take),
                progress=self._note,
            )
            if self._database.exists():  # no song, no new database
                self._on_done()
            self._end("done")
        except NowPlayingError as error:
            self._end("failed", str(error))
        except BaseException as error:
            self._end("failed", f"an error that was not expected ({type(error).__name__}); the terminal shows it")
            raise

    def _note(self, progress: IndexProgress) -> None:
        with self._changed:
            self._progress = progress

    def _end(self, state: Literal["done", "failed"], error: str = "") -> None:
        with self._changed:
            self._state, self._error, self._wanted = state, error, None
            self._changed.notify_all()

    def _take(self, path: Path) -> MemoryFile | AudioFormatError:
        if self._stamps[path].size_bytes > MOST_FILE_BYTES:
            message = f"{path}: larger than {MOST_FILE_BYTES >> 20} MiB; use 'nowplaying index' for it"
            return AudioFormatError(message)
        with self._changed:
            self._state, self._wanted, self._given = "waiting", self._numbers[path], None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has_news, timeout=self._patience_s)
            return MemoryFile(str(path), self._arrived().data)

    @property
    def _has_news(self) -> bool:
        return self._given is not None or self._is_stopped

    def _arrived(self) -> MemoryFile:
        if self._given is None or self._is_stopped:
            reason = "stopped" if self._is_stopped else f"no file came for {self._patience_s:g} s"
            message = f"{self._database.name}: {reason}; give the same folder again, and indexing goes on there"
            raise DatabaseError(message)
        return self._given
