"""From files to a database: decode, fingerprint and describe each file once, in several processes, resumably."""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.errors import AudioFormatError, ConfigError, DatabaseError, NowPlayingError
from ondevice_db.format.arrays import open_array
from ondevice_db.format.schema import Track, load_manifest
from ondevice_db.index.choose_codebook import CodebookChoice, shipped_codebook
from ondevice_db.index.codebook import Codebook
from ondevice_db.ingest.cluster import fingerprint_on_cluster
from ondevice_db.ingest.journal import DoneFile, FileStamp, Journal
from ondevice_db.ingest.workers import fingerprint_file, fingerprint_files
from ondevice_db.recognizer import Embedder
from ondevice_db.store.builder import DatabaseWriter, FingerprintSettings
from ondevice_db.store.changes import replace_track
from ondevice_db.store.store import SongDatabase

__all__ = ["IndexProgress", "IndexReport", "index_paths", "replace_with_file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexProgress:
    """How far a run is.

    Attributes
    ----------
    n_done, n_total : int
        Files, with those that failed or were done before.
    seconds_of_audio : float
        Fingerprinted by this run.
    elapsed_s : float
    """

    n_done: int
    n_total: int
    seconds_of_audio: float
    elapsed_s: float

    @property
    def times_real_time(self) -> float:
        """Seconds of audio per second of work."""
        return self.seconds_of_audio / max(self.elapsed_s, 1e-9)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexReport:
    """What became of every file.

    Attributes
    ----------
    added : list of (Path, str)
        Files whose songs are in the database now, and their track ids.
    skipped : list of (Path, str)
        Files with the same sound as another, and that one's source.
    failed : list of (Path, NowPlayingError)
        Files that cannot be read, and why.
    n_resumed : int
        Files that an interrupted run had finished.
    seconds_of_audio : float
        Of the added songs.
    elapsed_s : float
    """

    added: list[tuple[Path, str]] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    failed: list[tuple[Path, NowPlayingError]] = field(default_factory=list)
    n_resumed: int = 0
    seconds_of_audio: float = 0.0
    elapsed_s: float = 0.0


def index_paths(
    paths: Sequence[Path],
    database: str | Path,
    fingerprinter: Embedder,
    *,
    jobs: int = 1,
    add: bool = False,
    layout: str = "pq",
    codebook: Codebook | CodebookChoice | None = None,
    hop_s: float | None = None,
    engine: str = "local",
    progress: Callable[[IndexProgress], None] | None = None,
) -> IndexReport:
    """Index audio files.

    Interrupted at any moment, by Ctrl-C, a full disk or a power cut, the same call goes on where it stopped. The
    database does not depend on ``jobs``.

    Parameters
    ----------
    paths : sequence of Path
        Audio files; see :func:`nowplaying_core.audio.find_audio` for folders.
    database : str or Path
        Folder NAME.npdb.
    fingerprinter : Embedder
        Sent to other processes by its model folder, or pickled where it is no shipped kind.
    jobs : int >= 1
        Processes.
    add : bool
        Add to an existing database instead of making a new one.
    layout : {"pq", "flat"}
    codebook : Codebook or CodebookChoice, optional
        Of a new database; by default what :class:`~ondevice_db.index.choose_codebook.CodebookChoice` chooses.
    hop_s : float in (0, window], seconds, optional
        Between fingerprints; by default the model's, or that of the database that is added to.
    engine : {"local", "ray"}
        Where files are fingerprinted: in processes of this machine, or on a Ray cluster; the result is the same.
    progress : callable, optional
        Is told after every file.

    Raises
    ------
    DatabaseError
        When the database exists (without ``add``), is missing (with it), is being written, or the disk is full.
    ArtifactError
        When the database to add to is damaged or of another encoder.
    ConfigError
        When a setting is out of range.
    """
    path = Path(database)
    if jobs < 1 or layout not in {"pq", "flat"} or engine not in {"local", "ray"}:
        message = (
            f"indexing: expected jobs >= 1, layout 'pq' or 'flat' and engine 'local' or 'ray', "
            f"found {jobs}, {layout!r} and {engine!r}"
        )
        raise ConfigError(message)
    if hop_s is None:
        hop_s = load_manifest(path).hop_s if add else fingerprinter.reference_hop_s
    if not 0 < hop_s <= fingerprinter.window_s:
        message = f"indexing: expected a hop of 0 to {fingerprinter.window_s:g} s, its window, found {hop_s}"
        raise ConfigError(message)
    settings = FingerprintSettings(
        embedding_space=fingerprinter.embedding_space,
        encoder=fingerprinter.name,
        dim=fingerprinter.dim,
        hop_s=hop_s,
        window_s=fingerprinter.window_s,
    )
    choice, given = (None, codebook) if isinstance(codebook, Codebook) else (codebook or CodebookChoice(), None)
    if add or layout != "pq":
        choice = None
    if choice is not None:
        given = _shipped_codebook(fingerprinter, choice)
    _make_parent(path)
    began_s = time.perf_counter()
    with DatabaseWriter(path, settings=settings, codebook=given, layout=layout, extend=add) as writer:
        journal = Journal(path, {"embedding_space": settings.embedding_space, "hop_s": settings.hop_s})
        report = IndexReport(n_resumed=sum(journal.find(FileStamp.of(file)) is not None for file in paths))
        try:
            done = _fingerprint_all(
                paths,
                journal,
                fingerprinter,
                hop_s=hop_s,
                jobs=jobs,
                engine=engine,
                report=report,
                progress=progress,
            )
        except (OSError, BrokenProcessPool) as error:
            message = f"{path}: indexing stopped ({error}); free some space or memory and run the command again"
            raise DatabaseError(message) from error
        if choice is not None and given is not None and done:
            tracks = [done[path].track.track_id for path in paths if path in done]
            writer.use_codebook(_make_codebook(choice, given, tracks, journal))
        seconds = _collect(paths, done, journal, writer, report)
        if len(writer):
            writer.finish()
            journal.delete()
        elif not len(journal):
            journal.delete()
    return IndexReport(
        added=report.added,
        skipped=report.skipped,
        failed=report.failed,
        n_resumed=report.n_resumed,
        seconds_of_audio=seconds,
        elapsed_s=time.perf_counter() - began_s,
    )


def replace_with_file(database: str | Path, track_id: str, file: Path, fingerprinter: Embedder) -> Track:
    """Put the recording of a file in a song's place: both happen or neither.

    Parameters
    ----------
    database : str or Path
    track_id : str
        Of the song that goes.
    file : Path
    fingerprinter : Embedder

    Returns
    -------
    Track
        The song that came.

    Raises
    ------
    AudioFormatError
        When the file cannot be read.
    ConfigError, DatabaseError
        As of `replace_track`.
    ArtifactError
        When the database is damaged or of another encoder.
    """
    opened = SongDatabase.open(database, fingerprinter.embedding_space)
    with tempfile.TemporaryDirectory() as folder:
        track = fingerprint_file(file, Path(folder), fingerprinter, opened.manifest.hop_s)
        embeddings = open_array(Path(folder) / f"{track.track_id}.npy", np.float32)
        replace_track(database, track_id, track, embeddings)
    return track


def _make_codebook(choice: CodebookChoice, shipped: Codebook, tracks: Sequence[str], journal: Journal) -> Codebook:
    ids = list(dict.fromkeys(tracks))

    def load(number: int) -> NDArray[np.float32]:
        return journal.embeddings(ids[number], shipped.dim)

    return choice.make(shipped, [len(load(number)) for number in range(len(ids))], load)


def _shipped_codebook(fingerprinter: Embedder, choice: CodebookChoice) -> Codebook:
    if not isinstance(fingerprinter, Fingerprinter):
        message = f"{fingerprinter.name}: layout 'pq' needs a codebook and this model has none; pass one"
        raise ConfigError(message)
    return shipped_codebook(fingerprinter.folder.path, choice.code_bytes)


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path}: cannot make its folder ({error}); write to another place"
        raise DatabaseError(message) from error


def _collect(
    paths: Sequence[Path],
    done: dict[Path, DoneFile],
    journal: Journal,
    writer: DatabaseWriter,
    report: IndexReport,
) -> float:
    """Add the songs in the order of their files, however the work was shared out; return the seconds added."""
    seconds = 0.0
    for path in paths:
        if path not in done:
            continue
        track = done[path].track
        index = writer.add(track, journal.embeddings(track.track_id, writer.settings.dim))
        if index is None:
            known = writer.track(track.track_id)
            report.skipped.append((path, known.source if known is not None else ""))
        else:
            report.added.append((path, track.track_id))
            seconds += track.duration_s
    return seconds


def _fingerprint_all(
    paths: Sequence[Path],
    journal: Journal,
    fingerprinter: Embedder,
    *,
    hop_s: float,
    jobs: int,
    engine: str,
    report: IndexReport,
    progress: Callable[[IndexProgress], None] | None,
) -> dict[Path, DoneFile]:
    began_s = time.perf_counter()
    stamps = {path: FileStamp.of(path) for path in dict.fromkeys(paths)}
    done = {path: found for path, stamp in stamps.items() if (found := journal.find(stamp)) is not None}
    waiting = [path for path in stamps if path not in done]
    failed: dict[Path, NowPlayingError] = {}
    seconds = 0.0
    fingerprint = fingerprint_on_cluster if engine == "ray" else fingerprint_files
    for path, result in fingerprint(waiting, journal.folder, fingerprinter, hop_s=hop_s, jobs=jobs):
        stamp = stamps[path]
        if isinstance(result, NowPlayingError) or stamp is None:
            missing = AudioFormatError(f"{path}: No such file")
            failed[path] = result if isinstance(result, NowPlayingError) else missing
        else:
            done[path] = DoneFile(stamp=stamp, track=result)
            journal.add(done[path])
            seconds += result.duration_s
        if progress is not None:
            n_done = len(done) + len(failed)
            elapsed_s = time.perf_counter() - began_s
            progress(IndexProgress(n_done=n_done, n_total=len(stamps), seconds_of_audio=seconds, elapsed_s=elapsed_s))
    report.failed.extend((path, failed[path]) for path in stamps if path in failed)
    return done
